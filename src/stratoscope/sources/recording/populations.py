"""Populations of units that were not recorded together, and shuffles that undo that they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units
from stratoscope.types import Floats, Integers

CORRELATIONS = ("kept", "destroyed")


def pseudo_population(
    counts: TrialCounts,
    *,
    trials: int | None = None,
    correlations: Literal["kept", "destroyed"] = "kept",
    seed: int = 0,
) -> TrialCounts:
    """Put units of several sessions side by side, as if they had been recorded together.

    Parameters
    ----------
    counts : TrialCounts
        Single trials of any number of sessions, NaN where a unit was not recorded.
    trials : int, optional
        Trials of every stimulus; by default of each stimulus as many as the unit with fewest has.
    correlations : {'kept', 'destroyed'}
        ``kept``: units of one session share the trial drawn, so what they have in common within it stays. ``destroyed``:
        every unit draws its own trials.
    seed : int
        Seed of the draws, which are without replacement.

    Returns
    -------
    TrialCounts
        One session, no NaN. Rows are the stimuli in order, the trials of each one after another.

    Raises
    ------
    TooFew
        A stimulus of which a session has fewer trials than asked, or none.

    Notes
    -----
    With ``kept`` a presentation counts only where all units of its session were recorded in it.

    When it misleads: units of different sessions have no noise in common, so a pseudo-population is read out better
    than the same units recorded together would be, where noise limits information.
    """
    if correlations not in CORRELATIONS:
        raise unknown_name("way with correlations", correlations, CORRELATIONS)
    groups = _together(counts, correlations)
    shown = counts.presentations
    codes, rng = shown.codes, np.random.default_rng(seed)
    rows: list[Floats] = []
    labels: list[str] = []
    for code, stimulus in enumerate(counts.stimuli):
        pools = [(units, rows_[codes[rows_] == code]) for units, rows_ in groups]
        n = _enough(pools, trials, stimulus, counts)
        block = np.empty((n, len(counts.units)))
        for columns, pool in pools:
            block[:, columns] = counts.counts[np.ix_(rng.permutation(pool)[:n], columns)]
        rows.append(block)
        labels += [stimulus] * n
    session = np.array("pseudo")
    known = {**counts.units.columns, "recorded_in": counts.units.session}
    units = Units(counts.units.ids, counts.units.area, session, known)
    words = f"{counts.counted}; pseudo-population, noise correlations {correlations}, seed {seed}"
    return TrialCounts(np.concatenate(rows), units, Presentations(np.array(labels), session=session), words)


def shuffle_trials(counts: TrialCounts, *, seed: int = 0) -> TrialCounts:
    """Permute the trials of each stimulus for every unit by itself, which destroys noise correlations.

    Means, variances and every other property of single units stay as they were, and so does what is missing.

    Parameters
    ----------
    counts : TrialCounts
        Single trials. Trials are permuted within their session.
    seed : int
        Seed of the permutations.
    """
    rng = np.random.default_rng(seed)
    shuffled = counts.counts.copy()
    shown = counts.presentations
    sessions = np.unique(shown.session, return_inverse=True)[1]
    group = sessions * len(counts.stimuli) + shown.codes
    for unit in range(shuffled.shape[1]):
        rows = np.flatnonzero(np.isfinite(counts.counts[:, unit]))
        into = rows[np.argsort(group[rows], kind="stable")]
        drawn = rows[np.lexsort((rng.random(len(rows)), group[rows]))]
        shuffled[into, unit] = counts.counts[drawn, unit]
    return replace(counts, counts=shuffled, counted=f"{counts.counted}; trials shuffled within stimuli, seed {seed}")


def noise_correlations(counts: TrialCounts) -> Floats:
    """Return the correlation of every two units over trials, the mean response to each stimulus taken out.

    Parameters
    ----------
    counts : TrialCounts
        Single trials.

    Returns
    -------
    array (unit, unit)
        Pearson correlation of the deviations from the mean of unit and stimulus, over presentations in which both units
        were recorded. NaN where these are fewer than three, a unit does not vary, or the two are of different sessions.
    """
    deviations = counts.counts - counts.mean()[counts.presentations.codes]
    there = np.isfinite(deviations)
    values = np.where(there, deviations, 0.0)
    present = there.astype(np.float64)
    n = present.T @ present
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (values.T @ present) / n
        square = (values**2).T @ present / n - mean**2
        r = (values.T @ values / n - mean * mean.T) / np.sqrt(square * square.T)
    vary = np.minimum(square, square.T) > 1e-12 * np.maximum(1e-300, np.nanmax(square, initial=0.0))
    together = counts.units.session[:, None] == counts.units.session
    return np.where((n >= 3) & vary & together, np.clip(r, -1.0, 1.0), np.nan)


def _together(counts: TrialCounts, correlations: str) -> list[tuple[Integers, Integers]]:
    """Units that draw together, and the presentations they draw from."""
    there = np.isfinite(counts.counts)
    if correlations == "destroyed":
        return [(np.array([unit]), np.flatnonzero(there[:, unit])) for unit in range(there.shape[1])]
    groups = []
    for session in dict.fromkeys(counts.units.session.tolist()):
        units = np.flatnonzero(counts.units.session == session)
        groups.append((units, np.flatnonzero(there[:, units].all(1))))
    return groups


def _enough(pools: list[tuple[Integers, Integers]], trials: int | None, stimulus: str, counts: TrialCounts) -> int:
    """Return how many trials of a stimulus are drawn; refuses more than the poorest group has."""
    poorest: tuple[Any, Integers] = min(pools, key=lambda pool: len(pool[1]))
    fewest, wanted = len(poorest[1]), 1 if trials is None else trials
    if trials is not None and trials < 1:
        raise BadInput(f"A population needs at least one trial of every stimulus; trials is {trials}.")
    if fewest < wanted:
        row = int(poorest[0][0])
        raise TooFew(
            f"Stimulus {stimulus!r} has {fewest} trials with unit {counts.units.ids[row]!r} (row {row} of the table of units, "
            f"session {str(counts.units.session[row])!r}) and {wanted} are needed. Leave the stimulus or the unit out, or ask "
            "for fewer trials."
        )
    return fewest if trials is None else trials
