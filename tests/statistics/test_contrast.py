"""Two hierarchies side by side: levels, trends, and a trend that is gone."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.statistics.contrast import abolished_trend, level_difference, trend_difference
from stratoscope.statistics.stage_values import StageValues, stage_values

FAST = {"n_resamples": 50}


def rising(rng, slope=1.0, n=12, sd=1.0, over="category"):
    table = slope * np.arange(6)[:, None] + sd * rng.normal(size=(6, n))
    return stage_values({f"stage {i}": row for i, row in enumerate(table)}, over=over)


def numbers(values, half=0.1, names=None):
    values = np.asarray(values, dtype=float)
    names = names or tuple(f"stage {i}" for i in range(len(values)))
    return StageValues(values[:, None], names, low=values - half, high=values + half)


def test_categories_are_compared_pair_by_pair(rng):
    base = 20 * rng.normal(size=12)
    one = stage_values({"a": base + 1 + 0.1 * rng.normal(size=12)}, over="category")
    other = stage_values({"a": base}, over="category")
    found = level_difference(one, other, **FAST)
    assert found.estimate.value == pytest.approx(1, abs=0.1)
    assert (found.p, found.counted) == (pytest.approx(2 / 4096), {"stage": 1, "category": 12})


def test_one_network_against_seeds_of_its_lesion_counts_the_seeds(rng):
    intact = stage_values({"a": [3.0], "b": [3.0]}, over="seed")
    permuted = stage_values({"a": rng.normal(size=10), "b": rng.normal(size=10)}, over="seed")
    found = level_difference(intact, permuted, **FAST)
    assert found.estimate.value == pytest.approx(3, abs=1)
    assert (found.n, found.counted, found.p) == (10, {"stage": 2, "seed": 10}, pytest.approx(2 / 1024))
    assert level_difference(permuted, intact, **FAST).estimate.value == pytest.approx(-found.estimate.value)


def test_samples_of_different_things_are_independent(rng):
    one = stage_values({"a": rng.normal(2, 1, 30)}, over="unit", paired=False)
    other = stage_values({"a": rng.normal(0, 1, 25)}, over="unit", paired=False)
    found = level_difference(one, other, n_resamples=99)
    assert found.null == "99 random exchanges, seed 0"
    assert found.p == pytest.approx(0.02)
    # Equal seeds of two lesions are no pairs.
    seeds = [rising(rng, over="seed"), rising(rng, over="seed")]
    assert "exchanges" in level_difference(*seeds, n_resamples=99).null


def test_single_numbers_are_compared_by_their_intervals():
    found = level_difference(numbers([1, 2, 3]), numbers([1, 1, 1]))
    assert found.estimate.value == pytest.approx(1.0)
    assert found.p < 0.01
    assert level_difference(numbers([1, 2, 3], 9), numbers([1, 1, 1], 9)).p > 0.5
    bare = level_difference({"a": 1.0}, {"a": 2.0})
    assert (bare.estimate.value, bare.null) == (-1.0, "none: one number a stage and no interval")
    assert np.isnan(bare.p)


def test_a_lost_trend_is_found_and_a_kept_one_is_not(rng):
    found = trend_difference(rising(rng), rising(rng, slope=0), **FAST)
    assert found.p < 0.01
    assert found.estimate.low > 0.3
    p = [trend_difference(rising(rng, 0.3, n=8), rising(rng, 0.3, n=8), **FAST).p for _ in range(80)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.06)


@pytest.mark.parametrize("test", [level_difference, trend_difference, abolished_trend])
@pytest.mark.parametrize("over", ["category", "seed"])
def test_where_nothing_differs_five_percent_at_most_are_called_different(test, over, rng):
    def draw():
        return test(rising(rng, 0, n=6, over=over), rising(rng, 0, n=6, over=over), n_resamples=99).p

    # Abolishing needs two tests to hold at once, so it stays far below.
    assert np.mean(np.array([draw() for _ in range(60)]) <= 0.05) <= 0.13


def test_a_trend_is_abolished_only_where_nothing_of_it_remains(rng):
    gone = abolished_trend(rising(rng), rising(rng, slope=-0.2), **FAST)
    assert gone.p < 0.01
    assert not gone.blocked
    weaker = abolished_trend(rising(rng, slope=3, sd=0.3), rising(rng, slope=0.6), **FAST)
    assert weaker.p < 0.01
    assert weaker.blocked.startswith("the trend is weaker and still there: tau 1.00 [1.00, 1.00] in the first, 0.")
    never = abolished_trend(rising(rng, slope=0, sd=3), rising(rng, slope=-2), **FAST)
    assert never.estimate.low > 0  # the trends differ, because the second falls
    assert never.p > 0.05  # and there was no rise that could go


def test_a_fall_can_be_abolished_too(rng):
    found = abolished_trend(rising(rng, slope=-1), rising(rng, slope=0), **FAST)
    assert found.estimate.high < 0
    assert found.p < 0.05
    assert abolished_trend(rising(rng, slope=-4), rising(rng, slope=-0.7), **FAST).blocked


def test_different_stages_are_refused(rng):
    with pytest.raises(BadInput, match=r"one has a and the other b\. Choose the stages they share"):
        level_difference({"a": [1.0, 2.0]}, {"b": [1.0, 2.0]})
    units = stage_values({"a": np.ones(3), "b": np.ones(4)}, over="unit")
    with pytest.raises(BadInput, match=r"The unit of several stages are not the same.*Choose one stage"):
        level_difference(units, units)
