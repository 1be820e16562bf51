"""What is exact between points, over blocks of their coordinates: distances by differences, and equal content.

Everything here takes `Blocks`, a function that yields the points' coordinates in blocks (point, unit) and may be called
again for another pass, so a point may have more coordinates than memory could hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import few_rows, squared_norms
from stratoscope.summaries.threads import in_threads, threads_of_products
from stratoscope.types import Floats, Integers

Blocks: TypeAlias = Callable[[], Iterable[NDArray[Any]]]

#: Coordinates of one block of an array, so that the block stays near 96 MiB.
NARROWEST, WIDEST, ELEMENTS = 256, 4096, 3 << 23
#: Coordinates of pairs below which measuring them is not worth sharing out.
_WORTH_THREADS = 1 << 22
#: Coordinates that a thread measures at a time: each step costs some microseconds to begin, and more beside others.
_AT_A_TIME = 1 << 18
#: Relative error of squared distances in float32: 256 roundings of a sum, and three of each of its terms.
SINGLE = 260 * 2.0**-24


def slices_of(points: NDArray[Any], width: int | None = None) -> Blocks:
    """Make `Blocks` of an array (point, unit)."""
    width = width or min(max(NARROWEST, ELEMENTS // max(len(points), 1)), WIDEST)
    return lambda: (points[:, i : i + width] for i in range(0, points.shape[1], width))


def chosen(blocks: Blocks, rows: Integers | None) -> Blocks:
    """Restrict `blocks` to the points `rows`; None keeps all."""
    return blocks if rows is None else lambda: (block[rows] for block in blocks())


def exact_squares(
    blocks: Blocks, first: Integers, second: Integers, dtype: type[np.floating[Any]] = np.float64
) -> Floats:
    """Return squared distances (pair,) of the points `first` and `second`, by differences in precision `dtype`.

    Differences do not cancel, so float32 is right to some 1e-6, and to `SINGLE` in any case, and takes half the time of
    float64. Coordinates of more than single precision are never rounded to it before: at an offset little would be left.
    """
    total = np.zeros(len(first))
    for block in blocks():
        kind = np.promote_types(dtype, block.dtype if block.dtype.kind == "f" else np.float64).type
        threads = threads_of_products() if len(first) * block.shape[1] > _WORTH_THREADS else 1
        add = partial(_add_squares, total, block, first, second, dtype=kind)
        for _ in in_threads(add, _shares(len(first), threads), threads):
            pass
    return total


def _shares(n: int, threads: int) -> list[slice]:
    cuts = [n * share // threads for share in range(threads + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


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
    for pair in few_rows(part.stop, block.shape[1], part.start, _AT_A_TIME):
        difference = block[first[pair]].astype(dtype, copy=False)
        difference -= block[second[pair]]
        total[pair] += squared_norms(difference) if dtype == np.float32 else np.vecdot(difference, difference)


def same_content(blocks: Blocks, first: Integers, second: Integers) -> NDArray[np.bool_]:
    """Return whether the points `first` and `second` (pair,) agree in every coordinate."""
    same = np.ones(len(first), dtype=bool)
    for block in blocks():
        for pair in few_rows(len(first), block.shape[1]):
            same[pair] &= (block[first[pair]] == block[second[pair]]).all(axis=1)
    return same
