from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

from stratoscope.cli import main
from stratoscope.errors import BadInput, TooFew, UnknownName, WeightsError
from stratoscope.figures.catalogue import figures_of
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.network import Network
from stratoscope.stimuli.objects import open_objects
from stratoscope.studies import open_study, prune_and_distill
from stratoscope.studies.muratore2022.fields import measured_properties
from stratoscope.studies.muratore2022.invariance import Shown, told_apart
from stratoscope.studies.muratore2022.models import planned_models
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.types import Stimuli

QUICK = Protocol(
    properties=("mean_luminance", "edge_density"), n_units=30, n_shuffles=19, n_resamples=20, n_draws=10, n_readout_units=10,
    population_sizes=(6,), n_populations=2, n_matched=2, dimension_stimuli=60,
)  # fmt: skip
HOW = {"protocol": QUICK, "progress": False, "n_models": 2, "batch_size": 32, "workers": 1}


class Tiny(nn.Module):
    """Three gated stages; counts the stimuli of every pass."""

    def __init__(self, seed=0, width=5):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv1, self.gate1 = nn.Conv2d(3, width, 3, stride=2), nn.ReLU()
            self.conv2, self.gate2 = nn.Conv2d(width, 6, 3, stride=2), nn.ReLU()
            self.fc, self.gate3 = nn.Linear(6 * 9, 12), nn.ReLU()

    def forward(self, x):
        PASSES.append(len(x))
        return self.gate3(self.fc(self.gate2(self.conv2(self.gate1(self.conv1(x)))).flatten(1)))


PASSES: list[int] = []


class Counted:
    """Loads what another set loads, and counts."""

    def __init__(self, stimuli):
        self.load, self.counts = stimuli.load, np.zeros(len(stimuli), dtype=int)

    def __call__(self, row):
        self.counts[row] += 1
        return self.load(row)


def views(spec="?views=6&pixels=16&objects=jug,star,ring"):
    return open_objects(spec)


@pytest.fixture(scope="module")
def dense():
    return open_objects("dense?n=90&pixels=16&objects=jug,star,ring&seed=4")


def counting(stimuli):
    """Return the stimuli, which count how often each is loaded, and the counts."""
    counted = Counted(stimuli)
    return type(stimuli)(**{**vars(stimuli), "load": counted}), counted.counts


@pytest.fixture(scope="module")
def loaded():
    """How often each stimulus of the study was loaded: views, dense views."""
    return []


