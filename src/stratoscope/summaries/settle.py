"""From candidates to neighbours: what products leave open is measured by differences, and the nearest are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.held import Near, ordered
from stratoscope.summaries.pairs import SINGLE, Blocks, exact_squares
from stratoscope.types import Floats, Integers

#: Distances that are not measured by differences are certain to this relative error.
RELATIVE_ERROR = 1e-7
#: And to this one where they are asked for loosely, to see how an estimate varies and not for the estimate.
LOOSE = 1e-3
#: Or to this share of the mean log ratio of the distances that the estimate itself reads, if that is more; never to more than that.
SHARE, LOOSEST = 0.25, 0.05
#: Time of measuring a pair in single precision, as a share of that in double.
NEARLY = 0.55
#: Candidates of a point for each neighbour wanted, above which single precision is asked first.
MANY = 2.5
#: Squared distances that single precision holds, with all that they are sums of.
_LEAST, _MOST = 1e-25, 1e37
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
        `far_error`.
    far_error : float
        `RELATIVE_ERROR`; `LOOSE` or more where that was asked for.
    product : str
        Library and precision of the products that proposed the neighbours. It does not change which they are.
    n_measured : int
        Pairs of points that were measured by differences, counted once for each precision they were measured in.
    n_wide : int
        Points for which those products left too much open, or too little, so that they were searched again in double
        precision.
    chance : float
        Probability that a neighbour is missed, over what the search itself draws at random to round points to bytes
        (`drawn`), whatever the points are; 0 where nothing was drawn.
    """

    distance: Floats
    index: Integers
    rows: Integers
    n_points: int
    duplicates: int
    n_exact: int
    far_error: float = RELATIVE_ERROR
    product: str = ""
    n_measured: int = 0
    n_wide: int = 0
    chance: float = 0.0


@dataclass(frozen=True)
class Settled:
    """What `settle` found: for each of `points` (point,) its nearest, `distance` and `index` (point, neighbour).

    `n_measured` pairs were measured, those that were measured in both precisions twice; distances that need not be exact are right to `far_error`.
    """

    points: Integers
    distance: Floats
    index: Integers
    n_measured: int
    far_error: float


def settle(near: Near, blocks: Blocks, k: int, n_exact: int, error: float = RELATIVE_ERROR) -> Settled:
    """Return the `k` nearest of every point that `near` has as many candidates of.

    A pair must be measured where it could be among the nearest `n_exact`, or where its distance is not certain to
    `error`; the latter in single precision, if that will do. Where there are many candidates (`MANY`), single precision
    narrows their bounds first.

    A point has fewer candidates than that where squared distances overflow, or where a bound that holds but for a small
    chance did not.

    Parameters
    ----------
    near : Near
        Candidates, ordered by point and greatest distance.
    blocks : function
        Yields the coordinates of the points.
    k, n_exact : int
        Neighbours wanted, and how many of them must be measured.
    error : float
        Relative error allowed to the distances of the others; from `LOOSE` on, or more, as `allowed` says.
    """
    near = with_enough(near, k)
    points, start, group = groups_of(near)
    exact = must_be_exact(near, start, group, n_exact, error)
    n_narrowed = 0
    if exact.sum() > MANY * n_exact * len(points):
        near, n_narrowed = _narrowed(near, blocks, exact)
        near = near.take(near.low <= near.high[start + k - 1][group])
        points, start, group = groups_of(near)
        exact = must_be_exact(near, start, group, n_exact, error)
    squared = near.middle
    squared[exact], n_exactly = _measured(blocks, near.point[exact], near.other[exact])
    error = allowed(squared[exact], group[exact], n_exact, error)
    loose = uncertain(near, error) & ~exact
    nearly, n_loosely = _measured(blocks, near.point[loose], near.other[loose], np.float32)
    # within its bounds, so that none comes before the exact ones
    squared[loose] = np.clip(nearly, near.low[loose] ** 2, near.high[loose] ** 2)
    kept = _nearest(squared, near.other, group)[start[:, None] + np.arange(k)]
    others = near.other[kept].astype(np.int64)
    return Settled(points, np.sqrt(squared[kept]), others, n_narrowed + n_exactly + n_loosely, error)


