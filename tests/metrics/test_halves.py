"""The variance of an estimate from random halves of the points is read from the neighbour table, and is that of halves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stratoscope.metrics import gride, levina_bickel, two_nn
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.gride import _fit, gride_of, log_deviations
from stratoscope.metrics.halves import (
    DEEPEST,
    Reading,
    depth,
    extended,
    half_variances,
    neighbours_read,
    readable,
)
from stratoscope.metrics.neighbourhoods import Neighbourhoods, neighbourhoods_of
from stratoscope.metrics.two_nn import two_nn_of
from stratoscope.summaries import Gram


def table(points, k):
    return neighbourhoods_of(points, k, "test", fewest=4)


def test_neighbours_in_a_half_are_those_of_a_search_in_that_half(rng):
    """Every split is done again by searching each half on its own."""
    points = rng.random((60, 3))
    near = table(points, 59)
    seen = []

    def contributions(logs):
        seen.append(logs)
        return logs[..., 0]

    half_variances(near, [Reading((1, 2, 7), contributions)], splits=5, seed=4)
    logs = np.concatenate(seen)
    assert logs.shape == (5, 60, 3)
    for split in logs:
        side = sides_of(split, points)
        for half in (side, ~side):
            found, _ = cKDTree(points[half]).query(points[half], 8)
            np.testing.assert_allclose(split[half], np.log(found[:, [1, 2, 7]]), atol=1e-9)


def sides_of(split, points):
    """Recover the sides from the neighbours that each point was said to have: all of them are on its own."""
    logs = np.log(np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points)) * 1e9)
    linked = np.isclose(logs[:, None, :], split[:, :, None], atol=1e-9).any(axis=1)
    parts, side = connected_components(linked)
    assert parts == 2
    return side == 0


def test_independent_contributions_have_the_variance_of_a_mean(rng):
    """With what no neighbour changes, the halves give the variance of the mean that every textbook has."""
    values = rng.normal(size=400)
    near = table(rng.random((400, 2)), depth(1))

    def contributions(logs):
        return np.broadcast_to(values, logs.shape[:2])

    found = half_variances(near, [Reading((1,), contributions)], splits=4000)[0]
    assert found == pytest.approx(values.var(ddof=1) / 400, rel=0.08)


def test_the_variance_of_half_as_many_points_is_met_exactly_on_average(rng):
    """Over many samples the mean of what halves say is half the variance of samples of that size."""
    said, halves = [], []
    for _ in range(600):
        points = rng.exponential(size=(60, 2))
        near = table(points, depth(2))
        reading = Reading((1, 2), lambda logs: logs[..., 1] - logs[..., 0])
        said.append(half_variances(near, [reading], splits=10)[0])
        found, _ = cKDTree(points[:30]).query(points[:30], 3)
        halves.append(np.log(found[:, 2] / found[:, 1]).mean())
    assert np.mean(said) == pytest.approx(np.var(halves, ddof=1) / 2, rel=0.15)


@pytest.mark.parametrize("rank", [1, 2, 8, 32, 64])
def test_a_table_is_deep_enough_for_all_but_one_point_in_a_hundred(rank, rng):
    kept = rng.binomial(depth(rank), 0.5, size=200_000)
    assert (kept < rank).mean() < 0.01
    assert depth(rank) < 4 * rank + 15


def test_what_an_estimate_needs_grows_no_further_where_the_interval_is_extended():
    assert neighbours_read(2) == depth(2)
    assert neighbours_read(4 * DEEPEST) == 4 * DEEPEST


def test_only_what_the_table_and_the_halves_know_is_read():
    near = Neighbourhoods(np.ones((40, depth(2))), np.ones((40, depth(2)), dtype=int))
    assert readable(near, 2)
    assert not readable(near, 4)
    whole = Neighbourhoods(np.ones((9, 8)), np.ones((9, 8), dtype=int))
    assert readable(whole, 3)
    assert not readable(whole, 4)


def test_dropped_points_count_on_neither_side(rng):
    values = rng.normal(size=(300))
    near = table(rng.random((300, 2)), depth(1))

    def some(logs):
        return np.broadcast_to(np.where(np.arange(300) < 100, values, np.nan), logs.shape[:2])

    assert half_variances(near, [Reading((1,), some)], splits=3000)[0] == pytest.approx(
        values[:100].var(ddof=1) / 100, rel=0.1
    )
    nothing = Reading((1,), lambda logs: np.full(logs.shape[:2], np.nan))
    assert np.isnan(half_variances(near, [nothing])[0])


def test_the_order_of_the_points_and_how_many_splits_are_held_change_nothing(rng, monkeypatch):
    points = rng.random((120, 3))
    found = two_nn(points)
    monkeypatch.setattr("stratoscope.metrics.halves.WORD", 8)
    monkeypatch.setattr("stratoscope.metrics.halves._HELD", 120 * 2 * 3)
    again = two_nn(points[rng.permutation(120)])
    assert (found.low, found.high) == pytest.approx((again.low, again.high), rel=1e-9)


def test_variances_are_extended_by_the_power_law_through_the_last_two():
    assert extended((8, 16), np.array([4.0, 2.0]), 64) == pytest.approx(0.5)
    assert extended((8, 16), np.array([3.0, 3.0]), 64) == pytest.approx(3.0)
    assert extended((4,), np.array([2.0]), 8) == pytest.approx(1.0)
    assert extended((16,), np.array([2.0]), 16) == 2.0


def test_the_interval_of_a_scale_does_not_depend_on_the_scales_asked_with_it(rng):
    points = rng.random((300, 3))
    alone, among = gride(points, n1=(4,)), gride(points, n1=(1, 4, 32))
    assert np.log(alone.high / alone.low)[0] == pytest.approx(np.log(among.high / among.low)[1], rel=0.02)


def test_a_table_that_is_not_deep_enough_gives_the_estimate_without_an_interval(rng):
    points = rng.random((90, 3))
    found, whole = two_nn_of(table(points, 2)), two_nn(points)
    assert found.value == whole.value
    assert np.isnan([found.low, found.high]).all()
    assert found.note == "no interval: it reads 12 neighbours of every stimulus, and 2 are known"
    scales = gride_of(table(points, 4), n1=(1, 2))
    assert np.isnan([scales.low, scales.high]).all()
    assert "12 neighbours of every stimulus, and 4 are known" in scales.note
    summary = Gram(90, 3, k=10)
    summary.update(np.arange(90), points)
    local = METRICS["levina_bickel"].through(summary.state())
    assert local.value == pytest.approx(levina_bickel(points).value)
    assert np.isnan(local.low)
    assert "reads 33 neighbours of every stimulus, and 10 are known" in local.note


def test_crowded_scales_lie_between_what_the_same_and_what_smaller_ranks_say(rng):
    """130 points at n1 = 8: read at 8, and from 2 and 4 by the power law; the printed deviation is their middle."""
    near = table(rng.random((130, 3)), 129)
    fits = {rank: _fit(near, rank) for rank in (2, 4, 8)}
    found = half_variances(near, [Reading((rank, 2 * rank), fit.contributions) for rank, fit in fits.items()])
    through = extended((2, 4), found[:2].tolist(), 8)
    assert log_deviations(near, {8: fits[8]})[8] ** 4 == pytest.approx(found[2] * through, rel=0.05)
