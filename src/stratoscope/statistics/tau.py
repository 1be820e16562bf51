"""Kendall's tau-b of values by stage: over all points, on medians, within replicates, and of many draws at once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import sparse, stats

from stratoscope.errors import TooFew
from stratoscope.statistics.stage_values import StageValues
from stratoscope.types import Floats, Integers

#: Points up to which the signs of all pairs are compared, a matrix of this size squared.
_FEW = 100
#: Replicates up to which the pairs of replicates are counted once for all draws, a matrix of this size squared.
LARGEST_PAIRED = 3000


def tau(index: Any, values: Floats) -> float:
    """Return Kendall's tau-b; of few points by the signs of all pairs, where scipy spends a millisecond on checking."""
    if len(values) > _FEW:
        return float(stats.kendalltau(index, values).statistic)
    if len(values) < 2:
        return float("nan")
    x, y = (np.sign(np.subtract.outer(side, side)).ravel() for side in (np.asarray(index, dtype=np.float64), values))
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else float("nan")


def tau_of_points(values: StageValues) -> float:
    """Return tau-b between the index of the stage and the value, over all points."""
    return tau(*values.points())


def tau_of_medians(values: StageValues) -> float:
    """Return tau-b between the index of the stage and its median."""
    return tau(np.arange(values.n_stages), values.medians)


def mean_tau(values: StageValues) -> float:
    """Return the mean of `replicate_taus`, NaN where there is none."""
    taus = replicate_taus(values)
    return float(np.nanmean(taus)) if not np.isnan(taus).all() else float("nan")


def replicate_taus(values: StageValues) -> Floats:
    """Return tau-b along the stages of each replicate (replicate,); NaN where there is none."""
    if not values.paired:
        raise TooFew(
            f"A trend within replicates needs the same {values.over} at every stage, but these are not paired. Use "
            "kendall_points or permute_stages."
        )
    found = []
    for column in values.values.T:
        there = ~np.isnan(column)
        found.append(tau(np.flatnonzero(there), column[there]))
    return np.array(found)


def taus_of_draws(values: StageValues, drawn: Integers) -> Floats:
    """Return tau-b over all points of many resamples of the replicates.

    Parameters
    ----------
    values : StageValues
        Paired, with at most `LARGEST_PAIRED` replicates.
    drawn : array (draw, replicate)
        How often each draw takes each replicate.

    Returns
    -------
    array (draw,)
        NaN where a draw holds no two stages or no two values that differ.

    Notes
    -----
    A draw weighs a pair of points by how often it takes the two replicates, so with the weights w and the signs of all
    pairs of points summed for each pair of replicates into S, the numerator is w' S w: the points are compared once,
    whatever the number of draws. Ties are counted the same way. Every count is a whole number below 2^53: exact.
    """
    table, weights = values.values, drawn.astype(np.float64)
    per_stage = weights @ ~np.isnan(table.T)
    n = per_stage.sum(axis=1)
    pairs, tied_stage = n * (n - 1), (per_stage * (per_stage - 1)).sum(axis=1)
    tied_value = (weights @ _equal_pairs(table) * weights).sum(axis=1) - n
    numerator = 2 * (weights @ _signs_of_pairs(table) * weights).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt((pairs - tied_stage) * (pairs - tied_value))
        return np.where(scale > 0, numerator / scale, np.nan)


def _signs_of_pairs(table: Floats) -> Floats:
    """Sum over pairs of stages a < b the sign of (replicate j at b) - (replicate i at a), as an array (i, j)."""
    total = np.zeros((table.shape[1],) * 2, dtype=np.int32)
    for a, b in itertools.combinations(range(len(table)), 2):
        total += np.greater(table[b], table[a][:, None]).view(np.int8)
        total -= np.less(table[b], table[a][:, None]).view(np.int8)
    return total.astype(np.float64)


def _equal_pairs(table: Floats) -> Floats:
    """Count for replicates i, j the pairs of their points that hold the same value, a point with itself among them."""
    there = ~np.isnan(table)
    equal = np.diag(there.sum(axis=0).astype(np.float64))
    _, code, times = np.unique(table[there], return_inverse=True, return_counts=True)
    shared = times > 1
    if not shared.any():
        return equal
    replicate = np.broadcast_to(np.arange(table.shape[1]), table.shape)[there]
    often = shared[code]
    held = sparse.csr_array((np.ones(often.sum()), (replicate[often], code[often])), shape=(len(equal), len(times)))
    alone = np.bincount(replicate[~often], minlength=len(equal))
    return np.asarray((held @ held.T).toarray() + np.diag(alone), dtype=np.float64)
