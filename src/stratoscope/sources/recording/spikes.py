"""Spikes of sorted units, and when which stimulus was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.sources.recording.checks import as_numbers
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.units import Units
from stratoscope.types import Floats, Integers


@dataclass(frozen=True, eq=False, repr=False)
class Spikes:
    """When every unit fired, and when which stimulus was shown.

    Attributes
    ----------
    times : tuple of array (spike,)
        Spike times of every unit in seconds, sorted, none negative. Arrays are kept as they are, not copied.
    units : Units
        Table of units, in the order of `times`.
    presentations : Presentations
        With onsets and offsets, on the same clock as the spikes of their session.
    observed : tuple of array (interval, 2), optional
        Per unit, when it was watched: beginnings and ends in seconds. A unit has no count, instead of a count of zero,
        where it was not watched for the whole counting window. None, also for one unit: watched all through its session.

    Raises
    ------
    BadInput
        Times that are not sorted, negative or not finite; as many trains as there are not units; presentations
        without onsets; a unit whose session has no presentation.
    """

    times: tuple[Floats, ...]
    units: Units
    presentations: Presentations
    observed: tuple[Floats | None, ...] | None = None

    def __post_init__(self) -> None:
        times = tuple(as_numbers(train, "Spike times") for train in self.times)
        if len(times) != len(self.units):
            raise BadInput(
                f"There are spike trains of {len(times)} units and {len(self.units)} rows in the table of units. Give "
                "one train for each row, an empty one for a unit that never fired."
            )
        for row, (id_, train) in enumerate(zip(self.units.ids, times, strict=True)):
            _check_train(id_, row, train)
        if self.presentations.onset is None:
            raise BadInput("Spikes need presentations with onsets and offsets in seconds; this table has neither.")
        _check_sessions(self.units, self.presentations)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "observed", _intervals(self.observed, self.units))

    def __repr__(self) -> str:
        return f"Spikes({self.n_spikes} spikes, {len(self.units)} units, {len(self.presentations)} presentations)"

    @property
    def n_spikes(self) -> int:
        """Number of spikes of all units."""
        return sum(len(train) for train in self.times)

    def take_units(self, rows: Any) -> Spikes:
        """Return the recording of the units in `rows` (positions, or true for those kept)."""
        chosen: Integers = np.arange(len(self.units))[rows]
        watched = self.observed
        return Spikes(
            tuple(self.times[row] for row in chosen),
            self.units.take(chosen),
            self.presentations,
            None if watched is None else tuple(watched[row] for row in chosen),
        )


def _check_train(id_: str, at: int, train: Floats) -> None:
    if train.ndim != 1:
        raise BadInput(f"The spike times of unit {id_!r} must be (spike,); their shape is {train.shape}.")
    if len(train) == 0:
        return
    if not np.isfinite(train).all():
        row = int(np.flatnonzero(~np.isfinite(train))[0])
        raise BadInput(
            f"Spike {row} of unit {id_!r} (row {at} of the table of units, column spike times) is at {train[row]} s. Spike times are "
            "finite seconds; leave such spikes out."
        )
    falls = np.flatnonzero(train[1:] < train[:-1])
    if len(falls):
        row = int(falls[0]) + 1
        raise BadInput(
            f"The spike times of unit {id_!r} (row {at} of the table of units) are not sorted: spike {row} is at {train[row]:g} s, "
            f"after one at {train[row - 1]:g} s. Sort each train, if these are one clock; if the clock was reset, they are several sessions."
        )
    if train[0] < 0:
        raise BadInput(
            f"Spike 0 of unit {id_!r} (row {at} of the table of units, column spike times) is at {train[0]:g} s. Times begin at zero; shift "
            "the spikes and presentations of the session alike."
        )


def _check_sessions(units: Units, presentations: Presentations) -> None:
    shown = set(presentations.session.tolist())
    for row, session in enumerate(units.session.tolist()):
        if session not in shown:
            raise BadInput(
                f"Unit {units.ids[row]!r} (row {row} of the table of units) was recorded in session {session!r}, of which "
                f"the table of presentations has no row; it has sessions {sorted(shown)[:5]}. Name sessions alike in both."
            )


def _intervals(observed: Sequence[Any] | None, units: Units) -> tuple[Floats | None, ...] | None:
    if observed is None:
        return None
    if len(observed) != len(units):
        raise BadInput(
            f"There are observation intervals of {len(observed)} units and {len(units)} units. Give one for each."
        )
    return tuple(None if one is None else _interval(id_, one) for id_, one in zip(units.ids, observed, strict=True))


def _interval(id_: str, one: Any) -> Floats:
    interval = np.asarray(one, dtype=np.float64).reshape(-1, 2)
    ordered = np.isfinite(interval).all() and (interval[:, 0] < interval[:, 1]).all()
    if not (ordered and (interval[1:, 0] >= interval[:-1, 1]).all()):
        raise BadInput(
            f"The observation intervals of unit {id_!r} (table of units) must be (interval, 2) in seconds, each ending after "
            f"it begins and none overlapping; they are {interval.tolist()[:3]}."
        )
    return interval
