"""Open any recording by its path: NWB, assemblies of xarray, archives of arrays, tidy tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources.recording.archives import read_archive
from stratoscope.sources.recording.assemblies import read_assembly
from stratoscope.sources.recording.counting import Window
from stratoscope.sources.recording.nwb import read_nwb
from stratoscope.sources.recording.opened import Opened, stimulus_columns
from stratoscope.sources.recording.options import Asked
from stratoscope.sources.recording.recording import Recording
from stratoscope.sources.recording.tables import read_table

READERS: dict[str, Callable[[Path, Asked], Opened]] = {
    ".nwb": read_nwb,
    ".nc": read_assembly,
    ".zarr": read_assembly,
    ".npz": read_archive,
    ".mat": read_archive,
    ".csv": read_table,
    ".tsv": read_table,
    ".parquet": read_table,
}


def open_recording(
    path: str | Path,
    *,
    areas: Sequence[str] | None = None,
    window: Window | None = None,
    baseline: Window | None = None,
    latency: str | None = None,
    complete: str | None = None,
    area: str | None = None,
    area_column: str | None = None,
    table: str | None = None,
    stimulus: str | None = None,
    counts: str | None = None,
    dims: Sequence[str] | None = None,
    missing: float | None = None,
    presentations: str | Path | None = None,
    units: str | Path | None = None,
) -> Recording:
    """Open a recording.

    Parameters
    ----------
    path : path
        ``.nwb``, or a folder of NWB files, one a session; ``.nc`` or ``.zarr`` with dimensions ``presentation`` and
        ``neuroid``, as Brain-Score has them; ``.npz`` or ``.mat`` with arrays; ``.csv``, ``.tsv`` or ``.parquet`` with one
        row for each spike, or for each count.
    areas : sequence of str, optional
        Areas that are kept, in order.
    window, baseline : (float, float), optional
        Counting window and baseline in seconds after onset; see `count_spikes`. By default from onset to offset.
    latency : {'unit'}, optional
        Windows begin at the latency of each unit.
    complete : {'units', 'stimuli'}, optional
        Leave out the units that miss a stimulus, or the stimuli that a unit misses.
    area, area_column : str, optional
        The area of all units, or the name of the column that has it.
    table, stimulus : str, optional
        Table of presentations of an NWB file, and the column with the stimulus.
    counts : str, optional
        Array of an archive that has the responses.
    dims : sequence of str, optional
        Its dimensions: ``stimulus``, ``repeat`` and ``unit``, or ``presentation`` and ``unit``, in any order.
    missing : float, optional
        Number that stands for a missing trial; NaN always does.
    presentations, units : path, optional
        Tables beside one of spikes.

    Raises
    ------
    BadInput
        A file that is not there, is damaged, or has no units, areas or presentations; the message says what it has.
    MissingExtra
        The library that reads it is not installed.
    """
    asked = Asked(
        None if areas is None else tuple(areas),
        window,
        baseline,
        latency,
        complete,
        area,
        area_column,
        table,
        stimulus,
        counts,
        None if dims is None else tuple(dims),
        missing,
        None if presentations is None else str(presentations),
        None if units is None else str(units),
    )
    return open_asked(Path(path), asked)


def open_asked(path: Path, asked: Asked) -> Recording:
    """Open the recording at `path` as `asked`."""
    opened = _reader(path)(path, asked)
    presentations = opened.data.presentations
    recording = Recording(
        opened.data,
        path.stem,
        asked.areas,
        presentations.stimuli,
        stimulus_columns(presentations, opened.columns),
        notes=opened.notes,
    )
    return _completed(_counted(recording, asked), asked)


def _counted(recording: Recording, asked: Asked) -> Recording:
    if asked.latency not in (None, "unit"):
        raise unknown_name("latency", str(asked.latency), ("unit",))
    if asked.latency is not None and asked.window is None:
        asked = replace(asked, window=(0.0, 0.15))
    if (asked.window, asked.baseline) == (None, None):
        return recording
    return recording.count(asked.window, latency=asked.latency, baseline=asked.baseline)


def _completed(recording: Recording, asked: Asked) -> Recording:
    return recording if asked.complete is None else recording.complete(asked.complete)


def _reader(path: Path) -> Callable[[Path, Asked], Opened]:
    if not path.exists():
        raise BadInput(
            f"There is no recording {str(path)!r}. Give the path of a {', '.join(READERS)} file, or a folder of NWB files."
        )
    ending = path.suffix.lower()
    if ending in READERS:
        return READERS[ending]
    if path.is_dir():
        return read_nwb
    raise BadInput(
        f"Recordings are read from {', '.join(READERS)} files or folders of NWB files, and {str(path)!r} is neither."
    )
