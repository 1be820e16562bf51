"""Correlations over categories: known answers, false positives, power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.statistics.association import (
    correlation_difference,
    partial_correlation,
    pearson,
    spearman,
    williams_t,
)
from stratoscope.statistics.stage_correlation import correlation_per_stage, correlation_trend

FAST = {"n_resamples": 20}


def test_correlations_are_those_of_scipy(rng):
    x, y = rng.normal(size=25), rng.normal(size=25)
    for function, reference in ((pearson, stats.pearsonr), (spearman, stats.spearmanr)):
        found, expected = function(x, y, **FAST), reference(x, y)
        assert (found.estimate.value, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
        assert found.counted == {"category": 25}


def test_the_interval_of_a_correlation_is_on_average_as_wide_as_fisher_says(rng):
    def width(seed):
        x, noise = rng.normal(size=(2, 300))
        found = pearson(x, 0.5 * x + np.sqrt(0.75) * noise, n_resamples=300, seed=seed).estimate
        return np.arctanh(found.high) - np.arctanh(found.low)

    # Widths of single samples spread by a tenth, so 20 of them are averaged.
    assert np.mean([width(seed) for seed in range(20)]) == pytest.approx(2 * 1.96 / np.sqrt(297), rel=0.08)


def test_a_partial_correlation_is_the_formula_of_three_correlations(rng):
    x, y, z = rng.normal(size=(3, 40)) + rng.normal(size=40)
    r = np.corrcoef([x, y, z])
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    found = partial_correlation(x, y, z, **FAST)
    assert found.estimate.value == pytest.approx(expected)
    assert found.null == "Student's t, 37 df"
    assert found.p == pytest.approx(2 * stats.t.sf(abs(expected) * np.sqrt(37 / (1 - expected**2)), 37))


def test_a_covariate_takes_away_what_it_makes(rng):
    cause = rng.normal(size=80)
    x, y = cause + 0.5 * rng.normal(size=80), cause + 0.5 * rng.normal(size=80)
    assert pearson(x, y, **FAST).p < 1e-6
    assert partial_correlation(x, y, cause, **FAST).p > 0.05
    assert np.isnan(partial_correlation(cause, y, cause, **FAST).estimate.value)


def test_williams_t_is_that_of_steigers_example():
    # Steiger 1980, three correlations of 103: r12 = 0.4, r13 = 0.5, r23 = 0.1.
    assert williams_t(0.4, 0.5, 0.1, 103) == pytest.approx(-0.89, abs=5e-3)
    assert williams_t(0.5, 0.4, 0.1, 103) == pytest.approx(0.89, abs=5e-3)


def _draws(name, rng):
    x, y, z = rng.normal(size=(3, 20))
    w = rng.normal(size=20)
    return {
        "pearson": lambda: pearson(x, y, n_resamples=2),
        "spearman": lambda: spearman(x, y, n_resamples=2),
        "partial": lambda: partial_correlation(x + z, y + z, z, n_resamples=2),
        "difference": lambda: correlation_difference(x + w, y + w, z + w, n_resamples=2),
    }[name]()


@pytest.mark.parametrize("name", ["pearson", "spearman", "partial", "difference"])
def test_false_positives_are_five_percent_where_nothing_is_there(name, rng):
    p = np.array([_draws(name, rng).p for _ in range(400)])
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.035)


def test_a_difference_of_correlations_is_found(rng):
    y = rng.normal(size=60)
    found = correlation_difference(y + 0.3 * rng.normal(size=60), y + 3 * rng.normal(size=60), y, n_resamples=200)
    assert found.p < 0.001
    assert found.estimate.low > 0.2
    ranks = correlation_difference(y + 0.3 * rng.normal(size=60), rng.normal(size=60), y, kind="spearman", **FAST)
    assert ranks.p < 0.001


def test_correlations_that_grow_along_the_stages_have_a_trend(rng):
    accuracy = rng.normal(size=60)
    data = {f"conv{i}": w * accuracy + rng.normal(size=60) for i, w in enumerate((-1.5, -0.6, 0.0, 0.5, 1.2, 2.5))}
    along = correlation_per_stage(data, accuracy, n_resamples=50)
    assert along.value == pytest.approx([np.corrcoef(row, accuracy)[0, 1] for row in data.values()])
    assert along.low.shape == (6,)
    found = correlation_trend(data, accuracy, n_resamples=50)
    assert (found.estimate.value, found.p) == (pytest.approx(1.0), pytest.approx(2 / 720))
    assert found.counted == {"stage": 6, "replicate": 60}


def test_correlations_without_order_have_a_trend_in_five_percent(rng):
    def draw():
        data = {f"conv{i}": rng.normal(size=30) for i in range(6)}
        return correlation_trend(data, rng.normal(size=30), n_resamples=2).p

    assert np.mean(np.array([draw() for _ in range(250)]) <= 0.05) == pytest.approx(0.05, abs=0.04)


def test_a_constant_side_has_no_correlation_and_no_p():
    found = pearson(np.ones(6), np.arange(6.0), **FAST)
    assert np.isnan([found.estimate.value, found.p]).all()
    assert found.null == "none: one side is constant"


def test_wrong_input_is_refused():
    x = np.arange(6.0)
    with pytest.raises(TooFew, match="A correlation needs at least 4 values, but 3 came"):
        pearson(x[:3], x[:3])
    with pytest.raises(TooFew, match="with 3 covariates needs at least 7 pairs, but 6 came"):
        partial_correlation(x, x**2, np.random.default_rng(0).normal(size=(6, 3)))
    with pytest.raises(BadInput, match=r"Covariates have the shape \(n=6,\) or \(n=6, covariate\)"):
        partial_correlation(x, x**2, np.ones(5))
    with pytest.raises(UnknownName, match="No correlation is called 'kendall'"):
        partial_correlation(x, x**2, x**3, kind="kendall")
    with pytest.raises(UnknownName, match=r"No test of a correlation is called 'permutations'\. Did you mean"):
        pearson(x, x**2, test="permutations", **FAST)
    with pytest.raises(BadInput, match=r"one value for each of the 2 replicates.*but \(3,\) came"):
        correlation_trend({"a": [1.0, 2.0], "b": [2.0, 3.0]}, [1.0, 2.0, 3.0])
    with pytest.raises(BadInput, match="A stage or y is constant"):
        correlation_trend({"a": x, "b": np.ones(6)}, x**2)
