"""Products of points with points, in square tiles of the upper triangle, from points that come in blocks of units.

Half of all products suffice, because the other half is the same. Where the rounded points fit into memory they are kept,
and each tile is multiplied when it is looked at. Where they do not, tiles are added up in sets whose sums fit into a few
hundred MiB; every set costs one pass over the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.factors import DEPTH, Factors, Points
from stratoscope.summaries.pairs import Blocks
from stratoscope.summaries.products import Product
from stratoscope.summaries.threads import in_threads
from stratoscope.types import Floats, Integers

#: Points along one side of a tile; its sums stay near the processor.
TILE = 1280
#: And of the smallest tile on the diagonal with numpy, which halves the product of an array with itself, but small ones poorly.
HALVED = TILE // 2
#: Tiles for each thread that may be worked on before they are taken: those on the diagonal are smaller than others.
AHEAD = 3
#: Bytes of the sums of one set of tiles, and of rounded points that are kept instead of read again.
SUMS, KEPT = 256 << 20, 512 << 20


@dataclass
class Sum:
    """Products of some points with some others, added up over blocks of units.

    Attributes
    ----------
    total : array (row, col), or None before the first block
        The products.
    spread : array (row, col) or None
        Sum of the magnitudes of rounded products. None where products are not rounded, or where there was one
        block only, so that the magnitude is that of `total`.
    """

    total: NDArray[Any] | None = None
    spread: NDArray[Any] | None = None

    def add(self, product: Product, left: Any, right: Any) -> None:
        """Add the products of one block."""
        if self.total is None:
            self.total = product.multiply(left, right)
            return
        if product.output and self.spread is None:
            self.spread = np.abs(self.total)
        product.add(self.total, self.spread, left, right)


@dataclass(frozen=True)
class Tile:
    """The points `rows`, the points `cols`, and what gives the `Sum` of their products: they may be multiplied only then."""

    rows: slice
    cols: slice
    products: Callable[[], Sum]


def plan_tiles(n_points: int, size: int | None = None, smallest: int | None = None) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of tiles that hold every pair of points once, strip by strip; on the diagonal, smaller tiles.

    A tile on the diagonal holds its pairs twice, so it is cut into two smaller ones and the square between them, and
    these again: half of what is multiplied in vain is saved each time, until tiles get too small to multiply fast: no
    larger than `smallest`, by default a quarter of `size`, which is `TILE` by default.
    """
    size = size or TILE
    smallest = smallest or max(size // 4, 1)
    cuts = [slice(start, min(start + size, n_points)) for start in range(0, n_points, size)]
    for i, rows in enumerate(cuts):
        yield from _on_diagonal(rows, smallest)
        for cols in cuts[i + 1 :]:
            yield rows, cols


def _on_diagonal(rows: slice, smallest: int) -> Iterator[tuple[slice, slice]]:
    height = rows.stop - rows.start
    if height <= smallest:
        yield rows, rows
        return
    middle = rows.start + -(-height // 2)
    first, second = slice(rows.start, middle), slice(middle, rows.stop)
    yield from _on_diagonal(first, smallest)
    yield from _on_diagonal(second, smallest)
    yield first, second  # last: nearest points often stand near each other, and each has a reach by now


def multiply(blocks: Blocks, n_points: int, n_units: int, product: Product, points: Points) -> Iterator[list[Tile]]:
    """Yield the products of all pairs of points in sets of tiles; `points` is complete when the first set comes.

    Parameters
    ----------
    blocks : function
        Yields the coordinates (point, unit) in blocks, and is called once a pass.
    n_points, n_units : int
        Size of all blocks together.
    product : Product
        How to round and multiply.
    points : Points
        Filled during the first pass.
    """
    smallest = HALVED if product.library == "numpy" else None
    plan, entry = list(plan_tiles(n_points, smallest=smallest)), product.dtype.itemsize * (2 if product.output else 1)
    factors = Factors(blocks, product, points)
    sets = list(_sets(plan, SUMS // entry))
    if (len(sets) > 1 or n_units <= DEPTH) and n_points * n_units * product.factor_bytes <= KEPT:
        kept = factors.keep(n_points, n_units)
        yield [Tile(rows, cols, partial(_summed, product, kept, rows, cols)) for rows, cols in plan]
        return
    for now in sets:
        sums = {place: Sum() for place in range(len(now))}
        for factor in factors:
            add = partial(_add, product, factor, now, sums)
            for _ in in_threads(add, sums, product.threads):
                pass
        yield [Tile(rows, cols, partial(sums.__getitem__, place)) for place, (rows, cols) in enumerate(now)]


def _summed(product: Product, factors: Iterable[Any], rows: slice, cols: slice) -> Sum:
    """Multiply the points `rows` and `cols` of all `factors`."""
    found = Sum()
    for factor in factors:
        found.add(product, factor[rows], factor[cols])
    return found


def _add(product: Product, factor: Any, plan: list[tuple[slice, slice]], sums: dict[int, Sum], place: int) -> None:
    rows, cols = plan[place]
    sums[place].add(product, factor[rows], factor[cols])


def _sets(plan: list[tuple[slice, slice]], most: int) -> Iterator[list[tuple[slice, slice]]]:
    """Cut `plan` into sets of tiles of at most `most` products together; a larger tile makes a set of its own."""
    now: list[tuple[slice, slice]] = []
    count = 0
    for rows, cols in plan:
        area = (rows.stop - rows.start) * (cols.stop - cols.start)
        if now and count + area > most:
            yield now
            now, count = [], 0
        now.append((rows, cols))
        count += area
    if now:
        yield now


def multiply_rows(blocks: Blocks, rows: Integers, n_points: int, points: Points) -> Floats:
    """Return products in double precision (row, point) of the points `rows` with all points."""
    total = np.zeros((len(rows), n_points))
    for factor in Factors(blocks, Product("numpy", "float64"), points):
        total += factor[rows] @ factor.T
    return total
