import hashlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stratoscope.errors import BadInput, StageError, UnknownName, UnreadableStimulus, WeightsError
from stratoscope.sources.kinds import stand_in
from stratoscope.sources.network import Network
from stratoscope.testing.source_laws import check_source
from stratoscope.testing.toys import (
    EchoBesideSkip,
    FunctionalRelus,
    Restless,
    SharedRelu,
    SignedRelu,
    TinyTransformer,
    constant_stimuli,
    toy_stimuli,
)
from stratoscope.types import Source, Stimuli

VALUES = (-2.0, -0.5, 0.0, 1.0, 3.0)


def played(network, stimuli, **options):
    tables = {}

    def visit(stage, rows, responses):
        table = tables.setdefault((stage.name, stage.unit), np.full((len(stimuli), stage.n_units), np.nan))
        table[rows] = responses.numpy()

    report = network.play(stimuli, visit, **options)
    return tables, report


@pytest.mark.parametrize("toy", [SignedRelu, Restless, SharedRelu, FunctionalRelus, EchoBesideSkip, TinyTransformer])
def test_every_toy_read_everywhere_keeps_the_laws_of_sources(toy):
    check_source(lambda: Network(toy(), stages="*", unit=("channel", "position")), toy_stimuli(5))


def test_a_network_is_a_source():
    assert isinstance(Network(SignedRelu()).prepare(toy_stimuli(3)), Source)


def test_a_convolution_is_read_before_the_in_place_relu_and_the_relu_after_it():
    tables, _ = played(Network(SignedRelu(), stages=["conv", "relu"]), constant_stimuli(VALUES), batch_size=2)
    v = np.array(VALUES)
    np.testing.assert_allclose(tables["conv", "channel"], np.stack([v, -v], 1), rtol=1e-6)
    np.testing.assert_allclose(tables["relu", "channel"], np.stack([v.clip(0), (-v).clip(0)], 1), rtol=1e-6)


def test_several_units_are_read_from_one_stage_in_one_pass():
    module = SignedRelu()
    passes = []
    module.register_forward_hook(lambda *_: passes.append(1))
    network = Network(module, stages="relu", unit=("channel", "position")).prepare(constant_stimuli(VALUES))
    passes.clear()
    tables, _ = played(network, constant_stimuli(VALUES), batch_size=5)
    assert [(s.name, s.unit, s.n_units) for s in network.stages] == [("relu", "channel", 2), ("relu", "position", 128)]
    np.testing.assert_allclose(
        tables["relu", "position"].reshape(5, 2, 64).mean(2), tables["relu", "channel"], rtol=1e-6
    )
    assert len(passes) == 1


def test_a_module_that_runs_twice_is_two_stages():
    network = Network(SharedRelu(), stages="relu").prepare(toy_stimuli(3))
    assert [(stage.name, stage.depth) for stage in network.stages] == [("relu", 0.5), ("relu:2", 1.0)]
    only = network.select("name:relu:2").prepare(toy_stimuli(3))
    np.testing.assert_array_equal(
        played(only, toy_stimuli(3))[0]["relu:2", "channel"], played(network, toy_stimuli(3))[0]["relu:2", "channel"]
    )


def test_every_spelling_of_a_functional_non_linearity_is_a_stage_read_after_it():
    network = Network(FunctionalRelus(), stages="activation", unit="position").prepare(toy_stimuli(4))
    names = ["relu", "relu:2", "relu:3", "relu:4", "relu:5", "gelu", "silu", "relu6"]
    assert [stage.name for stage in network.stages] == names
    assert [stage.kind for stage in network.stages] == ["relu"] * 5 + ["activation"] * 2 + ["relu"]
    x = torch.stack([torch.from_numpy(toy_stimuli(4).load(i)) for i in range(4)])
    tables, _ = played(network, toy_stimuli(4))
    for name, conv, call in zip(names, network.module.convs, FunctionalRelus.SPELLINGS.values(), strict=True):
        x = call(conv(x).detach())
        np.testing.assert_allclose(tables[name, "position"], x.flatten(1), atol=1e-6)


