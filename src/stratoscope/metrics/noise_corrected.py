"""Geometry of responses without the noise of their trials: squared distances and dimensions that have no bias from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from stratoscope.errors import TooFew
from stratoscope.metrics.gride import N1, checked_ranks, gride_of
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods
from stratoscope.metrics.spectrum import unbiased_hsic
from stratoscope.metrics.trials import (
    checked_trials,
    shuffled_trials,
    trial_means,
    trial_split_noise,
    variance_of_means,
)
from stratoscope.types import Estimate, Floats

#: A scale counts as above the noise where squared distances there are this many standard deviations of their noise.
MARGIN = 3.0


@dataclass(frozen=True)
class NoiseCorrected:
    """Squared distances between stimuli without the bias of noise, and how noisy they still are.

    Attributes
    ----------
    squared : array (stimulus, stimulus)
        Mean over all pairs of different trials of (x - y)·(x' - y'); negative where noise is all there is.
    noise : float
        Standard deviation that trials give to the squared distance of two stimuli that are answered alike.
    """

    squared: Floats
    noise: float

    def neighbours(self, k: int) -> Neighbourhoods:
        """Return the `k` nearest neighbours of every stimulus; negative squared distances count as zero."""
        far = self.squared.copy()
        np.fill_diagonal(far, np.inf)
        index = np.argsort(far, axis=1, kind="stable")[:, : min(k, len(far) - 1)]
        return Neighbourhoods(
            np.sqrt(np.maximum(np.take_along_axis(far, index, axis=1), 0.0)), index, {"duplicates": 0}
        )

    def margin(self, n1: int) -> float:
        """Return the median squared distance to neighbour `n1`, in standard deviations of its noise."""
        ordered = np.sort(self.squared + np.diag(np.full(len(self.squared), np.inf)), axis=1)
        height = float(np.median(ordered[:, n1 - 1]))
        return height / self.noise if self.noise > 0 else float("inf")


def noise_corrected(counts: Any, *, seed: int = 0) -> NoiseCorrected:
    """Squared distances between the responses to every two stimuli, without the bias that noise gives them.

    With means x̄ over n trials and v the sum over units of their variances over trials, ::

        D²(i, j) = |x̄_i - x̄_j|² - v_i / n_i - v_j / n_j

    which is the mean of (x_i - x_j)·(x'_i - x'_j) over all pairs of different trials: the cross-validated distance
    with every split at once. Its expectation is the squared distance of the true mean responses.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Responses of single trials, NaN where a repeat is absent; two trials or more of every stimulus.
    seed : int
        Seed of the one split of trials that measures the noise left.

    Returns
    -------
    NoiseCorrected

    Raises
    ------
    BadInput, TooFew
        As `trials.checked_trials`.

    When it misleads
    ----------------
    Free of bias is not free of noise: which stimulus is nearest is still chosen by noise where distances are below
    `noise`. Trials must be independent of each other: drift over a session makes stimuli shown close in time alike.

    References
    ----------
    Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012 (cross-validated distances).
    """
    array = checked_trials(counts, "noise_corrected")
    own = variance_of_means(array).sum(axis=1)
    silent = _less(_squared(trial_split_noise(array, np.random.default_rng(seed))), own)
    pairs = np.triu_indices(len(silent), 1)
    return NoiseCorrected(_less(_squared(trial_means(array)), own), float(np.sqrt((silent[pairs] ** 2).mean())))


def _squared(points: Floats) -> Floats:
    centred = points - points.mean(axis=0)
    gram = centred @ centred.T
    return np.asarray(np.diag(gram)[:, None] + np.diag(gram)[None] - 2 * gram)


def _less(squared: Floats, own: Floats) -> Floats:
    found = squared - own[:, None] - own[None]
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def signal_gride(counts: Any, *, n1: Any = N1, margin: float = MARGIN, seed: int = 0) -> Estimate:
    """Intrinsic dimension of the true mean responses along scales: `gride` of noise-corrected distances.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Responses of single trials, NaN where a repeat is absent.
    n1 : sequence of int
        Ranks of the inner neighbour, see `gride`.
    margin : float
        A scale is given only where the median squared distance to neighbour n1 is this many standard deviations of
        the noise in it.
    seed : int
        Seed of the split of trials that measures this noise.

    Returns
    -------
    Estimate
        Arrays (n1,): dimension, 95 % interval over samples of stimuli, scale. NaN, with a note, below the margin.

    Raises
    ------
    BadInput, TooFew
        As `trials.checked_trials` and `gride`.

    When it misleads
    ----------------
    To second order in noise the dimension d still reads low, by about (d/2 - 1) / margin² of itself: 6 % for d = 5 and
    16 % for d = 10 at a margin of 5, were they read that close to the noise. It reads what `gride` would read of
    noiseless responses to these stimuli, with all that misleads there: further neighbours read curvature and borders.

    References
    ----------
    Denti, Doimo, Laio & Mira 2022, doi:10.1038/s41598-022-20991-1; Walther et al. 2016,
    doi:10.1016/j.neuroimage.2015.12.012.
    """
    return signal_gride_of(noise_corrected(counts, seed=seed), n1=n1, margin=margin)


def signal_gride_of(corrected: NoiseCorrected, *, n1: Any = N1, margin: float = MARGIN) -> Estimate:
    """Return `signal_gride` from distances that are corrected already."""
    ranks = checked_ranks(n1)
    near = corrected.neighbours(2 * max(ranks))
    fits = [rank for rank in ranks if 2 * rank <= min(near.k, near.n - 2)]
    above = [rank for rank in fits if corrected.margin(rank) >= margin]
    found = {rank: one for rank in above if (one := _one_scale(near, rank)) is not None}
    lost = [rank for rank in ranks if rank not in found]
    note = f"n1 = {', '.join(map(str, lost))}: below the noise, or too few stimuli" if lost else ""
    nothing = (np.nan,) * 4
    value, low, high, scale = np.array([found.get(rank, nothing) for rank in ranks]).T
    method = f"gride of noise-corrected distances, margin {margin:g}; interval from shared neighbourhoods"
    return Estimate(value, low, high, near.n, method=method, scale=scale, note=note)


def _one_scale(near: Neighbourhoods, rank: int) -> tuple[float, float, float, float] | None:
    try:
        found = gride_of(near, n1=(rank,))
    except TooFew:  # nearly all distances of this rank are at or below zero
        return None
    return float(found.value[0]), float(found.low[0]), float(found.high[0]), float(found.scale[0])


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
    squared = noise_corrected(array, seed=seed).squared
    mixed = shuffled_trials(array, np.random.default_rng(seed))
    grams = [_gram(mixed[part::2]) for part in (0, 1)]
    value = _signal_ratio(squared, *grams)
    blocks = min(20, n // 5)
    kept = [np.delete(np.arange(n), np.arange(block, n, blocks)) for block in range(blocks)]
    parts = np.array([_signal_ratio(*(one[np.ix_(k, k)] for one in (squared, *grams))) for k in kept])
    low, high, note = np.nan, np.nan, "" if np.isfinite(value) else "no signal stands out from the noise"
    if np.isfinite([value, *parts]).all() and blocks > 1:
        logs = np.log(parts)
        deviation = value * float(np.sqrt((blocks - 1) / blocks * ((logs - logs.mean()) ** 2).sum()))
        low, high = map(float, log_interval(value, deviation, z=float(student.ppf(0.975, blocks - 1))))
    method = f"noise-corrected participation ratio; jackknife over {blocks} blocks of stimuli"
    return Estimate(value, low, high, n, method=method, seed=seed, note=note)


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
