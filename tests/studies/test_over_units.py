from __future__ import annotations

import numpy as np
import pytest

from stratoscope.studies.muratore2022.over_units import ALL, STATISTICS, drawn, of_units, resampled


def plain_gini(values):
    ordered = np.sort(np.maximum(values, 0))
    n = len(ordered)
    return ((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * ordered.sum())


def plain_top(values):
    ordered = np.sort(np.maximum(values, 0))
    return ordered[-int(np.ceil(len(ordered) / 10)) :].sum() / ordered.sum()


PLAIN = {"median": np.median, "mean": np.mean, "gini": plain_gini, "top-share": plain_top}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("n", [5, 20, 101])
def test_statistics_and_their_resamples_are_those_of_the_plain_definitions(name, n, rng):
    values = rng.normal(0.2, 1, size=(2, n))
    counts = resampled(n, 7, 3)
    found = drawn(("a", "b"), values, STATISTICS[name], counts)
    for row in range(2):
        assert found.value[row] == pytest.approx(PLAIN[name](values[row]), abs=1e-12)
        for draw in range(7):
            again = np.repeat(values[row], counts[1 + draw].astype(int))
            assert found.draws[draw, row] == pytest.approx(PLAIN[name](again), abs=1e-12)
    np.testing.assert_allclose(found.value[2], found.value[:2].mean())


def test_concentration_has_known_ends():
    one, equal = np.zeros(50), np.ones(50)
    one[7] = 3.0
    assert of_units("gini", one) == pytest.approx(1 - 1 / 50)
    assert of_units("gini", equal) == pytest.approx(0)
    assert of_units("top-share", one) == 1
    assert of_units("top-share", equal) == pytest.approx(0.1)
    assert of_units("gini", -equal) != of_units("gini", -equal)  # NaN where there is no information at all


def test_a_property_without_information_is_left_out_of_the_mean_of_all(rng):
    values = np.stack([rng.random(30), -np.ones(30)])
    found = drawn(("informed", "not"), values, STATISTICS["gini"], resampled(30, 5, 0)).estimates(
        level=0.95, seed=0, method=""
    )
    assert np.isnan(found["not"].value)
    assert found[ALL].value == found["informed"].value
    assert np.isnan(found["not"].low)


def test_intervals_hold_the_value_and_narrow_with_the_number_of_units(rng):
    def width(n):
        found = drawn(("a",), rng.normal(size=(1, n)), STATISTICS["median"], resampled(n, 200, 0))
        one = found.estimates(level=0.95, seed=0, method="")["a"]
        assert one.low <= one.value <= one.high
        assert one.n == n
        return one.high - one.low

    assert width(2000) < width(50) / 3
