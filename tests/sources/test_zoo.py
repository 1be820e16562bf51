import builtins
import urllib.error

import pytest
import torch
from PIL import Image

from stratoscope._compat import import_torchvision
from stratoscope.errors import BadInput, MissingExtra, UnknownName, WeightsError
from stratoscope.sources import lesions, zoo
from stratoscope.sources.openers import open_source
from stratoscope.sources.preprocess import IMAGENET_MEAN
from stratoscope.sources.weights import weights_hash
from stratoscope.sources.zoo import from_processor, from_timm
from stratoscope.types import Stimuli

torchvision = import_torchvision()


@pytest.fixture(scope="module")
def photos():
    image = Image.effect_noise((90, 60), 80).convert("RGB")
    return Stimuli("photos", ("a", "b"), lambda row: image)


def play(source, photos):
    out = {}
    source.play(photos, lambda stage, rows, r: out.setdefault(stage.name, r.clone()))
    return out


def test_alexnet_with_random_weights_says_so_and_is_seeded(photos):
    state = torch.get_rng_state()
    one, two = (open_source("torchvision:alexnet", weights="random", stages="relu", seed=s) for s in (0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert one.name == "torchvision:alexnet (random initialisation, seed 0)"
    assert "random initialisation, seed 0" in one.describe()["origin"]
    assert weights_hash(one.module) != weights_hash(two.module)
    assert "shorter side to 256 pixels (bilinear), centre 224" in one.describe()["preprocess"]
    widths = [r.shape[1] for r in play(one, photos).values()]
    assert widths == [64, 192, 384, 256, 256, 4096, 4096]


def test_lesions_of_a_resnet_keep_its_stages(photos):
    source = open_source("torchvision:resnet18", weights="random", stages="relu", size=64).prepare(photos)
    intact = play(source, photos)
    for lesioned in (lesions.remove_gating(source), lesions.remove_gating(source, stages="layer4.1.relu:2")):
        out = play(lesioned, photos)
        assert list(out) == list(intact)
        assert (out["layer4.1.relu:2"] < 0).any()
    assert torch.equal(out["layer4.1.relu"], intact["layer4.1.relu"])


def test_a_weights_file_is_loaded_into_a_torchvision_network(tmp_path):
    donor = torchvision.models.get_model("squeezenet1_1", weights=None)
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    source = open_source("torchvision:squeezenet1_1", weights=tmp_path / "w.pth")
    assert weights_hash(source.module) == weights_hash(donor)


def test_default_weights_bring_their_own_treatment(monkeypatch):
    made = torch.nn.Sequential(torch.nn.ReLU())
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: made)
    source = open_source("torchvision:resnet50")
    assert "shorter side to 232" in source.describe()["preprocess"]
    assert source.describe()["origin"] == "torchvision:resnet50, weights: IMAGENET1K_V2"
    assert "256" in open_source("torchvision:resnet50", weights="IMAGENET1K_V1").describe()["preprocess"]


def test_a_download_that_fails_names_both_ways_out(monkeypatch):
    def offline(name, weights):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torchvision.models, "get_model", offline)
    with pytest.raises(
        WeightsError, match=r"could not be downloaded .*--weights FILE\.safetensors, or --weights random"
    ):
        open_source("torchvision:alexnet")


def test_names_with_a_typo_get_the_nearest():
    with pytest.raises(UnknownName, match=r"No torchvision model is called 'alexnt'\. Did you mean 'alexnet'"):
        open_source("torchvision:alexnt")
    with pytest.raises(
        UnknownName, match=r"No set of weights of alexnet is called 'IMAGENET1K_V3'\. Did you mean 'IMAGENET1K_V1'"
    ):
        open_source("torchvision:alexnet", weights="IMAGENET1K_V3")
    with pytest.raises(UnknownName, match=r"No timm model is called 'resnet1o'\. Did you mean 'resnet1"):
        open_source("timm:resnet1o")
    with pytest.raises(UnknownName, match="No set of weights of timm:resnet10t is called 'best'"):
        open_source("timm:resnet10t", weights="best")


def test_timm_networks_use_their_data_configuration(photos):
    source = open_source("timm:resnet10t", weights="random", stages="block", size=64)
    assert source.name.startswith("timm:resnet10t (random")
    assert "(bicubic), centre 64" in source.describe()["preprocess"]
    assert len(play(source, photos)) == 4


def test_a_timm_download_that_fails_names_both_ways_out(monkeypatch):
    import timm

    def offline(name, pretrained):
        raise ConnectionError("offline")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(WeightsError, match=r"timm:resnet10t could not be downloaded \(ConnectionError: offline\)"):
        open_source("timm:resnet10t")


def test_timm_configurations_become_a_treatment_or_are_refused():
    config = {
        "input_size": (3, 240, 240),
        "crop_pct": 0.9,
        "crop_mode": "center",
        "interpolation": "bicubic",
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_MEAN,
    }
    assert (from_timm(config).resized, from_timm(config).mode) == (266, "crop")
    assert from_timm({**config, "crop_mode": "squash"}).mode == "squash"
    with pytest.raises(BadInput, match="Only square colour images"):
        from_timm({**config, "input_size": (1, 240, 240)})
    with pytest.raises(BadInput, match="'border'"):
        from_timm({**config, "crop_mode": "border"})
    assert from_timm({**config, "crop_mode": "border"}, "crop").mode == "crop"


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    import transformers

    transformers.utils.logging.disable_progress_bar()
    folder = tmp_path_factory.mktemp("vit")
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=8,
        num_labels=3,
    )
    model = transformers.ViTForImageClassification(config)
    model.save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder, model


