from __future__ import annotations

import errno
import os
from contextlib import closing
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import BadInput, BudgetTooSmall
from stratoscope.summaries import stores
from stratoscope.summaries.stores import InFile, InMemory

SINGLE = np.dtype(np.float32)


def _filled(store, pieces):
    for piece in pieces:
        store.append(1, piece)
        store.append(0, piece[:, :1])
    return store


def _panels(store):
    return [store.reading(panel)() for panel in (0, 1)]


def _expected(pieces):
    return [np.concatenate([piece[:, :1] for piece in pieces]).ravel(), np.concatenate(pieces).ravel()]


def _holds(make, pieces):
    """Whatever the sizes of its pieces, a panel is those laid end to end; and it may grow after it was read."""
    n = sum(map(len, pieces))
    with closing(make((n, n * pieces[0].shape[1]), pieces[0].dtype)) as store:
        for first, last in pairwise((0, len(pieces) // 2, len(pieces))):
            _filled(store, pieces[first:last])
            if last and not all(map(np.array_equal, _panels(store), _expected(pieces[:last]))):
                return False
    return True


@st.composite
def _some_pieces(draw):
    width = draw(st.sampled_from([1, 3, 64, 1000, 1024, 5000]))
    heights = draw(st.lists(st.integers(1, 40), min_size=1, max_size=6))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int16]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return [rng.integers(-999, 999, (height, width + 2)).astype(dtype)[:, 1:-1] for height in heights]


@given(_some_pieces())
@settings(max_examples=60, deadline=None)
def test_panels_are_their_pieces_end_to_end(tmp_path_factory, pieces):
    folder = tmp_path_factory.mktemp("spool")
    assert _holds(InMemory, pieces)
    assert _holds(lambda sizes, dtype: InFile(sizes, dtype, folder), pieces)


class _Forgets(InFile):
    """Writes whole blocks, and forgets what is left of them."""

    def append(self, panel, piece):
        super().append(panel, piece)
        self._rest[panel] = self._rest[panel][:0]


def test_a_store_that_forgets_what_fills_no_block_is_caught(tmp_path):
    assert not _holds(lambda sizes, dtype: _Forgets(sizes, dtype, tmp_path), [np.ones((3, 1000), np.float32)] * 4)


class _File:
    """A file whose transfers are spoilt."""

    def __init__(self, file, spoil):
        self.file, self.spoil = file, spoil
        self.seek, self.fileno, self.close = file.seek, file.fileno, file.close

    def write(self, data):
        return self.spoil(self.file.write, data)

    def readinto(self, data):
        return self.spoil(self.file.readinto, data)


def _spoilt(tmp_path, spoil, *, direct=None):
    pieces = [np.arange(70_000, dtype=np.float32).reshape(70, 1000) + step for step in range(3)]
    store = InFile((210, 210_000), SINGLE, tmp_path)
    store._file = _File(store._file, spoil)
    if direct is not None:
        store.direct = direct
    return store, pieces


def test_what_the_system_leaves_undone_is_done_after_it(tmp_path):
    """It may do a block, or end in the middle of one, which is no longer possible past the cache."""
    for most in (4096, 5000):
        store, pieces = _spoilt(tmp_path, lambda call, data, most=most: call(data[:most]))
        assert all(map(np.array_equal, _panels(_filled(store, pieces)), _expected(pieces)))
        store.close()


def test_a_system_that_refuses_only_when_asked_goes_through_its_cache(tmp_path):
    refused = []

    def spoil(call, data):
        if not refused:
            refused.append(len(data))
            raise OSError(errno.EINVAL, "Invalid argument")
        return call(data)

    store, pieces = _spoilt(tmp_path, spoil, direct=True)
    assert all(map(np.array_equal, _panels(_filled(store, pieces)), _expected(pieces)))
    assert refused
    assert not store.direct
    store.close()


@pytest.mark.parametrize(("number", "what"), [(errno.ENOSPC, BudgetTooSmall), (errno.EIO, BadInput)])
def test_a_disk_that_fails_in_the_middle_is_a_sentence(tmp_path, number, what):
    def spoil(*_):
        raise OSError(number, os.strerror(number))

    store, pieces = _spoilt(tmp_path, spoil, direct=False)
    said = {
        errno.ENOSPC: r"take 0\.00 GiB, more than the disk of '.*' has left",
        errno.EIO: r"cannot use the folder '.*': Input/output error\. Name a folder",
    }
    with pytest.raises(what, match=said[number]):
        _filled(store, pieces)
    store.close()


def test_refused_twice_is_a_sentence(tmp_path):
    def spoil(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    store, pieces = _spoilt(tmp_path, spoil, direct=True)
    with pytest.raises(BadInput, match="Invalid argument"):
        _filled(store, pieces)
    store.close()


def test_a_file_that_was_cut_is_a_sentence(tmp_path):
    store = _filled(InFile((4, 40_000), SINGLE, tmp_path), [np.ones((4, 10_000), np.float32)])
    store._file.truncate(3)
    with pytest.raises(BadInput, match="The spool's file ended early: something has cut it. Run again"):
        store.reading(1)()
    store.close()


def _direct(store):
    import fcntl

    return bool(fcntl.fcntl(store._file, fcntl.F_GETFL) & os.O_DIRECT)


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system has nothing but its page cache")
def test_slow_disks_are_left_to_the_page_cache(tmp_path, monkeypatch):
    """What the system does is what the store says it does, before and after; nothing is lost by the change."""
    pieces = [np.arange(70_000, dtype=np.float32).reshape(70, 1000) + step for step in range(4)]
    store = InFile((280, 280_000), SINGLE, tmp_path)
    assert _direct(store) == store.direct
    at_first = store.direct
    _filled(store, pieces[:2])
    assert store.direct == at_first, "too little was moved to judge a disk"
    monkeypatch.setattr(stores, "_TRIED", 1 << 16)
    monkeypatch.setattr(stores, "_FAST", 1e30)
    _filled(store, pieces[2:])
    assert not store.direct
    assert not _direct(store)
    assert all(map(np.array_equal, _panels(store), _expected(pieces)))
    store.close()


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system has nothing but its page cache")
def test_fast_disks_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "_TRIED", 1 << 16)
    monkeypatch.setattr(stores, "_FAST", 1.0)
    store = InFile((70, 70_000), SINGLE, tmp_path)
    at_first = store.direct
    _filled(store, [np.ones((70, 1000), np.float32)])
    assert store.direct == _direct(store) == at_first
    store.close()


def test_systems_without_the_flag_use_their_cache(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_DIRECT", raising=False)
    assert _holds(lambda sizes, dtype: InFile(sizes, dtype, tmp_path), [np.ones((3, 1000), np.float32)] * 4)
    with closing(InFile((1, 1), SINGLE, tmp_path)) as store:
        assert not store.direct


def test_file_systems_without_anything_but_a_cache_use_it(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(file, what, flags=0):
        if what == fcntl.F_SETFL:
            raise OSError(errno.EINVAL, "Invalid argument")
        return 0

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with closing(InFile((1, 1), SINGLE, tmp_path)) as store:
        assert not store.direct


def test_rows_longer_than_what_is_put_together_go_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "_STAGED", 1 << 10)
    assert _holds(lambda sizes, dtype: InFile(sizes, dtype, tmp_path), [np.arange(3000.0).reshape(3, 1000)] * 3)
