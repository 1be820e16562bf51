from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from stratoscope.summaries import tiles


def times_held(n_points, plan):
    """Return how often each pair of points (point, point) is held, pairs on the diagonal tiles in both orders."""
    count = np.zeros((n_points, n_points), dtype=int)
    for rows, cols in plan:
        count[rows, cols] += 1
        if rows != cols:
            count[cols, rows] += 1
    return count


@given(n_points=some.integers(1, 90), size=some.integers(1, 40))
def test_every_pair_lies_in_one_tile(n_points, size):
    assert (times_held(n_points, tiles.plan_tiles(n_points, size)) == 1).all()


def test_a_plan_that_leaves_out_the_square_between_two_halves_is_caught():
    broken = [(rows, cols) for rows, cols in tiles.plan_tiles(20, 8) if rows == cols or rows.stop < cols.start]
    assert not (times_held(20, broken) == 1).all()


def test_nearly_half_of_all_products_suffice():
    area = sum((rows.stop - rows.start) * (cols.stop - cols.start) for rows, cols in tiles.plan_tiles(5000))
    assert area / 5000**2 < 0.54


@pytest.mark.parametrize("most", [1, 50, 64, 1000, 10**6])
def test_sets_hold_all_tiles_in_order_within_the_bytes_given(most):
    plan = list(tiles.plan_tiles(100, 16))
    sets = list(tiles._sets(plan, most))
    assert [tile for now in sets for tile in now] == plan
    for now in sets:
        area = sum((rows.stop - rows.start) * (cols.stop - cols.start) for rows, cols in now)
        assert area <= most or len(now) == 1
