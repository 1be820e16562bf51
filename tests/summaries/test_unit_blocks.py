"""All responses of a stage in blocks of units, kept once."""

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.summaries import Gram, Spool, UnitBlocks


def whole(state):
    return np.concatenate([block for _, block in state["blocks"]()], axis=1)


def test_responses_come_back_as_often_as_they_are_read(rng):
    responses = rng.standard_normal((12, 9)).astype(np.float32)
    kept = UnitBlocks(Spool(20, 9, panel_units=4))
    for rows in np.split(rng.permutation(12), [5, 6]):
        kept.update(rows, responses[rows])
    state = kept.state()
    np.testing.assert_array_equal(state["rows"], np.arange(12))
    for _ in range(2):
        np.testing.assert_array_equal(whole(state), responses)
    kept.close()
    with pytest.raises(BadInput, match=r"The spool is closed"):
        whole(state)


def test_two_halves_merge_to_one_pass(rng):
    responses = rng.standard_normal((10, 5))
    first, second = (UnitBlocks(Spool(10, 5)) for _ in range(2))
    first.update(np.arange(4), responses[:4])
    second.update(np.arange(4, 10), responses[4:])
    first.merge(second)
    np.testing.assert_array_equal(whole(first.state()), responses)


def test_beside_a_gram_matrix_nothing_is_kept_twice(rng):
    responses = rng.standard_normal((10, 5))
    gram = Gram(10, 5)
    beside = UnitBlocks(gram.spool, filled_elsewhere=True)
    for summary in (gram, beside):
        summary.update(np.arange(10), responses)
    np.testing.assert_array_equal(whole(beside.state()), responses)
    other = Gram(10, 5)
    beside.merge(UnitBlocks(other.spool, filled_elsewhere=True))
    np.testing.assert_array_equal(beside.state()["rows"], np.arange(10))
