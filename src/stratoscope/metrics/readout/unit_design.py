"""Responses of single units laid out by object and view, whatever order they come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.readout.labels import canonical, coded, shuffled_within
from stratoscope.metrics.responses import checked_finite
from stratoscope.types import Floats, Integers

#: Responses in one block of units: wide enough that a step is work, and what is compared again and again stays in cache.
BLOCK = 800_000


@dataclass(frozen=True)
class Layout:
    """Rows sorted by object, then view: one condition is one object in one view, with all its trials.

    Attributes
    ----------
    order : array (row,)
        Row of the responses that stands at each place.
    codes, views : array (row,)
        Object and view at each place.
    starts : array (condition + 1,)
        Where each condition starts.
    """

    order: Integers
    codes: Integers
    views: Integers
    starts: Integers

    @classmethod
    def of(cls, codes: Integers, views: Integers) -> Layout:
        """Sort rows by object and view."""
        order = canonical(len(codes), codes, views)
        first = np.flatnonzero(np.diff(codes[order], prepend=-1) | np.diff(views[order], prepend=-1))
        return cls(order, codes[order], views[order], np.append(first, len(codes)).astype(np.int64))

    @property
    def objects(self) -> Integers:
        """Object of every condition (condition,)."""
        return self.codes[self.starts[:-1]]

    def rows(self, code: int) -> slice:
        """Return where the rows of one object stand."""
        return slice(*np.searchsorted(self.codes, [code, code + 1]))


def unit_rows(responses: Any, objects: Any, views: Integers, what: str) -> tuple[NDArray[Any], Integers, Any, Integers]:
    """Return responses (row, unit), codes (row,), names of objects and views (row,); one row a stimulus or trial.

    Trials (trial, stimulus, unit) follow each other; NaN stands for an absent one. float32 stays float32.
    """
    array = np.asarray(responses)
    if array.dtype != np.float32:
        array = np.asarray(array, dtype=np.float64)
    if array.ndim not in {2, 3} or array.shape[-1] == 0:
        raise BadInput(
            f"{what} expects responses of shape (stimulus, unit) or (trial, stimulus, unit), but {array.shape} came. "
            "Flatten what belongs to one stimulus into one row."
        )
    if array.ndim == 2:
        checked_finite(array, what)
        codes, names = coded(objects, len(array), "object")
        return array, codes, names, views
    n_trials, n, n_units = array.shape
    if np.isinf(array).any():
        checked_finite(np.nan_to_num(array, nan=0.0, posinf=np.inf, neginf=-np.inf), what)
    codes, names = coded(objects, n, "object")
    absent = ~np.isfinite(array).any(axis=0)
    if absent.any():
        row, unit = (int(one) for one in np.argwhere(absent)[0])
        raise TooFew(
            f"{what} needs at least 1 trial of every stimulus, but unit {unit} has none of stimulus {row}. "
            "Leave out such stimuli or units."
        )
    return array.reshape(-1, n_units), np.tile(codes, n_trials), names, np.tile(views, n_trials)


def unit_blocks(n_rows: int, n_units: int) -> Iterator[slice]:
    """Cut the units into blocks of about `BLOCK` responses."""
    width = max(64, BLOCK // max(n_rows, 1))
    return (slice(start, min(start + width, n_units)) for start in range(0, n_units, width))


def called_first(above: NDArray[Any], total: Any, sign: NDArray[Any]) -> NDArray[Any]:
    """Return how many of `total` responses were called the first object, given how many lie `above` the threshold.

    `sign` is 1 where the first object has the larger mean, -1 where the second has; at 0 a coin decides, by halves.
    """
    half = np.asarray(total / 2, dtype=np.float32)
    return np.asarray(half + sign.astype(np.float32, copy=False) * (above - half))


def confusion_of(first: tuple[Floats, Any], second: tuple[Floats, Any]) -> Floats:
    """Return confusion matrices (unit, 2, 2) from how many of each object were called the first, and out of how many."""
    (a, n_a), (b, n_b) = (np.broadcast_arrays(*one) for one in (first, second))
    return np.stack([np.stack([a, n_a - a], axis=-1), np.stack([b, n_b - b], axis=-1)], axis=-2)


def mean_over_pairs(values: Floats, of_units: NDArray[np.bool_] | None) -> Floats:
    """Return the mean (..., unit) of values (pair, ..., unit) over the pairs that count for each unit, else NaN."""
    if of_units is None:
        return np.asarray(values.mean(axis=0))
    weights = of_units.reshape(len(values), *(1,) * (values.ndim - 2), -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weights, values, 0).sum(axis=0) / weights.sum(axis=0))


def n_stimuli_of(responses: Any, objects: Any) -> int:
    """Return the number of stimuli of responses (stimulus, unit) or (trial, stimulus, unit); of objects for others."""
    return int(np.shape(responses)[-2]) if np.ndim(responses) in {2, 3} else len(np.asarray(objects))


def shuffled_rows(codes: Integers, views: Integers, seed: int, k: int) -> Integers:
    """Return the `k`-th shuffle of the objects of all rows within views, in canonical order of objects and views."""
    order = Layout.of(codes, views).order
    mixed = np.empty_like(codes)
    mixed[order] = shuffled_within(codes[order], views[order], np.random.default_rng((seed, 1000 + k)))
    return mixed
