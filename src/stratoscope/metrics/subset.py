"""The pair geometry of some of the stimuli, from that of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.decimation import squared_distances
from stratoscope.metrics.neighbourhoods import Neighbourhoods, neighbourhoods_in
from stratoscope.metrics.spectrum import gram_in
from stratoscope.summaries.inner_products import relative_bound
from stratoscope.summaries.neighbours import product_precision
from stratoscope.summaries.settle import RELATIVE_ERROR
from stratoscope.types import Floats, Integers


def subset_in(state: Mapping[str, Any], positions: Any) -> dict[str, Any]:
    """Return the state that the summary gram would have, had it seen only some of the stimuli.

    Distances of pairs that the neighbour table of all stimuli holds are taken from it, so they are as exact as there;
    the others come from inner products. A squared distance from products is off by at most g (|x|² + |y|²), with x and
    y measured from the mean of all stimuli and g near 10^-12 for products in float64 (10^-4 in float32, which the
    summary uses above 100 stimuli for every neighbour it keeps). Where responses are at hand, give them to the
    metric itself: that measures the nearest exactly.

    Parameters
    ----------
    state : mapping
        State of the summary gram, with its matrix.
    positions : array (chosen stimulus,) of int
        Which stimuli, as positions in ``state["rows"]``, each once.

    Returns
    -------
    dict
        As `stratoscope.summaries.Gram` describes it, exact duplicates among the chosen merged; ``mean`` is left out
        (nobody kept it for the subset), and ``relative_error`` is added, the largest relative error that the distance
        to one of the two nearest neighbours may have.

    Raises
    ------
    BadInput
        For a summary without its matrix, positions that are not there or come twice, or chosen stimuli with responses
        that are NaN or infinite.
    """
    return subsets_in(state)(positions)


def subsets_in(state: Mapping[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """Return `subset_in` of this state as a function of positions, which prepares the distances once for many subsets."""
    pairs = _all_pairs(state)
    return lambda positions: _subset(state, pairs, _checked_positions(state, positions))


def _subset(state: Mapping[str, Any], pairs: tuple[Floats, Floats, Integers], chosen: Integers) -> dict[str, Any]:
    squared, error, first = pairs
    _, originals = np.unique(first[chosen], return_index=True)
    kept = np.sort(originals)  # places among the chosen that repeat no earlier one
    at = chosen[kept]
    k = min(np.shape(state["distances"])[1], max(len(chosen) - 1, 0))
    distances, neighbours = np.full((len(chosen), k), np.nan), np.full((len(chosen), k), -1)
    near = _nearest(squared[np.ix_(at, at)], min(k, len(at) - 1))
    width = near.shape[1]
    distances[kept, :width] = np.sqrt(squared[at[:, None], at[near]])
    neighbours[kept, :width] = kept[near]
    return {
        "rows": np.asarray(state["rows"])[chosen],
        "n_units": state["n_units"],
        "gram": _centred(np.asarray(state["gram"])[np.ix_(chosen, chosen)]),
        "distances": distances,
        "neighbours": neighbours,
        "duplicates": np.int64(len(chosen) - len(kept)),
        "n_exact": np.int64(0),
        "n_nonfinite": np.zeros(len(chosen), dtype=np.int64),
        "relative_error": float(error[at[:, None], at[near[:, :2]]].max(initial=0.0)),
    }


def all_neighbours_in(state: Mapping[str, Any], metric: str, *, fewest: int) -> Neighbourhoods:
    """Return all other distinct points as neighbours of every point, nearest first, from the summary gram."""
    near = neighbourhoods_in(state, metric, fewest=fewest)
    gram_in(state, metric, fewest)
    assert near.rows is not None
    squared = _all_pairs(state)[0][np.ix_(near.rows, near.rows)]
    index = _nearest(squared, near.n - 1)
    return Neighbourhoods(np.sqrt(np.take_along_axis(squared, index, axis=1)), index, near.dropped, near.rows)


def _checked_positions(state: Mapping[str, Any], positions: Any) -> Integers:
    chosen, n = np.asarray(positions), len(state["distances"])
    wrong = chosen.ndim != 1 or chosen.dtype.kind not in "iu" or len(np.unique(chosen)) != len(chosen)
    if wrong or (len(chosen) and not 0 <= chosen.min() <= chosen.max() < n):
        raise BadInput(
            f"A subset is given as positions among the {n} stimuli of the summary, whole numbers from 0 to {n - 1}, each "
            f"once, but {positions!r} came. Give np.flatnonzero of a mask."
        )
    bad = int(np.count_nonzero(np.asarray(state.get("n_nonfinite", np.zeros(n)))[chosen]))
    if bad:
        raise BadInput(f"{bad} of the chosen stimuli have responses that are NaN or infinite. Leave these stimuli out.")
    return chosen.astype(np.int64)


def _all_pairs(state: Mapping[str, Any]) -> tuple[Floats, Floats, Integers]:
    """Return squared distances and their relative error (stimulus, stimulus), and whom each stimulus repeats."""
    gram = _gram_of(state)
    squared = squared_distances(gram)
    table, index = np.asarray(state["distances"], dtype=np.float64), np.asarray(state["neighbours"])
    bound = relative_bound(product_precision(len(table), table.shape[1]), int(state["n_units"]))
    norms = np.diag(gram)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 0.5 * bound * (norms[:, None] + norms) / squared
    loose = float(state.get("far_error", 0.0)) > RELATIVE_ERROR
    point, rank = np.nonzero(np.isfinite(table[:, : int(state["n_exact"])] if loose else table))
    other = index[point, rank]
    for a, b in ((point, other), (other, point)):
        squared[a, b], error[a, b] = table[point, rank] ** 2, 0.0
    first = _repeated(table, index, squared)
    np.fill_diagonal(squared, 0.0)
    return squared[np.ix_(first, first)], error[np.ix_(first, first)], first


def _gram_of(state: Mapping[str, Any]) -> Floats:
    """Return the Gram matrix in `state`; rows of stimuli that are not finite stay NaN."""
    if state.get("gram") is None:
        return gram_in(state, "A subset of stimuli", 1)  # raises, and says why
    return np.asarray(state["gram"], dtype=np.float64)


def _repeated(table: Floats, index: Integers, squared: Floats) -> Integers:
    """Return for every stimulus the first one with the same responses, often its own.

    A summary that kept duplicates has them at distance 0. One that merged them has no distances for a repeated stimulus,
    which is then the nearest by products to the one it repeats.
    """
    points = np.arange(len(table))
    zero = (table == 0) & (index >= 0)
    first = np.minimum(points, np.where(zero, index, len(table)).min(axis=1, initial=len(table)))
    known = np.isfinite(table).any(axis=1)
    if not known.any():  # a single distinct stimulus
        return np.where(np.isfinite(np.diag(squared)), 0, points)
    merged = np.flatnonzero(~known & np.isfinite(np.diag(squared)))
    alive = np.flatnonzero(known)
    first[merged] = alive[np.argmin(squared[np.ix_(merged, alive)], axis=1)] if len(merged) else first[merged]
    return np.asarray(first)


def _nearest(squared: Floats, k: int) -> Integers:
    between = squared.copy()
    np.fill_diagonal(between, np.inf)
    return np.argsort(between, axis=1, kind="stable")[:, : max(k, 0)]


def _centred(gram: Floats) -> Floats:
    rows = gram.mean(axis=1)
    return np.asarray(gram - rows[:, None] - rows + rows.mean())
