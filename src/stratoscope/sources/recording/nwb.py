"""Recordings in NWB files: a table of units with spike times, and intervals in which stimuli were shown."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, StratoscopeError, missing_extra, unknown_name
from stratoscope.sources.recording.nwb_areas import areas_of_units
from stratoscope.sources.recording.opened import (
    REPEAT_COLUMNS,
    STIMULUS_COLUMNS,
    Opened,
    found_column,
    join_sessions,
)
from stratoscope.sources.recording.options import Asked
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.units import Units

#: Columns of a table of presentations that say when, not what.
_TIMES = ("start_time", "stop_time")


def read_nwb(path: Path, asked: Asked) -> Opened:
    """Read one NWB file, or a folder of them as one session each.

    Raises
    ------
    BadInput
        A file that cannot be read, without units or presentations, or whose units have no area.
    MissingExtra
        pynwb is not installed.
    """
    if not path.is_dir():
        return _read_file(path, asked)
    files = sorted(path.rglob("*.nwb"))
    if not files:
        raise BadInput(f"The folder {str(path)!r} has no .nwb file. Give a folder of NWB files, one a session.")
    if len(files) == 1:
        return _read_file(files[0], asked)
    return join_sessions({file.relative_to(path).with_suffix("").as_posix(): _read_file(file, asked) for file in files})


def _read_file(path: Path, asked: Asked) -> Opened:
    with _opened(path) as nwb:
        try:
            table, stimulus = _table_of_presentations(nwb, asked, path)
            presentations, columns, notes = _presentations(nwb, table, stimulus, path)
            spikes, left = _spikes(nwb, presentations, asked, path)
            return Opened(spikes, columns, (*notes, *left))
        except BadInput as error:
            if path.name in str(error):
                raise
            raise BadInput(f"{path.name}: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open an NWB file for reading; whatever fails in reading it is a damaged file."""
    try:
        import pynwb
    except ImportError as error:
        raise missing_extra("pynwb", "nwb", "Reading NWB files") from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="hdmf|pynwb")
            with pynwb.NWBHDF5IO(str(path), "r") as io:
                yield io.read()
    except StratoscopeError:
        raise
    except Exception as error:  # h5py, hdmf and pynwb raise nearly every kind of exception on damaged bytes
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise BadInput(
            f"{str(path)!r} cannot be read as NWB: {said[0][:200]}. It is damaged, cut off or no NWB file; copy or download it "
            "again."
        ) from error


def tables_of(nwb: Any) -> dict[str, Any]:
    """Return the tables of intervals of a file by name."""
    tables = {} if nwb.intervals is None else {str(name): table for name, table in nwb.intervals.items()}
    named = {"trials": nwb.trials, "epochs": nwb.epochs, "invalid_times": nwb.invalid_times}
    return {name: table for name, table in {**named, **tables}.items() if table is not None}


def _table_of_presentations(nwb: Any, asked: Asked, path: Path) -> tuple[Any, str]:
    """Choose the table that says which stimulus was on when, and its column of stimuli."""
    tables = tables_of(nwb)
    if asked.table is not None and asked.table not in tables:
        raise unknown_name(f"table of intervals in {path.name}", asked.table, tables)
    considered = tables if asked.table is None else {asked.table: tables[asked.table]}
    fit = {}
    for name, table in considered.items():
        columns = [column for column in table.colnames if column not in _TIMES]
        named = None if asked.table is None and asked.stimulus not in columns else asked.stimulus
        column = found_column(columns, () if asked.stimulus else STIMULUS_COLUMNS, named, "stimulus", repr(name))
        if column is not None:
            fit[name] = (table, column)
    if len(fit) == 1:
        return next(iter(fit.values()))
    if fit:
        raise BadInput(
            f"{path.name} has several tables of presentations: {', '.join(map(repr, fit))}. Choose one with table=NAME."
        )
    raise BadInput(_no_presentations(nwb, tables, path))


def _no_presentations(nwb: Any, tables: dict[str, Any], path: Path) -> str:
    listed = "; ".join(
        f"{name!r} with columns {', '.join(map(repr, table.colnames))}" for name, table in tables.items()
    )
    units = "a table of units" if nwb.units is not None else "no table of units"
    series = f", time series of stimuli {', '.join(map(repr, nwb.stimulus))}" if nwb.stimulus else ""
    return (
        f"{path.name} has no table that says which stimulus was shown when. It has {units}, tables of intervals: "
        f"{listed or 'none'}{series}. A table of presentations has start_time, stop_time and a column such as 'stimulus'; "
        "if one is called otherwise, name it with table=NAME and stimulus=COLUMN."
    )


