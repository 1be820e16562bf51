"""From candidates to neighbours: what products leave open is measured by differences, and the nearest are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.candidates import Near
from stratoscope.summaries.pairs import Blocks, exact_squares
from stratoscope.types import Floats, Integers

#: Distances that are not measured by differences are certain to this relative error.
RELATIVE_ERROR = 1e-7
#: And to this one where they are asked for loosely, to see how an estimate varies and not for the estimate.
LOOSE = 1e-3
_PAIRS = 1 << 22


@dataclass(frozen=True)
class NeighbourTable:
    """The nearest neighbours of every point.

    Attributes
    ----------
    distance : array (point, neighbour) of float64
        Euclidean distances, ascending.
    index : array (point, neighbour) of int64
        Which points they are, numbered as `distance` is; among equal distances the lower index first.
    rows : array (point,) of int64
        Position of each point among those given; not all of them where duplicates were merged.
    n_points : int
        Number of points in the table.
    duplicates : int
        How many of the points given repeat the coordinates of an earlier one.
    n_exact : int
        So many nearest distances of each point were measured by differences in float64; the others are certain to
        `RELATIVE_ERROR`, or to `LOOSE` where that was asked for.
    product : str
        Library and precision of the products that proposed the neighbours. It does not change which they are.
    n_measured : int
        Pairs of points that were measured by differences.
    n_wide : int
        Points for which those products left too much open, so that they were searched again in double precision.
    """

    distance: Floats
    index: Integers
    rows: Integers
    n_points: int
    duplicates: int
    n_exact: int
    product: str = ""
    n_measured: int = 0
    n_wide: int = 0


def settle(
    near: Near, blocks: Blocks, k: int, n_exact: int, error: float = RELATIVE_ERROR
) -> tuple[Integers, Floats, Integers, int]:
    """Return the `k` nearest of every point that `near` has candidates of.

    A pair must be measured where it could be among the nearest `n_exact`, or where its distance is not certain to
    `error`; the latter in single precision, if that will do.

    Parameters
    ----------
    near : Near
        Candidates, ordered by point and greatest distance; at least `k` of every point.
    blocks : function
        Yields the coordinates of the points.
    k, n_exact : int
        Neighbours wanted, and how many of them must be measured.
    error : float
        Relative error allowed to the distances of the others.

    Returns
    -------
    points : array (point,)
    distance, index : array (point, k)
    n_measured : int
    """
    points, start, group = np.unique(near.point, return_index=True, return_inverse=True)
    exact, loose = left_open(near, start, group, n_exact, error)
    squared = (near.low**2 + near.high**2) / 2
    squared[exact], n_exactly = _measured(blocks, near.point[exact], near.other[exact])
    nearly, n_loosely = _measured(blocks, near.point[loose], near.other[loose], np.float32)
    # within its bounds, so that none comes before the exact ones
    squared[loose] = np.clip(nearly, near.low[loose] ** 2, near.high[loose] ** 2)
    order = np.lexsort((near.other, squared, group))
    kept = order[start[:, None] + np.arange(k)]
    others = near.other[kept].astype(np.int64)
    return points.astype(np.int64), np.sqrt(squared[kept]), others, n_exactly + n_loosely


def left_open(
    near: Near, start: Integers, group: Integers, n_exact: int, error: float = RELATIVE_ERROR
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which candidates (pair,) must be measured exactly, and which loosely.

    `start` and `group` say where the candidates of each point begin, and to which of the points a candidate belongs.
    """
    exact = near.low <= near.high[start + n_exact - 1][group]
    unsure = near.high - near.low > 2 * error * near.low
    loose = unsure & ~exact if error >= LOOSE else np.zeros_like(exact)
    return exact | (unsure & ~loose), loose


def _measured(
    blocks: Blocks,
    point: NDArray[np.int32],
    other: NDArray[np.int32],
    dtype: type[np.floating[Any]] = np.float64,
) -> tuple[Floats, int]:
    """Return squared distances (pair,); two points that are candidates of each other are measured once."""
    low, high = np.minimum(point, other).astype(np.int64), np.maximum(point, other).astype(np.int64)
    pairs, again = np.unique(low * (high.max(initial=0) + 1) + high, return_inverse=True)
    low, high = np.divmod(pairs, high.max(initial=0) + 1)
    squared = np.empty(len(pairs))
    for start in range(0, len(pairs), _PAIRS):
        part = slice(start, start + _PAIRS)
        squared[part] = exact_squares(blocks, low[part], high[part], dtype)
    return squared[again], len(pairs)
