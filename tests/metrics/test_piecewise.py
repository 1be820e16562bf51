from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

from stratoscope.metrics.piecewise import piecewise_linear

NUMBERS = some.floats(-1e3, 1e3, width=32)


@given(
    knots=arrays(float, some.integers(2, 40), elements=NUMBERS),
    values=arrays(float, (3, 20), elements=NUMBERS),
    seed=some.integers(0, 99),
)
def test_it_is_interp(knots, values, seed):
    knots = np.sort(knots)
    rng = np.random.default_rng(seed)
    # a jump, where knots repeat, has no one height
    heights = np.concatenate([[0.0], np.cumsum(np.diff(knots) * rng.standard_normal(len(knots) - 1))])
    found = piecewise_linear(knots, heights)(values)
    np.testing.assert_allclose(found, np.interp(values, knots, heights), rtol=1e-9, atol=1e-9 * np.abs(heights).max())


@pytest.mark.parametrize("n", [2, 5, 4501, 60_000])
def test_many_values_between_many_knots(rng, n):
    """More knots than cells, values on knots and beyond both ends, and none where there is no value."""
    knots = np.sort(rng.exponential(size=n))
    heights = np.cumsum(rng.standard_normal(n)) * np.diff(knots, append=knots[-1] + 1)
    values = np.concatenate([rng.exponential(size=5000), knots, [-1.0, 1e300, np.nan, np.inf]])
    found = piecewise_linear(knots, heights)(values)
    np.testing.assert_allclose(found[:-2], np.interp(values[:-2], knots, heights), rtol=1e-6, atol=1e-9)
    assert np.isnan(found[-2:]).all()


def test_knots_that_are_all_one():
    found = piecewise_linear(np.array([2.0, 2.0]), np.array([1.0, 1.0]))(np.array([1.0, 3.0, np.nan]))
    np.testing.assert_array_equal(found, [1.0, 1.0, np.nan])


def test_knots_that_crowd_into_one_cell_are_searched_instead(rng):
    """One knot far away leaves all others in the first cell, where going through them would take longest."""
    knots = np.append(np.sort(rng.random(3000)), 1e9)
    heights = np.cumsum(rng.standard_normal(3001))
    values = rng.random(500)
    np.testing.assert_array_equal(piecewise_linear(knots, heights)(values), np.interp(values, knots, heights))