def _presentations(
    nwb: Any, table: Any, column: str, path: Path
) -> tuple[Presentations, dict[str, NDArray[Any]], tuple[str, ...]]:
    """Read a table of presentations, its further columns, and how many rows showed nothing."""
    flat = {name: np.asarray(table[name][:]) for name in table.colnames if type(table[name]).__name__ == "VectorData"}
    stimulus = np.array([_text(value) for value in flat.pop(column).tolist()], dtype=str)
    shown = stimulus != ""
    if not shown.any():
        raise BadInput(f"The table {table.name!r} of {path.name} has no row with a stimulus in column {column!r}.")
    begin, end = (flat.pop(name).astype(np.float64)[shown] for name in _TIMES)
    repeat = next((name for name in REPEAT_COLUMNS if name in flat), None)
    trial = None if repeat is None else flat.pop(repeat)[shown]
    columns = {name: values[shown] for name, values in flat.items() if values.ndim == 1}
    blank = int((~shown).sum())
    notes = (f"{blank} rows of {table.name!r} in {path.name} show no stimulus and were left out.",) if blank else ()
    session = np.array(str(nwb.session_id or nwb.identifier))
    return Presentations(stimulus[shown], begin, end, trial, session), columns, notes


def _text(value: Any) -> str:
    """Return a stimulus as text: whole numbers without a point, nothing for NaN."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:g}"
    return "" if value is None else str(value)


def _spikes(nwb: Any, presentations: Presentations, asked: Asked, path: Path) -> tuple[Spikes, tuple[str, ...]]:
    """Read the table of units with its spike times, without the units of areas that are not asked for."""
    table = nwb.units
    if table is None or len(table) == 0 or "spike_times" not in table.colnames:
        raise BadInput(
            f"{path.name} has no table of units with spike times; its tables are "
            f"{', '.join(map(repr, tables_of(nwb))) or 'none'}. Open a file of sorted spikes."
        )
    ids, columns = _columns_of_units(table)
    area = np.broadcast_to(areas_of_units(nwb, asked, ids), len(ids))
    kept = np.arange(len(ids)) if asked.areas is None else np.flatnonzero(np.isin(area, asked.areas))
    if not len(kept):
        raise unknown_name(f"area in {path.name}", str((asked.areas or ("",))[0]), sorted(set(area.tolist())))
    known = {name: values[kept] for name, values in columns.items()}
    units = Units(tuple(ids[row] for row in kept), area[kept], presentations.session[:1][0], known)
    watched = _ragged(table, "obs_intervals") if "obs_intervals" in table.colnames else None
    trains = _ragged(table, "spike_times")
    observed = None if watched is None else tuple(watched[row] for row in kept)
    left = len(ids) - len(kept)
    notes = (f"{left} units of other areas in {path.name} were left out.",) if left else ()
    return Spikes(tuple(trains[row] for row in kept), units, presentations, observed), notes


def _columns_of_units(table: Any) -> tuple[tuple[str, ...], dict[str, NDArray[Any]]]:
    """Return ids, from ``unit_name`` where these are unique, and the columns with one number or text a unit."""
    flat = {name: np.asarray(table[name][:]) for name in table.colnames if type(table[name]).__name__ == "VectorData"}
    columns = {name: values for name, values in flat.items() if values.ndim == 1 and values.dtype.kind in "fiubUSO"}
    named = [str(name) for name in columns.get("unit_name", np.array([])).tolist()]
    ids = tuple(named) if len(set(named)) == len(table) else tuple(str(id_) for id_ in np.asarray(table.id[:]).tolist())
    texts = {name: values.astype(str) if values.dtype.kind == "O" else values for name, values in columns.items()}
    return ids, {name: values for name, values in texts.items() if name != "unit_name"}


def _ragged(table: Any, name: str) -> list[NDArray[Any]]:
    """Read a ragged column at once, and cut it into views."""
    index = table[name]
    ends = np.asarray(index.data[:], dtype=np.int64)
    values = np.asarray(index.target.data[:], dtype=np.float64)
    return np.split(values, ends[:-1])
