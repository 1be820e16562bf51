"""The interval of a median: known ranks, and the coverage it promises."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.statistics.intervals import median_interval


def test_ranks_are_those_of_the_tables():
    # Conover's table for n = 20: the 6th and 15th order statistics give 95.9 %.
    found = median_interval(np.arange(1.0, 21.0))
    assert (found.value, found.low, found.high, found.n) == (10.5, 6.0, 15.0, 20)


def test_it_covers_the_true_median_at_least_as_often_as_it_says(rng):
    draws = rng.exponential(size=(2000, 37))
    covered = [one.low <= np.log(2) <= one.high for one in map(median_interval, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)


def test_too_few_values_have_a_median_and_no_interval():
    found = median_interval(np.array([1.0, 2.0, 3.0]))
    assert found.value == 2.0
    assert np.isnan([found.low, found.high]).all()


def test_undefined_values_are_left_out_and_counted():
    found = median_interval(np.array([np.nan, 1.0, np.nan]))
    assert (found.value, found.n, found.dropped) == (1.0, 1, {"undefined": 2})
    assert np.isnan(median_interval(np.array([])).value)
