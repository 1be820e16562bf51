"""Variance of an estimate from neighbour distances, from the disagreement of random halves of the points.

Points share neighbours, so what they contribute to an estimate is not independent. But two halves of independent points
are: with d_A and d_B the estimates on a random half and on the rest, over splits and samples ::

    E (d_A - d_B)² / 4 = V(half) / 2

exactly, for any density, border or fold, and V(whole) = V(half) / 2 where the variance falls with the number of points.
Nothing is fitted. The halves need no distances of their own: the neighbours of a point in its own half are those of the
table that are on its side, in the same order. Neighbour m of a half is about neighbour 2 m of the table, so the table
has to be deeper than what the estimate reads (`depth`). Decision record 0057.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.neighbourhoods import Neighbourhoods
from stratoscope.metrics.own_side import WORD, OwnSide
from stratoscope.summaries.threads import in_threads, threads_of_products
from stratoscope.types import Floats, Integers

#: Random splits; their own noise in the printed deviation is 1 / sqrt(2 SPLITS), 7 %.
SPLITS = 100
#: Deepest rank that is read from halves; beyond it the table would have to be more than twice as deep as the estimate.
DEEPEST = 64
#: Standard deviations of the number of neighbours on a point's own side that the table allows for.
_MARGIN = 2.3
#: Neighbours whose mean distance gives the order in which points are dealt.
_ORDERED_BY = 8
#: Distances of neighbours in the own half that a thread holds at a time.
_HELD = 4_000_000
#: Points in all splits below which halving is not worth sharing out.
_WORTH_THREADS = 200_000


@dataclass(frozen=True)
class Reading:
    """What an estimate reads of each point, and the point's contribution to it.

    Attributes
    ----------
    ranks : sequence of int
        Neighbours that are read, from 1.
    contributions : callable
        Takes logarithms of their distances (split, point, rank) and returns contributions (split, point), NaN for
        points that are dropped; the estimate is, to first order, their mean.
    """

    ranks: Sequence[int]
    contributions: Callable[[Floats], Floats]


def depth(rank: int) -> int:
    """Return how many neighbours must be known so that neighbour `rank` of a half is among them, for 99 of 100 points."""
    return int(np.ceil(2 * rank + _MARGIN * np.sqrt(2 * rank) + _MARGIN**2 / 2))


def neighbours_read(rank: int) -> int:
    """Return how many neighbours an estimate needs that reads up to `rank`, its interval included."""
    return max(rank, depth(min(rank, DEEPEST)))


def deepest_read(n: int) -> int:
    """Return the largest rank that is read in halves of `n` points: a quarter of them, where there are enough."""
    return min(DEEPEST, max(3, n // 4), n // 2 - 1)


def readable(near: Neighbourhoods, rank: int) -> bool:
    """Say whether neighbour `rank` is read in halves of these points."""
    return rank <= deepest_read(near.n) and near.k >= min(depth(rank), near.n - 1)


def too_shallow(near: Neighbourhoods, rank: int) -> str:
    """Say that there is no interval, where the table does not hold enough neighbours to read `rank` in halves."""
    needed = min(depth(rank), near.n - 1)
    if near.k >= needed:
        return ""
    return f"no interval: it reads {needed} neighbours of every stimulus, and {near.k} are known"


def half_variances(near: Neighbourhoods, readings: Sequence[Reading], *, splits: int = SPLITS, seed: int = 0) -> Floats:
    """Return the variance over samples of the mean of each reading's contributions.

    Parameters
    ----------
    near : Neighbourhoods
        Neighbours of the points, as deep as `depth` of the largest rank read.
    readings : sequence of Reading
    splits : int
        Random splits into halves.
    seed : int
        Of the splits. Points are dealt in the order of their mean distance, so that the order of the stimuli does not
        matter.

    Returns
    -------
    array (reading,)
        NaN where no split left a contribution on both sides.
    """
    ranks = sorted({rank for reading in readings for rank in reading.ranks})
    used = near.distance[:, : depth(ranks[-1])]
    index = near.index[:, : used.shape[1]]
    with np.errstate(divide="ignore"):
        logs = np.log(used)
    order = np.argsort(near.distance[:, :_ORDERED_BY].mean(axis=1), kind="stable")
    rng = np.random.default_rng(seed)

    def gaps_of(side: NDArray[np.bool_]) -> Floats:
        own, most = OwnSide(side, index, ranks), max(1, _HELD // (near.n * len(ranks)))
        some = [slice(start, min(start + most, len(side))) for start in range(0, len(side), most)]
        return np.concatenate([_gaps(readings, _nearest(own, part, logs, ranks), side[part]) for part in some], axis=1)

    sides = (_sides(rng, order, size) for size in _sizes(splits))
    threads = threads_of_products() if splits * near.n > _WORTH_THREADS else 1
    apart = list(in_threads(gaps_of, sides, threads))
    with np.errstate(invalid="ignore"):
        gaps = np.concatenate(apart, axis=1)
        known = np.isfinite(gaps)
        return np.asarray(np.where(known, gaps, 0.0).sum(axis=1) / known.sum(axis=1))


def _sizes(splits: int) -> list[int]:
    """Cut `splits` into equal parts that fit into words."""
    parts = -(-splits // WORD)
    return [splits * (part + 1) // parts - splits * part // parts for part in range(parts)]


def _sides(rng: np.random.Generator, order: Integers, splits: int) -> NDArray[np.bool_]:
    """Deal the points, a different half each time: array (split, point)."""
    dealt = np.broadcast_to(np.arange(len(order)) % 2, (splits, len(order)))  # words are permuted faster than bytes
    side = np.empty(dealt.shape, dtype=bool)
    side[:, order] = rng.permuted(dealt, axis=1) == 0
    return side


def _nearest(own: OwnSide, splits: slice, logs: Floats, ranks: Sequence[int]) -> dict[int, Floats]:
    """Return log distances (split, point) of the neighbours `ranks` in the own half; NaN where they are not known."""
    starts = np.arange(len(logs)) * logs.shape[1]
    found = {}
    for rank in ranks:
        place, known = own.places(rank, splits)
        found[rank] = np.where(known, np.take(logs, starts + place), np.nan)
    return found


def _gaps(readings: Sequence[Reading], nearest: dict[int, Floats], side: NDArray[np.bool_]) -> Floats:
    """Return what the gaps between halves say of each reading (reading, split)."""
    return np.array([_squared_gap(one.contributions(_read(nearest, one.ranks)), side) for one in readings])


def _read(nearest: dict[int, Floats], ranks: Sequence[int]) -> Floats:
    """Return log distances (split, point, rank), known where the farthest of `ranks` is."""
    known = ~np.isnan(nearest[max(ranks)])
    return np.moveaxis(np.stack([np.where(known, nearest[rank], np.nan) for rank in ranks]), 0, -1)


def _squared_gap(contributions: Floats, side: NDArray[np.bool_]) -> Floats:
    """Return what the gap between the two means says about the variance of the mean of all (split,)."""
    known = np.isfinite(contributions)
    values = np.where(known, contributions, 0.0)
    mine = known & side
    n, n_one = known.sum(axis=1), mine.sum(axis=1)
    total, one = values.sum(axis=1), np.where(mine, values, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = one / n_one - (total - one) / (n - n_one)
        return np.asarray(gap**2 / (1.0 / n_one + 1.0 / (n - n_one)) / n)


def extended(ranks: Sequence[int], variances: Sequence[float], rank: int) -> float:
    """Return the variance at `rank` from those at the last one or two of `ranks`, below it, by the power law through them.

    One alone is taken to fall with the rank, as it does where neighbourhoods are independent.
    """
    if not ranks:
        return float("nan")
    last, variance = ranks[-1], float(variances[-1])
    power = 1.0
    if len(ranks) > 1 and variance > 0 and variances[-2] > 0:
        power = float(np.clip(np.log(variances[-2] / variance) / np.log(last / ranks[-2]), 0.0, 2.0))
    return float(variance * (last / rank) ** power)
