"""What a reader of recordings hands over, and how several sessions become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units

#: Names under which the stimulus of a presentation is found among the columns of a table, the first one first.
STIMULUS_COLUMNS = (
    *("stimulus", "stimulus_id", "stimulus_name", "image_id", "image", "image_name", "stim_id", "stim_name"),
    *("condition", "frame", "stimuli"),
)
#: Names of the repeat of a stimulus.
REPEAT_COLUMNS = ("repeat", "repetition", "stimulus_repeat")
#: Names of the area of a unit.
AREA_COLUMNS = (
    *("area", "region", "brain_area", "brain_region", "location", "structure", "ecephys_structure_acronym"),
)
#: Names of the session.
SESSION_COLUMNS = ("session", "session_id")


@dataclass(frozen=True)
class Opened:
    """A recording as a file has it.

    Attributes
    ----------
    data : Spikes or TrialCounts
    columns : mapping of str to array (presentation,)
        Further columns of the table of presentations.
    notes : tuple of str
        What was left out.
    """

    data: Spikes | TrialCounts
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def stimulus_columns(presentations: Presentations, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the columns that are the same in all presentations of a stimulus, each (stimulus,).

    What changes from one presentation to the next is no property of the stimulus and is left out.
    """
    codes = presentations.codes
    first = np.unique(codes, return_index=True)[1]
    kept = {}
    for name, values in columns.items():
        per_stimulus = values[first]
        again = per_stimulus[codes]
        same = (again == values) | ((again != again) & (values != values))  # noqa: PLR0124 - NaN is like NaN here
        if np.all(same):
            kept[name] = per_stimulus
    return kept


def join_sessions(sessions: Mapping[str, Opened]) -> Opened:
    """Put the spikes of several sessions into one recording; ids of units get the session before them.

    Columns of presentations are kept where every session has them.
    """
    parts = list(sessions.values())
    spikes = [part.data for part in parts if isinstance(part.data, Spikes)]
    columns = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
    return Opened(
        _joined(list(sessions), spikes),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in columns},
        tuple(note for part in parts for note in part.notes),
    )


def _joined(names: Sequence[str], spikes: Sequence[Spikes]) -> Spikes:
    shared = [name for name in spikes[0].units.columns if all(name in one.units.columns for one in spikes)]
    units = Units(
        tuple(f"{name}/{id_}" for name, one in zip(names, spikes, strict=True) for id_ in one.units.ids),
        np.concatenate([one.units.area for one in spikes]),
        np.repeat(names, [len(one.units) for one in spikes]),
        {column: np.concatenate([one.units.columns[column] for one in spikes]) for column in shared},
    )
    shown = [one.presentations for one in spikes]
    presentations = Presentations(
        np.concatenate([one.stimulus for one in shown]),
        np.concatenate([np.asarray(one.onset) for one in shown]),
        np.concatenate([np.asarray(one.offset) for one in shown]),
        np.concatenate([np.asarray(one.trial) for one in shown]),
        np.repeat(names, [len(one) for one in shown]),
    )
    watched = [one.observed or (None,) * len(one.units) for one in spikes]
    observed = tuple(interval for one in watched for interval in one)
    times = tuple(train for one in spikes for train in one.times)
    return Spikes(times, units, presentations, observed if any(one is not None for one in observed) else None)


def found_column(
    names: Sequence[str], candidates: Sequence[str], asked: str | None, what: str, table: str
) -> str | None:
    """Return the column asked for, or the first of `candidates` that is there.

    Raises
    ------
    BadInput
        The column asked for is not there.
    """
    if asked is None:
        return next((name for name in candidates if name in names), None)
    if asked not in names:
        raise BadInput(
            f"The table {table} has no column {asked!r} for the {what}; it has {', '.join(map(repr, names)) or 'none'}. "
            "Name one of these."
        )
    return asked
