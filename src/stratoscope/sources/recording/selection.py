"""Which units are visually driven, and which are informative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.types import Floats, Integers

#: Bits that every unit's responses (sample, unit) carry about values (sample,): (unit,).
Information = Callable[[Floats, Integers], Any]
CORRECTIONS = ("bonferroni", "none")


@dataclass(frozen=True)
class Selection:
    """Which units pass a test.

    Attributes
    ----------
    keep : array (unit,) of bool
        Whether the unit passes; hand it to ``take_units``.
    p : array (unit,)
        p of every unit, corrected as `test` says; NaN where there was nothing to test.
    statistic : array (unit,)
        What was tested: the largest absolute t over stimuli, or bits.
    alpha : float
        Level of the test.
    test : str
        The test and its correction, in words.
    seed : int, optional
        Seed of the permutations.
    """

    keep: NDArray[np.bool_]
    p: Floats
    statistic: Floats
    alpha: float
    test: str
    seed: int | None = None


def responsive_units(evoked: TrialCounts, baseline: TrialCounts, *, alpha: float = 0.05) -> Selection:
    """Choose the units whose response to any stimulus differs from their baseline.

    Parameters
    ----------
    evoked, baseline : TrialCounts
        Responses and baselines of the same units in the same presentations, counted in windows of one length: rates in
        windows of unequal length do not vary equally, and the test would be wrong.
    alpha : float
        Level after Bonferroni correction for the number of stimuli.

    Returns
    -------
    Selection
        ``p`` is the smallest over the stimuli, times the number of stimuli tested, at most 1.

    Raises
    ------
    BadInput
        Tables that are not those of the same presentations and units.
    TooFew
        Not a single stimulus with two trials.

    Notes
    -----
    For each stimulus a two-tailed t-test with one common variance (as the null hypothesis says) of its trials against
    the baselines of all presentations of the unit, after Tafazoli et al. (2017), doi:10.7554/eLife.22794. A stimulus
    with a single trial is not tested.

    When it misleads: t is not exact for few spikes. With mean counts below two a window the tail of the Poisson
    distribution lets about twice as many units pass as `alpha` says. The number of units that pass grows with the
    number of trials, so areas recorded for longer look more responsive.
    """
    _same_tables(evoked, baseline)
    n, mean, square = _moments(evoked)
    if not (n > 1).any():
        raise TooFew("No unit has two trials of any stimulus, so nothing can be tested. Give single trials, not means.")
    rest = baseline.counts
    n_rest = np.isfinite(rest).sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = n + n_rest - 2
        variance = (square + np.nansum((rest - np.nanmean(rest, 0)) ** 2, 0)) / degrees
        t = (mean - np.nanmean(rest, 0)) / np.sqrt(variance * (1 / n + 1 / n_rest))
        t = np.where((n > 1) & ~np.isnan(t), t, 0.0)  # 0 / 0 where nothing ever varied: no evidence
        p = np.where(n > 1, 2 * stats.t.sf(np.abs(t), degrees), np.nan)
    tested = (n > 1).sum(0)
    lowest = np.where(tested > 0, np.minimum(1.0, np.where(np.isnan(p), 1.0, p).min(0) * tested), np.nan)
    words = "two-tailed t-test of every stimulus against baseline, Bonferroni over stimuli"
    return Selection(lowest <= alpha, lowest, np.abs(t).max(0), alpha, words)


def informative_units(
    counts: TrialCounts,
    information: Information,
    *,
    alpha: float = 0.05,
    permutations: int = 100,
    correction: Literal["none", "bonferroni"] = "none",
    seed: int = 0,
) -> Selection:
    """Choose the units that carry information about which stimulus was shown.

    Parameters
    ----------
    counts : TrialCounts
        Single trials.
    information : callable
        ``information(responses, values)``: bits about values (sample,) in each unit's responses (sample, unit).
    alpha : float
        Level of the test.
    permutations : int
        How often the stimuli are permuted among the presentations of a session.
    correction : {'none', 'bonferroni'}
        For the number of units. Bonferroni needs more permutations than units / alpha.
    seed : int
        Seed of the permutations.

    Returns
    -------
    Selection
        ``p = (1 + permutations with as many bits) / (1 + permutations)``.

    Raises
    ------
    BadInput
        So few permutations that no unit could pass, or a function that does not give a number for each unit.

    Notes
    -----
    The permutation test of Ince et al. (2012), doi:10.1152/jn.00408.2012, with 100 permutations as in Tafazoli et al.
    (2017). Units with the same presentations are tested together and share permutations.

    When it misleads: slow drifts of rate make any two blocks of trials differ. Permutations are honest only where
    the stimuli were shown in random order.
    """
    if correction not in CORRECTIONS:
        raise unknown_name("correction", correction, CORRECTIONS)
    times = len(counts.units) if correction == "bonferroni" else 1
    if permutations < 1 or times / (1 + permutations) > alpha:
        raise BadInput(
            f"With {permutations} permutations p is at least {times / (1 + max(permutations, 0)):.3g}, so no unit can pass at "
            f"{alpha:g}. Take at least {int(times / alpha)} permutations."
        )
    bits, larger = np.full(len(counts.units), np.nan), np.zeros(len(counts.units))
    rng = np.random.default_rng(seed)
    for units, rows in same_presentations(counts):
        responses, codes = counts.counts[np.ix_(rows, units)], counts.presentations.codes[rows]
        session = counts.presentations.session[rows]
        bits[units] = _bits(information, responses, codes)
        for _ in range(permutations):
            null = _bits(information, responses, permuted_within(codes, session, rng))
            larger[units] += null >= bits[units] - 1e-12
    p = np.minimum(1.0, times * (1 + larger) / (1 + permutations))
    words = f"information against {permutations} permutations of the stimuli, correction over units: {correction}"
    return Selection(p <= alpha, p, bits, alpha, words, seed)


def same_presentations(counts: TrialCounts) -> list[tuple[Integers, Integers]]:
    """Group units that were recorded in the same presentations: pairs of their columns and rows."""
    there = np.isfinite(counts.counts)
    groups: dict[bytes, list[int]] = {}
    for unit in range(there.shape[1]):
        groups.setdefault(np.packbits(there[:, unit]).tobytes(), []).append(unit)
    return [(np.array(units), np.flatnonzero(there[:, units[0]])) for units in groups.values()]


def permuted_within(codes: Integers, groups: NDArray[Any], rng: np.random.Generator) -> Integers:
    """Permute `codes` within each group."""
    permuted = codes.copy()
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        permuted[rows] = codes[rng.permutation(rows)]
    return permuted


def _bits(information: Information, responses: Floats, codes: Integers) -> Floats:
    bits = np.asarray(information(responses, codes), dtype=np.float64)
    if bits.shape != responses.shape[1:] or not np.isfinite(bits).all():
        raise BadInput(
            f"The information function must give one finite number for each of {responses.shape[1]} units; it gave an array "
            f"of shape {bits.shape}. It is called with responses (sample, unit) and the stimulus of each sample."
        )
    return bits


def _moments(counts: TrialCounts) -> tuple[Integers, Floats, Floats]:
    """Trials, mean and sum of squared deviations by stimulus and unit, each (stimulus, unit)."""
    n, mean = counts.n_trials(), counts.mean()
    deviations = counts.counts - mean[counts.presentations.codes]
    return n, mean, counts.sums(np.where(np.isfinite(deviations), deviations**2, 0.0))


def _same_tables(evoked: TrialCounts, baseline: TrialCounts) -> None:
    same = evoked.units.ids == baseline.units.ids
    if not same or not np.array_equal(evoked.presentations.stimulus, baseline.presentations.stimulus):
        raise BadInput(
            "Responses and baselines must be of the same units in the same presentations; their tables differ. Count both "
            "from the same spikes, in two windows."
        )
