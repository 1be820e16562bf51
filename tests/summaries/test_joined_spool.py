"""Responses that were put away in parts read as one spool."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, StageError
from stratoscope.summaries import Gram, JoinedSpool, Part, Spool
from stratoscope.testing.summary_laws import same_state

N, UNITS, WIDTH = 12, 10, 4
RESPONSES = np.random.default_rng(0).random((N, UNITS)).astype(np.float32)


def part(rows, start):
    rows = np.array(rows, dtype=np.int64)
    spool = Spool(len(rows), UNITS, panel_units=WIDTH)
    for chosen in np.array_split(np.arange(len(rows)), 2):
        spool.write(chosen, RESPONSES[rows[chosen]])
    elements = np.concatenate([piece.ravel() for piece in spool.pieces()]) if len(rows) else np.zeros(0, np.float32)
    return Part(spool.order + start, lambda first, last: elements[first:last])


def joined(*parts):
    return JoinedSpool(N, UNITS, parts, panel_units=WIDTH, dtype=np.dtype(np.float32))


def test_parts_read_as_what_they_were_cut_from():
    spool = joined(part(range(5), 0), part([], 5), part(range(5, 12), 5))
    assert np.array_equal(spool.rows, np.arange(N))
    blocks = list(spool.blocks())
    assert [start for start, _ in blocks] == [0, 4, 8]
    assert np.array_equal(np.hstack([block for _, block in blocks]), RESPONSES)


def test_rows_come_in_order_whatever_the_order_of_the_parts_and_some_may_be_missing():
    spool = joined(part(range(6, 9), 6), part(range(4), 0))
    assert np.array_equal(spool.rows, [0, 1, 2, 3, 6, 7, 8])
    assert np.array_equal(np.hstack([block for _, block in spool.blocks()]), RESPONSES[spool.rows])


def test_a_gram_matrix_of_parts_is_that_of_one_spool():
    whole = Gram(N, UNITS, k=3)
    whole.update(np.arange(N), RESPONSES)
    same_state(whole.state(), Gram(N, UNITS, k=3, spool=joined(part(range(5), 0), part(range(5, 12), 5))).state())


def test_a_stimulus_in_two_parts_is_refused():
    with pytest.raises(StageError, match="Stimulus 3 was answered twice"):
        joined(part(range(4), 0), part(range(3, 6), 3))


def test_nothing_is_written_to_it():
    with pytest.raises(BadInput, match="A joined spool is read only: .* Write to a Spool of its own"):
        joined(part(range(4), 0)).write(np.array([7]), RESPONSES[7:8])


def test_nothing_is_read_once_it_is_closed():
    spool = joined(part(range(4), 0))
    spool.close()
    with pytest.raises(BadInput, match="The spool is closed"):
        list(spool.blocks())