def groups_of(near: Near) -> tuple[Integers, Integers, Integers]:
    """Return the points that have candidates, where those of each begin, and to which of the points a candidate belongs."""
    begins = np.diff(near.point, prepend=-1) != 0
    start = np.flatnonzero(begins)
    return near.point[start].astype(np.int64), start, np.cumsum(begins) - 1


def with_enough(near: Near, k: int) -> Near:
    """Leave out the points that have fewer than `k` candidates."""
    _, start, group = groups_of(near)
    enough = np.diff(start, append=len(near)) >= k
    return near if enough.all() else near.take(enough[group])


def worth(n_candidates: float, n_exact: int) -> float:
    """Return as many pairs as take as long in double precision as `settle` takes for so many candidates of a point."""
    return NEARLY * n_candidates + n_exact if n_candidates > MANY * n_exact else n_candidates


def _narrowed(near: Near, blocks: Blocks, chosen: NDArray[np.bool_]) -> tuple[Near, int]:
    """Return `near` in its order, the pairs `chosen` between narrower bounds, and how many were measured for that.

    They are measured in single precision, which takes half the time of double and leaves few of them open.
    """
    squared, n_measured = _measured(blocks, near.point[chosen], near.other[chosen], np.float32)
    held = (squared > _LEAST) & (squared < _MOST)
    low, high = near.low.copy(), near.high.copy()
    low[chosen] = np.maximum(low[chosen], np.where(held, np.sqrt(squared * (1 - SINGLE)), 0))
    high[chosen] = np.minimum(high[chosen], np.where(held, np.sqrt(squared * (1 + SINGLE)), np.inf))
    near = Near(near.point, near.other, low, high)
    return near.take(ordered(near.point, near.high)), n_measured


def must_be_exact(near: Near, start: Integers, group: Integers, n_exact: int, error: float) -> NDArray[np.bool_]:
    """Return which candidates (pair,) must be measured in double precision.

    `start` and `group` say where the candidates of each point begin, and to which of the points a candidate belongs.
    """
    exact: NDArray[np.bool_] = near.low <= near.high[start + n_exact - 1][group]
    return exact if error >= LOOSE else exact | uncertain(near, error)


def uncertain(near: Near, error: float) -> NDArray[np.bool_]:
    """Return which candidates (pair,) have a distance whose `middle` is not certain to the relative `error`."""
    return np.asarray(near.high - near.low > 2 * error * (1 - error) * near.low)


def allowed(squared: Floats, group: Integers, n_exact: int, error: float) -> float:
    """Return the relative error that distances beyond the nearest `n_exact` may have.

    Where `LOOSE` is asked for they are read to see how the mean of log(r_n / r_n/2), which is large where the dimension is
    low, varies between halves of the points. A share of that mean (a bound, seldom reached by half) moves the deviation
    by less than two hundredths (decision 0174); never more than `LOOSEST`.

    Parameters
    ----------
    squared, group : array (pair,)
        Squared distances of candidates, and to which point each belongs; at least `n_exact` of each point.
    n_exact : int
    error : float
        What is asked for.
    """
    if error < LOOSE or not len(squared):
        return error
    order = ordered(group, squared)
    start = np.searchsorted(group[order], np.arange(group.max() + 1))
    inner, outer = (squared[order[start + rank - 1]] for rank in (max(n_exact // 2, 1), n_exact))
    apart = inner > 0
    ratio = float(0.5 * np.log(outer[apart] / inner[apart]).mean()) if apart.any() else 0.0
    return min(max(error, SHARE * ratio), LOOSEST)


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


def _nearest(squared: Floats, other: NDArray[np.int32], group: Integers) -> Integers:
    """Return the order of pairs (pair,) by group, squared distance and other point."""
    order = ordered(group, squared)
    tied = (np.diff(squared[order]) == 0) & (np.diff(group[order]) == 0)
    return np.lexsort((other, squared, group)) if tied.any() else order
