from __future__ import annotations

import copy
import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from stratoscope.cli import main
from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.figures.unit_lesions import accuracy_over_ablated
from stratoscope.metrics import lifetime_sparseness
from stratoscope.results import open_results
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.network import Network
from stratoscope.stimuli.examples import COUNT, chosen_rows
from stratoscope.studies import ablate_by_rank
from stratoscope.studies.unit_lesions.classes import correctness
from stratoscope.studies.unit_lesions.criteria import planned_ablations, selectivity
from stratoscope.studies.unit_lesions.rows import mean_over_stimuli
from stratoscope.types import Stimuli

COLOURS = ("red", "green", "blue")


class Colours(nn.Module):
    """Channels 0, 1, 2 answer one colour each and alone decide its class; channel 3 answers all and decides nothing."""

    def __init__(self, n_classes=3):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 1, bias=False), nn.ReLU(inplace=True)
        self.linear = nn.Linear(4, n_classes, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])[..., None, None])
            self.linear.weight.copy_(torch.eye(n_classes, 4))

    def forward(self, x):
        return self.linear(self.relu(self.conv(x)).mean((2, 3)))


def coloured(categories=COLOURS, each=8):
    codes = np.repeat(np.arange(3), each)
    images = np.zeros((3 * each, 3, 4, 4), np.float32)
    images[np.arange(len(codes)), codes] = 1 + 0.05 * (np.arange(len(codes)) % each)[:, None, None]
    loads = []

    def load(row):
        loads.append(row)
        return images[row]

    columns = {} if categories is None else {"category": np.array(categories)[codes]}
    return Stimuli("colours", tuple(f"c{i}" for i in range(len(codes))), load, columns, "colours"), loads


@pytest.fixture
def network():
    return Network(Colours(), name="colours")


HOW = {"labels": COLOURS, "progress": False, "n_random": 4, "batch_size": 16}


def one(results, metric, lesion, item=""):
    rows = [row for row in results.rows if (row.metric, row.item) == (metric, item) and row.lesion == lesion]
    assert len(rows) == 1
    return rows[0]


def test_ablating_the_unit_that_decides_a_class_drops_exactly_that_class_to_chance(network):
    found = ablate_by_rank(network, coloured()[0], "relu", fractions=(0.25,), **HOW)
    lesion = "ablate 25% highest lifetime_sparseness at relu"
    assert one(found, "accuracy", "").value == 1
    loss = one(found, "accuracy_loss", lesion)
    assert loss.value == pytest.approx(2 / 9)
    assert 0 < loss.low < loss.value < loss.high
    by_category = found["relu"]["accuracy_by_category"].sel(ablation=lesion)
    hit = COLOURS.index(next(colour for colour in COLOURS if float(by_category.sel(category=colour)) < 1))
    assert sorted(by_category.values.tolist()) == pytest.approx([1 / 3, 1, 1])
    np.testing.assert_array_equal(np.flatnonzero(found["relu"]["silenced"].sel(ablation=lesion)), [hit])


def test_ablating_the_unit_that_decides_nothing_costs_nothing(network):
    found = ablate_by_rank(network, coloured()[0], "relu", fractions=(0.25,), **HOW)
    for criterion in ("lifetime_sparseness", "selectivity"):
        lesion = f"ablate 25% lowest {criterion} at relu"
        assert np.flatnonzero(found["relu"]["silenced"].sel(ablation=lesion)).tolist() == [3]
        assert one(found, "accuracy_loss", lesion).value == 0
    assert one(found, "accuracy_loss", "ablate 25% highest mean_activation at relu").value == 0


def test_all_channels_ablated_leave_chance(network):
    found = ablate_by_rank(network, coloured()[0], "relu", by="selectivity", fractions=(1.0,), ends="lowest", **HOW)
    assert one(found, "accuracy", "ablate 100% lowest selectivity at relu").value == pytest.approx(1 / 3)


def test_channels_are_ranked_by_sparseness(rng):
    responses = rng.gamma(1, size=(40, 6)) * (rng.random((40, 6)) < np.linspace(0.1, 1, 6))
    scored = {"lifetime_sparseness": lifetime_sparseness(responses)}
    order = np.argsort(scored["lifetime_sparseness"])
    made = planned_ablations(scored, ["lifetime_sparseness"], [0.5], ["highest", "lowest"], 1, 0)
    assert set(made[0].channels) == set(order[3:])
    assert set(made[1].channels) == set(order[:3])


