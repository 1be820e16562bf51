"""Lifetime sparseness: published values and silent units."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import lifetime_sparseness
from stratoscope.metrics.declare import METRICS

GOLD = [0.33913043, 0.26666667, 0.43137255, 0, 0.23076923, 0.17952756, 0.43884892, 0.44888889]


def test_units_of_the_published_table_read_their_published_values():
    c, u = np.mgrid[:6, :8]
    table = ((7 * c**2 + 3 * u**2 * (c + 1) + 5 * c * u) % 11).astype(float)
    table[:, 3] = 0
    np.testing.assert_allclose(lifetime_sparseness(table), GOLD, atol=1e-8)


def test_silent_units_read_zero_or_nan_as_asked():
    responses = [[0.0, 1, 4], [0, 1, 0]]
    assert lifetime_sparseness(responses).tolist() == [0, 0, 1]
    assert np.isnan(lifetime_sparseness(responses, silent="nan")).tolist() == [True, False, False]
    with pytest.raises(UnknownName, match=r"No way with silent units is called 'none'\."):
        lifetime_sparseness(responses, silent="none")


def test_one_stimulus_is_too_few():
    with pytest.raises(TooFew, match=r"^lifetime_sparseness needs at least 2 stimuli, but 1 came\.$"):
        lifetime_sparseness([[1.0, 2.0]])


def test_the_summary_gives_hoyer_only_where_responses_are_not_negative():
    state = {"n": 2, "mean": np.array([1.0]), "m2": np.array([2.0]), "minimum": np.array([0.0]), "n_nonfinite": 0}
    through = METRICS["lifetime_sparseness"].through
    np.testing.assert_allclose(through(state, index="hoyer"), lifetime_sparseness([[0.0], [2.0]], index="hoyer"))
    with pytest.raises(BadInput, match=r"The index 'hoyer' needs 'l1', which this summary does not keep\."):
        through(state | {"minimum": np.array([-1.0])}, index="hoyer")


def test_a_unit_that_was_not_finite_is_refused_through_the_summary():
    state = {"n": 2, "mean": np.array([np.nan]), "m2": np.array([2.0]), "n_nonfinite": np.array([3])}
    with pytest.raises(BadInput, match=r"expects finite responses, but 3 values are NaN or infinite\."):
        METRICS["lifetime_sparseness"].through(state)
