"""Recordings written as NWB files, which everybody else can open too."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, missing_extra
from stratoscope.sources.recording.recording import Recording
from stratoscope.sources.recording.spikes import Spikes

#: When a session began of which nobody says when it did.
_UNKNOWN_START = datetime(1970, 1, 1, tzinfo=UTC)


def export_nwb(
    recording: Recording,
    path: str | Path,
    *,
    description: str = "exported by Stratoscope",
    start: datetime = _UNKNOWN_START,
    overwrite: bool = False,
) -> Path:
    """Write spikes, trials and electrodes as NWB; `open_recording` and every other reader of NWB opens them again.

    Parameters
    ----------
    recording : Recording
        With spikes. Each area becomes an electrode with its location, each property of the stimuli a column of the trials.
    path : path
        A file; of several sessions a folder, with one file for each.
    description : str
        Session description.
    start : datetime
        When the session began, with its time zone.
    overwrite : bool
        Replace what is there.

    Returns
    -------
    Path
        What was written: whole, or nothing.

    Raises
    ------
    BadInput
        A recording without spikes; something that is there already.
    MissingExtra
        pynwb is not installed.
    """
    spikes = recording.spikes
    if spikes is None:
        raise BadInput(
            f"{recording.name!r} holds counts, and NWB keeps spikes. Export a recording that has spike times."
        )
    try:
        import pynwb  # noqa: F401 (found out before anything is written)
    except ImportError as error:
        raise missing_extra("pynwb", "nwb", "Writing NWB files") from error
    target, sessions = Path(path), list(dict.fromkeys(spikes.units.session.tolist()))
    if len(sessions) == 1 and target.suffix != ".nwb":
        raise BadInput(
            f"One session is one NWB file, whose name ends in .nwb; {str(target)!r} does not. Call it otherwise."
        )
    if target.exists() and not overwrite:
        raise BadInput(f"{str(target)!r} is there already. Choose another name, or say overwrite=True.")
    about = {"session_description": description, "session_start_time": start}
    if len(sessions) == 1:
        _whole(target, lambda part: _write(part, recording, spikes, sessions[0], about))
    else:
        _whole(target, lambda part: _write_all(part, recording, spikes, sessions, about))
    return target


def _whole(target: Path, write: Callable[[Path], None]) -> None:
    """Write beside the target, and move there only what is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".part-{target.name}")
    _remove(part)
    try:
        write(part)
        if target.is_dir():
            _remove(target)
        part.replace(target)
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_all(
    folder: Path, recording: Recording, spikes: Spikes, sessions: list[str], about: Mapping[str, Any]
) -> None:
    folder.mkdir()
    for place, session in enumerate(sessions):
        name = (
            "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in session) or f"session-{place}"
        )
        _write(folder / f"{name}.nwb", recording, spikes, session, about)


def _write(path: Path, recording: Recording, spikes: Spikes, session: str, about: Mapping[str, Any]) -> None:
    """Write one session."""
    from pynwb import NWBHDF5IO, NWBFile

    nwb = NWBFile(identifier=f"{recording.name}/{session}", session_id=session or None, **about)
    _add_trials(nwb, recording, spikes, session)
    _add_units(nwb, spikes, session, _add_electrodes(nwb, recording))
    with NWBHDF5IO(str(path), "w") as io:
        io.write(nwb)


def _add_electrodes(nwb: Any, recording: Recording) -> dict[str, int]:
    """Add one electrode for each area; return their rows."""
    device = nwb.create_device(name="device", description="electrodes of the recording")
    rows = {}
    for row, area in enumerate(recording.areas or ()):
        group = nwb.create_electrode_group(f"group {row}", description=f"units in {area}", location=area, device=device)
        nwb.add_electrode(location=area, group=group)
        rows[area] = row
    return rows


def _add_units(nwb: Any, spikes: Spikes, session: str, electrodes: Mapping[str, int]) -> None:
    chosen = np.flatnonzero(spikes.units.session == session)
    nwb.add_unit_column("unit_name", "id of the unit")
    for name in spikes.units.columns:
        nwb.add_unit_column(name, name)
    for unit in chosen.tolist():
        known = {name: _plain(values, unit) for name, values in spikes.units.columns.items()}
        watched = None if spikes.observed is None else _intervals(spikes, unit)
        area = str(spikes.units.area[unit])
        times = {"spike_times": spikes.times[unit], "obs_intervals": watched, "electrodes": [electrodes[area]]}
        nwb.add_unit(unit_name=spikes.units.ids[unit], **{k: v for k, v in times.items() if v is not None}, **known)


def _intervals(spikes: Spikes, unit: int) -> NDArray[Any]:
    """Return when a unit was watched; all the time where nothing is said of this one."""
    own = None if spikes.observed is None else spikes.observed[unit]
    if own is not None:
        return own
    ends = [np.max(np.asarray(spikes.presentations.offset)), *(train[-1] for train in spikes.times if len(train))]
    return np.array([[0.0, float(np.max(ends)) + 1.0]])


def _add_trials(nwb: Any, recording: Recording, spikes: Spikes, session: str) -> None:
    """Add the table of trials, all columns at once."""
    from hdmf.common import VectorData
    from pynwb.epoch import TimeIntervals

    shown = spikes.presentations
    rows = np.flatnonzero(shown.session == session)
    place = {id_: row for row, id_ in enumerate(recording.ids or ())}
    stimulus = np.array([place[id_] for id_ in shown.stimulus[rows].tolist()], dtype=np.int64)
    columns = {
        "start_time": ("when the stimulus went on", np.asarray(shown.onset)[rows]),
        "stop_time": ("when it went off", np.asarray(shown.offset)[rows]),
        "stimulus": ("id of the stimulus", shown.stimulus[rows]),
        "repeat": ("which repeat of the stimulus in its session", np.asarray(shown.trial)[rows]),
        **{name: (f"{name} of the stimulus", values[stimulus]) for name, values in recording.columns.items()},
    }
    vectors = [
        VectorData(name=name, description=about, data=values.tolist()) for name, (about, values) in columns.items()
    ]
    nwb.trials = TimeIntervals(name="trials", description="presentations of stimuli", columns=vectors)


def _plain(values: NDArray[Any], row: int) -> Any:
    """Return one value as plain Python."""
    return values[row].item() if hasattr(values[row], "item") else values[row]
