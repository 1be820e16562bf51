"""How reliable every unit is: halves of its trials against each other, and the best a model can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.types import Floats, Integers

HALVES = ("random", "odd-even", "first-last")


@dataclass(frozen=True)
class Reliability:
    """Split-half reliability of every unit.

    Attributes
    ----------
    half : array (unit,)
        Pearson correlation over stimuli between the means of the two halves of the trials, the mean over splits.
        NaN where a half does not vary.
    spread : array (unit,)
        Standard deviation of that correlation over splits; NaN for a single split.
    n : array (unit,)
        Stimuli with at least one trial in both halves.
    splits : int
        Number of splits.
    halves : str
        How the trials were halved.
    seed : int, optional
        Seed of random halves.
    """

    half: Floats
    spread: Floats
    n: Integers
    splits: int
    halves: str
    seed: int | None

    @property
    def full(self) -> Floats:
        """Reliability of the mean over all trials after Spearman and Brown, 2 r / (1 + r); at least -1, at most 1."""
        with np.errstate(divide="ignore"):
            return np.clip(2 * self.half / (1 + self.half), -1.0, 1.0)

    @property
    def ceiling(self) -> Floats:
        """Noise ceiling: the largest correlation a model can have with the mean response, sqrt(full); 0 where full < 0."""
        return np.sqrt(np.maximum(self.full, 0.0))


def split_half(
    counts: TrialCounts,
    *,
    halves: Literal["random", "odd-even", "first-last"] = "random",
    splits: int = 100,
    seed: int = 0,
) -> Reliability:
    """Correlate the responses in one half of the trials with those in the other half.

    Parameters
    ----------
    counts : TrialCounts
        Single trials.
    halves : {'random', 'odd-even', 'first-last'}
        Random halves of the trials of each stimulus; repeats with even against odd numbers; or repeats with numbers in
        the lower half of those that occur against the upper.
    splits : int
        Number of random halves; the other two ways have one.
    seed : int
        Seed of random halves.

    Returns
    -------
    Reliability

    Raises
    ------
    TooFew
        A unit that has fewer than three stimuli with a trial in both halves.
    BadInput
        No split.

    Notes
    -----
    A stimulus with an odd number of trials has one more of them in one half. Spearman (1910),
    doi:10.1111/j.2044-8295.1910.tb00206.x, and Brown (1910), doi:10.1111/j.2044-8295.1910.tb00207.x.

    When it misleads: first against last, and every slow drift, make one half unlike the other and reliability low;
    odd against even hides drifts. The correction for the full length assumes that trials are equally noisy and that
    every stimulus has the same number. It is biased upwards where the correlation of the halves is mostly noise: few
    stimuli, many units with r near zero of which the best are looked at.
    """
    if halves not in HALVES:
        raise unknown_name("way to halve trials", halves, HALVES)
    if splits < 1:
        raise BadInput(f"Reliability needs at least one split; splits is {splits}.")
    rng, drawn, summed = np.random.default_rng(seed), halves == "random", _summed(counts)
    found = [
        _correlation(*_means(counts, summed, _first_half(counts, halves, rng))) for _ in range(splits if drawn else 1)
    ]
    n = np.min([stimuli for _, stimuli in found], axis=0)
    _check_stimuli(n, counts)
    r = np.array([one for one, _ in found])
    spread = r.std(0, ddof=1) if len(r) > 1 else np.full(len(n), np.nan)
    return Reliability(r.mean(0), spread, n, len(r), halves, seed if drawn else None)


def half_means(counts: TrialCounts, *, seed: int = 0) -> tuple[Floats, Floats]:
    """Return the mean responses in two random halves of the trials, each (stimulus, unit).

    NaN where a unit has no trial of the stimulus in the half. What is alike in both is signal.
    """
    return _means(counts, _summed(counts), _first_half(counts, "random", np.random.default_rng(seed)))


def _first_half(counts: TrialCounts, halves: str, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Say which trials belong to the first half, (presentation, unit)."""
    trial, there = np.asarray(counts.presentations.trial)[:, None], np.isfinite(counts.counts)
    if halves == "odd-even":
        return np.asarray(there & (trial % 2 == 0))
    if halves == "first-last":
        return np.asarray(there & (trial < (trial.min() + trial.max() + 1) / 2))
    return _dealt(counts, there, rng)


def _dealt(counts: TrialCounts, there: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Shuffle the presentations of each stimulus and deal every unit's own in turn, beginning with either half."""
    codes = counts.presentations.codes
    order = np.lexsort((rng.random(len(codes)), codes))
    mine = there[order]
    odd = np.logical_xor.accumulate(mine, axis=0)  # of a unit's trials so far; every second one is in one half
    begins = np.searchsorted(codes[order], np.arange(len(counts.stimuli)))
    start = (odd ^ mine)[begins] ^ (rng.random(len(begins)) < 0.5)[:, None]
    first = np.empty_like(mine)
    first[order] = mine & (odd ^ start[codes[order]])
    return first


def _summed(counts: TrialCounts) -> tuple[Floats, Floats, Floats]:
    """Responses with zeros for missing ones, and their sums and numbers by stimulus."""
    there = np.isfinite(counts.counts)
    values = np.where(there, counts.counts, 0.0)
    return values, counts.sums(values), counts.sums(there.astype(np.float64))


def _means(
    counts: TrialCounts, summed: tuple[Floats, Floats, Floats], first: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    values, total, n = summed
    n_first, sum_first = counts.sums(first.astype(np.float64)), counts.sums(values * first)
    n_last, sum_last = n - n_first, total - sum_first
    return sum_first / np.where(n_first > 0, n_first, np.nan), sum_last / np.where(n_last > 0, n_last, np.nan)


def _correlation(a: Floats, b: Floats) -> tuple[Floats, Integers]:
    """Pearson correlation of every unit over the stimuli that are in both halves, and their number."""
    there = np.isfinite(a) & np.isfinite(b)
    n = there.sum(0)
    a, b = (np.where(there, half, 0.0) for half in (a, b))
    a, b = (np.where(there, half - half.sum(0) / np.maximum(n, 1), 0.0) for half in (a, b))
    scale = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return np.asarray((a * b).sum(0) / np.where(scale > 0, scale, np.nan)), n


def _check_stimuli(n: Integers, counts: TrialCounts) -> None:
    few = np.flatnonzero(n < 3)
    if len(few):
        raise TooFew(
            f"Unit {counts.units.ids[few[0]]!r} (row {few[0]} of the table of units) has {n[few[0]]} stimuli with a trial in "
            f"both halves, as do {len(few) - 1} others with fewer than 3. Reliability needs 3 stimuli shown at least twice."
        )
