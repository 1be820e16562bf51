"""The whole matrix of inner products between points, about the mean of every unit, in one pass over their blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import BLOCK
from stratoscope.summaries.duplicates import add_checksum
from stratoscope.summaries.factors import DEPTH, Points, power_of_two
from stratoscope.summaries.pairs import Blocks
from stratoscope.summaries.products import Product
from stratoscope.summaries.threads import in_threads, numpy_in_one_thread, threads_of_products
from stratoscope.summaries.tiles import AHEAD, HALVED, plan_tiles
from stratoscope.types import Floats

#: Products of coordinates below which threads take longer to begin than they save.
_WORTH_THREADS = 1 << 30


@dataclass(frozen=True)
class InnerProducts:
    """What one pass gives of a set of points.

    Attributes
    ----------
    products : array (point, point)
        Inner products of the points with the mean of every unit taken off.
    mean : array (unit,)
        Means over points.
    sums : array (point,)
        Sums over coordinates, with the mean of every unit taken off.
    points : Points
        Norms and checksums.
    precision : str
        Precision that the blocks were multiplied in.
    """

    products: Floats
    mean: Floats
    sums: Floats
    points: Points
    precision: str


def inner_products(blocks: Blocks, n_points: int, n_units: int, *, precision: str = "float64") -> InnerProducts | None:
    """Return the Gram matrix of centred points; None where a coordinate is NaN or infinite.

    Parameters
    ----------
    blocks : function
        Yields the coordinates (point, unit) in blocks; called once.
    n_points, n_units : int
        Size of all blocks together.
    precision : {"float64", "float32"}
        Precision of the products within a block; blocks add up in float64.
    """
    total, mean, sums = np.zeros((n_points, n_points)), np.empty(n_units), np.zeros(n_points)
    points, plan = Points.of(n_points), list(plan_tiles(n_points, smallest=HALVED))
    factors = _factors(blocks, mean, sums, points, precision)
    tiles = ((factor, *tile) for factor in factors for tile in plan)
    threads = threads_of_products() if n_points**2 * n_units > _WORTH_THREADS else 1
    # what does not fit is seen in the norms; and one thread of numpy for a tile, also where there are no others
    with np.errstate(over="ignore", invalid="ignore"), numpy_in_one_thread():
        for rows, cols, products in in_threads(_multiplied, tiles, threads, ahead=AHEAD):
            total[rows, cols] += products
    if points.n_units < n_units:
        return None
    _mirror(total)
    points.norm2 = total.diagonal().copy()
    if precision == "float32":
        if not points.in_range:
            return inner_products(blocks, n_points, n_units)
        _recentre(total, sums)
    total *= points.scale**2 or 1.0
    sums *= points.scale or 1.0
    points.scale = 1.0
    points.norm2 = points.size2 = total.diagonal().copy()
    points.rest2 = points.norm2 * (2.0**-53 if precision == "float64" else 2.0**-24) ** 2
    return InnerProducts(total, mean, sums, points, precision)


def _factors(blocks: Blocks, mean: Floats, sums: Floats, points: Points, precision: str) -> Iterator[NDArray[Any]]:
    """Yield the centred points in pieces of units, noting what is read of each; end at one that is not finite.

    A piece is made ready while the one before it is multiplied in other threads.
    """
    for block in blocks():
        for start in range(0, block.shape[1], DEPTH):
            piece = block[:, start : start + DEPTH]
            units = slice(points.n_units, points.n_units + piece.shape[1])
            mean[units] = unit_means(piece)
            if not np.isfinite(mean[units]).all():
                return
            add_checksum(points.checksum, piece, points.rng)
            factor = _factor(piece, mean[units], points, precision)
            sums += factor.sum(axis=1)
            points.n_units, points.width = units.stop, max(points.width, piece.shape[1])
            yield factor


def _multiplied(tile: tuple[NDArray[Any], slice, slice]) -> tuple[slice, slice, NDArray[Any]]:
    """Return which points, with which, and their products within one piece."""
    factor, rows, cols = tile
    with np.errstate(over="ignore", invalid="ignore"):  # each thread has its own
        return rows, cols, factor[rows] @ factor[cols].T


def _factor(piece: NDArray[Any], mean: Floats, points: Points, precision: str) -> NDArray[Any]:
    """Take the means of units off; in single precision, in units of a scale that is set by the first piece.

    The difference of two numbers of single precision is right to single precision, also where both are large, and the
    rounding of the means moves all points alike, which `_recentre` undoes.
    """
    if precision == "float64":
        return np.asarray(np.subtract(piece, mean, dtype=np.float64))
    exact = np.float32 if piece.dtype == np.float32 else np.float64
    centred = np.subtract(piece, mean.astype(exact), dtype=exact)
    if not points.scale:
        points.scale = power_of_two(float(np.sqrt(np.square(centred, dtype=np.float64).mean())))
    with np.errstate(over="ignore"):  # what does not fit is seen in the norms
        return np.asarray((centred if points.scale == 1 else centred / points.scale).astype(np.float32, copy=False))


def _recentre(total: Floats, sums: Floats) -> None:
    """Move the origin of products and sums to the mean of the points, from near it."""
    means = total.mean(axis=0)
    away = means - 0.5 * means.mean()
    total -= away[:, None] + away[None, :]
    sums -= sums.mean()


def _mirror(total: Floats) -> None:
    """Copy the upper triangle to the lower."""
    for rows, cols in plan_tiles(len(total)):
        if rows.start == cols.start:
            tile = np.triu(total[rows, cols])
            total[rows, cols] = tile + np.triu(tile, 1).T
        else:
            total[cols, rows] = total[rows, cols].T


def relative_bound(precision: str, n_units: int) -> float:
    """Return g such that a squared distance from inner products is off by at most g (|x|^2 + |y|^2)."""
    return Product("numpy", precision).bound(DEPTH, n_units)


def unit_means(block: NDArray[Any]) -> Floats:
    """Return the mean of every unit (unit,) in double precision, summed from the first row, where offsets cancel."""
    if block.dtype == np.float32:  # double precision has digits to spare for them
        return np.asarray(np.add.reduce(block, axis=0, dtype=np.float64) / len(block))
    first = block[0].astype(np.float64)
    total, step = np.zeros(block.shape[1]), max(1, BLOCK // max(block.shape[1], 1))
    for start in range(0, len(block), step):
        total += (block[start : start + step] - first).sum(axis=0)
    return np.asarray(first + total / len(block))
