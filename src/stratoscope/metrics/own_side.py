"""Which neighbours of a point are the nearest on its own side, in 64 splits of the points at once.

Every split is one bit of a word, so that one operation on words does it for 64 of them: going through the neighbours from
the nearest outwards, the words count how many were on the point's own side, one word for every digit of the count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Integers

#: Splits of one word.
WORD = 64
#: Neighbours of a point whose places a byte can number.
_MOST = 255
#: One bit for every split (point,), the first one last.
Words = NDArray[np.uint64]


def packed(side: NDArray[np.bool_]) -> Words:
    """Put up to 64 splits `side` (split, point) into one word for every point."""
    parts = np.packbits(side, axis=0, bitorder="little")
    words = np.zeros((side.shape[1], WORD // 8), dtype=np.uint8)
    words[:, : len(parts)] = parts.T
    return words.view("<u8")[:, 0].astype(np.uint64, copy=False)


class OwnSide:
    """Where the neighbours `ranks` on a point's own side stand among all its neighbours.

    Parameters
    ----------
    side : array (split, point)
        Up to 64 splits of the points into two sides.
    index : array (point, neighbour)
        At most 255 neighbours of every point, the nearest first.
    ranks : sequence of int
        Neighbours among those on the own side, from 1.
    """

    def __init__(self, side: NDArray[np.bool_], index: Integers, ranks: Sequence[int]) -> None:
        if index.shape[1] > _MOST:
            raise ValueError(f"At most {_MOST} neighbours are read, but {index.shape[1]} came.")
        words, farthest = packed(side), max(ranks)
        count = [np.zeros_like(words) for _ in range(farthest.bit_length())]
        self._found = {rank: np.zeros_like(words) for rank in ranks}
        self._digits = {rank: [np.zeros_like(words) for _ in range(index.shape[1].bit_length())] for rank in ranks}
        for place in range(index.shape[1]):
            # beyond the farthest nothing counts, or counts would start anew
            own = ~(words[index[:, place]] ^ words | self._found[farthest])
            _add(count, own)
            for rank in ranks:
                if rank <= place + 1:
                    self._note(rank, place, own & _equal(count, rank))

    def _note(self, rank: int, place: int, here: Words) -> None:
        self._found[rank] |= here
        for digit in range(place.bit_length()):
            if place >> digit & 1:
                self._digits[rank][digit] |= here

    def places(self, rank: int, splits: slice) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return for some of the splits which column of `index` it is, and where there is one: arrays (split, point)."""
        digits = enumerate(self._digits[rank])
        whole = sum(_unpacked(one, splits) << digit for digit, one in digits)
        return np.asarray(whole), _unpacked(self._found[rank], splits).view(bool)


def _add(count: list[Words], one: Words) -> None:
    """Add `one` to every count, digit by digit."""
    carry = one
    for digit, word in enumerate(count):
        count[digit], carry = word ^ carry, word & carry


def _equal(count: list[Words], number: int) -> Words:
    """Return which counts are `number`."""
    equal = ~np.zeros_like(count[0])
    for digit, word in enumerate(count):
        equal &= word if number >> digit & 1 else ~word
    return equal


def _unpacked(words: Words, splits: slice) -> NDArray[np.uint8]:
    """Return the bits `splits` of `words` as bytes (split, point)."""
    parts = words.astype("<u8", copy=False).view(np.uint8).reshape(len(words), WORD // 8)
    bits = np.unpackbits(parts[:, splits.start // 8 : -(-splits.stop // 8)], axis=1, bitorder="little")
    first = splits.start % 8
    return np.ascontiguousarray(bits[:, first : first + splits.stop - splits.start].T)