class Functional(nn.Module):
    """No modules at all: weights as parameters, functions of them."""

    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(4, 3, 3, 3))
        self.matrix = nn.Parameter(torch.ones(4, 2))

    def forward(self, x):
        return F.relu(F.conv2d(x, self.kernel)).mean((2, 3)) @ self.matrix


def test_functional_convolutions_are_stages_and_a_product_with_a_parameter_counts_for_depth():
    stages = Network(Functional()).taps(toy_stimuli(3))
    assert [(s.name, s.kind, s.depth, s.layout) for s in stages] == [
        ("conv2d", "conv", 0.5, "channels-first"),
        ("relu", "relu", 0.5, "channels-first"),
    ]


def test_without_weights_depth_is_the_place_among_the_calls():
    assert [s.depth for s in Network(nn.Sequential(nn.ReLU(), nn.Tanh())).taps(toy_stimuli(3))] == [0.5, 1.0]


def test_the_function_mode_is_entered_only_for_functional_stages():
    class Seen(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.modes = nn.Conv2d(3, 2, 1), []

        def forward(self, x):
            self.modes.append(torch._C._len_torch_function_stack())
            return F.relu(self.conv(x))

    for stage, modes in (("conv", 0), ("relu", 1)):
        network = Network(Seen(), stages=stage).prepare(toy_stimuli(3))
        network.module.modes.clear()
        network.play(toy_stimuli(3), lambda *_: None)
        assert network.module.modes == [modes]


def test_what_a_visitor_calls_is_not_taken_for_a_call_of_the_network():
    network = Network(FunctionalRelus(), stages="*").prepare(toy_stimuli(3))
    seen = []
    network.play(toy_stimuli(3), lambda stage, _rows, responses: seen.append((stage.name, F.relu(responses).sum())))
    assert [name for name, _ in seen] == [stage.name for stage in network.stages]


def test_what_a_visitor_keeps_can_be_changed_after_the_pass():
    kept = []
    Network(SignedRelu(), stages="relu").play(toy_stimuli(3), lambda _s, _r, responses: kept.append(responses * 2))
    before = kept[0].clone()
    kept[0].add_(1)
    assert torch.equal(kept[0], before + 1)


def test_stages_are_unknown_until_one_stimulus_has_passed():
    with pytest.raises(
        StageError, match=r"The stages of 'net' are known only after one stimulus has passed\. Call netw"
    ):
        _ = Network(SignedRelu(), name="net").stages


def test_prepare_runs_one_stimulus_and_leaves_the_network_unprepared():
    loads = []
    stimuli = toy_stimuli(9)
    counted = Stimuli("counted", stimuli.ids, lambda row: loads.append(row) or stimuli.load(row))
    network = Network(SignedRelu())
    assert network.prepare(counted).stages
    assert loads == [0]
    with pytest.raises(StageError):
        _ = network.stages


def test_a_class_token_is_read_where_there_is_one():
    network = Network(TinyTransformer(), stages="block", unit=("cls", "mean", "token", "channel")).prepare(
        toy_stimuli(3)
    )
    assert [(s.unit, s.n_units) for s in network.stages[:4]] == [("cls", 8), ("mean", 8), ("token", 40), ("channel", 8)]
    tables, _ = played(network, toy_stimuli(3))
    tokens = tables["layers.1", "token"].reshape(3, 5, 8)
    np.testing.assert_allclose(tables["layers.1", "cls"], tokens[:, 0])
    np.testing.assert_allclose(tables["layers.1", "channel"], tokens.mean(1), atol=1e-6)


def test_a_unit_that_makes_no_sense_is_refused_before_the_pass():
    with pytest.raises(
        BadInput, match=r"'cls' reads tokens, and stage 'conv' has shape \(2, 8, 8\) \(channels-first\)"
    ):
        Network(SignedRelu(), stages="conv", unit="cls").prepare(toy_stimuli(3))
    with pytest.raises(UnknownName, match=r"No unit definition is called 'chanel'\. Did you mean 'channel'"):
        Network(SignedRelu(), unit="chanel")


class Detour(nn.Module):
    """Runs its ReLU twice for batches with a bright stimulus."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.relu(x)) if x.max() > 2 else self.relu(x)


def test_a_path_that_depends_on_the_stimuli_is_an_error_that_names_the_stage():
    network = Network(Detour(), stages="relu").prepare(constant_stimuli((0.0, 1.0, 3.0)))
    with pytest.raises(
        StageError, match=r"Stage 'relu' answered stimulus 'toy-constant-2' twice: module 'relu' ran 2 ti"
    ):
        network.play(constant_stimuli((0.0, 1.0, 3.0)), lambda *_: None, batch_size=1)


class Shrinking(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(x[:, :2] if x.max() > 2 else x)


def test_a_shape_that_depends_on_the_stimuli_is_an_error_that_names_the_stage():
    network = Network(Shrinking(), stages="relu").prepare(constant_stimuli((0.0, 3.0)))
    with pytest.raises(
        StageError, match=r"Stage 'relu' answered 2 stimuli with shape \(2, 2, 8, 8\), expected \(2, 3, 8, 8\)"
    ):
        network.play(constant_stimuli((0.0, 3.0)), lambda *_: None)


class Windows(nn.Module):
    """Cuts a stimulus in four windows, batch-major (as Swin does) or window-major."""

    def __init__(self, batch_major):
        super().__init__()
        self.linear, self.batch_major = nn.Linear(3, 5), batch_major

    def forward(self, x):
        b = len(x)
        cut = x.reshape(b, 3, 2, 4, 2, 4).permute(0, 2, 4, 3, 5, 1)
        cut = cut if self.batch_major else cut.permute(1, 2, 0, 3, 4, 5)
        return self.linear(cut.reshape(b * 4, 16, 3)).mean(1)


def test_windows_are_read_where_they_lie_stimulus_after_stimulus_and_left_out_elsewhere():
    network = Network(Windows(True), stages="linear", unit="channel").prepare(toy_stimuli(4))
    assert (network.stages[0].shape, network.stages[0].layout) == ((64, 5), "tokens")
    tables, _ = played(network, toy_stimuli(4), batch_size=3)
    images = np.stack([toy_stimuli(4).load(i) for i in range(4)]).mean((2, 3))
    expected = images @ network.module.linear.weight.detach().numpy().T + network.module.linear.bias.detach().numpy()
    np.testing.assert_allclose(tables["linear", "channel"], expected, atol=1e-6)
    with pytest.raises(StageError, match="has no call that could be read"):
        Network(Windows(False), stages="linear").prepare(toy_stimuli(4))
    assert "4 rows per stimulus are not known" in Network(Windows(False)).left_out(toy_stimuli(4))["linear"]


def test_images_of_another_size_than_traced_are_refused():
    network = Network(SignedRelu()).prepare(toy_stimuli(3, size=8))
    with pytest.raises(BadInput, match=r"Stimulus 'toy-noise-0-0' has shape \(3, 6, 6\) after preprocessing"):
        network.play(toy_stimuli(3, size=6), lambda *_: None)


def unreadable(n, bad):
    good = toy_stimuli(n)

    def load(row):
        if row in bad:
            raise UnreadableStimulus(f"Stimulus {good.ids[row]!r} cannot be read.")
        return good.load(row)

    return Stimuli("broken", good.ids, load)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_unreadable_stimuli_stop_the_run_or_are_left_out_and_reported(batch_size):
    stimuli = unreadable(5, {0, 3, 4})
    network = Network(SignedRelu(), stages="relu").prepare(stimuli)
    with pytest.raises(UnreadableStimulus, match="'toy-noise-0-0' cannot be read"):
        network.play(stimuli, lambda *_: None, batch_size=batch_size)
    done = []
    tables, report = played(network, stimuli, batch_size=batch_size, skip_unreadable=True, progress=done.append)
    assert report.n == 2
    assert [row for row, _ in report.skipped] == [0, 3, 4]
    assert done[-1] == 5
    assert np.isfinite(tables["relu", "channel"]).all(1).tolist() == [False, True, True, False, False]


def test_a_set_without_a_readable_stimulus_says_so():
    with pytest.raises(UnreadableStimulus):
        Network(SignedRelu()).prepare(unreadable(2, {0, 1}))
    with pytest.raises(BadInput, match=r"The stimulus set 'broken' is empty"):
        Network(SignedRelu()).prepare(unreadable(0, set()))


def test_taps_lists_what_can_be_chosen_and_left_out_the_rest():
    network = Network(TinyTransformer())
    names = [stage.name for stage in network.taps(toy_stimuli(3))]
    assert names[:3] == ["patches", "layers.0.self_attn", "layers.0.dropout1"]
    assert network.left_out(toy_stimuli(3))["layers.0.self_attn.out_proj"] == "it never runs"


def test_a_network_with_another_module_is_read_at_the_same_stages():
    network = Network(SharedRelu(), stages="relu", name="n").prepare(toy_stimuli(3))

    class Ungated(nn.Identity):
        stands_for = "relu"

    lesioned = SharedRelu()
    lesioned.relu = Ungated()
    other = network.with_module(lesioned, lesion="remove_gating", seed=3).prepare(toy_stimuli(3))
    assert [s.name for s in other.stages] == ["relu", "relu:2"]
    assert {s.kind for s in other.stages} == {"relu"}
    assert (other.describe()["lesion"], other.describe()["seed"], network.describe()["lesion"]) == (
        *("remove_gating", 3),
        "intact",
    )


class Linearised(nn.Module):
    """A network whose functional ReLUs are answered by the identity, as a lesion does it."""

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func is F.relu:
                return stand_in(args[0], name="relu")
            return func(*args, **(kwargs or {}))

    def __init__(self):
        super().__init__()
        self.conv = SignedRelu().conv

    def forward(self, x):
        with self.Mode():
            return F.relu(self.conv(x))


def test_a_function_that_a_lesion_answers_itself_stays_a_stage():
    tables, _ = played(Network(Linearised(), stages=["conv", "relu"]), constant_stimuli())
    np.testing.assert_array_equal(tables["relu", "channel"], tables["conv", "channel"])
    assert tables["relu", "channel"].min() < 0


def test_describe_is_plain_and_hashes_the_weights():
    network = Network(SignedRelu(), name="toy", origin="toys:signed", layout={"conv*": "channels-first"})
    said = network.describe()
    weight = network.module.conv.weight.detach().numpy()
    expected = hashlib.sha256(b"conv.weight torch.float32 (2, 3, 1, 1)\n" + weight.tobytes()).hexdigest()
    assert said["weights_sha256"] == expected
    assert (said["class"], said["parameters"], said["origin"], said["unit"]) == (
        "SignedRelu",
        6,
        "toys:signed",
        ["channel"],
    )
    assert said["preprocess"] == "images / 255; arrays as they are"


def test_weights_without_a_shape_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions of torch call lazy modules experimental
        module = nn.Sequential(nn.LazyConv2d(2, 1))
    with pytest.raises(WeightsError, match=r"Weight '0\.weight' has no shape yet"):
        Network(module).prepare(toy_stimuli(3))


def test_what_is_no_module_and_a_device_that_is_not_there_are_refused():
    with pytest.raises(BadInput, match=r"A network is a torch\.nn\.Module; got a str"):
        Network("alexnet")
    with pytest.raises(BadInput, match=r"Device 'gpu9' cannot be used here"):
        Network(SignedRelu(), device="gpu9")
    with pytest.raises(BadInput, match="No definition of a unit was given"):
        Network(SignedRelu(), unit=())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_network_runs_on_another_device_and_comes_back():
    network = Network(Restless(), stages="*", device="cuda").prepare(toy_stimuli(5))
    check_source(lambda: Network(Restless(), stages="*", device="cuda"), toy_stimuli(5))
    assert {parameter.device.type for parameter in network.module.parameters()} == {"cpu"}


class CifarBlock(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
        self.conv2, self.bn2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)
        self.pad = n_out // 4 if stride != 1 or n_in != n_out else 0

    def forward(self, x):
        answer = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad)) if self.pad else x
        return F.relu(answer + short)


class CifarResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        widths = {"layer1": (16, 16, 1), "layer2": (16, 32, 2), "layer3": (32, 64, 2)}
        for name, (n_in, n_out, stride) in widths.items():
            blocks = [CifarBlock(n_in if i == 0 else n_out, n_out, stride if i == 0 else 1) for i in range(3)]
            self.add_module(name, nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


@pytest.mark.realdata
def test_a_real_residual_network_shows_19_functional_relus_and_its_accuracy(data):
    from safetensors.torch import load_file

    module = CifarResNet20()
    weights = load_file(data / "weights" / "cifar10_resnet_idelbayev" / "resnet20.safetensors")
    missing, unexpected = module.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    with np.load(data / "images" / "cifar10_lossless" / "cifar10_test1000_train2000.npz") as arrays:
        images, labels = arrays["x_test"], arrays["y_test"]
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    ids = tuple(f"cifar-{i}" for i in range(len(images)))
    stimuli = Stimuli("cifar10", ids, lambda row: ((np.float32(images[row]) / 255 - mean) / std).transpose(2, 0, 1))

    network = Network(module.train(), stages=["relu", "linear"]).prepare(stimuli)
    relus = [stage.name for stage in network.stages if stage.kind == "relu"]
    blocks = [f"layer{i}.{j}.relu{k}" for i in (1, 2, 3) for j in range(3) for k in ("", ":2")]
    assert relus == ["relu", *blocks]
    assert [stage.depth for stage in network.stages] == pytest.approx([i / 20 for i in range(1, 21)])
    tables, report = played(network, stimuli, batch_size=100)
    assert report.n == 1000
    assert np.mean(tables["linear", "channel"].argmax(1) == labels) == pytest.approx(0.915, abs=1e-9)
    assert all(np.isfinite(table).all() for table in tables.values())
    assert tables["layer3.2.relu:2", "channel"].min() >= 0


def test_a_batch_beyond_the_memory_asks_for_a_smaller_one(rng):
    class Greedy(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x):
            if len(x) > 2:  # the trace has one and two
                raise torch.OutOfMemoryError("no memory")
            return self.relu(x)

    images = [rng.random((3, 4, 4), dtype=np.float32) for _ in range(8)]
    stimuli = Stimuli("noise", tuple(map(str, range(8))), images.__getitem__)
    network = Network(Greedy()).prepare(stimuli)
    message = (
        "A batch of 8 stimuli does not fit into the memory of cpu. Give fewer at a time: --batch-size 4, or use another"
    )
    with pytest.raises(BadInput, match=message):
        network.play(stimuli, lambda *_: None)
    assert network.play(stimuli, lambda *_: None, batch_size=2).n == 8


def test_preparing_a_network_does_not_load_the_compiler_of_torch():
    """It would take two seconds of every run, and a tensor without data is enough to load it."""
    code = """
import sys
from stratoscope.sources.network import Network
from stratoscope.testing.toys import SignedRelu, toy_stimuli
stages = Network(SignedRelu(), unit=("channel", "position")).prepare(toy_stimuli()).stages
print(len(stages) > 0, "torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
