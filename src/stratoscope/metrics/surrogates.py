"""Poisson surrogates of spike counts: the same rates without tuning, and the same tuning at another rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.trials import checked_trials, trial_means, trial_numbers
from stratoscope.types import Floats


def untuned_surrogate(counts: Any, rng: np.random.Generator) -> Floats:
    """Poisson counts with the mean rate of every unit and the trials that are there, but without any tuning.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Spike counts, NaN where a repeat is absent.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    array (trial, stimulus, unit)
        What a population of these sizes and rates answers that is told nothing of the stimuli.

    When it misleads
    ----------------
    Units are independent and their Fano factor is 1. Shared or over-dispersed noise is missing; the split of the
    trials themselves (`trial_split_noise`) holds it.
    """
    array = checked_trials(counts, "untuned_surrogate", fewest=1)
    rate = trial_means(array).mean(axis=0)
    return np.where(np.isnan(array), np.nan, rng.poisson(rate, array.shape))


def untuned_means(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return means over trials (stimulus, unit) of an `untuned_surrogate`, drawn at once: a sum of Poisson counts is one."""
    rate, repeats = trial_means(counts).mean(axis=0), trial_numbers(counts)
    return np.asarray(rng.poisson(rate * repeats) / repeats)


def thinned(counts: Any, mean_count: float, rng: np.random.Generator) -> Floats:
    """Take spikes away at random until the mean count over stimuli and units is `mean_count`.

    Every spike is kept with the same probability p (binomial thinning). A Poisson count of rate λ becomes one of rate pλ,
    exactly: the tuning stays, the signal-to-noise ratio becomes that of a population with fewer spikes.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Spike counts, whole numbers; NaN where a repeat is absent.
    mean_count : float
        Mean count aimed at: above 0, and not more than there is.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    array (trial, stimulus, unit)

    Raises
    ------
    BadInput
        For counts that are not whole numbers, or a mean above what there is.

    When it misleads
    ----------------
    Thinning makes over-dispersed counts more Poisson-like than a slower unit of the same area would be. It brings all areas
    to the noise of the worst one, which makes them comparable and none of them right.
    """
    array = checked_trials(counts, "thinned", fewest=1)
    there = np.isfinite(array)
    spikes = np.where(there, array, 0.0)
    return np.where(there, _kept(spikes, _probability(array, mean_count), rng), np.nan)


def thinned_means(counts: Floats, mean_count: float, rng: np.random.Generator) -> Floats:
    """Return means over trials (stimulus, unit) of `thinned` counts, drawn at once from the sums over trials."""
    sums = np.nansum(counts, axis=0)
    return np.asarray(_kept(sums, _probability(counts, mean_count), rng) / trial_numbers(counts))


def _probability(counts: Floats, mean_count: float) -> float:
    now = float(trial_means(counts).mean())
    if not 0 < mean_count <= now * (1 + 1e-9):
        raise BadInput(
            f"Thinning lowers the mean count, which is {now:.4g}, but {mean_count:.4g} was asked for. Thin the faster area to "
            "the slower one."
        )
    return min(mean_count / now, 1.0)


def _kept(spikes: Floats, probability: float, rng: np.random.Generator) -> Floats:
    if (spikes % 1 != 0).any():
        raise BadInput(
            "thinned takes single spikes away, so counts are whole numbers, but fractions came. Hand over counts of single "
            "trials, not their means or rates."
        )
    return rng.binomial(spikes.astype(np.int64), probability).astype(np.float64)
