"""Bins of responses: edges are values, never ranks, so equal responses always share a bin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_choice

#: Values (row, unit) or edges (edge, unit), in float32 or float64 as they came.
Values = NDArray[Any]
Codes = NDArray[np.uint8]
BINNINGS = ("equipopulated", "equal-width")
MOST_BINS = 255
_SQUARE = 128


def checked_bins(n_bins: int, n: int, binning: str, what: str) -> None:
    """Refuse a number of bins, or a kind of bins, that `n` stimuli cannot be put into."""
    checked_choice(binning, BINNINGS, "binning")
    if not 2 <= n_bins <= MOST_BINS:
        raise BadInput(f"{what} must be from 2 to {MOST_BINS}, but {n_bins} came. Three response bins are the usual.")
    if n < n_bins:
        raise TooFew(
            f"{n_bins} bins need at least as many stimuli, but {n} came. Give more stimuli, or a smaller {what}; "
            "four stimuli for every cell of response bins and value bins are a sensible least."
        )


def bin_codes(values: Values, n_bins: int, *, binning: str, atom: bool) -> Codes:
    """Return the bin of every value (row, unit), 0 to n_bins - 1; bins that ties leave empty stay unused.

    Parameters
    ----------
    values : array (row, unit)
        Numbers in float32 or float64.
    n_bins : int
        Most bins of a unit.
    binning : str
        ``equipopulated``: edges at the quantiles j / n_bins; where a quantile falls among equal values, its edge
        moves to the nearer end of them, and is dropped where that is the smallest or the largest value.
        ``equal-width``: the range cut into equal parts.
    atom : bool
        Where 0 is the smallest value of a unit and at least one value in n_bins is 0, give 0 a bin of its own and
        split the rest into n_bins - 1.

    Raises
    ------
    BadInput
        For values that are NaN or infinite.
    """
    ordered = _sorted_by_unit(values)
    _check_finite(ordered)
    zeros = _atoms(ordered, n_bins) if atom else np.zeros(len(ordered), dtype=np.int64)
    edges = (_quantile_edges if binning == "equipopulated" else _width_edges)(ordered, zeros, n_bins)
    codes = np.zeros(values.shape, dtype=np.uint8)
    for edge in edges:
        codes += (values >= edge).view(np.uint8)
    return codes


def as_float(values: Any) -> Values:
    """Return `values` in float32 where that holds them exactly, else in float64."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise BadInput(
            f"Responses must be numbers, but values of type {array.dtype} came. Give real numbers (stimulus, unit)."
        )
    return array.astype(np.float32 if np.can_cast(array.dtype, np.float32) else np.float64, copy=False)


def _sorted_by_unit(values: Values) -> Values:
    """Return (unit, row), each unit sorted; transposed by squares, as whole columns would miss the cache."""
    rows, units = values.shape
    ordered = np.empty((units, rows), dtype=values.dtype)
    for row in range(0, rows, _SQUARE):
        for unit in range(0, units, _SQUARE):
            square = values[row : row + _SQUARE, unit : unit + _SQUARE]
            ordered[unit : unit + _SQUARE, row : row + _SQUARE] = square.T
    ordered.sort(axis=1)
    return ordered


def _check_finite(ordered: Values) -> None:
    ends = ordered[:, [0, -1]]  # NaN sorts to the end
    bad = int((~np.isfinite(ends)).any(axis=1).sum())
    if bad:
        raise BadInput(
            f"Bins need finite values, but {bad} of {len(ordered)} units have values that are NaN or infinite. "
            "Leave out the stimuli or units they belong to."
        )


def _atoms(ordered: Values, n_bins: int) -> NDArray[np.int64]:
    """Count the zeros of every unit (unit,) whose smallest value they are; 0 where they are less than a fair share."""
    n = ordered.shape[1]
    large = (ordered[:, 0] == 0) & (ordered[:, -(-n // n_bins) - 1] == 0)
    nothing = np.zeros(len(ordered), dtype=ordered.dtype)
    return np.where(large, _how_many(ordered, nothing, or_equal=True), 0)


def _how_many(ordered: Values, value: Values, *, or_equal: bool) -> NDArray[np.int64]:
    """Count the values of every unit below its `value` (unit,), by bisection of all units at once."""
    units, n = np.arange(len(ordered)), ordered.shape[1]
    low, high = np.zeros(len(ordered), dtype=np.int64), np.full(len(ordered), n)
    for _ in range(n.bit_length()):
        middle = (low + high) // 2
        found = ordered[units, np.minimum(middle, n - 1)]
        below = (low < high) & ((found <= value) if or_equal else (found < value))
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return low


def _quantile_edges(ordered: Values, zeros: NDArray[np.int64], n_bins: int) -> Values:
    edges = np.empty((n_bins - 1, len(ordered)), dtype=ordered.dtype)
    units, n = np.arange(len(ordered)), ordered.shape[1]
    for j in range(1, n_bins):
        plain = np.full(len(ordered), j * n // n_bins)
        place = np.where(zeros > 0, zeros + (j - 1) * (n - zeros) // (n_bins - 1), plain)
        place = np.minimum(place, n - 1)
        edges[j - 1] = ordered[units, place]
        among_equals = np.flatnonzero(ordered[units, place - 1] == edges[j - 1])
        if len(among_equals):
            edges[j - 1, among_equals] = _nearer_end(ordered[among_equals], place[among_equals])
    return edges


def _nearer_end(ordered: Values, place: NDArray[np.int64]) -> Values:
    """Move edges that fall among equal values to the nearer end of these; infinite where nothing is above."""
    n, units = ordered.shape[1], np.arange(len(ordered))
    value = ordered[units, place]
    first, after = _how_many(ordered, value, or_equal=False), _how_many(ordered, value, or_equal=True)
    above = np.where(after < n, ordered[units, np.minimum(after, n - 1)], np.inf)
    moved: Values = np.where(place - first <= after - place, value, above).astype(ordered.dtype)
    return moved


def _width_edges(ordered: Values, zeros: NDArray[np.int64], n_bins: int) -> Values:
    n = ordered.shape[1]
    low = ordered[np.arange(len(ordered)), np.minimum(zeros, n - 1)]
    span, cut = ordered[:, -1] - low, zeros > 0
    steps = np.arange(1, n_bins)[:, None]
    part = np.where(cut, (steps - 1) / (n_bins - 1), steps / n_bins)
    edges: Values = (low + part * span).astype(ordered.dtype)
    return edges
