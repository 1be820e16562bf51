"""Batches in blocks that fit the processor's cache, from torch or numpy, wherever they lie.

Torch is never imported here: a tensor is recognised by what it can do, so arrays work where torch is not loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Floats, Responses

#: Elements of one block: two float64 buffers of it (1 MiB) stay in the second-level cache.
BLOCK = 1 << 16


def on_host(block: Responses) -> NDArray[Any]:
    """Return `block` as a numpy array; a tensor on the processor is viewed, one on a device is copied."""
    if isinstance(block, np.ndarray):
        return block
    tensor = block.detach()
    if str(tensor.dtype) == "torch.bfloat16":  # numpy has no bfloat16; float32 holds it exactly
        tensor = tensor.float()
    array: NDArray[Any] = tensor.cpu().numpy()
    return array


def row_blocks(n_rows: int, n_units: int) -> Iterator[tuple[slice, slice]]:
    """Cut a batch into blocks that are long along units, for what is reduced along units."""
    width = min(n_units, BLOCK)
    height = max(1, BLOCK // max(width, 1))
    return _cut(n_rows, n_units, height, width)


def unit_blocks(n_rows: int, n_units: int) -> Iterator[tuple[slice, slice]]:
    """Cut a batch into blocks of up to 255 stimuli, for what is reduced along stimuli."""
    height = min(n_rows, 255, max(64, BLOCK // max(n_units, 1)))
    return _cut(n_rows, n_units, height, max(1, BLOCK // max(height, 1)))


def _cut(n_rows: int, n_units: int, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for row in range(0, n_rows, max(height, 1)):
        for unit in range(0, n_units, max(width, 1)):
            yield slice(row, min(row + height, n_rows)), slice(unit, min(unit + width, n_units))


def few_rows(n_rows: int, n_units: int, start: int = 0, elements: int = BLOCK) -> Iterator[slice]:
    """Cut the rows from `start` to `n_rows` into a few at a time, of all units, so that they stay in cache."""
    step = max(1, elements // max(n_units, 1))
    for first in range(start, n_rows, step):
        yield slice(first, min(first + step, n_rows))


def all_finite(block: NDArray[Any]) -> bool:
    """Say whether `block` (row, unit) holds neither NaN nor infinity."""
    return all(
        bool(np.isfinite(block[rows]).all()) for rows in few_rows(len(block), block.shape[1], elements=4 * BLOCK)
    )


def squared_norms(rows: NDArray[Any]) -> Floats:
    """Return squared norms (row,) of `rows` (row, unit), in their precision within 256 roundings and then in float64."""
    whole = rows.shape[1] // 256 * 256
    with np.errstate(over="ignore", invalid="ignore"):  # infinite norms are seen by who asked
        parts, rest = rows[:, :whole].reshape(len(rows), -1, 256), rows[:, whole:]
        return np.asarray(np.vecdot(parts, parts).sum(axis=1, dtype=np.float64) + np.vecdot(rest, rest))


class Scratch:
    """Two float64 buffers that every block of every batch reuses; fresh arrays would cost memory traffic."""

    def __init__(self) -> None:
        self._buffers = np.empty((2, 0))

    def load(self, block: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return `block` in float64 in the first buffer, and the second, of the same shape, with whatever was in it."""
        if self._buffers.shape[1] < block.size:
            self._buffers = np.empty((2, block.size))
        first, second = self._buffers[:, : block.size].reshape(2, *block.shape)
        np.copyto(first, block, casting="unsafe")
        return first, second


def count_above(block: NDArray[Any], threshold: float, axis: int) -> NDArray[Any]:
    """Count the elements above `threshold` along `axis`, compared in float64; at most 255 of them along axis 0."""
    # an array, not a scalar: numpy would round a scalar to the precision of the block
    above = block > (0.0 if threshold == 0 else np.array([threshold], dtype=np.float64))
    if axis == 0:  # bytes cannot overflow below 256 rows and add eight times faster than integers
        return np.asarray(np.add.reduce(above.view(np.uint8), axis=0, dtype=np.uint8))
    if above.shape[1] >= 512:  # without an axis numpy counts several times faster
        return np.array([np.count_nonzero(row) for row in above])
    return np.asarray(np.count_nonzero(above, axis=1))
