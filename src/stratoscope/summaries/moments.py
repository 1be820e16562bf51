"""Central moments of a stream, from sums of powers about a centre that follows the data.

Sums of powers about zero cancel where the mean is large beside the spread. About a centre close to the mean they do
not, and they simply add: s_p = sum (x - c)^p, p = 1 to 4. The centre is the mean of the first block and moves to the
mean of all that was seen each time the count has doubled, so it never strays by more than about one spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import BLOCK
from stratoscope.types import Floats


class PowerSums:
    """Sums of the first `order` (2 or 4) powers of `n` values about a centre, for many items side by side."""

    def __init__(self, n_items: int, order: int = 4) -> None:
        self.n = 0
        self.centre = np.zeros(n_items)
        self.sums = np.zeros((order, n_items))
        self._centred_at = 0

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return the count, the centres (item,) and the sums (order, item)."""
        return {"n": np.array([self.n]), "centre": self.centre, "sums": self.sums}

    @classmethod
    def unpacked(cls, packed: Mapping[str, NDArray[Any]]) -> PowerSums:
        """Return the sums that `pack` described."""
        made = cls(0)
        made.n, made.centre, made.sums = int(packed["n"][0]), packed["centre"], packed["sums"]
        return made

    def merge(self, other: PowerSums) -> None:
        """Take in the values of `other`, item by item."""
        if other.n == 0:
            return
        if self.n == 0:
            self.centre[:] = other.centre
        for part in _parts(self.centre.size):
            with np.errstate(invalid="ignore", over="ignore"):
                self.sums[:, part] += moved(other.sums[:, part], other.n, self.centre[part] - other.centre[part])
        self.n += other.n
        self.follow()

    def follow(self) -> None:
        """Move the centre to the mean where the count has doubled since it was last moved."""
        if self.n < 2 * self._centred_at or self.n == 0:
            return
        for part in _parts(self.centre.size):
            old = self.centre[part]
            with np.errstate(invalid="ignore", over="ignore"):
                new = old + self.sums[0, part] / self.n
                self.sums[:, part] = moved(self.sums[:, part], self.n, new - old)
            self.centre[part] = new
        self._centred_at = self.n

    def central(self) -> dict[str, Floats]:
        """Return ``mean`` and the central sums ``m2`` (and ``m3``, ``m4``) of every item; NaN where there is none."""
        names = ["m2", "m3", "m4"][: len(self.sums) - 1]
        if self.n == 0:
            return {name: np.full(self.centre.size, np.nan) for name in ["mean", *names]}
        with np.errstate(invalid="ignore", over="ignore"):
            offset = self.sums[0] / self.n
            about_mean = moved(self.sums, self.n, offset)
            state = {"mean": self.centre + offset, **dict(zip(names, about_mean[1:], strict=True))}
        for name in names[::2]:  # an even power is never negative, but its rounding may be
            np.maximum(state[name], 0, out=state[name])
        return state


def moved(sums: Floats, n: int, by: Floats) -> Floats:
    """Return the sums of powers (order, item) of `n` values about a centre that lies `by` further on."""
    result = np.empty_like(sums)
    s1, s2 = sums[:2]
    result[0] = s1 - n * by
    result[1] = s2 - by * (2 * s1 - n * by)
    if len(sums) == 4:
        s3, s4 = sums[2:]
        result[2] = s3 - by * (3 * s2 - by * (3 * s1 - n * by))
        result[3] = s4 - by * (4 * s3 - by * (6 * s2 - by * (4 * s1 - n * by)))
    return result


def mean_about_first(block: NDArray[Any], axis: int) -> Floats:
    """Return the mean along `axis`; of equal values exactly their value, so that constants have no spread at all."""
    if block.dtype.itemsize <= 4 and block.shape[axis] < 1 << 29:
        # 24 bits of value and 29 of count fit the 53 of float64: the sum of equal values is exact as it is
        return np.asarray(block.mean(axis=axis, dtype=np.float64))
    first = np.take(block, 0, axis=axis).astype(np.float64)
    deviations = block.astype(np.float64) - np.expand_dims(first, axis)
    return np.asarray(first + deviations.mean(axis=axis))


def add_powers(sums: Floats, block: Floats, centre: Floats, axis: int, square: Floats) -> None:
    """Add the powers of `block` about `centre`, summed along `axis`, to `sums` (order, item) in place.

    `block` and the buffer `square` of the same shape are overwritten.
    """
    block -= np.expand_dims(centre, axis)
    (_add_along_stimuli if axis == 0 else _add_along_units)(sums, block, square)


def _add_along_stimuli(sums: Floats, block: Floats, square: Floats) -> None:
    ones = np.ones(len(block))  # the product with ones sums columns in two thirds of the time of numpy's sum
    np.multiply(block, block, out=square)
    sums[0] += ones @ block
    sums[1] += ones @ square
    if len(sums) == 4:
        block *= square
        sums[2] += ones @ block
        square *= square
        sums[3] += ones @ square


def _add_along_units(sums: Floats, block: Floats, square: Floats) -> None:
    sums[0] += block.sum(axis=1)
    sums[1] += _row_dots(block, block)
    if len(sums) == 4:
        np.multiply(block, block, out=square)
        sums[2] += _row_dots(block, square)
        sums[3] += _row_dots(square, square)


def _row_dots(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.matmul(a[:, None, :], b[:, :, None])[:, 0, 0])


def _parts(n_items: int) -> list[slice]:
    step = BLOCK // 8  # `moved` holds about eight arrays at once
    return [slice(i, min(i + step, n_items)) for i in range(0, n_items, step)]
