"""Squared distances between responses without the noise of their trials, and their intrinsic dimension along scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import TooFew
from stratoscope.metrics.gride import N1, checked_ranks, gride_of
from stratoscope.metrics.halves import SPLITS, neighbours_read
from stratoscope.metrics.neighbourhoods import Neighbourhoods
from stratoscope.metrics.trials import (
    checked_trials,
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
    growth : float
        Variance that is added for each unit of squared distance, where units are independent: the variance at squared distance
        s is noise² + growth · s.
    """

    squared: Floats
    noise: float
    growth: float

    def height(self, n1: int) -> float:
        """Return the median squared distance to neighbour `n1`, NaN where there are too few stimuli."""
        if n1 >= len(self.squared):
            return float("nan")
        ordered = np.sort(self.squared + np.diag(np.full(len(self.squared), np.inf)), axis=1)
        return float(np.median(ordered[:, n1 - 1]))

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
        return self.height(n1) / self.noise if self.noise > 0 else float("inf")

    def lost(self, n1: int, dimension: float) -> float:
        """Return the share of a `dimension` that Gride does not see at `n1`, to first order in the variance left.

        A number of neighbours F(s) ∝ s^m, m = d/2, becomes F + (σ² F')' / 2 when squared distances have the variance σ²(s).
        """
        s, m = self.height(n1), dimension / 2
        if not (s > 0 and m > 0):
            return float("nan")
        level = (m - 1) * (self.noise / s) ** 2 * (1 - 2 ** (-2 / m))
        slope = m * (self.growth / s) * (1 - 2 ** (-1 / m))
        return float(m * (level + slope) / (2 * np.log(2)))


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
    means = trial_means(array)
    noise = float(np.sqrt((silent[pairs] ** 2).mean()))
    return NoiseCorrected(_less(_squared(means), own), noise, _growth(means, variance_of_means(array).mean(axis=0)))


def _growth(means: Floats, variance: Floats) -> float:
    """Return 4 (v_i + v_j), mean over units weighed by the variance of their signal over stimuli."""
    signal = np.maximum(means.var(axis=0, ddof=1) - variance, 0.0)
    return float(8 * (signal @ variance) / signal.sum()) if signal.sum() > 0 else 0.0


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
    What is left of the noise still makes it read low near the margin (see `NoiseCorrected.lost`): a dimension of 2 by about
    3 %, one of 5 by up to 17 % were it read that close to its noise, and next to nothing far above. It reads what `gride` would read of
    noiseless responses to these stimuli, with all that misleads there: further neighbours read curvature and borders. Where
    there are fewer than 20 n1 stimuli `gride` gives no interval; here there is one, because recordings seldom have more, and
    it is rough: of 500 noiseless points at n1 = 32, intervals said to cover 95 % covered 92 to 96 %.

    References
    ----------
    Denti, Doimo, Laio & Mira 2022, doi:10.1038/s41598-022-20991-1; Walther et al. 2016,
    doi:10.1016/j.neuroimage.2015.12.012.
    """
    return signal_gride_of(noise_corrected(counts, seed=seed), n1=n1, margin=margin)


def signal_gride_of(corrected: NoiseCorrected, *, n1: Any = N1, margin: float = MARGIN) -> Estimate:
    """Return `signal_gride` from distances that are corrected already."""
    ranks = checked_ranks(n1)
    near = corrected.neighbours(neighbours_read(2 * max(ranks)))
    fits = [rank for rank in ranks if 2 * rank <= min(near.k, near.n - 2)]
    above = [rank for rank in fits if corrected.margin(rank) >= margin]
    found = {rank: one for rank in above if (one := _one_scale(near, rank)) is not None}
    lost = [rank for rank in ranks if rank not in found]
    note = f"n1 = {', '.join(map(str, lost))}: below the noise, or too few stimuli" if lost else ""
    nothing = (np.nan,) * 4
    value, low, high, scale = np.array([found.get(rank, nothing) for rank in ranks]).T
    method = f"gride of noise-corrected distances, margin {margin:g}; interval from {SPLITS} random halves"
    return Estimate(value, low, high, near.n, method=method, scale=scale, note=note)


def _one_scale(near: Neighbourhoods, rank: int) -> tuple[float, float, float, float] | None:
    try:
        found = gride_of(near, n1=(rank,), room=0)  # recordings have few stimuli: a rough interval (see the docstring)
    except TooFew:  # nearly all distances of this rank are at or below zero
        return None
    return float(found.value[0]), float(found.low[0]), float(found.high[0]), float(found.scale[0])
