"""Counts of every unit in every presentation: single trials, and their means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from stratoscope.errors import BadInput
from stratoscope.sources.recording.checks import as_numbers
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.units import Units
from stratoscope.types import Floats, Integers


@dataclass(frozen=True, eq=False, repr=False)
class TrialCounts:
    """Responses of every unit to every single presentation.

    Attributes
    ----------
    counts : array (presentation, unit), float64
        Spike counts, or responses of another kind. NaN where the unit was not recorded in the presentation: a missing
        repeat is absent, never zero.
    units : Units
        Table of units, the columns.
    presentations : Presentations
        Table of presentations, the rows.
    counted : str
        How the counts came about, in words.

    Raises
    ------
    BadInput
        Shapes that do not fit, infinite counts, a unit without a single count.
    """

    counts: Floats
    units: Units
    presentations: Presentations
    counted: str = "as given"

    def __post_init__(self) -> None:
        counts = as_numbers(self.counts, "Counts (presentation, unit)")
        wanted = (len(self.presentations), len(self.units))
        if counts.shape != wanted:
            raise BadInput(
                f"Counts must be (presentation, unit) = {wanted}, as their tables say; they are {counts.shape}. "
                "Transpose them, or mend the tables."
            )
        _check_counts(counts, self.units)
        object.__setattr__(self, "counts", counts)

    def __repr__(self) -> str:
        shape = f"{len(self.presentations)} presentations, {len(self.units)} units, {len(self.stimuli)} stimuli"
        return f"TrialCounts({shape}, {self.counted})"

    @property
    def stimuli(self) -> tuple[str, ...]:
        """Ids of the stimuli, in the order in which they were first shown."""
        return self.presentations.stimuli

    def n_trials(self) -> Integers:
        """Return how often every unit was recorded with every stimulus, (stimulus, unit)."""
        return np.rint(self.sums(np.isfinite(self.counts).astype(np.float64))).astype(np.int64)

    def mean(self) -> Floats:
        """Return the mean response of every unit to every stimulus, (stimulus, unit); NaN where there is no trial."""
        there = np.isfinite(self.counts)
        n = self.sums(there.astype(np.float64))
        with np.errstate(invalid="ignore"):
            return self.sums(np.where(there, self.counts, 0.0)) / np.where(n > 0, n, np.nan)

    def by_trial(self) -> Floats:
        """Return single trials as (stimulus, repeat, unit), those present first, NaN behind them."""
        codes, there = self.presentations.codes, np.isfinite(self.counts)
        order = np.argsort(codes, kind="stable")
        sorted_codes, present = codes[order], there[order]
        before = np.cumsum(present, axis=0) - present
        first = np.searchsorted(sorted_codes, np.arange(len(self.stimuli)))
        place = before - before[first][sorted_codes]
        trials = np.full((len(self.stimuli), int(self.n_trials().max()), len(self.units)), np.nan)
        rows, columns = np.nonzero(present)
        trials[sorted_codes[rows], place[rows, columns], columns] = self.counts[order][rows, columns]
        return trials

    def take_units(self, rows: Any) -> TrialCounts:
        """Return the counts of the units in `rows` (positions, or true for those kept)."""
        chosen = np.arange(len(self.units))[rows]
        return replace(self, counts=self.counts[:, chosen], units=self.units.take(chosen))

    def take_presentations(self, rows: Any) -> TrialCounts:
        """Return the counts in the presentations in `rows` (positions, or true for those kept)."""
        return replace(self, counts=self.counts[rows], presentations=self.presentations.take(rows))

    def take_area(self, area: str) -> TrialCounts:
        """Return the units of one area."""
        if area not in self.units.areas:
            raise BadInput(
                f"No unit lies in area {area!r}; the areas are {', '.join(self.units.areas)}. Choose of these."
            )
        return self.take_units(self.units.rows(area))

    def sums(self, values: Floats) -> Floats:
        """Add the rows of `values` (presentation, unit) that have one stimulus, (stimulus, unit)."""
        codes = self.presentations.codes
        ones, columns = np.ones(len(codes)), np.arange(len(codes))
        return np.asarray(sparse.csr_array((ones, (codes, columns)), shape=(len(self.stimuli), len(codes))) @ values)


def trials_as_stimuli(counts: TrialCounts) -> tuple[TrialCounts, Integers]:
    """Make every presentation that has all units a stimulus of its own, called ``stimulus#trial``; return their rows too.

    Raises
    ------
    BadInput
        No presentation in which every unit was recorded.
    """
    whole = np.isfinite(counts.counts).all(1)
    if not whole.any() or len(set(counts.units.session.tolist())) > 1:
        raise BadInput(
            f"In no presentation were all {len(counts.units)} units recorded, so there are no single trials of the "
            "population. Make a pseudo_population of them first, or take the units of one session."
        )
    kept = counts.take_presentations(whole)
    shown = kept.presentations
    trials = np.asarray(shown.trial).tolist()
    names = [f"{stimulus}#{trial}" for stimulus, trial in zip(shown.stimulus.tolist(), trials, strict=True)]
    own = Presentations(np.array(names), session=shown.session)
    return replace(kept, presentations=own), np.flatnonzero(whole)


def _check_counts(counts: Floats, units: Units) -> None:
    infinite = np.argwhere(np.isinf(counts))
    if len(infinite):
        row, unit = infinite[0]
        raise BadInput(
            f"The count of unit {units.ids[unit]!r} in row {row} of the table of presentations is infinite. Counts are "
            "finite, or NaN where the unit was not recorded."
        )
    never = np.flatnonzero(np.isnan(counts).all(0))
    if len(never):
        raise BadInput(
            f"Unit {units.ids[never[0]]!r} (row {never[0]} of the table of units) has no count in any presentation. Leave "
            "units out that were never recorded with a stimulus."
        )


def check_complete(counts: TrialCounts) -> None:
    """Refuse counts in which a unit has no trial of a stimulus."""
    missing = np.argwhere(counts.n_trials() == 0)
    if len(missing):
        stimulus, unit = (int(place) for place in missing[0])
        raise BadInput(
            f"Stimulus {counts.stimuli[stimulus]!r} has no trial with unit {counts.units.ids[unit]!r} (row {unit} of the "
            f"table of units, area {str(counts.units.area[unit])!r}); {len(missing)} pairs of stimulus and unit have none. "
            "Leave these units or stimuli out: recording.complete('units') or complete('stimuli')."
        )
