"""Dimensions with ever more units or stimuli."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import participation_ratio
from stratoscope.metrics.extrapolation import extrapolated


def ratio(responses: np.ndarray) -> float:
    return participation_ratio(responses).value


@pytest.mark.parametrize(("axis", "over"), [(0, "stimulus"), (1, "unit")])
def test_the_limit_is_nearer_the_truth_than_the_sample(axis, over):
    rng = np.random.default_rng(0)
    shape = (100, 400) if axis == 0 else (400, 100)
    sampled, limits, held = [], [], []
    for seed in range(6):
        latents, weights = rng.standard_normal((shape[0], 20)), rng.standard_normal((20, shape[1]))
        responses = latents @ weights
        found = extrapolated(responses, ratio, axis=axis, over=over, n_resamples=3, seed=seed)
        others = 400  # the other axis is finite too: 1/PR has 1/400 of it
        truth = 1 / (1 / 20 + 1 / others)
        sampled.append(ratio(responses) - truth)
        limits.append(found.value - truth)
        held.append(found.low <= truth <= found.high)
    assert np.mean(sampled) < -2
    assert abs(np.mean(limits)) < 0.25 * abs(np.mean(sampled))
    assert sum(held) >= 5


def test_a_mean_has_no_slope_in_size_so_its_limit_is_itself():
    data = np.random.default_rng(1).normal(5, 1, (60, 3))
    found = extrapolated(data, lambda part: float(part.mean()), axis=0, over="stimulus", form="value", n_resamples=20)
    assert found.value == pytest.approx(data.mean(), abs=0.1)
    assert found.low < 5 < found.high


def test_ever_more_independent_units_are_held_back_by_the_stimuli_alone():
    units = np.random.default_rng(2).standard_normal((150, 60))
    found = extrapolated(units, ratio, axis=1, over="unit", n_resamples=2)
    assert ratio(units) < 50
    assert found.low < 149 < found.high  # 1/PR = 1/units + 1/(stimuli - 1)


def test_no_limit_is_in_sight_where_the_line_passes_below_zero():
    data = np.ones((40, 2))
    found = extrapolated(data, lambda part: float(len(part) ** 2), axis=0, over="unit", n_resamples=2)
    assert np.isnan(found.value)
    assert "no limit in sight with 40 of unit" in found.note


def test_bad_requests_are_refused_in_a_sentence():
    data = np.ones((40, 10))
    with pytest.raises(TooFew, match="smallest subset would hold 2 of unit, and extrapolation needs 8"):
        extrapolated(data, ratio, axis=1, over="unit")
    with pytest.raises(BadInput, match="two different ones or more"):
        extrapolated(data, ratio, axis=0, over="stimulus", fractions=(1.0, 1.0))
    with pytest.raises(UnknownName, match="Did you mean 'inverse'"):
        extrapolated(data, ratio, axis=0, over="stimulus", form="invers")