def test_random_draws_are_seeded_nested_and_the_control(network):
    runs = [
        ablate_by_rank(network, coloured()[0], "relu", by=["random"], **{**HOW, "seed": seed}) for seed in (3, 3, 4)
    ]
    silenced = [run["relu"]["silenced"].values for run in runs]
    np.testing.assert_array_equal(silenced[0], silenced[1])
    np.testing.assert_array_equal(silenced[0][5:9], silenced[2][1:5])  # seeds 4, 5, 6 of both begin at seed 4
    small, large = silenced[0][1], silenced[0][3]
    assert (large | ~small).all()
    rows = [row for row in runs[0].rows if row.metric == "accuracy_loss"]
    assert {row.control for row in rows} == {"random"}
    assert {row.seed for row in rows} == {3, 4, 5, 6, None}


def test_the_mean_of_the_random_draws_has_their_range(network):
    found = ablate_by_rank(network, coloured()[0], "relu", fractions=(0.5,), **HOW)
    rows = [row for row in found.rows if row.metric == "accuracy_loss" and row.control == "random"]
    draws = [row.value for row in rows if not row.item]
    mean = next(row for row in rows if row.item == "mean of 4 draws")
    assert (mean.value, mean.low, mean.high) == pytest.approx((np.mean(draws), min(draws), max(draws)))
    more = one(found, "p_random", "ablate 50% highest selectivity at relu", "costs more")
    cost = one(found, "accuracy_loss", "ablate 50% highest selectivity at relu").value
    assert more.value == pytest.approx((1 + sum(np.array(draws) >= cost - 1e-12)) / 5)
    assert any("no p-value is below 0.200" in note for note in found.notes)


def test_the_network_is_left_as_it_was_and_every_stimulus_decoded_once(network):
    before = copy.deepcopy(network.module.state_dict())
    stimuli, loads = coloured()
    ablate_by_rank(network, stimuli, "relu", **HOW)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.module.state_dict().items())
    assert not network.module.relu._forward_hooks
    counts = np.bincount(loads)
    pictures = np.zeros(len(counts), dtype=int)
    pictures[chosen_rows(stimuli, (), COUNT)] = 1  # loaded once more, to be shown in the report
    assert (counts[1:] == 1 + pictures[1:]).all()
    assert counts[0] <= 6 + pictures[0]  # the first one is looked at before the pass


def test_results_come_back_from_a_folder_and_are_drawn(network, tmp_path):
    found = ablate_by_rank(network, coloured()[0], "relu", out=tmp_path / "run", **HOW)
    opened = open_results(tmp_path / "run")
    assert list(map(repr, opened.rows)) == list(map(repr, found.rows))
    np.testing.assert_array_equal(opened["relu"]["silenced"], found["relu"]["silenced"])
    axes = accuracy_over_ablated(opened).axes[0]
    assert len(axes.lines) == 7
    assert axes.lines[1].get_ydata()[0] == 1
    page = opened.report(tmp_path / "report.html").read_text("utf-8")
    assert "What silenced channels cost" in page
    assert "What the paper claims" not in page
    with pytest.raises(BadInput, match="already|overwrite"):
        ablate_by_rank(network, coloured()[0], "relu", out=tmp_path / "run", **HOW)


def test_results_without_ablations_are_not_drawn(network):
    from stratoscope.measure import profile

    found = profile(network, coloured()[0], metrics=["dead_fraction"], progress=False)
    with pytest.raises(BadInput, match="hold no ablations of units"):
        accuracy_over_ablated(found)


def test_categories_may_be_numbers_of_outputs(network):
    found = ablate_by_rank(network, coloured(("0", "1", "2"))[0], "relu", by=["random"], n_random=1, progress=False)
    assert one(found, "accuracy", "").value == 1


def test_labels_are_in_the_order_of_the_outputs(network):
    how = {**HOW, "labels": ("green", "red", "blue"), "by": ["random"], "fractions": [0.5]}
    found = ablate_by_rank(network, coloured()[0], "relu", **how)
    assert one(found, "accuracy", "", "category=blue").value == 1
    assert one(found, "accuracy", "", "category=red").value == 0


def test_selectivity_is_the_published_index_and_stays_within_0_and_1():
    means = np.array([[3.0, 0.0, -1.0], [1.0, 0.0, 2.0], [1.0, 0.0, -3.0]])
    np.testing.assert_allclose(selectivity(means), [0.5, 0.0, 1.0])


def test_classes_that_share_the_largest_output_share_the_answer():
    outputs = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 1.0], [0.0, 2.0, 1.0]])
    np.testing.assert_allclose(correctness(outputs, np.array([0, 2, 1, 2])), [0.5, 1 / 3, 1, 0])


