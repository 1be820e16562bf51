"""The nearest neighbours that every estimator of intrinsic dimension reads, without duplicates and ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_points
from stratoscope.summaries.neighbours import nearest_from_blocks
from stratoscope.summaries.pairs import slices_of
from stratoscope.types import Floats, Integers


@dataclass(frozen=True)
class Neighbourhoods:
    """Distances and indices of the nearest neighbours of every distinct point, nearest first, without itself.

    `rows` says which rows of the given responses the points are, `dropped` how many were merged into them.
    """

    distance: Floats
    index: Integers
    dropped: Mapping[str, int] = field(default_factory=dict)
    rows: Integers | None = None

    @property
    def n(self) -> int:
        """Number of distinct points."""
        return len(self.distance)

    @property
    def k(self) -> int:
        """Number of neighbours known of each point."""
        return int(self.distance.shape[1])


def neighbourhoods_of(responses: Any, k: int, metric: str, *, fewest: int, exact: int | None = None) -> Neighbourhoods:
    """Merge exact duplicates in `responses` (stimulus, unit) and find up to `k` neighbours of every point.

    An estimate that reads no more than `exact` of them, and those beyond only for its interval, says so: it saves time.
    """
    points = checked_points(responses, metric)
    if len(points) < 2:
        check_enough(len(points), 0, metric, fewest)
    # checked already, and a check reads all of them
    k = min(k, len(points) - 1)
    blocks, (n_points, n_units) = slices_of(points), points.shape
    table = nearest_from_blocks(blocks, n_points, n_units, k, exact=exact, duplicates="merge")
    check_enough(table.n_points, table.duplicates, metric, fewest)
    return Neighbourhoods(table.distance, table.index, {"duplicates": table.duplicates}, table.rows)


def neighbourhoods_within(near: Neighbourhoods, subset: Integers, k: int) -> tuple[Neighbourhoods, Integers]:
    """Return the `k` nearest of the points `subset` among each other, read from the longer lists of all points.

    The nearest of a subset are the first in the list of all that belong to it, so no distance is computed again.

    Returns
    -------
    Neighbourhoods
        Points in the order of `subset`, and numbered so.
    short : array of int
        Points of the subset whose list holds fewer than `k` others of it; what stands in their rows has no meaning.
    """
    number = np.full(near.n, -1)
    number[subset] = np.arange(len(subset))
    index = number[near.index[subset]]
    count = np.cumsum(index >= 0, axis=1)
    at = np.stack([(count > rank).argmax(axis=1) for rank in range(k)], axis=1)
    distance = np.take_along_axis(near.distance[subset], at, axis=1)
    found = Neighbourhoods(distance, np.take_along_axis(index, at, axis=1), {"duplicates": 0})
    return found, np.flatnonzero(count[:, -1] < k)


def nearest_within(whole: Neighbourhoods, subset: Integers, k: int, gram: Floats) -> Neighbourhoods:
    """Return the `k` nearest of the points `subset` among each other: from their lists, and where these end from `gram`.

    Parameters
    ----------
    whole : Neighbourhoods
        Lists of all distinct points.
    subset : array of int
        Some of those points.
    k : int
        Neighbours wanted, fewer than the points.
    gram : array (stimulus, stimulus)
        Inner products of all stimuli.
    """
    found, short = neighbourhoods_within(whole, subset, k)
    if len(short):
        rows = subset if whole.rows is None else whole.rows[subset]
        norms, products = np.diag(gram), gram[np.ix_(rows[short], rows)]
        squared = np.maximum(norms[rows[short], None] + norms[rows] - 2 * products, 0.0)
        squared[np.arange(len(short)), short] = np.inf
        found.index[short] = np.argsort(squared, axis=1, kind="stable")[:, :k]
        found.distance[short] = np.sqrt(np.take_along_axis(squared, found.index[short], axis=1))
    return found


def neighbourhoods_in(state: Mapping[str, Any], metric: str, *, fewest: int) -> Neighbourhoods:
    """Read the neighbours that the summary gram keeps, as of distinct points.

    The summary may have kept exact duplicates, as neighbours at distance 0, or merged them, which leaves NaN.
    """
    _refuse_nonfinite(state, metric)
    distance = np.asarray(state["distances"], dtype=np.float64)
    index = np.asarray(state["neighbours"], dtype=np.int64)
    points = np.arange(len(distance))
    copy = (distance == 0) & (index < points[:, None]) & (index >= 0)
    rows = np.flatnonzero(np.isfinite(distance).any(axis=1) & ~copy.any(axis=1))
    dropped = min(len(distance) - len(rows), int(state["duplicates"]))  # a single distinct point has no neighbours
    check_enough(len(distance) - dropped, dropped, metric, fewest)
    number = np.full(len(distance) + 1, -1)
    number[rows] = np.arange(len(rows))
    distance, index = _distinct_columns(distance[rows], number[index[rows]])
    if distance.shape[1] < 2:
        raise BadInput(
            f"{metric} needs 2 distinct neighbours of every stimulus, but among those kept some have "
            f"{distance.shape[1]}, the others being duplicates. Merge duplicates in the summary."
        )
    return Neighbourhoods(distance, index, {"duplicates": dropped}, rows)


def _distinct_columns(distance: Floats, index: Integers) -> tuple[Floats, Integers]:
    """Move neighbours that are distinct points to the front, and keep as many columns as all points have."""
    known = (index >= 0) & np.isfinite(distance)
    order = np.argsort(~known, axis=1, kind="stable")[:, : int(known.sum(axis=1).min())]
    return np.take_along_axis(distance, order, axis=1), np.take_along_axis(index, order, axis=1)


def _refuse_nonfinite(state: Mapping[str, Any], metric: str) -> None:
    bad = int(np.count_nonzero(state.get("n_nonfinite", 0)))
    if bad:
        raise BadInput(
            f"{metric} expects finite responses, but {bad} stimuli have responses that are NaN or infinite. "
            "Leave these stimuli out."
        )


def check_enough(n: int, duplicates: int, metric: str, fewest: int) -> None:
    """Raise TooFew where fewer than `fewest` distinct points are left."""
    if n < fewest:
        merged = f" ({duplicates} exact duplicates were merged)" if duplicates else ""
        raise TooFew(f"{metric} needs at least {fewest} distinct stimuli, but {n} came{merged}.")
