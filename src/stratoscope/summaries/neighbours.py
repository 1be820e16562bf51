"""Nearest neighbours of points, exact where estimators of dimension live: among the nearest.

Distances from products, |x|^2 + |y|^2 - 2 x.y, cancel for near neighbours. So products of centred points only propose
candidates, with a bound on their error that says how many could be the nearest; those are then measured by
differences in float64. Where the bound is too weak for a point, all others are candidates: the fallback is the full row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.summaries.candidates import NeighbourTable, Search
from stratoscope.summaries.duplicates import distinct_points, first_identical
from stratoscope.summaries.pairs import (
    Blocks,
    checksums,
    chosen,
    gram,
    relative_bound,
    slices_of,
    squared_norms,
    typical_size,
)
from stratoscope.types import Floats

#: Points up to which the whole matrix of products is held (128 MiB); beyond, strips of rows of that size.
WHOLE = 4096


def nearest_neighbours(points: Any, k: int = 2, *, duplicates: str = "keep") -> NeighbourTable:
    """Return the `k` nearest neighbours of every point by Euclidean distance.

    Parameters
    ----------
    points : array (point, unit)
        Any real dtype; float32 is read as it is and measured in float64.
    k : int
        Neighbours of every point.
    duplicates : {"keep", "merge"}
        Keep points with equal coordinates, as neighbours at distance 0, or merge them into one point.

    Returns
    -------
    NeighbourTable
        At least the three nearest (more, where that costs little) are exact to float64 rounding,
        the others to `candidates.RELATIVE_ERROR`. Merging may leave fewer than `k` neighbours.

    Raises
    ------
    BadInput
        Points that are not (point, unit), or hold NaN or infinity.
    TooFew
        No more than `k` points.
    """
    array = np.asarray(points)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise BadInput(f"Points must be real numbers of shape (point, unit), not {array.dtype} of shape {array.shape}.")
    if not 1 <= k < len(array):
        raise TooFew(
            f"{k} neighbours of every point need at least 1 neighbour and {k + 1} points, but {len(array)} points came. "
            "Ask for fewer neighbours or give more points."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise BadInput(f"{len(bad)} points hold NaN or infinity, the first at row {bad[0]}. Leave them out first.")
    return nearest_from_blocks(slices_of(array), len(array), k, duplicates=duplicates)


def nearest_from_blocks(blocks: Blocks, n_points: int, k: int, *, duplicates: str = "keep") -> NeighbourTable:
    """Return the nearest neighbours of points that come in blocks of units; holds strips of rows of products only.

    Parameters are those of `nearest_neighbours`, with points as `blocks`, a function that yields arrays
    (point, unit) and is called once for every pass.
    """
    checksum, n_units = checksums(blocks, n_points)
    first = first_identical(blocks, checksum)
    rows = distinct_points(first)
    apart = chosen(blocks, None if len(rows) == n_points else rows)
    norm2 = squared_norms(apart, len(rows))
    precision = product_precision(len(rows), k)
    strips = _strips(apart, len(rows), precision, typical_size(norm2, n_units))
    near = Search(norm2, apart, first, k, relative_bound(precision, n_units))
    return near.table(strips, duplicates)


def nearest_from_gram(
    products: Floats, blocks: Blocks, k: int, *, precision: str = "float64", duplicates: str = "keep"
) -> NeighbourTable:
    """Return the nearest neighbours from inner products that are there already.

    Parameters
    ----------
    products : array (point, point)
        What `pairs.gram` made of the same points.
    blocks : function
        Yields the coordinates of the points, to measure the candidates.
    k, duplicates
        As in `nearest_neighbours`; `k` is at most the number of points less one.
    precision : {"float64", "float32"}
        Precision the blocks were multiplied in.
    """
    checksum, n_units = checksums(blocks, len(products))
    first = first_identical(blocks, checksum)
    rows = distinct_points(first)
    if len(rows) < len(products):
        products = products[np.ix_(rows, rows)]
        blocks = chosen(blocks, rows)
    near = Search(products.diagonal(), blocks, first, k, relative_bound(precision, n_units))
    return near.table([(0, products)], duplicates)


def product_precision(n_points: int, k: int) -> str:
    """Choose the precision of products: float32 where all `k` are measured afterwards and that is the cheaper way."""
    return "float32" if n_points > 100 * k else "float64"


def _strips(blocks: Blocks, n_points: int, precision: str, scale: float) -> Iterator[tuple[int, Floats]]:
    """Yield the products in strips of rows, ``(first row, array (row, point))``."""
    if n_points <= WHOLE:
        yield 0, gram(blocks, n_points, precision=precision, scale=scale)
        return
    height = max(1, WHOLE * WHOLE // n_points)
    for start in range(0, n_points, height):
        rows = slice(start, start + height)
        yield start, gram(blocks, n_points, precision=precision, scale=scale, rows=rows)
