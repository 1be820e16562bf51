"""Recordings as tidy tables: one row for each spike, or for each count, in CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stratoscope.errors import BadInput, missing_extra
from stratoscope.sources.recording.opened import (
    AREA_COLUMNS,
    REPEAT_COLUMNS,
    SESSION_COLUMNS,
    STIMULUS_COLUMNS,
    Opened,
    found_column,
)
from stratoscope.sources.recording.options import Asked
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.tidy_counts import counts_of
from stratoscope.sources.recording.units import Units

UNIT_COLUMNS = ("unit", "unit_id", "neuron", "neuroid_id")
TIME_COLUMNS = ("time", "spike_time", "spike_times")
COUNT_COLUMNS = ("count", "response", "counts", "rate")
ONSET_COLUMNS = ("onset", "start_time")
OFFSET_COLUMNS = ("offset", "stop_time")


def read_table(path: Path, asked: Asked) -> Opened:
    """Read a tidy table.

    Counts: columns ``unit``, ``area``, ``stimulus``, ``count``, and ``repeat`` and ``session`` where there are several.
    Spikes: columns ``unit`` and ``time``, ``area`` unless a table of units has it, and beside it the table of
    presentations (``presentations=FILE``) with ``stimulus``, ``onset``, ``offset``. A table of units (``units=FILE``)
    names those that never fired too.

    Raises
    ------
    BadInput
        A table that cannot be read, or lacks a column; the message says which it has.
    MissingExtra
        pyarrow is not installed and the file is Parquet.
    """
    table = read_frame(path)
    names = [str(name) for name in table.columns]
    time = found_column(names, TIME_COLUMNS, None, "time", path.name)
    if time is not None:
        return _spikes(table, time, asked, path)
    count = found_column(names, COUNT_COLUMNS, asked.counts, "count", path.name)
    if count is None:
        raise BadInput(
            f"{path.name} has neither a column 'time' (one row a spike) nor 'count' (one row a count); it has "
            f"{', '.join(map(repr, names))}. Rename one of them."
        )
    keys = {
        "unit": _needed(names, UNIT_COLUMNS, None, "unit", path),
        "stimulus": _needed(names, STIMULUS_COLUMNS, asked.stimulus, "stimulus", path),
        "repeat": found_column(names, REPEAT_COLUMNS, None, "repeat", path.name),
        "session": found_column(names, SESSION_COLUMNS, None, "session", path.name),
        "area": _area_column(names, asked, path),
    }
    return counts_of(table, count, keys, asked, path.name)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file.

    Raises
    ------
    BadInput
        A file that is not there, damaged, or without a row.
    """
    if not path.exists():
        raise BadInput(f"There is no table {str(path)!r}. Give the path of a .csv, .tsv or .parquet file.")
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",")
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", "Reading Parquet files") from error
    except Exception as error:  # pandas and pyarrow raise nearly every kind of exception on damaged bytes
        said = str(error).splitlines() or [type(error).__name__]
        raise BadInput(
            f"{str(path)!r} cannot be read as a table: {said[0][:200]}. Is it damaged or cut off?"
        ) from error
    if not len(frame):
        raise BadInput(f"The table {path.name} has no row.")
    return frame


def _spikes(table: pd.DataFrame, time: str, asked: Asked, path: Path) -> Opened:
    names = [str(name) for name in table.columns]
    unit = _needed(names, UNIT_COLUMNS, None, "unit", path)
    units = _table_of_units(table, unit, asked, path)
    presentations, columns = _presentations(asked, path)
    place = {id_: row for row, id_ in enumerate(units.ids)}
    owners = [place.get(str(one)) for one in table[unit].tolist()]
    lost = [row for row, owner in enumerate(owners) if owner is None]
    if lost:
        raise BadInput(
            f"Row {lost[0]} of {path.name} is a spike of unit {str(table[unit].iloc[lost[0]])!r}, which has no row in the table "
            "of units. Add it there."
        )
    by_unit = np.argsort(np.array(owners), kind="stable")
    ends = np.cumsum(np.bincount(np.array(owners, dtype=np.int64), minlength=len(units)))
    times = np.split(_numbers(table, time, path.name)[by_unit], ends[:-1])
    return Opened(Spikes(tuple(times), units, presentations), columns)


def _table_of_units(table: pd.DataFrame, unit: str, asked: Asked, path: Path) -> Units:
    """Read the table of units from its own file, else from the spikes."""
    if asked.units is not None:
        path = _beside(asked.units, path)
        table = read_frame(path)
        unit = _needed([str(name) for name in table.columns], UNIT_COLUMNS, None, "unit", path)
    names = [str(name) for name in table.columns]
    area, session = _area_column(names, asked, path), found_column(names, SESSION_COLUMNS, None, "session", path.name)
    kept = [column for column in (unit, area, session) if column is not None]
    rows = table[kept].drop_duplicates()
    areas = np.array(asked.area) if area is None else rows[area].to_numpy()
    return Units(tuple(rows[unit].tolist()), areas, np.array("") if session is None else rows[session].to_numpy())


def _presentations(asked: Asked, path: Path) -> tuple[Presentations, dict[str, Any]]:
    if asked.presentations is None:
        raise BadInput(
            f"{path.name} has spikes but not when which stimulus was shown. Give the table of presentations, with columns "
            "stimulus, onset and offset: presentations=FILE."
        )
    file = _beside(asked.presentations, path)
    table = read_frame(file)
    names = [str(name) for name in table.columns]
    stimulus = _needed(names, STIMULUS_COLUMNS, asked.stimulus, "stimulus", file)
    onset, offset = (
        _needed(names, ONSET_COLUMNS, None, "onset", file),
        _needed(names, OFFSET_COLUMNS, None, "offset", file),
    )
    repeat = found_column(names, REPEAT_COLUMNS, None, "repeat", file.name)
    session = found_column(names, SESSION_COLUMNS, None, "session", file.name)
    used = (stimulus, onset, offset, repeat, session)
    shown = Presentations(
        table[stimulus].to_numpy(),
        _numbers(table, onset, file.name),
        _numbers(table, offset, file.name),
        None if repeat is None else table[repeat].to_numpy(),
        np.array("") if session is None else table[session].to_numpy(),
    )
    return shown, {name: table[name].to_numpy() for name in names if name not in used}


def _needed(names: list[str], candidates: tuple[str, ...], asked: str | None, what: str, path: Path) -> str:
    column = found_column(names, candidates, asked, what, path.name)
    if column is None:
        raise BadInput(
            f"{path.name} has no column of the {what}, such as {candidates[0]!r}; it has {', '.join(map(repr, names))}. Rename "
            "one of them."
        )
    return column


def _area_column(names: list[str], asked: Asked, path: Path) -> str | None:
    """Return the column of areas; None where one area was said for all."""
    if asked.area is not None:
        return None
    column = found_column(names, AREA_COLUMNS, asked.area_column, "area", path.name)
    if column is None:
        raise BadInput(
            f"Units have no area: {path.name} has no column such as 'area'; it has {', '.join(map(repr, names))}. Add it, or "
            "say area=NAME for all units."
        )
    return column


def _numbers(table: pd.DataFrame, column: str, name: str) -> Any:
    """Return a column as float64; refuses text with its row."""
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise BadInput(
            f"Row {wrong[0]} of {name} has {table[column].iloc[wrong[0]]!r} in column {column!r}, which must be a finite "
            "number. Mend the row, or leave it out."
        )
    return numbers


def _beside(file: str, path: Path) -> Path:
    """Return a path as it is, or beside the table that goes with it."""
    return Path(file) if Path(file).exists() else path.parent / file
