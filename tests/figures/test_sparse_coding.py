from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.figures import sparse_coding as figures
from stratoscope.figures.panels import live_panels
from stratoscope.figures.sparse_coding.kept import PSI, runs
from stratoscope.results import Declared, Results, Row, StageResult, Values
from stratoscope.studies.record import make_study
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage

NAMES = ("conv1", "conv2", "fc1", "fc2")
PROTOCOL = {
    "level": 0.95,
    "n_models": 3,
    "panels": {"conv": ["conv1", "conv2"], "fc": ["fc1", "fc2"]},
    "readout": {"stage": "fc2", "n_folds": 2, "folds": "interleaved", "penalty": 1.0},
}
CATEGORIES = np.array([f"category {i:02d}" for i in range(12)])


def run(rng, lesion="", *, whole=False, readout=False):
    stages = []
    for i, name in enumerate(NAMES):
        shape = (8, 4, 4) if name.startswith("conv") else (8,)
        stage = Stage(name, (i + 1) / 4, "relu", shape, "channel", 8, hierarchy="net")
        psi = 0.2 + 0.1 * i + 0.05 * rng.random(12)
        arrays = {PSI: Values(psi, ("category",)), "raw_treves_rolls": Values(psi / 2, ("category",))}
        for scalar in ("dead_fraction", "constant_fraction"):
            arrays[scalar] = Values(np.array(0.1 * i))
        rows = [Row.of(stage, PSI, float(np.median(psi)), 0.1, 0.9, n=12, lesion=lesion, item="median over categories")]
        if whole:
            for control in ("size-matched", "without-constant-units", "structureless"):
                arrays[f"{PSI}.{control}"] = Values(psi - 0.05, ("category",))
            arrays["hoyer_sparseness"] = arrays["gini_sparseness"] = Values(psi, ("category",))
            arrays["activation_density"] = Values(rng.random(99), ("activation_bin",))
            for fit in ("as-published", "to-activations"):
                arrays |= {f"fit.{fit}.{part}": Values(np.array(rng.random())) for part in ("norm", "weibull", "shape")}
        if readout:
            if name == "fc2":
                arrays["readout_accuracy"] = Values(np.linspace(0.2, 0.9, 12), ("category",))
            items = ("pearson", "spearman", "partial pearson given mean activation")
            numbers = ("correlation_with_accuracy", 0.1 * i, -0.3, 0.7)
            rows += [Row.of(stage, *numbers, n=12, lesion=lesion, item=item) for item in items]
        stages.append(StageResult(stage, arrays, tuple(rows)))
    return Results.build({"made": "today"}, stages, {"category": CATEGORIES}, metrics=[Declared(PSI)])


@pytest.fixture
def make(rng):
    def study(lesions=("permute_weights",) * 3 + ("remove_gating",), *, readout=True):
        parts = [run(rng, whole=True, readout=readout), *(run(rng, lesion) for lesion in lesions)]
        return make_study(parts, "sparse-coding", PROTOCOL, (), "A summary.").results

    return study


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_distributions_are_percentages_in_20_bins(make):
    figure = figures.hierarchy_of_sparseness(make())
    assert titles(figure) == ["A  convolutional stages", "  fully connected stages", "B  median over categories"]
    for axes in figure.axes[:2]:
        assert len(axes.lines) == 2
        for line in axes.lines:
            assert len(line.get_ydata()) == 20
            assert line.get_ydata().sum() == pytest.approx(100)


def test_medians_of_conv_and_fc_are_lines_of_their_own(make):
    results = make()
    axes = figures.hierarchy_of_sparseness(results).axes[-1]
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 1], [2, 3]]
    drawn = np.concatenate([line.get_ydata() for line in axes.lines])
    np.testing.assert_allclose(drawn, runs(results)[0].medians())
    assert [label.get_text() for label in axes.get_xticklabels()] == list(NAMES)


