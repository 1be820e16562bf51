"""The nearest neighbours that every estimator of intrinsic dimension reads, without duplicates and ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_responses
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


def neighbourhoods_of(responses: Any, k: int, metric: str, *, fewest: int) -> Neighbourhoods:
    """Merge exact duplicates in `responses` (stimulus, unit) and find up to `k` neighbours of every point."""
    points = checked_responses(responses, metric)
    rows = np.sort(np.unique(points, axis=0, return_index=True)[1])
    kept = points[rows]
    dropped = {"duplicates": len(points) - len(kept)}
    check_enough(len(kept), dropped["duplicates"], metric, fewest)
    distance, index = _nearest(kept, min(k, len(kept) - 1))
    return Neighbourhoods(distance, index, dropped, rows)


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
    dropped = len(distance) - len(rows)
    check_enough(len(rows), dropped, metric, fewest)
    number = np.full(len(distance) + 1, -1)
    number[rows] = np.arange(len(rows))
    return Neighbourhoods(*_distinct_columns(distance[rows], number[index[rows]]), {"duplicates": dropped}, rows)


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


def _nearest(points: Floats, k: int) -> tuple[Floats, Integers]:
    """Search in blocks of rows, on centred points and in float64."""
    centred = points - points.mean(axis=0)
    distance, index = np.empty((len(points), k)), np.empty((len(points), k), dtype=np.int64)
    block = max(1, 8_000_000 // len(points))
    for start in range(0, len(points), block):
        rows = slice(start, min(start + block, len(points)))
        distance[rows], index[rows] = _nearest_of_block(centred, rows, k)
    return distance, index


def _nearest_of_block(points: Floats, rows: slice, k: int) -> tuple[Floats, Integers]:
    between = cdist(points[rows], points)
    between[np.arange(len(between)), np.arange(rows.start, rows.stop)] = np.inf
    near = np.argpartition(between, k - 1, axis=1)[:, :k]
    distance = np.take_along_axis(between, near, axis=1)
    order = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(distance, order, axis=1), np.take_along_axis(near, order, axis=1)