def test_the_interval_is_that_of_resampled_stimuli(rng):
    values = rng.choice([-1.0, 0.0, 1.0], 200, p=[0.1, 0.6, 0.3])
    found = mean_over_stimuli(values, 0)
    half = 1.96 * values.std() / np.sqrt(200)
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_a_stage_with_negative_responses_is_said_to_rank_poorly():
    module = Colours()
    with torch.no_grad():
        module.conv.weight.neg_()
    found = ablate_by_rank(Network(module, name="neg"), coloured()[0], "conv", fractions=(0.5,), **HOW)
    assert any("negative: lifetime sparseness and selectivity" in note for note in found.notes)


def test_channels_that_never_respond_are_counted(network):
    with torch.no_grad():
        network.module.conv.weight[1] = -1
    found = ablate_by_rank(network, coloured()[0], "relu", by=["mean_activation"], fractions=(0.25,), **HOW)
    note = one(found, "accuracy_loss", "ablate 25% lowest mean_activation at relu").note
    assert note == "1 of the 1 channels silenced never respond anyway"


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"stage": "rellu"}, UnknownName, "No stage is called 'rellu'. Did you mean 'relu'"),
        ({"stage": "linear"}, BadInput, "is the output itself"),
        ({"output": "linaer"}, UnknownName, "Did you mean 'linear'"),
        ({"output": "conv"}, BadInput, "needs an output of shape (stimulus, class), but stage 'conv'"),
        ({"fractions": (0.5, 1.5)}, BadInput, "above 0 and up to 1, but 1.5 came"),
        ({"fractions": (0.0,)}, BadInput, "above 0 and up to 1, but 0 came"),
        ({"fractions": (float("nan"),)}, BadInput, "above 0 and up to 1, but nan came"),
        ({"fractions": ()}, BadInput, "at least one criterion, one end and one fraction"),
        ({"by": ["selectivty"]}, UnknownName, "Did you mean 'selectivity'"),
        ({"ends": ["top"]}, UnknownName, "No end of a ranking is called 'top'"),
        ({"n_random": 0}, BadInput, "at least 1 draw"),
        ({"labels": None}, BadInput, "stands for which category is not known: the categories are 'blue', 'green', 'red'"),
        ({"labels": ("red", "green", "blu")}, BadInput, "are no class of 'colours': 'blue'. Did you mean 'blu'"),
        ({"labels": ("red", "green")}, BadInput, "The labels are 2 names, 2 of them different, but the output"),
        ({"labels": ("red", "red", "blue")}, BadInput, "3 names, 2 of them different"),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_with_a_sentence(network, changes, error, said):
    asked = {"stage": "relu", **HOW, **changes}
    with pytest.raises(error, match=re.escape(said)):
        ablate_by_rank(network, coloured()[0], asked.pop("stage"), **asked)


def test_stimuli_without_categories_are_refused(network):
    with pytest.raises(BadInput, match="has no column 'category'"):
        ablate_by_rank(network, coloured(None)[0], "relu", **HOW)
    with pytest.raises(TooFew, match=r"at least 2 categories, but 'colours' has 1 \(red\)"):
        ablate_by_rank(network, coloured(("red",) * 3)[0], "relu", **HOW)


def test_responses_are_refused():
    source = Arrays({"a": np.eye(4)}, columns={"category": np.array(list("aabb"))})
    with pytest.raises(BadInput, match="only the channels of a network can be silenced"):
        ablate_by_rank(source, source.stimuli(), "a", progress=False)


def test_a_network_that_answers_nan_is_refused(network):
    with torch.no_grad():
        network.module.linear.weight.fill_(float("nan"))
    with pytest.raises(BadInput, match="Stage 'linear' gave no numbers. .*not finite"):
        ablate_by_rank(network, coloured()[0], "relu", **HOW)


def test_the_command_runs_the_study_and_writes_the_report(tmp_path):
    codes = np.repeat(np.arange(3), 5)
    images = np.zeros((15, 8, 8, 3), np.uint8)
    images[np.arange(15), ..., codes] = 200
    np.savez(tmp_path / "images.npz", images=images, category=np.array(COLOURS)[codes])
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    (tmp_path / "net.py").write_text(
        "import torch\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(216, 3))\n"
    )
    words = [
        *("study", "unit-lesions", f"{tmp_path / 'net.py'}:build", str(tmp_path / "images.npz"), "--stage", "1"),
        *("--size", "8", "--out", str(tmp_path / "run"), "--fraction", "0.5", "--draws", "2"),
    ]
    done = CliRunner().invoke(main, [*words, "--labels", str(tmp_path / "labels.txt")])
    assert done.exit_code == 0, done.output
    assert "Of 6 ablations by rank at 1," in done.output
    assert (tmp_path / "run" / "report.html").is_file()
    assert open_results(tmp_path / "run").run["study"]["protocol"]["fractions"] == [0.5]
    refused = CliRunner().invoke(main, [*words, "--overwrite"])
    assert refused.exit_code == 2
    assert "Give labels=" in refused.output