def test_a_page_is_told_the_number_of_categories_behind_every_median_and_correlation(make):
    results = make()
    medians = live_panels(figures.hierarchy_of_sparseness(results))["panels"][-1]["lines"]
    assert [line["n"] for line in medians] == [[12, 12], [12, 12]]
    correlations = live_panels(figures.sparseness_and_performance(results))["panels"][-1]["lines"]
    assert [line["n"] for line in correlations] == [[12] * 4] * 3


def test_performance_shows_categories_best_first_chance_and_three_coefficients(make):
    figure = figures.sparseness_and_performance(make())
    accuracy, chance = figure.axes[0].lines
    assert list(accuracy.get_ydata()) == sorted(np.linspace(0.2, 0.9, 12), reverse=True)
    assert chance.get_ydata()[0] == pytest.approx(1 / 12)
    assert len(figure.axes[1].lines[0].get_xdata()) == 12
    words = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert words == ["pearson", "spearman", "partial, given mean"]


def test_a_box_stands_over_every_stage_and_one_model_is_a_line(make):
    results = make()
    figure = figures.lesioned_sparseness(results)
    assert titles(figure) == ["A  permuted weights, n = 3", "B  gating removed"]
    assert len(figure.axes[0].patches) == 4
    assert len(figure.axes[1].patches) == 0
    intact = runs(results)[0].medians()
    for axes in figure.axes:
        np.testing.assert_allclose(axes.lines[0].get_ydata(), intact)


def test_boxes_are_those_of_the_medians_of_the_models(make):
    results = make()
    models = np.array([one.medians() for one in runs(results)[1:4]])
    figure = figures.lesioned_sparseness(results)
    middle = [line.get_ydata() for line in figure.axes[0].lines if line.get_linewidth() == 1.6]
    np.testing.assert_allclose(sorted(y[0] for y in middle), sorted(np.median(models, axis=0)))


def test_lesions_of_single_stages_share_a_panel(make):
    results = make([f"remove_gating at {name}" for name in NAMES])
    figure = figures.stagewise_lesions(results)
    assert titles(figure) == ["A  gating removed, one stage at a time"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == list(NAMES)
    with pytest.raises(BadInput, match="no lesions of the whole network"):
        figures.lesioned_sparseness(results)


def test_models_of_a_lesion_of_one_stage_are_a_line_in_a_band(make):
    results = make(["permute_weights at conv1"] * 3 + ["permute_weights at fc1"] * 3)
    models = np.array([one.medians() for one in runs(results)[1:4]])
    axes = figures.stagewise_lesions(results).axes[0]
    assert len(axes.collections) == 2
    np.testing.assert_allclose(axes.lines[1].get_ydata(), np.median(models, axis=0))
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (models.min(), models.max())


def test_controls_and_other_indices_are_beside_the_measurement(make):
    figure = figures.controls_of_sparseness(make())
    named = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes]
    assert named == [
        ["size-matched", "without constant units", "structureless", "PSI"],
        ["raw Treves-Rolls", "Hoyer", "Gini", "PSI"],
        ["dead", "constant"],
    ]


def test_both_fits_are_drawn(make):
    figure = figures.activation_distributions(make())
    assert len(figure.axes[0].lines) == 4
    assert [text.get_text() for text in figure.axes[2].get_legend().get_texts()] == ["as published", "to activations"]


def test_a_study_without_a_read_out_has_no_such_figure(make):
    with pytest.raises(BadInput, match="This study has no read-out"):
        figures.sparseness_and_performance(make(readout=False))


def test_a_study_without_lesions_has_no_such_figure(make):
    with pytest.raises(BadInput, match="no lesions of the whole network"):
        figures.lesioned_sparseness(make(()))
    with pytest.raises(BadInput, match="no lesions of single stages"):
        figures.stagewise_lesions(make(()))


@pytest.mark.parametrize("name", figures.__all__)
def test_results_of_a_run_are_refused(name):
    with pytest.raises(BadInput, match="are those of a run, not of a sparse-coding study"):
        getattr(figures, name)(toy_results())
