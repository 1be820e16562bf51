"""Counts from a tidy table, in which every row is one unit in one presentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.sources.recording.checks import whole_column
from stratoscope.sources.recording.opened import Opened
from stratoscope.sources.recording.options import Asked
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units


def counts_of(table: pd.DataFrame, count: str, keys: Mapping[str, str | None], asked: Asked, name: str) -> Opened:
    """Spread a tidy table over presentations and units.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each count.
    count : str
        Column of the counts. An empty one is a missing trial.
    keys : mapping of str to str or None
        Columns of ``unit``, ``stimulus``, ``repeat``, ``session`` and ``area``. Without repeats the counts of a unit and
        a stimulus are its repeats in the order of the rows.
    asked : Asked
        ``area`` of all units.
    name : str
        Name of the table, for messages.
    """
    session = _texts(table, keys["session"])
    stimulus, units = _texts(table, keys["stimulus"]), _texts(table, keys["unit"])
    repeat = _repeats(table, keys["repeat"], name, session, stimulus, units)
    shown = pd.MultiIndex.from_arrays([session, stimulus, repeat])
    rows, presentations = pd.factorize(shown)
    columns, ids = pd.factorize(units)
    _check_once(rows, columns, len(ids), units, name)
    counts = np.full((len(presentations), len(ids)), np.nan)
    counts[rows, columns] = _counts(table, count, asked.missing, name)
    first_unit, first_shown = _first(columns), _first(rows)
    area = (
        np.array(asked.area)
        if keys["area"] is None
        else _one_each(_texts(table, keys["area"]), columns, "area", units, name)
    )
    own = _one_each(session, columns, "session", units, name)
    others = [column for column in table.columns if column not in (count, *keys.values())]
    per_unit = [column for column in others if _constant(table[column], columns)]
    per_shown = [column for column in others if column not in per_unit and _constant(table[column], rows)]
    trials = TrialCounts(
        counts,
        Units(tuple(ids), area, own, {str(one): table[one].to_numpy()[first_unit] for one in per_unit}),
        Presentations(stimulus[first_shown], trial=repeat[first_shown], session=session[first_shown]),
        f"{count} of {name} as given",
    )
    return Opened(trials, {str(one): table[one].to_numpy()[first_shown] for one in per_shown})


def _texts(table: pd.DataFrame, column: str | None) -> NDArray[Any]:
    if column is None:
        return np.full(len(table), "")
    return np.array(["" if value is None or value != value else str(value) for value in table[column].tolist()])  # noqa: PLR0124


def _repeats(table: pd.DataFrame, column: str | None, name: str, *by: NDArray[Any]) -> NDArray[np.int64]:
    if column is not None:
        return whole_column(table[column].to_numpy(), len(table), name, column)
    return pd.DataFrame(dict(enumerate(by))).groupby(list(range(len(by)))).cumcount().to_numpy().astype(np.int64)


def _counts(table: pd.DataFrame, column: str, missing: float | None, name: str) -> NDArray[np.float64]:
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(numbers) & table[column].notna().to_numpy())
    if len(wrong):
        raise BadInput(
            f"Row {wrong[0]} of {name} has {table[column].iloc[wrong[0]]!r} in column {column!r}, which must be a number. Mend "
            "the row, or leave it empty where the trial is missing."
        )
    return numbers if missing is None else np.where(numbers == missing, np.nan, numbers)


def _check_once(rows: NDArray[Any], columns: NDArray[Any], n: int, units: NDArray[Any], name: str) -> None:
    """Refuse two counts of one unit in one presentation."""
    first: dict[int, int] = {}
    cells = (rows * n + columns).tolist()
    if len(set(cells)) == len(cells):
        return
    for row, cell in enumerate(cells):
        if first.setdefault(cell, row) != row:
            raise BadInput(
                f"Rows {first[cell]} and {row} of {name} are both counts of unit {str(units[row])!r} in one presentation. Give "
                "each repeat its number in a column 'repeat', and each session its name in a column 'session'."
            )


def _first(codes: NDArray[Any]) -> NDArray[Any]:
    return np.unique(codes, return_index=True)[1]


def _one_each(values: NDArray[Any], columns: NDArray[Any], what: str, units: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the one value of every unit; refuses a unit with two."""
    one = values[_first(columns)]
    wrong = np.flatnonzero(one[columns] != values)
    if len(wrong):
        row = wrong[0]
        raise BadInput(
            f"Row {row} of {name} says {what} {str(values[row])!r} of unit {str(units[row])!r}, and an earlier row says "
            f"{str(one[columns[row]])!r}. A unit has one {what}; put the session before its id where ids repeat."
        )
    return np.asarray(one)


def _constant(values: pd.Series[Any], codes: NDArray[Any]) -> bool:
    """Whether a column has one value for each code."""
    return bool((values.groupby(codes).nunique(dropna=False) <= 1).all())
