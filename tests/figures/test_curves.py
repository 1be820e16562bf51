"""A metric over depth: what is drawn is read back from the artists."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pytest

from stratoscope.errors import UnknownName
from stratoscope.figures import caption, metric_over_depth, metrics_over_depth, pretty_lesion
from stratoscope.figures.style import SERIES, THEME, _below, spread, wrap
from stratoscope.results import Declared, Results, Row, StageResult, Values
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def texts(figure):
    return [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]


@pytest.fixture(scope="module")
def intact():
    return toy_results()


@pytest.fixture(scope="module")
def both(intact):
    return Results.combine([intact, toy_results(lesion="permuted weights", seed=1)])


def run_of(values, metric="m", **keywords):
    names = [f"s{index}" for index in range(len(values))]
    stages = [Stage(name, (i + 1) / len(names), "relu", (2,), "channel", 2) for i, name in enumerate(names)]
    results = [
        StageResult(stage, {}, (Row.of(stage, metric, value, n=5, **keywords),))
        for stage, value in zip(stages, values, strict=True)
    ]
    return Results.build({}, results, {})


def test_the_curve_runs_through_the_table(intact):
    drawn = lines(metric_over_depth(intact, "population_sparseness"))["measured"]
    table = intact.table().query("metric == 'population_sparseness' and control == ''")
    np.testing.assert_array_equal(drawn.get_xdata(), table["depth"])
    np.testing.assert_array_equal(drawn.get_ydata(), table["value"])


def test_the_interval_is_a_band_from_low_to_high(intact):
    axes = metric_over_depth(intact, "two_nn").axes[0]
    table = intact.table().query("metric == 'two_nn' and control == ''")
    heights = np.concatenate([path.vertices[:, 1] for band in axes.collections for path in band.get_paths()])
    assert np.isclose(heights.max(), table["high"].max())


def test_controls_are_grey_behind_and_labelled(intact):
    figure = metric_over_depth(intact, "population_sparseness")
    drawn = lines(figure)
    for control in ("size-matched", "structureless"):
        assert drawn[f"control: {control}"].get_color() == THEME["control"]
        assert drawn[f"control: {control}"].get_zorder() < drawn["measured"].get_zorder()
        assert control in texts(figure)


def test_the_y_axis_stands_on_0_and_holds_all_that_is_drawn(intact):
    for metric in ("population_sparseness", "dead_fraction", "two_nn"):
        bottom, top = metric_over_depth(intact, metric).axes[0].get_ylim()
        highest = intact.table().query("metric == @metric")[["value", "high"]].max().max()
        assert bottom == 0.0
        assert highest < top
    assert metric_over_depth(intact, "dead_fraction").axes[0].get_ylim()[1] < 0.22


def test_the_y_axis_holds_the_violins_too(intact):
    values = np.concatenate(
        [intact[stage.name, "channel"]["population_sparseness"].to_numpy() for stage in intact.stages]
    )
    assert metric_over_depth(intact, "population_sparseness").axes[0].get_ylim()[1] > values.max()


@pytest.mark.parametrize(
    ("values", "declared", "limits"),
    [
        ([0.98, 1.0], (0.0, 1.0), (0.0, 1.0)),
        ([0.0, 0.0], (0.0, 1.0), (0.0, 1.0)),
        ([0.0, 0.0], (0.0, np.inf), (0.0, 1.06)),
        ([-1.0, 1.0], (-np.inf, np.inf), (-1.12, 1.12)),
        ([-1.0, -0.5], (-1.0, 1.0), (-1.0, 0.0)),
        ([5.0, 10.0], (1.0, np.inf), (0.0, 10.6)),
    ],
)
def test_the_y_axis_stays_within_what_is_declared(values, declared, limits):
    run = run_of(values)
    run = Results(run.run, run.rows, run.tree, {"m": Declared("m", range=declared)})
    assert metric_over_depth(run, "m").axes[0].get_ylim() == pytest.approx(limits)


def test_the_axis_says_metric_item_and_unit(intact):
    axes = metric_over_depth(intact, "population_sparseness").axes[0]
    assert axes.get_ylabel() == "population sparseness, median over categories  (unit: channel)"
    assert [tick.get_text() for tick in axes.get_xticklabels()][:2] == ["conv1.relu", "conv2.relu"]


def test_lesions_are_lines_of_their_own_colour_with_their_name(both):
    figure = metric_over_depth(both, "two_nn")
    drawn = lines(figure)
    assert drawn["intact"].get_color() == SERIES[0]
    assert drawn["permuted weights"].get_color() == SERIES[1]
    assert {"intact", "permuted weights", "structureless"} <= set(texts(figure))


def test_raw_names_of_lesions_are_drawn_as_words_and_stay_in_the_table(intact):
    results = Results.combine([intact, toy_results(lesion="permute_weights")])
    assert {"intact", "permuted weights"} <= set(texts(metric_over_depth(results, "two_nn")))
    assert "permute_weights" in set(results.table()["lesion"])


@pytest.mark.parametrize(
    ("lesion", "words"),
    [
        ("", "intact"),
        ("permute_weights", "permuted weights"),
        ("permute_weights[channels] at my_stage*", "permuted weights (channels) at my_stage*"),
        ("replace_gating[leaky_relu]", "gating replaced (leaky_relu)"),
        ("reinitialize (seed 3) + remove_gating", "fresh initialisation (seed 3) + gating removed"),
        ("ablate_units[relu_1: 0, 4]", "units ablated (relu_1: 0, 4)"),
        ("checkpoint at step 0", "checkpoint at step 0"),
        ("my_own_lesion", "my own lesion"),
        ("猫!", "猫!"),
        ("!", "!"),
    ],
)
def test_lesions_as_words(lesion, words):
    assert pretty_lesion(lesion) == words


def test_controls_of_the_intact_network_alone_are_drawn_and_the_caption_says_so(both):
    table = both.table().query("metric == 'two_nn' and control == 'structureless' and lesion == ''")
    drawn = lines(metric_over_depth(both, "two_nn"))["control: structureless"]
    np.testing.assert_array_equal(drawn.get_ydata(), table["value"])
    said = "Grey: controls (structureless), drawn for intact alone; the others are in the table."
    assert said in caption(both, "two_nn")


def test_a_lesioned_run_alone_is_drawn_with_its_own_controls():
    figure = metric_over_depth(toy_results(lesion="permute_weights"), "two_nn")
    assert "control: structureless" in lines(figure)
    assert "structureless" in texts(figure)


def test_metrics_stand_side_by_side_each_as_it_is_drawn_alone(both):
    metrics = ["population_sparseness", "two_nn"]
    figure = metrics_over_depth(both, metrics)
    for axes, metric in zip(figure.axes, metrics, strict=True):
        alone = metric_over_depth(both, metric).axes[0]
        assert axes.get_ylim() == alone.get_ylim()
        assert [line.get_label() for line in axes.get_lines()] == [line.get_label() for line in alone.get_lines()]
    left, right = (axes.get_position() for axes in figure.axes)
    assert left.x1 < right.x0


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("checkpoint at step 0", "checkpoint at\nstep 0"),
        ("torchvision:resnet18", "torchvision:\nresnet18"),
        ("size-matched to 16 units", "size-matched\nto 16 units"),
        ("intact", "intact"),
        ("a" * 30, "aaaaaa…aaaaaaa"),
        ("", ""),
    ],
)
def test_labels_break_between_words_and_never_within(text, lines):
    assert wrap(text) == lines


def test_labels_stay_below_the_title():
    heights = np.full(3, 0.1)
    placed = spread(_below(np.array([0.9, 1.0, 1.0]), heights), heights)
    assert (placed + heights / 2).max() <= 1.03 + 1e-12
    assert np.diff(np.sort(placed)).min() >= 0.1 - 1e-12


def test_several_items_are_drawn_for_one_hierarchy_and_the_first_for_several(intact, both):
    assert {"n1=1", "n1=64"} <= set(lines(metric_over_depth(intact, "gride")))
    assert set(lines(metric_over_depth(both, "gride"))) == {"intact", "permuted weights"}
    assert caption(both, "gride").endswith("Drawn for n1=1; the table holds the others.")


def test_a_stage_without_a_value_is_marked_and_told(intact):
    cross = lines(metric_over_depth(intact, "two_nn"))["no value"]
    assert cross.get_xdata().tolist() == [1.0]
    assert "A cross marks a stage without a value; the notes say why." in caption(intact, "two_nn")


def test_categories_are_drawn_as_violins_and_a_constant_spread_is_not(intact):
    axes = metric_over_depth(intact, "population_sparseness").axes[0]
    bands = 2  # the interval of the measurement and of the structureless control
    assert len(axes.collections) == len(intact.stages) / 2 + bands


def test_many_units_are_drawn_by_their_quantiles(rng):
    stages = [Stage(f"s{i}", i, "relu", (2,), "channel", 50_000) for i in (0, 1)]
    data = Values(rng.exponential(size=50_000), ("unit",))
    results = Results.build({}, [StageResult(s, {"m": data}, (Row.of(s, "m", 0.7, n=9),)) for s in stages], {})
    begun = time.process_time()
    assert len(metric_over_depth(results, "m").axes[0].collections) == 2
    assert time.process_time() - begun < 2


def test_the_caption_has_definition_unit_n_and_interval(intact):
    assert caption(intact, "population_sparseness") == (
        "Sparseness of each category's response over the units of a stage, 0 (dense) to 1. Unit: channel; n = 10; 64 to "
        "1,024 units a stage. Band: 95% interval (percentile bootstrap over categories). Grey: controls (size-matched, "
        "structureless)."
    )


def test_an_unknown_metric_offers_the_nearest(intact):
    with pytest.raises(UnknownName, match=r"^No metric in these results is called 'twonn'\. Did you mean 'two_nn'\?$"):
        metric_over_depth(intact, "twonn")


def test_seeds_of_one_lesion_are_lines_of_one_colour_and_one_label():
    runs = [run_of([1.0, 2.0 + seed], lesion="reinitialized", seed=seed) for seed in range(3)]
    figure = metric_over_depth(Results.combine([run_of([1.0, 2.0]), *runs]), "m")
    drawn = [line for line in figure.axes[0].get_lines() if line.get_label() == "reinitialized"]
    assert len(drawn) == 3
    assert len({line.get_color() for line in drawn}) == 1
    assert texts(figure).count("reinitialized") == 1


@pytest.mark.parametrize("values", [[1.0], [float("nan"), float("nan")], [2.0, 2.0]])
def test_odd_runs_are_drawn_too(values):
    figure = metric_over_depth(run_of(values), "m")
    bottom, top = figure.axes[0].get_ylim()
    assert bottom < top


def placed(*stages, hierarchy="net"):
    made = [Stage(name, depth, "relu", (2,), "channel", 2, "flat", hierarchy) for name, depth in stages]
    return Results.build({}, [StageResult(s, {}, (Row.of(s, "m", i, n=5),)) for i, s in enumerate(made)], {})


def test_stages_that_share_a_depth_stand_in_order_of_execution():
    axes = metric_over_depth(placed(("conv", 0.5), ("relu", 0.5), ("fc", 1.0), ("prob", 1.0)), "m").axes[0]
    assert axes.get_lines()[0].get_xdata().tolist() == [0.25, 0.5, 0.75, 1.0]
    assert axes.get_lines()[0].get_ydata().tolist() == [0, 1, 2, 3]
    assert axes.get_xlabel() == "stage, in order of execution"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["conv", "relu", "fc", "prob"]


def test_hierarchies_with_other_stages_share_an_axis_of_depth():
    both = Results.combine([placed(("a", 0.5), ("b", 1.0)), placed(("V1", 0.3), ("IT", 1.0), hierarchy="cortex")])
    figure = metric_over_depth(both, "m")
    assert figure.axes[0].get_xlabel() == "depth, 0 (input) to 1 (output)"
    assert set(lines(figure)) == {"net", "cortex"}


def test_crowded_names_are_left_out_but_never_the_last():
    axes = metric_over_depth(run_of(np.arange(100.0)), "m").axes[0]
    shown = [tick.get_text() for tick in axes.get_xticklabels()]
    assert shown[-1] == "s99"
    assert len(shown) < 20


def test_names_that_are_shown_do_not_touch():
    names = ["relu", *(f"layer{i}.{j}.relu{call}" for i in (1, 2, 3) for j in (0, 1, 2) for call in ("", ":2"))]
    axes = metric_over_depth(toy_results(names), "two_nn").axes[0]
    places = np.sort(axes.get_xticks())
    points = np.diff(places).min() / 1.06 * axes.get_window_extent().width / axes.figure.dpi * 72
    assert points * np.sin(np.radians(40)) >= 7.8
    assert len(places) < len(names)


def test_pyplot_and_its_settings_are_left_alone(intact):
    before = dict(plt.rcParams)
    metric_over_depth(intact, "two_nn")
    assert dict(plt.rcParams) == before
    assert plt.get_fignums() == []


def test_labels_that_would_touch_are_moved_apart_in_order(rng):
    wanted = np.sort(rng.uniform(0, 0.3, 8))
    heights = np.full(8, 0.1)
    placed = spread(wanted, heights)
    assert (np.diff(placed) >= 0.1 - 1e-12).all()
    far = np.array([0.0, 1.0])
    np.testing.assert_allclose(spread(far, np.full(2, 0.1)), far)