@pytest.fixture(scope="module")
def study(dense, loaded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    for step in (2, 10):
        save_file(Tiny(seed=step).state_dict(), folder / f"step-{step}.safetensors")
    PASSES.clear()
    sets, counts = zip(*map(counting, (views(), dense)), strict=True)
    loaded.extend(counts)
    return prune_and_distill(
        Network(Tiny(), name="tiny"),
        sets[0],
        dense=sets[1],
        checkpoints=str(folder / "*.safetensors"),
        out=folder / "run",
        **HOW,
    )


def test_each_source_is_played_once(study):
    assert (
        len(study.results.tree.children) == 1 + 2 + 2 + 2 + 1
    )  # the last is training itself, of which nothing is played
    # Passes of one or two stimuli are those that a network is prepared with.
    assert [size for size in PASSES if size > 2] == 7 * [32, 32, 32, 12]


def test_each_stimulus_is_decoded_once_for_all_models(study, loaded):
    of_views, of_dense = loaded
    assert (of_views[1:] == 1).all()  # the first one is what a network is prepared with
    assert (of_dense == 1).all()
    assert len(study.results.tree.children) > 2


def test_the_same_units_are_read_in_every_model_and_are_named(study):
    nodes = [node for node in study.results.tree.subtree if node.attrs.get("name") == "gate1"]
    first = nodes[0].to_dataset()
    assert first["unit_channel"].shape == (30,)
    assert int(first["unit_row"].max()) < 7
    for node in nodes[1:]:
        for name in ("unit_channel", "unit_row", "unit_column"):
            np.testing.assert_array_equal(node.to_dataset()[name], first[name])


def test_every_meaning_of_untrained_is_played_and_is_a_control(study):
    table = study.table()
    assert set(table["lesion"]) == {
        "",
        "reinitialize",
        "permute_weights",
        "checkpoint at step-2",
        "checkpoint at step-10",
    }
    claims = study.claims.set_index("claim").loc["information-falls"]
    assert {"minus shuffle", "without constant units", "5 response bins", "against permuted weights",
            "against the first checkpoint"} <= set(claims["control"])  # fmt: skip
    assert study.protocol["untrained"] == ["fresh", "permuted", "checkpoint"]
    assert study.protocol["checkpoints"] == ["step-2", "step-10"]


def test_claims_of_the_abstract_are_all_judged_or_say_why_not(study):
    claims = study.claims.query("control == ''").set_index("claim")
    assert {"information-falls", "information-falls-mean_luminance", "information-is-distilled", "dimension-rises-and-falls",
            "the-rise-and-fall-is-learnt", "objects-generalise", "object-information-rises",
            "information-falls-over-training"} <= set(claims.index)  # fmt: skip
    for _, claim in claims.iterrows():
        assert np.isfinite(claim["value"]) or claim["note"]
    assert "after Muratore et al. 2022" in set(claims["paper"]).pop()
    assert not any("reproduces" in sentence for sentence in study.findings)


def test_pruning_is_untrained_less_trained_and_distillation_trained_less_untrained(study):
    table = study.table()

    def of(metric, lesion, item="all properties", control=""):
        rows = table.query(
            "hierarchy == 'tiny' and metric == @metric and lesion == @lesion and item == @item and control == @control"
        )
        return rows.groupby("stage", sort=False)["value"].mean().to_numpy()

    for metric, index, sign in (
        ("property_information", "pruning_index", -1),
        ("information_concentration", "distillation_index", 1),
    ):
        change = of(metric, "") - of(metric, "reinitialize")
        np.testing.assert_allclose(of(index, ""), sign * change, atol=1e-12)
    change = of("property_information", "permute_weights") - of("property_information", "")
    np.testing.assert_allclose(of("pruning_index", "", control="against permuted weights"), change, atol=1e-12)
    grown = of("two_nn", "", item="") - of("two_nn", "reinitialize", item="")
    np.testing.assert_allclose(of("dimension_expansion", "", item="two_nn"), grown, atol=1e-12)


def test_training_is_a_hierarchy_of_its_own_with_means_over_stages(study):
    table = study.table()
    points = table.query("hierarchy == 'tiny over training' and metric == 'two_nn'").set_index("stage")["value"]
    assert list(points.index) == ["step-2", "step-10", "trained"]
    last = table.query("hierarchy == 'tiny' and lesion == '' and metric == 'two_nn' and control == ''")["value"]
    assert points["trained"] == pytest.approx(last.mean())


def test_it_is_kept_and_reported_with_its_figures_and_open_choices(study, tmp_path):
    folder = study.save(tmp_path / "again")
    opened = open_study(folder)
    assert opened.findings == study.findings
    page = opened.report(tmp_path / "report.html").read_text("utf-8")
    for words in ("What the abstract leaves open", "value_bins", "Pruning and expansion", "In the course of training"):
        assert words in page
    drawn = {name: draw() for name, draw in figures_of(opened.results).items()}
    assert list(drawn) == ["information_over_depth", "distillation_over_depth", "dimension_over_depth",
                           "invariance_over_depth", "pruning_against_expansion", "over_training", "object_information_of_units"]  # fmt: skip
    assert len(drawn["information_over_depth"].axes) == 1 + 2
    assert len(drawn["pruning_against_expansion"].axes) == 3


def test_the_same_seed_gives_the_same_numbers_and_batches_do_not_matter(dense):
    def run(**changes):
        how = {**HOW, "n_models": 1, "untrained": "fresh", **changes}
        return prune_and_distill(Network(Tiny(), name="tiny"), dense, **how).table()["value"].to_numpy()

    np.testing.assert_allclose(run(), run(batch_size=7, workers=2), rtol=1e-4, atol=1e-5)


def designed(rng, n=240):
    """Responses of two areas: the first follows the light, the second the object."""
    objects, light = np.arange(n) % 4, rng.random(n)
    noise = rng.normal(0, 0.05, size=(2, n, 40))
    early = light[:, None] * rng.random(40) + noise[0]
    late = (objects[:, None] == np.arange(40) % 4) + noise[1]
    columns = {"object": np.array([f"object {one}" for one in objects]), "view": np.arange(n) // 4, "light": light}
    return Arrays({"early": early, "late": late}, columns=columns)


def test_known_information_comes_back_with_the_right_order(rng):
    source = designed(rng)
    protocol = Protocol(
        properties=("light",), n_shuffles=19, n_resamples=20, n_draws=20, population_sizes=(6,), n_matched=2
    )
    study = prune_and_distill(source, source.stimuli(), **{**HOW, "protocol": protocol})
    table = study.table().query("control == '' and lesion == ''").set_index(["metric", "item", "stage"])["value"]
    assert table["property_information", "light", "early"] > 0.8
    assert table["property_information", "light", "late"] < 0.05
    assert table["informative_fraction", "light", "early"] > 0.9
    assert table["informative_fraction", "light", "late"] < 0.3
    assert table["object_information", "", "late"] > 0.2
    assert table["object_information", "", "early"] < 0.02
    assert (
        table["population_generalization", "6 units", "late"]
        > table["population_generalization", "6 units", "early"] + 0.2
    )
    assert "No untrained models were made" in " ".join(study.results.remarks)
    assert not any(claim.startswith("information-falls") for claim in study.claims["claim"])


def test_units_that_never_fire_have_zero_bits_and_a_dead_stage_says_so(rng):
    alive = designed(rng)
    dead = np.zeros((240, 10))
    source = Arrays({"dead": dead}, columns=dict(alive.stimuli().columns))
    protocol = Protocol(
        properties=("light",), n_shuffles=19, n_resamples=20, n_draws=5, population_sizes=(6,), n_matched=2
    )
    study = prune_and_distill(source, source.stimuli(), **{**HOW, "protocol": protocol})
    rows = study.table().set_index(["metric", "item", "control"])
    assert rows.loc[("property_information", "light", ""), "value"] == 0
    assert rows.loc[("constant_fraction", "", ""), "value"] == 1
    assert (
        "no unit changes its response"
        in rows.loc[("property_information", "all properties", "without constant units"), "note"]
    )
    assert "distinct stimuli" in rows.loc[("two_nn", "", ""), "note"]


def with_columns(stimuli, **columns):
    return type(stimuli)(**{**vars(stimuli), "columns": {**stimuli.columns, **columns}})


def asked(stimuli, *properties, **changes):
    protocol = Protocol(**{**vars(QUICK), "properties": properties or QUICK.properties})
    return prune_and_distill(
        Network(Tiny(), name="tiny"),
        stimuli,
        **{**HOW, "n_models": 1, "untrained": "none", "protocol": protocol, **changes},
    )


def test_a_constant_property_is_refused_where_it_was_asked_for(dense):
    flat = with_columns(dense, flat=np.ones(90))
    with pytest.raises(BadInput, match="The property 'flat' is constant, so no unit can inform about it"):
        asked(flat, "flat", "mean_luminance")


def test_a_property_of_two_values_keeps_two_bins_and_nan_is_left_out(dense):
    half = with_columns(
        dense, half=np.arange(90) % 2.0, holes=np.where(np.arange(90) < 20, np.nan, dense.columns["size"])
    )
    study = asked(half, "half", "holes")
    assert "20 of 90 stimuli have no holes and are left out where it is measured." in study.results.remarks
    values = study.table().query("metric == 'property_information' and control == ''")
    assert np.isfinite(values["value"]).all()
    gone = with_columns(dense, gone=np.full(90, np.nan))
    with pytest.raises(BadInput, match="has a value for 0 of 90 stimuli"):
        asked(gone, "gone")


def test_names_and_texts_that_are_no_properties_are_refused(dense):
    with pytest.raises(UnknownName, match="mean_luminance"):
        asked(dense, "mean_luminanse")
    with pytest.raises(BadInput, match="The column 'object' of .* holds <U.* values, and a property is a number"):
        asked(dense, "object")


def test_without_objects_the_rest_is_measured_and_said(dense):
    study = asked(type(dense)(**{**vars(dense), "columns": {}}))
    assert any("Nothing was measured about objects" in remark for remark in study.results.remarks)
    assert "object_information" not in set(study.table()["metric"])
    assert "invariance_over_depth" in figures_of(study.results)
    one = asked(open_objects("dense?n=40&pixels=16&objects=jug"))
    assert any("shows one object, 'jug'" in remark for remark in one.results.remarks)


def test_views_that_were_given_for_objects_must_show_some(dense):
    with pytest.raises(BadInput, match="2 of 3 objects .* are shown in one view alone"):
        asked(views().take(np.array([0, 6, 12, 1])), dense=dense)
    with pytest.raises(UnknownName, match="column"):
        asked(dense, objects="objekt")


def test_few_stimuli_are_refused():
    with pytest.raises(TooFew, match="at least 20 stimuli, but 18 came"):
        asked(views())


def test_untrained_models_that_cannot_be_made_are_refused_before_the_pass(dense, tmp_path):
    with pytest.raises(
        BadInput, match="The first checkpoint was asked for as the untrained network, but no checkpoints came"
    ):
        asked(dense, untrained="checkpoint")
    with pytest.raises(UnknownName, match="fresh"):
        asked(dense, untrained="frsh")
    with pytest.raises(BadInput, match="and none of them: none, fresh"):
        asked(dense, untrained=["none", "fresh"])
    with pytest.raises(BadInput, match=r"No file fits the checkpoints"):
        asked(dense, checkpoints=str(tmp_path / "*.pt"))
    save_file(Tiny(width=7).state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError):
        asked(dense, checkpoints=tmp_path / "other.safetensors")
    with pytest.raises(BadInput, match="is of another network than 'tiny'"):
        asked(dense, checkpoints=Network(Tiny(width=7), lesion="checkpoint at 1"))
    source = Arrays({"a": np.ones((30, 3))}, columns={"light": np.arange(30.0)})
    with pytest.raises(BadInput, match="holds responses, and only a network has untrained versions"):
        prune_and_distill(source, source.stimuli(), untrained="fresh", **HOW)
    with pytest.raises(BadInput, match="at least 1 model, but n_models is 0"):
        asked(dense, n_models=0)


def test_a_bundled_network_brings_its_checkpoints_in_the_order_of_training():
    import stratoscope as st

    source = st.open_source("bundled:alexnet")
    models, kinds, remarks = planned_models(source, None, ["bundled:alexnet@*"], n_models=1, seed=0)
    assert [model.name for model in models if model.kind == "checkpoint"] == [
        "step 0",
        "step 16",
        "step 128",
        "step 512",
    ]
    assert kinds == ("fresh", "permuted", "checkpoint")
    assert remarks == ("Checkpoint step 2000 has the weights of the trained network and was not played again.",)
    with pytest.raises(UnknownName, match="bundled:alexnet@16"):
        planned_models(source, None, ["bundled:alexnet@17"], n_models=1, seed=0)
    with pytest.raises(BadInput, match="another network"):
        planned_models(source, None, ["bundled:vgg@16"], n_models=1, seed=0)


def test_the_protocol_names_what_the_abstract_leaves_open_and_refuses_nonsense():
    assert {"properties", "value_bins", "pruning", "concentration", "estimator", "n_units"} <= set(
        Protocol().open_choices
    )
    with pytest.raises(UnknownName, match="difference"):
        Protocol(pruning="differense")
    with pytest.raises(BadInput, match="value_bins is at least 2, but 1 came"):
        Protocol(value_bins=1)
    with pytest.raises(BadInput, match="at least one image property"):
        Protocol(properties=())


def test_pairs_of_many_objects_are_drawn_once_and_the_note_says_how_many(rng):
    objects = np.repeat([f"object {one:02}" for one in range(12)], 4)
    shown = Shown(objects, {}, rng.uniform(0.9, 1.0, size=48))
    asked, note = told_apart(shown, 0.5, Protocol(n_pairs=7))
    assert note == "7 of 66 pairs of objects of like luminance, drawn at random"
    assert len(asked["pairs"]) == 7
    assert (asked["pairs"][:, 0] < asked["pairs"][:, 1]).all()
    np.testing.assert_array_equal(told_apart(shown, 0.5, Protocol(n_pairs=7))[0]["pairs"], asked["pairs"])
    assert not np.array_equal(told_apart(shown, 0.5, Protocol(n_pairs=7, seed=1))[0]["pairs"], asked["pairs"])
    dark = Shown(objects, {}, np.where(objects < "object 06", 0.1, 0.9))
    few, _ = told_apart(dark, 0.8, Protocol(n_pairs=20))
    assert ((few["pairs"] < 6).all(axis=1) | (few["pairs"] >= 6).all(axis=1)).all()
    assert told_apart(shown, 0.5, Protocol(n_pairs=66)) == ({"luminance": shown.luminance, "threshold": 0.5}, "")


def test_every_choice_can_be_switched(dense):
    changes = {
        "pruning": "log-ratio", "concentration": "top-share", "over_units": "mean", "silent": "exclude", "estimator": "gride",
    }  # fmt: skip
    protocol = Protocol(**{**vars(QUICK), **changes})
    study = prune_and_distill(
        Network(Tiny(), name="tiny"), dense, **{**HOW, "n_models": 1, "untrained": "fresh", "protocol": protocol}
    )
    assert {name: study.protocol[name] for name in changes} == changes
    assert study.table().query("metric == 'pruning_index'")["value"].notna().any()


class Patches(nn.Module):
    """The mean over each of 4 x 4 patches, and then over the image."""

    def __init__(self):
        super().__init__()
        self.mean, self.gate1, self.pool, self.gate2 = (
            nn.Conv2d(3, 1, 4, stride=4),
            nn.ReLU(),
            nn.AvgPool2d(4),
            nn.ReLU(),
        )
        nn.init.constant_(self.mean.weight, 1 / 48)
        nn.init.zeros_(self.mean.bias)

    def forward(self, x):
        return self.gate2(self.pool(self.gate1(self.mean(x))))


@pytest.fixture(scope="module")
def in_fields():
    """Information about light of a network of patches that saw noise, by field and stage."""
    pixels = np.random.default_rng(0).random((240, 3, 16, 16), dtype=np.float32)
    pixels[:] = pixels[:, :1]  # grey
    pixels[:, :, :4] = 0.0  # the first row of patches is always dark
    shown = Stimuli("noise", tuple(map(str, range(240))), lambda row: pixels[row], {})
    names = ("mean_luminance", "rms_contrast")
    protocol = Protocol(**{**vars(QUICK), "properties": names, "over_units": "mean", "n_field_stimuli": 4})
    found = {}
    for field in ("image", "theoretical", "effective"):
        asked = replace(protocol, field=field)
        study = prune_and_distill(
            Network(Patches(), name="patches"), shown, **{**HOW, "protocol": asked, "untrained": "none"}
        )
        rows = study.table().query("metric == 'property_information' and control == '' and item == 'mean_luminance'")
        found[field] = (study, rows.set_index("stage")["value"])
    return found


def test_units_inform_about_the_light_in_their_field_and_hardly_about_that_of_the_image(in_fields):
    of_image, wired, moved = (in_fields[field][1] for field in ("image", "theoretical", "effective"))
    lit = 12 / 16  # of the patches
    assert wired["gate1"] == pytest.approx(lit * np.log2(3), abs=0.15)
    assert moved["gate1"] == pytest.approx(wired["gate1"], abs=0.02)
    assert of_image["gate1"] < 0.3
    for field in (wired, moved):  # the last stage sees the whole image
        assert field["gate2"] == pytest.approx(of_image["gate2"], abs=0.02)


def test_the_field_is_in_the_protocol_and_what_it_leaves_out_is_said(in_fields, dense):
    for field, (study, _) in in_fields.items():
        assert study.protocol["field"] == field
        assert study.findings[0].startswith("Nothing is claimed")  # two stages, and nothing untrained
        said = f"Properties were measured within the {field} field of every unit" in " ".join(study.results.remarks)
        assert said == (field != "image")
    names, remarks = measured_properties(Protocol(field="effective"), Network(Tiny()))
    assert names == ("mean_luminance", "luminance_sd", "rms_contrast", "corner_energy")
    assert "trained network in all models; spatial_frequency, dominant_orientation" in remarks[0]
    with pytest.raises(BadInput, match="which edge_density is not. Ask for mean_luminance, luminance_sd"):
        asked(dense, protocol=replace(QUICK, field="theoretical"))
    with pytest.raises(UnknownName, match="theoretical"):
        Protocol(field="theoretic")


def test_fields_are_of_a_network(rng):
    source = designed(rng)
    with pytest.raises(BadInput, match="fields are read from a network"):
        prune_and_distill(source, source.stimuli(), **{**HOW, "protocol": Protocol(field="effective")})


def test_the_command_runs_the_study_with_fields_and_writes_the_report(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, stride=3), torch.nn.ReLU())\n"
    )
    words = ["study", "prune-and-distill", f"{tmp_path / 'net.py'}:build", "objects:dense?n=110&pixels=16&objects=jug",
             "--size", "16", "--field", "theoretical", "--property", "mean_luminance", "--units", "10", "--shuffles", "5",
             "--untrained", "none", "--quiet", "--out", str(tmp_path / "run")]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert open_study(tmp_path / "run").protocol["field"] == "theoretical"
    assert (tmp_path / "run" / "report.html").is_file()
