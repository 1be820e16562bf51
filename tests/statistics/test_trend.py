"""Trends: known answers, the wrong-axis index, false positives at 5 %, power."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from stratoscope.errors import TooFew, UnknownName
from stratoscope.statistics.stage_values import stage_values
from stratoscope.statistics.trend import (
    kendall_medians,
    kendall_points,
    permute_stages,
    theil_sen,
    within_replicates,
)

TESTS = (kendall_points, kendall_medians, permute_stages, within_replicates)


def by_stage(table):
    return {f"stage {i}": row for i, row in enumerate(table)}


def perfect_rise(n_stages=7, n_models=10):
    return by_stage(np.repeat(np.arange(float(n_stages))[:, None], n_models, axis=1))


def wrong_axis_tau(data):
    """The published bug: the index repeats models where it should repeat stages."""
    table = np.stack(list(data.values()))
    n_stages, n_models = table.shape
    return stats.kendalltau(np.repeat(np.arange(n_models), n_stages), table.ravel()).statistic


def check_a_perfect_rise_is_one(tau):
    assert tau(perfect_rise(7, 10)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("test", TESTS)
def test_a_perfect_rise_of_7_stages_in_10_models_gives_tau_one(test):
    check_a_perfect_rise_is_one(lambda data: test(data, n_resamples=0).estimate.value)


def test_the_wrong_axis_index_is_caught():
    assert wrong_axis_tau(perfect_rise(7, 10)) == pytest.approx(0.950, abs=5e-4)
    with pytest.raises(AssertionError):
        check_a_perfect_rise_is_one(wrong_axis_tau)
    # With as many models as stages the bug hides from every check of shapes, and shows in a profile that is not perfect.
    check_a_perfect_rise_is_one(
        lambda _: stats.kendalltau(np.repeat(np.arange(10), 10), np.repeat(np.arange(10), 10))[0]
    )


@pytest.mark.parametrize("test", TESTS)
def test_a_perfect_fall_is_minus_one_and_a_rise_is_not_less(test):
    falling = by_stage(-np.stack(list(perfect_rise(6, 8).values())))
    assert test(falling, n_resamples=0).estimate.value == pytest.approx(-1.0)
    assert test(falling, n_resamples=0, alternative="less").p < 0.05
    assert test(falling, n_resamples=0, alternative="greater").p > 0.9


def test_tau_over_points_is_that_of_all_pairs(rng):
    data = by_stage(rng.integers(0, 6, size=(4, 5)).astype(float))
    index, values = np.repeat(np.arange(4), 5), np.concatenate(list(data.values()))
    pairs = list(itertools.combinations(range(20), 2))
    signs = [(np.sign(index[b] - index[a]), np.sign(values[b] - values[a])) for a, b in pairs]
    x, y = np.array(signs).T
    expected = (x * y).sum() / np.sqrt((x != 0).sum() * (y != 0).sum())
    assert kendall_points(data, n_resamples=0).estimate.value == pytest.approx(expected, abs=1e-12)


def test_exact_p_of_medians_is_that_of_the_tables():
    # The order of methods, section 1.4: seven stages with one swap of neighbours, tau = 0.905, p = 0.0028.
    r = dict(zip("1234567", (0.00, 0.13, 0.10, 0.31, 0.43, 0.57, 0.70), strict=True))
    found = kendall_medians(r)
    assert found.estimate.value == pytest.approx(0.905, abs=5e-4)
    assert found.p == pytest.approx(0.0028, abs=5e-5)
    assert found.smallest_p == pytest.approx(2 / math.factorial(7))
    assert np.isnan([found.estimate.low, found.estimate.high]).all()


def test_permuting_stages_agrees_with_the_exact_test_and_with_going_through_all_orders(rng):
    data = by_stage(rng.normal(size=(5, 4)) + np.arange(5)[:, None] * 0.6)
    assert permute_stages(data, statistic="medians", n_resamples=0).p == pytest.approx(kendall_medians(data).p)
    table = np.stack(list(data.values()))
    observed = stats.kendalltau(np.repeat(np.arange(5), 4), table.ravel()).statistic
    every = [
        stats.kendalltau(np.repeat(order, 4), table.ravel()).statistic for order in itertools.permutations(range(5))
    ]
    greater = np.mean(np.array(every) >= observed - 1e-12)
    assert permute_stages(data, n_resamples=0, alternative="greater").p == pytest.approx(greater)


def test_medians_with_ties_take_the_orders_of_the_stages():
    found = kendall_medians({"a": 0.0, "b": 0.0, "c": 1.0, "d": 2.0}, n_resamples=0)
    assert found.null == "exact, all 24 orders of 4 stages"
    # 2 of 24 orders rise as much (the tied pair either way), 2 fall as much.
    assert found.p == pytest.approx(4 / 24)


@pytest.mark.parametrize("test", TESTS)
def test_false_positives_are_five_percent_where_nothing_is_there(test, rng):
    p = [test(by_stage(rng.normal(size=(7, 10))), n_resamples=0).p for _ in range(240)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.04)


def test_stages_that_differ_without_order_fool_the_points_and_not_the_orders(rng):
    def draw():
        return by_stage(rng.normal(size=(7, 1)) + 0.3 * rng.normal(size=(7, 60)))

    drawn = [draw() for _ in range(150)]
    assert np.mean([kendall_points(data, n_resamples=0).p <= 0.05 for data in drawn]) > 0.5
    assert np.mean([permute_stages(data, n_resamples=0).p <= 0.05 for data in drawn]) < 0.11


@pytest.mark.parametrize("test", TESTS)
def test_a_clear_rise_is_found(test, rng):
    p = [test(by_stage(rng.normal(size=(7, 10)) + np.arange(7)[:, None]), n_resamples=0).p for _ in range(40)]
    assert np.mean(np.array(p) <= 0.05) > 0.9


def test_a_trend_that_every_category_has_is_found_within_where_categories_differ_widely(rng):
    data = by_stage(10 * rng.normal(size=12) + np.arange(5)[:, None] + 0.3 * rng.normal(size=(5, 12)))
    assert within_replicates(data, n_resamples=0).p < 0.001
    assert within_replicates(data, n_resamples=0, test="wilcoxon").p < 0.005
    assert kendall_points(data, n_resamples=0).p > 0.05
    assert permute_stages(data, statistic="within", n_resamples=0).p == pytest.approx(2 / 120)


def test_intervals_over_categories_hold_the_trend_that_made_them(rng):
    truth = kendall_points(by_stage(rng.normal(size=(5, 4000)) + 0.5 * np.arange(5)[:, None]), n_resamples=0)
    drawn = [by_stage(rng.normal(size=(5, 40)) + 0.5 * np.arange(5)[:, None]) for _ in range(40)]
    held = [kendall_points(data, n_resamples=150).estimate for data in drawn]
    assert np.mean([one.low <= truth.estimate.value <= one.high for one in held]) > 0.85


def test_one_number_a_stage_takes_the_intervals_of_the_stages():
    values = stage_values({"a": 1.0, "b": 2.0, "c": 3.0})
    sure = values.__class__(values.values, values.stages, low=np.array([0.9, 1.9, 2.9]), high=np.array([1.1, 2.1, 3.1]))
    vague = values.__class__(values.values, values.stages, low=np.array([-9.0] * 3), high=np.array([9.0] * 3))
    assert kendall_medians(sure).estimate.low == pytest.approx(1.0)
    assert kendall_medians(vague).estimate.low < 0


def test_slope_is_per_stage_or_per_depth_and_robust():
    data = by_stage(np.arange(6.0)[:, None] * 0.2 + np.zeros(8))
    data["stage 3"] = np.full(8, 50.0)
    found = theil_sen(data, n_resamples=50)
    assert found.value == pytest.approx(0.2, abs=1e-12)
    depth = {name: i / 5 for i, name in enumerate(data)}
    assert theil_sen(data, depth=depth, n_resamples=50).value == pytest.approx(1.0)
    with pytest.raises(UnknownName, match="No depth is called 'stage 5'"):
        theil_sen(data, depth={name: depth[name] for name in list(depth)[:-1]})


def test_units_of_unequal_number_have_a_trend_over_points_and_none_within(rng):
    data = {f"conv{i}": rng.normal(size=20 + 10 * i) + i for i in range(4)}
    found = kendall_points(data, n_resamples=60)
    assert found.estimate.low > 0.4
    assert permute_stages(data, n_resamples=0).p == pytest.approx(2 / 24)
    with pytest.raises(TooFew, match="the same replicate at every stage, but these are not paired"):
        within_replicates(data)


def test_what_is_undefined_is_left_out_and_counted():
    data = perfect_rise(4, 5)
    data = {name: np.append(row, 1.0 if name == "stage 0" else np.nan) for name, row in data.items()}
    found = within_replicates(data, n_resamples=20)
    assert (found.n, found.estimate.dropped) == (5, {"replicate without a trend": 1})
    assert found.counted == {"stage": 4, "replicate": 5}


def test_too_little_and_wrong_names_are_refused():
    with pytest.raises(TooFew, match="A trend needs at least 2 stages, but 1 stage came"):
        kendall_points({"a": [1.0, 2.0]})
    with pytest.raises(TooFew, match="needs at least 2 with a trend, but 1 of 1 replicates have one"):
        within_replicates({"a": [1.0], "b": [2.0]})
    with pytest.raises(UnknownName, match=r"No statistic of a trend is called 'point'\. Did you mean 'points'"):
        permute_stages(perfect_rise(), statistic="point")
    with pytest.raises(UnknownName, match=r"No alternative is called 'two-side'\. Did you mean 'two-sided'"):
        kendall_points(perfect_rise(), alternative="two-side")
    with pytest.raises(UnknownName, match="No test within replicates is called 't'"):
        within_replicates(perfect_rise(), test="t")


def test_more_than_eight_stages_are_sampled_with_the_plus_one_rule():
    found = permute_stages(perfect_rise(12, 3), n_permutations=199, n_resamples=0)
    assert found.p == pytest.approx(2 / 200)
    assert found.null == "199 random orders, seed 0, of 12 stages"
    assert found.smallest_p == pytest.approx(2 / 200)


def test_the_same_seed_gives_the_same_interval(rng):
    data = by_stage(rng.normal(size=(4, 9)))
    one, again, other = (kendall_points(data, n_resamples=100, seed=seed).estimate for seed in (3, 3, 4))
    assert (one.low, one.high) == (again.low, again.high) != (other.low, other.high)
    assert (one.seed, one.n, one.method) == (
        3,
        9,
        "Kendall tau-b over all points, percentile bootstrap over 9 replicates",
    )
