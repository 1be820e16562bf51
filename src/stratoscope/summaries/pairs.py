"""What is exact between points, over blocks of their coordinates: distances by differences, and equal content.

Everything here takes `Blocks`, a function that yields the points' coordinates in blocks (point, unit) and may be called
again for another pass, so a point may have more coordinates than memory could hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from stratoscope.summaries.blocks import BLOCK
from stratoscope.types import Floats, Integers

Blocks: TypeAlias = Callable[[], Iterable[NDArray[Any]]]

#: Coordinates of one block of an array, so that the block stays near 96 MiB.
NARROWEST, WIDEST, ELEMENTS = 256, 4096, 3 << 23
#: Coordinates of pairs below which measuring them is not worth sharing out.
_WORTH_THREADS = 1 << 22


def slices_of(points: NDArray[Any], width: int | None = None) -> Blocks:
    """Make `Blocks` of an array (point, unit)."""
    width = width or min(max(NARROWEST, ELEMENTS // max(len(points), 1)), WIDEST)
    return lambda: (points[:, i : i + width] for i in range(0, points.shape[1], width))


def chosen(blocks: Blocks, rows: Integers | None) -> Blocks:
    """Restrict `blocks` to the points `rows`; None keeps all."""
    return blocks if rows is None else lambda: (block[rows] for block in blocks())


def add_checksum(checksum: NDArray[np.uint64], block: NDArray[Any], rng: np.random.Generator) -> None:
    """Add to every point (point,) a number that is equal for equal coordinates in `block` (point, unit).

    It is the sum of the words of each row times random odd numbers, modulo 2^64, so that order and content both count.
    """
    if block.dtype.kind != "f" or block.dtype.itemsize not in {4, 8}:
        block = block.astype(np.float64)
    # two float32 make one word where they can, because one multiplication is dearer than one load
    word = np.uint64 if block.dtype.itemsize * block.shape[1] % 8 == 0 else np.uint32
    n_words = block.dtype.itemsize * block.shape[1] // np.dtype(word).itemsize
    weights = rng.integers(0, 1 << 63, size=n_words, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    height = max(1, BLOCK // max(block.shape[1], 1))
    for start in range(0, len(block), height):
        words = np.add(block[start : start + height], 0, order="C").view(word)  # + 0 turns -0.0 into 0.0
        checksum[start : start + height] += np.vecdot(words.astype(np.uint64, copy=False), weights)


def exact_squares(
    blocks: Blocks, first: Integers, second: Integers, dtype: type[np.floating[Any]] = np.float64
) -> Floats:
    """Return squared distances (pair,) of the points `first` and `second`, by differences in precision `dtype`.

    Differences do not cancel, so float32 is right to some 1e-6, and takes half the time of float64. Coordinates of
    more than single precision are never rounded to it before: at an offset little would be left of them.
    """
    total = np.zeros(len(first))
    with _pool() as (pool, threads):
        for block in blocks():
            kind = np.promote_types(dtype, block.dtype if block.dtype.kind == "f" else np.float64).type
            shares = threads if len(first) * block.shape[1] > _WORTH_THREADS else 1
            cuts = np.linspace(0, len(first), shares + 1).astype(int)
            parts = [slice(start, stop) for start, stop in pairwise(cuts.tolist())]
            add = partial(_add_squares, total, block, first, second, dtype=kind)
            list(pool.map(add, parts) if shares > 1 else map(add, parts))
    return total


def _add_squares(
    total: Floats,
    block: NDArray[Any],
    first: Integers,
    second: Integers,
    part: slice,
    *,
    dtype: type[np.floating[Any]],
) -> None:
    """Add what `block` adds to the squared distances of the pairs `part`."""
    step = max(1, BLOCK // max(block.shape[1], 1))
    for start in range(part.start, part.stop, step):
        pair = slice(start, min(start + step, part.stop))
        difference = np.subtract(block[first[pair]], block[second[pair]], dtype=dtype)
        total[pair] += np.vecdot(difference, difference)


@contextmanager
def _pool() -> Iterator[tuple[ThreadPoolExecutor, int]]:
    """Give as many threads as the user lets matrix products have; they start with the first work."""
    threads = max((one.num_threads for one in _libraries()), default=1)
    with ThreadPoolExecutor(threads) as pool:
        yield pool, threads


@cache
def _libraries() -> list[Any]:
    """Find the libraries of matrix products, which takes some milliseconds, once a process."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def same_content(blocks: Blocks, first: Integers, second: Integers) -> NDArray[np.bool_]:
    """Return whether the points `first` and `second` (pair,) agree in every coordinate."""
    same = np.ones(len(first), dtype=bool)
    for block in blocks():
        step = max(1, BLOCK // max(block.shape[1], 1))
        for start in range(0, len(first), step):
            pair = slice(start, start + step)
            same[pair] &= (block[first[pair]] == block[second[pair]]).all(axis=1)
    return same
