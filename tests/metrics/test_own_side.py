"""The nearest neighbours on a point's own side, found bit by bit, are those that going through them one by one finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from stratoscope.metrics import own_side
from stratoscope.metrics.own_side import WORD, OwnSide, packed


def one_by_one(side, index, rank):
    """Return the column (split, point) of the neighbour `rank` on the own side, -1 where there is none."""
    same = side[:, index] == side[:, :, None]
    places = np.full(side.shape, -1)
    for split, point in np.ndindex(side.shape):
        own = np.flatnonzero(same[split, point])
        if len(own) >= rank:
            places[split, point] = own[rank - 1]
    return places


def found_by_counting(side, index, ranks, splits=slice(0, None)):
    """Say whether every rank stands where counting finds it, and is known where counting finds one."""
    own = OwnSide(side, index, ranks)
    same = []
    for rank in ranks:
        place, known = own.places(rank, slice(*splits.indices(len(side))[:2]))
        expected = one_by_one(side[splits], index, rank)
        same.append(np.array_equal(known, expected >= 0) and np.array_equal(place[known], expected[known]))
    return all(same)


@given(
    seed=some.integers(0, 2**16),
    splits=some.integers(1, WORD),
    depth=some.integers(1, 40),
    ranks=some.sets(some.integers(1, 20), min_size=1, max_size=4),
)
def test_every_rank_is_the_one_that_counting_finds(seed, splits, depth, ranks):
    rng = np.random.default_rng(seed)
    side, index = rng.random((splits, 50)) < rng.random(), rng.integers(0, 50, (50, depth))
    assert found_by_counting(side, index, sorted(ranks))


def test_tables_of_255_neighbours_are_read_to_the_end(rng):
    side, index = rng.random((WORD, 30)) < 0.5, rng.integers(0, 30, (30, 255))
    assert found_by_counting(side, index, [1, 64, 120])
    with pytest.raises(ValueError, match="At most 255 neighbours are read, but 256 came"):
        OwnSide(side, rng.integers(0, 30, (30, 256)), [1])


@pytest.mark.parametrize("splits", [slice(0, 1), slice(3, 7), slice(7, 20), slice(8, 16), slice(40, 64)])
def test_some_of_the_splits_are_read_alone(rng, splits):
    assert found_by_counting(rng.random((WORD, 20)) < 0.5, rng.integers(0, 20, (20, 30)), [1, 3], splits)


def test_one_word_holds_a_split_in_every_bit(rng):
    side = rng.random((WORD, 9)) < 0.5
    words = packed(side)
    assert words.dtype == np.uint64
    for split in range(WORD):
        np.testing.assert_array_equal(words >> np.uint64(split) & np.uint64(1), side[split])
    assert packed(side[:3]).max() < 8


def test_a_count_that_forgets_to_carry_is_caught(rng, monkeypatch):
    monkeypatch.setattr(own_side, "_add", lambda count, one: count.__setitem__(0, count[0] ^ one))
    assert not found_by_counting(rng.random((8, 20)) < 0.5, rng.integers(0, 20, (20, 30)), [1, 3])