def test_a_folder_of_transformers_is_opened_with_its_classifier_and_processor(vit, photos):
    folder, model = vit
    source = open_source(f"hf:{folder}", stages=["*fc1*", "*classifier"], unit="channel")
    assert weights_hash(source.module.model) == weights_hash(model)
    assert source.describe()["preprocess"].startswith(
        "squash: both sides to 32 pixels (bilinear), mean (0.5, 0.5, 0.5)"
    )
    assert play(source, photos)["model.classifier"].shape == (2, 3)


def test_transformers_start_afresh_under_a_seed(vit):
    folder, _model = vit
    hashes = [weights_hash(open_source(f"hf:{folder}", weights="random", seed=s).module) for s in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_weights_files_load_into_transformers(vit, tmp_path):
    folder, model = vit
    torch.save(model.state_dict(), tmp_path / "w.pt")
    source = open_source(f"hf:{folder}", weights=tmp_path / "w.pt")
    assert weights_hash(source.module.model) == weights_hash(model)


def test_gating_is_taken_from_transformers(vit, photos):
    source = open_source(f"hf:{vit[0]}", stages="activation").prepare(photos)
    lesioned = lesions.remove_gating(source).prepare(photos)
    assert lesioned.stages == source.stages
    before, after = play(source, photos), play(lesioned, photos)
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_a_model_without_processor_asks_for_the_treatment(vit, tmp_path):
    vit[1].save_pretrained(tmp_path)
    with pytest.raises(BadInput, match=r"has no image processor.*input='crop' or input='squash'"):
        open_source(f"hf:{tmp_path}")
    assert "squash: both sides to 32" in open_source(f"hf:{tmp_path}", input="squash").describe()["preprocess"]


def test_a_model_whose_weights_are_not_all_there_is_refused(vit, tmp_path):
    state = {k: v for k, v in vit[1].state_dict().items() if "layernorm_before" not in k}
    vit[1].save_pretrained(tmp_path, state_dict=state)
    with pytest.raises(WeightsError, match=r"lacks \d+ of the network's tensors.*they would be random"):
        open_source(f"hf:{tmp_path}", input="squash")


def test_a_pooler_that_is_not_there_is_said_to_be_random(vit, tmp_path):
    state = {k.removeprefix("vit."): v for k, v in vit[1].state_dict().items() if k.startswith("vit.")}
    model = type(vit[1].vit)(vit[1].config)
    model.save_pretrained(tmp_path, state_dict=state)
    origin = open_source(f"hf:{tmp_path}", input="squash", seed=2).describe()["origin"]
    assert origin.endswith("(pooler: random initialisation, seed 2)")


def test_language_models_and_folders_that_are_not_there_are_refused(tmp_path):
    import transformers

    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="BertModel, which does not take images alone"):
        open_source(f"hf:{tmp_path}", weights="random")
    with pytest.raises(BadInput, match=r"There is no folder '\./none'"):
        open_source("hf:./none")


def test_a_hub_that_cannot_be_reached_names_both_ways_out(monkeypatch):
    import transformers

    def offline(name, local_files_only):
        raise OSError("We couldn't connect")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", offline)
    with pytest.raises(
        WeightsError, match=r"hf:a/b could not be downloaded \(OSError: We couldn't connect\).*--weights random"
    ):
        open_source("hf:a/b")


def test_processors_become_a_treatment_or_are_refused():
    class Processor:
        size, resample, image_mean, image_std = {"shortest_edge": 256}, 3, (0.1,) * 3, (0.2,) * 3
        do_center_crop, crop_size = True, {"height": 224, "width": 224}

    made = from_processor(Processor())
    assert (made.mode, made.size, made.resized, made.interpolation, made.mean) == (
        "crop",
        224,
        256,
        "bicubic",
        (0.1,) * 3,
    )
    Processor.do_normalize = False
    assert from_processor(Processor()).std == (1, 1, 1)
    Processor.do_center_crop, Processor.crop_pct = False, 0.875
    assert (from_processor(Processor()).size, from_processor(Processor()).resized) == (256, 292)
    Processor.size = {"shortest_edge": 384}
    assert from_processor(Processor()).mode == "squash"
    Processor.size, Processor.crop_pct = {"height": 30, "width": 40}, None
    with pytest.raises(BadInput, match="only square inputs are made here"):
        from_processor(Processor())


@pytest.mark.parametrize(
    ("library", "spec", "extra"), [("timm", "timm:resnet18", "timm"), ("transformers", "hf:a/b", "hf")]
)
def test_a_library_that_is_not_installed_is_named_with_its_extra(monkeypatch, library, spec, extra):
    whole = builtins.__import__

    def without(name, *args, **kwargs):
        if name == library:
            raise ImportError(name)
        return whole(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=rf"needs {library}, which is not installed.*stratoscope\[{extra}\]"):
        open_source(spec)


def test_the_wrapper_hands_images_on_by_name():
    class Model(torch.nn.Module):
        def forward(self, pixel_values):
            return pixel_values + 1

    assert zoo.PixelValues(Model())(torch.zeros(1)).item() == 1
