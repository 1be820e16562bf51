"""Counts of repeated trials, (trial, stimulus, unit): what every control for recordings starts from.

Trials are ragged: an absent repeat is NaN, never zero. Along the first axis the repeats of one stimulus stand in any order;
units that were recorded together share the order, so that subsets of trials keep their noise correlations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.types import Floats, Integers


def checked_trials(counts: Any, what: str, *, fewest: int = 2) -> Floats:
    """Return counts (trial, stimulus, unit) as float64, or say what is wrong with them.

    Raises
    ------
    BadInput
        For another shape, or infinite or negative counts.
    TooFew
        Where a stimulus has fewer than `fewest` trials of a unit.
    """
    array = np.asarray(counts, dtype=np.float64)
    if array.ndim != 3 or 0 in array.shape:
        raise BadInput(
            f"{what} expects counts of shape (trial, stimulus, unit), with NaN where a repeat is absent, but "
            f"{array.shape} came. Put the repeats of each stimulus along a first axis."
        )
    if np.isinf(array).any() or np.nanmin(array, initial=0.0) < 0:
        raise BadInput(
            f"{what} expects counts of 0 and up, but {int((np.isinf(array) | (array < 0)).sum())} of {array.size} are "
            "negative or infinite. Hand over spike counts before any baseline is taken off."
        )
    repeats = trial_numbers(array)
    if repeats.min() < fewest:
        stimulus, unit = np.unravel_index(int(repeats.argmin()), repeats.shape)
        raise TooFew(
            f"{what} needs at least {fewest} trials of every stimulus, but stimulus {stimulus} of unit {unit} has "
            f"{repeats.min()}. Leave out such stimuli or units."
        )
    return array


def trial_numbers(counts: Floats) -> Integers:
    """Return how many trials there are of every stimulus and unit (stimulus, unit)."""
    return np.asarray(np.isfinite(counts).sum(axis=0), dtype=np.int64)


def trial_means(counts: Floats) -> Floats:
    """Return the mean over the trials that are there (stimulus, unit)."""
    return np.asarray(np.nansum(counts, axis=0) / trial_numbers(counts))


def variance_of_means(counts: Floats) -> Floats:
    """Return the variance that the mean over trials has (stimulus, unit): the variance over trials by their number."""
    repeats = trial_numbers(counts)
    apart = counts - trial_means(counts)
    return np.asarray(np.nansum(apart * apart, axis=0) / (repeats * (repeats - 1)))


def equal_trials(counts: Floats, n_trials: int, rng: np.random.Generator) -> Floats:
    """Draw `n_trials` trials of every stimulus and unit without replacement, (n_trials, stimulus, unit).

    Units draw the same trials of a stimulus where they have them, so noise correlations stay.
    """
    repeats = trial_numbers(counts)
    if not 1 <= n_trials <= repeats.min():
        raise TooFew(f"{n_trials} trials were asked for, but some stimulus has {repeats.min()}. Ask for fewer.")
    return shuffled_trials(counts, rng)[:n_trials]


def shuffled_trials(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return the trials of every stimulus in random order, the same for all units, and absent ones last."""
    absent = np.isnan(counts)
    key = rng.random(counts.shape[:2]) + absent.all(axis=2)
    mixed = counts[np.argsort(key, axis=0), np.arange(counts.shape[1])]
    if np.array_equal(absent.all(axis=2), absent.any(axis=2)):
        return np.asarray(mixed)
    last = np.argsort(np.isnan(mixed), axis=0, kind="stable")  # units that miss trials of their own
    return np.asarray(np.take_along_axis(mixed, last, axis=0))


def trial_split_noise(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return noise alone, with the variance and the correlations that means over these trials have, (stimulus, unit).

    The trials of every stimulus are split into halves. Their means share the signal, which the difference takes away; it
    is scaled by √[(1/n) / (1/n₁ + 1/n₂)], which is a half for equal halves.
    """
    mixed = shuffled_trials(counts, rng)
    repeats = trial_numbers(mixed)
    first = np.arange(len(mixed))[:, None, None] < repeats // 2
    one = np.where(first, mixed, 0.0).sum(axis=0) / (repeats // 2)
    other = np.nansum(np.where(first, 0.0, mixed), axis=0) / (repeats - repeats // 2)
    scale = np.sqrt(1 / repeats / (1 / (repeats // 2) + 1 / (repeats - repeats // 2)))
    return np.asarray((one - other) * scale)
