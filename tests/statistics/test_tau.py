"""Kendall's tau-b: scipy's, and that of many resamples at once against one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stratoscope.statistics import trend_interval
from stratoscope.statistics.stage_values import StageValues
from stratoscope.statistics.tau import tau, tau_of_points, taus_of_draws
from stratoscope.statistics.trend import kendall_points


def test_tau_of_few_and_of_many_points_is_that_of_scipy(rng):
    for n in (2, 3, 20, 100, 101, 300):
        index = rng.integers(0, 7, n)
        values = np.round(rng.normal(size=n), 1)
        np.testing.assert_allclose(tau(index, values), stats.kendalltau(index, values).statistic, atol=1e-12)
    assert np.isnan(tau(np.arange(4), np.ones(4)))


def table_of(kind, rng, n_stages=5, n_replicates=12):
    table = rng.normal(size=(n_stages, n_replicates)) + 0.3 * np.arange(n_stages)[:, None]
    if kind == "tied":
        return np.round(table, 0)
    if kind == "missing":
        table[rng.random(table.shape) < 0.25] = np.nan
    return table


def by_scipy(table, drawn):
    found = []
    for row in drawn:
        values = np.repeat(table, row, axis=1)
        index = np.broadcast_to(np.arange(len(table))[:, None], values.shape)
        there = ~np.isnan(values)
        found.append(stats.kendalltau(index[there], values[there]).statistic)
    return found


@pytest.mark.parametrize("kind", ["all different", "tied", "missing"])
def test_many_draws_at_once_are_scipy_on_the_repeated_points(kind, rng):
    table = table_of(kind, rng)
    drawn = rng.multinomial(12, np.full(12, 1 / 12), size=20)
    values = StageValues(table, tuple("abcde"))
    np.testing.assert_allclose(taus_of_draws(values, drawn), by_scipy(table, drawn), atol=1e-12)


def test_counting_a_replicate_once_where_it_was_drawn_twice_is_caught(rng):
    """Broken on purpose: weights cut to one, as where ties of a point with itself are forgotten."""
    table, drawn = table_of("tied", rng), rng.multinomial(12, np.full(12, 1 / 12), size=20)
    broken = taus_of_draws(StageValues(table, tuple("abcde")), np.minimum(drawn, 1))
    assert not np.allclose(broken, by_scipy(table, drawn), atol=1e-3)


def test_a_draw_of_equal_values_has_no_tau():
    values = StageValues(np.array([[1.0, 0.0], [1.0, 5.0]]), ("a", "b"))
    found = taus_of_draws(values, np.array([[2, 0], [1, 1]]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(stats.kendalltau([0, 0, 1, 1], [1.0, 0.0, 1.0, 5.0]).statistic)


def test_the_interval_is_the_same_one_draw_at_a_time(rng, monkeypatch):
    data = StageValues(table_of("missing", rng), tuple("abcde"))
    at_once = kendall_points(data, n_resamples=80).estimate
    monkeypatch.setattr(trend_interval, "LARGEST_PAIRED", 0)
    one_by_one = kendall_points(data, n_resamples=80).estimate
    np.testing.assert_allclose([at_once.low, at_once.high], [one_by_one.low, one_by_one.high], rtol=1e-12)
    assert at_once.value == tau_of_points(data)
