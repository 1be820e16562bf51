"""Responses of single units laid out by object and view, whatever order they come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.readout.labels import canonical, coded
from stratoscope.metrics.responses import checked_finite
from stratoscope.types import Floats, Integers

#: Numbers of one block of units: what is compared again and again stays in the processor's cache.
BLOCK = 160_000


@dataclass(frozen=True)
class UnitReadout:
    """How well single units tell pairs of objects apart; means over the pairs of each unit.

    Attributes
    ----------
    bits : array (unit,) or (distance, unit)
        Mutual information between true and predicted object, before chance is taken off.
    accuracy : array, as bits
        Fraction of tests that were right, 0 to 1; 0.5 is guessing.
    chance_bits, chance_accuracy : array, as bits
        The same with object labels shuffled within each view; NaN without shuffles.
    n_pairs : array (unit,) of int
        Pairs of objects that counted for the unit; where 0, all numbers are NaN.
    n : int
        Responses a unit: stimuli, or trials.
    distances : array (distance,)
        Distance between trained and tested views; empty where there is none.
    method : str
        Protocol, number of draws and shuffles.
    seed : int
        Seed of folds, draws and shuffles.
    note : str
        What a reader must know beside the numbers.
    """

    bits: Floats
    accuracy: Floats
    chance_bits: Floats
    chance_accuracy: Floats
    n_pairs: Integers
    n: int
    method: str
    seed: int
    note: str = ""
    distances: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def bits_above_chance(self) -> Floats:
        """Bits less chance."""
        return self.bits - self.chance_bits

    @property
    def accuracy_above_chance(self) -> Floats:
        """Accuracy less chance."""
        return self.accuracy - self.chance_accuracy

    @property
    def percent_correct(self) -> Floats:
        """Accuracy in percent."""
        return 100 * self.accuracy


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
