from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import torch

from stratoscope.errors import BadInput, BudgetTooSmall, StageError
from stratoscope.summaries import Spool
from stratoscope.summaries.formats import FORMATS


def whole(spool):
    return np.concatenate([block for _, block in spool.blocks()], axis=1)


@pytest.mark.parametrize("memory_limit", [None, 0])
def test_responses_come_back_in_order_of_rows(rng, tmp_path, memory_limit):
    responses = rng.standard_normal((30, 17)).astype(np.float32)
    with Spool(40, 17, memory_limit=memory_limit, folder=tmp_path, panel_units=5) as spool:
        for rows in np.split(rng.permutation(30), [4, 5, 20]):
            spool.write(rows, torch.from_numpy(responses[rows]))
        assert spool.in_memory == (memory_limit is None)
        assert np.array_equal(spool.rows, np.arange(30))
        assert np.array_equal(whole(spool), responses)
        assert np.array_equal(whole(spool), responses), "a second reading"
        assert [start for start, _ in spool.blocks()] == [0, 5, 10, 15]


def test_a_merge_joins_memory_and_file(rng, tmp_path):
    responses = rng.standard_normal((6, 4))
    first = Spool(6, 4, panel_units=3)
    second = Spool(6, 4, panel_units=3, memory_limit=10, folder=tmp_path)
    first.write([5, 0], responses[[5, 0]])
    second.write([1, 4, 3], responses[[1, 4, 3]])
    second.merge(first)
    assert np.array_equal(second.rows, [0, 1, 3, 4, 5])
    assert np.array_equal(whole(second), responses[[0, 1, 3, 4, 5]])
    second.close()


def test_precision_is_kept_or_refused_but_never_lost():
    assert Spool(1, 1).nbytes == 4
    spool = Spool(4, 2)
    spool.write([0], np.array([[1.0, 2.0**-40]]))
    assert spool.dtype == np.float64
    single = Spool(4, 2, dtype="float32")
    single.write([0], torch.ones(1, 2, dtype=torch.bfloat16))
    with pytest.raises(BadInput, match="keeps float32 but responses of float64 came, which it would have to round"):
        single.write([1], np.ones((1, 2)))


def test_nothing_stays_behind(tmp_path):
    spool = Spool(4, 2, memory_limit=0, folder=tmp_path)
    spool.write([0], np.ones((1, 2), dtype=np.float32))
    spool.close()
    assert not list(tmp_path.iterdir())
    with pytest.raises(BadInput, match="The spool is closed and its responses are gone"):
        list(spool.blocks())
    with pytest.raises(BadInput, match="The spool is closed"):
        spool.write([1], np.ones((1, 2), dtype=np.float32))


def test_an_empty_spool_yields_nothing():
    assert list(Spool(3, 2).blocks()) == []


def test_no_memory_and_no_folder_is_a_sentence():
    with pytest.raises(BudgetTooSmall, match=r"take 0\.00 GiB, but only 0\.00 GiB of memory.*Name a folder with room"):
        Spool(4, 2, memory_limit=1).write([0], np.ones((1, 2), dtype=np.float32))


def test_an_unwritable_folder_is_a_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"cannot use the folder '.*absent': No such file or directory. Name a folder"):
        Spool(4, 2, memory_limit=1, folder=tmp_path / "absent").write([0], np.ones((1, 2), dtype=np.float32))


def test_a_full_disk_is_a_sentence_before_the_run(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(BudgetTooSmall, match=r"more than the disk of '.*' has left. Free some room"):
        Spool(4, 2, memory_limit=1, folder=tmp_path).write([0], np.ones((1, 2), dtype=np.float32))


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_panels_lie_the_same_in_memory_and_in_a_file(rng, tmp_path, limit, dtype):
    responses = rng.standard_normal((40, 1000)).astype(np.float32)
    with Spool(40, 1000, memory_limit=limit, folder=tmp_path, panel_units=7, dtype=dtype) as spool:
        for rows in np.split(np.arange(40), [3, 11, 30]):
            spool.write(rows, responses[rows])
        written = np.concatenate([block for _, block in spool.blocks()], axis=1)
    rounded = FORMATS[dtype].unpack(FORMATS[dtype].pack(responses)) if dtype else responses
    assert np.array_equal(written, rounded)


def test_blocks_of_a_file_may_be_kept_and_left_before_the_last(rng, tmp_path):
    """The next is read ahead, never into a block that somebody holds."""
    responses = rng.standard_normal((9, 50)).astype(np.float32)
    with Spool(9, 50, memory_limit=0, folder=tmp_path, panel_units=8) as spool:
        spool.write(np.arange(9), responses)
        kept = list(spool.blocks())
        begun = spool.blocks()
        assert next(begun)[0] == 0
        assert np.array_equal(whole(spool), responses), "another reader meanwhile"
        assert np.array_equal(next(begun)[1], responses[:, 8:16])
        begun.close()
        assert all(np.array_equal(block, responses[:, start : start + 8]) for start, block in kept)


def test_file_systems_that_reserve_no_room_are_used_all_the_same(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    with Spool(2, 2, memory_limit=1, folder=tmp_path) as spool:
        spool.write([0], np.ones((1, 2), dtype=np.float32))
        assert np.array_equal(whole(spool), np.ones((1, 2)))


def test_a_row_comes_once():
    spool = Spool(3, 2)
    spool.write([0], np.ones((1, 2)))
    with pytest.raises(StageError, match="Stimulus 0 was answered twice"):
        spool.write([0], np.ones((1, 2)))
