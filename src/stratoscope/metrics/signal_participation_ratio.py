"""Participation ratio of responses without the noise of their trials."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t as student

from stratoscope.errors import TooFew
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.noise_corrected import noise_corrected
from stratoscope.metrics.spectrum import unbiased_hsic
from stratoscope.metrics.trials import checked_trials, shuffled_trials, trial_means
from stratoscope.types import Estimate, Floats


def signal_participation_ratio(counts: Any, *, seed: int = 0) -> Estimate:
    """Participation ratio of the true mean responses, without the bias of noise and of few stimuli.

    (tr Σ)² / tr Σ² of the covariance Σ of true means over stimuli. The numerator is the average of D²(i, j) D²(k, l) / 4
    over four different stimuli, with noise-corrected squared distances D²; the denominator the HSIC without bias of the
    Gram matrices of two halves of the trials.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Responses of single trials, NaN where a repeat is absent.
    seed : int
        Seed of the split into halves.

    Returns
    -------
    Estimate
        With the 95 % interval of a jackknife over up to 20 blocks of stimuli; NaN with a note where tr Σ² comes out at 0
        or below: the signal does not stand out from the noise.

    Raises
    ------
    BadInput, TooFew
        As `trials.checked_trials`; fewer than 5 stimuli.

    When it misleads
    ----------------
    It is not corrected for few units. With little signal the quotient of two noisy numbers is far off either way: look at
    the interval.

    References
    ----------
    Chun et al. 2025, arXiv:2509.26560; Song et al. 2012, Journal of Machine Learning Research 13 (HSIC).
    """
    array = checked_trials(counts, "signal_participation_ratio")
    n = array.shape[1]
    if n < 5:
        raise TooFew(f"signal_participation_ratio needs at least 5 stimuli, but {n} came.")
    mixed = shuffled_trials(array, np.random.default_rng(seed))
    parts = (noise_corrected(array, seed=seed).squared, *(_gram(mixed[half::2]) for half in (0, 1)))
    value, blocks = _signal_ratio(*parts), min(20, n // 5)
    low, high = _interval(value, parts, blocks)
    method = f"noise-corrected participation ratio; jackknife over {blocks} blocks of stimuli"
    note = "" if np.isfinite(value) else "no signal stands out from the noise"
    return Estimate(value, low, high, n, method=method, seed=seed, note=note)


def _interval(value: float, parts: tuple[Floats, ...], blocks: int) -> tuple[float, float]:
    """Leave out every block of stimuli; NaN where the signal does not stand out without one of them."""
    n = len(parts[0])
    kept = [np.delete(np.arange(n), np.arange(block, n, blocks)) for block in range(blocks)]
    found = np.array([_signal_ratio(*(one[np.ix_(rows, rows)] for one in parts)) for rows in kept])
    if blocks < 2 or not np.isfinite([value, *found]).all():
        return float("nan"), float("nan")
    logs = np.log(found)
    deviation = value * float(np.sqrt((blocks - 1) / blocks * ((logs - logs.mean()) ** 2).sum()))
    low, high = log_interval(value, deviation, z=float(student.ppf(0.975, blocks - 1)))
    return float(low), float(high)


def _gram(half: Floats) -> Floats:
    means = trial_means(half)
    centred = means - means.mean(axis=0)
    return np.asarray(centred @ centred.T)


def _signal_ratio(squared: Floats, one: Floats, other: Floats) -> float:
    n = len(squared)
    rows = squared.sum(axis=1)
    disjoint = rows.sum() ** 2 - 4 * (rows @ rows) + 2 * (squared**2).sum()
    trace = disjoint / (4 * n * (n - 1) * (n - 2) * (n - 3))
    square = unbiased_hsic(one, other)
    return float(trace / square) if trace > 0 and square > 0 else float("nan")
