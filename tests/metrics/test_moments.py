"""Means, variances, dead and constant units."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import constant_fraction, dead_fraction, unit_mean, unit_variance


def test_mean_and_variance_are_those_of_numpy(rng):
    responses = rng.standard_normal((50, 7)) + 3
    np.testing.assert_allclose(unit_mean(responses), responses.mean(axis=0))
    np.testing.assert_allclose(unit_variance(responses), responses.var(axis=0))


def test_dead_is_never_above_zero_and_constant_is_without_variance():
    responses = np.array([[0.0, -1.0, 2.0, 0.0], [0.0, -2.0, 2.0, 1.0]])
    assert dead_fraction(responses) == 0.5
    assert constant_fraction(responses) == 0.5


def test_a_floor_relative_to_the_mean_square_catches_float_residue(rng):
    residue = np.float32(0.3) + 1e-8 * rng.standard_normal((20, 1))
    assert constant_fraction(residue) == 0.0
    assert constant_fraction(residue, variance_floor=1e-12) == 1.0
    assert constant_fraction(1e6 * residue, variance_floor=1e-12) == 1.0


def test_a_floor_of_one_and_a_single_stimulus_are_refused():
    with pytest.raises(BadInput, match=r"variance_floor is a fraction of a unit's mean square, .*, but 1 came\."):
        constant_fraction(np.eye(3), variance_floor=1)
    with pytest.raises(TooFew, match=r"constant_fraction needs at least 2 stimuli, but 1 came\."):
        constant_fraction([[1.0, 2.0]])
