"""What a claim reads from results: one metric along the stages, by category, by seed, or one number a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.results import COLUMNS, Results
from stratoscope.results.tree import run_nodes
from stratoscope.statistics.stage_values import StageValues, long_form
from stratoscope.types import Floats
from stratoscope.words import number_of

#: What a claim is judged on. The table alone knows nothing of single categories.
Measured: TypeAlias = "Results | pd.DataFrame"
#: Replicates that rows of the table have; every other name is a dimension of the arrays.
_OF_THE_TABLE = ("stage", "seed")


@dataclass(frozen=True)
class Reading:
    """Where in the results a claim looks.

    Attributes
    ----------
    metric : str
        Name of the metric, a column of the table and the name of its array.
    over : str
        What a replicate is: ``category`` or another dimension of the metric's array (read from the arrays), ``seed``
        (rows of the table, one a seed), or ``stage`` (one row a stage, with its interval).
    lesion : str
        Lesion, empty for intact; ``*`` and ``?`` stand for any letters, as in all names below.
    stages : str or tuple of str
        Names of the stages.
    hierarchy, unit, item : str
        Needed where several fit; empty for any.
    control : str
        Control, such as ``size-matched*``; empty for the measurement itself. With ``over="category"`` the array
        ``METRIC.CONTROL`` is read, and where there is none the rows of the table, which the notes say.
    """

    metric: str
    over: str = "category"
    lesion: str = ""
    stages: str | tuple[str, ...] = "*"
    hierarchy: str = ""
    unit: str = ""
    item: str = ""
    control: str = ""


def read(reading: Reading, measured: Measured) -> tuple[StageValues, tuple[str, ...]]:
    """Return the values a claim reads, and what must be known about them.

    Raises
    ------
    UnknownName, BadInput, TooFew
        Where nothing or too much fits the reading; the message says what there is.
    """
    if reading.over in _OF_THE_TABLE:
        return _from_table(reading, measured.table() if isinstance(measured, Results) else measured)
    if not isinstance(measured, Results):
        raise BadInput(
            f"A table has no values by {reading.over}. Give the results themselves, or read over='seed' or 'stage'."
        )
    return _from_arrays(reading, measured)


def _from_table(reading: Reading, table: pd.DataFrame) -> tuple[StageValues, tuple[str, ...]]:
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise BadInput(f"A results table has the columns {', '.join(COLUMNS)}; {', '.join(missing)} are missing.")
    known = table[table["metric"] == reading.metric]
    if not len(known):
        raise unknown_name("metric", reading.metric, dict.fromkeys(map(str, table["metric"])))
    notes: tuple[str, ...] = ()
    own = _rows(replace(reading, control=""), known)
    rows = own if not reading.control else _rows(reading, known)
    if reading.control:
        rows, notes = _with_smallest(rows, own, reading)
    if not len(rows):
        raise TooFew(f"Nothing was measured for {_said(reading)}. There is {_there(known)}.")
    for name in ("hierarchy", "unit", "item", "lesion"):
        _only_one(rows[name], name, reading)
    defined, lost = rows[rows["value"].notna()], rows[rows["value"].isna()]
    notes = (*notes, *(f"{stage}: no value ({note})" for stage, note in zip(lost["stage"], lost["note"], strict=True)))
    replicate, told = _replicates(defined, reading)
    notes += told
    values = long_form(
        defined["value"].to_numpy(), stage=list(defined["stage"]), replicate=replicate, over=reading.over
    )
    return (_with_ends(values, defined) if values.values.shape[1] == 1 else values), notes


def _replicates(rows: pd.DataFrame, reading: Reading) -> tuple[list[str], tuple[str, ...]]:
    """Name the replicate of each row: its seed, or its place among the rows of its stage where no seed was kept."""
    if reading.over != "seed":
        return [""] * len(rows), ()
    if rows["seed"].notna().all():
        return list(rows["seed"].astype(str)), ()
    places = rows.groupby("stage").cumcount() + 1
    return [f"repeat {place}" for place in places], ("no seeds were kept: repeats are taken in the order of rows",)


def _rows(reading: Reading, rows: pd.DataFrame) -> pd.DataFrame:
    wanted = {"control": reading.control, "lesion": reading.lesion, "stage": reading.stages}
    wanted |= {name: getattr(reading, name) or "*" for name in ("item", "hierarchy", "unit")}
    for column, names in wanted.items():
        if names == "*":
            continue
        there = rows[column].unique()  # few names, many rows
        fits = [name for name in there if _fits_any(name, names)]
        rows = rows if len(fits) == len(there) else rows[rows[column].isin(fits)]
    return rows


def _with_smallest(rows: pd.DataFrame, own: pd.DataFrame, reading: Reading) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Complete a size-matched control by the smallest stage, which is its own match and has no row of the control."""
    without = own[~own["stage"].isin(set(rows["stage"]))]
    if not len(rows) or not len(without):
        return rows, ()
    smallest = own["n_units"].min()
    matched = without[without["n_units"] == smallest] if reading.control.startswith("size-matched") else without[:0]
    left = list(dict.fromkeys(without[~without["stage"].isin(set(matched["stage"]))]["stage"]))
    notes = (f"left out for want of the control: {', '.join(left)}",) if left else ()
    return pd.concat([rows, matched]).sort_index(), notes


def _with_ends(values: StageValues, rows: pd.DataFrame) -> StageValues:
    low, high = (rows[name].to_numpy(dtype=np.float64) for name in ("low", "high"))
    held = (low <= values.values[:, 0]) & (values.values[:, 0] <= high)
    return replace(values, low=low, high=high) if held.all() else values


def _from_arrays(reading: Reading, results: Results) -> tuple[StageValues, tuple[str, ...]]:
    name = f"{reading.metric}.{reading.control}" if reading.control else reading.metric
    runs = [list(_stages_of(run, reading, name)) for run in run_nodes(results.tree)]
    runs = [run for run in runs if run]
    if not runs and reading.control:
        values, notes = _from_table(replace(reading, over="stage"), results.table())
        return values, (f"{reading.control}: one number a stage, from the table", *notes)
    if not runs:
        known = results.table().query("metric == @reading.metric")
        if not len(known):
            raise unknown_name("metric", reading.metric, dict.fromkeys(row.metric for row in results.rows))
        raise TooFew(f"There are no values by {reading.over} for {_said(reading)}. There is {_there(known)}.")
    for place, name in enumerate(("hierarchy", "unit", "lesion")):
        _only_one([array.attrs["place"][place] for run in runs for _, array in run], name, reading)
    for run in runs:
        _only_once(run, reading)
    tables = [_one_run(run, reading) for run in runs]
    several = (f"mean over {number_of('run', len(tables))} of {_said(reading)}",) if len(tables) > 1 else ()
    values = _over_runs(tables, reading) if several else tables[0]
    defined = [stage for stage, row in zip(values.stages, values.values, strict=True) if not np.isnan(row).all()]
    return values.at(defined), (*several, *_lost(reading, results, defined))


def _lost(reading: Reading, results: Results, defined: list[str]) -> tuple[str, ...]:
    """Say which stages have no value though they were measured, and why."""
    rows = _rows(replace(reading, control=""), results.table().query("metric == @reading.metric"))
    gone = rows[~rows["stage"].isin(defined)]
    told = (f"{stage}: no value ({note})" for stage, note in zip(gone["stage"], gone["note"], strict=True))
    return tuple(dict.fromkeys(told))


def _stages_of(run: xr.DataTree, reading: Reading, name: str) -> Iterator[tuple[str, xr.DataArray]]:
    # Names of stage nodes are numbered with leading zeros, so their order is that of execution.
    for node in (run.children[key] for key in sorted(run.children) if key.startswith("stage_")):
        about = node.attrs
        fits = _fits(about["lesion"], reading.lesion) and _fits_any(about["name"], reading.stages)
        fits = fits and all(_fits(about[key], getattr(reading, key) or "*") for key in ("hierarchy", "unit"))
        arrays = node.to_dataset()
        if fits and name in arrays and arrays[name].dims == (reading.over,):
            place = about["hierarchy"], about["unit"], about["lesion"]
            yield str(about["name"]), arrays[name].assign_attrs(place=place)


def _one_run(run: list[tuple[str, xr.DataArray]], reading: Reading) -> StageValues:
    width = max(len(array) for _, array in run)
    padded = [
        np.pad(array.to_numpy().astype(float), (0, width - len(array)), constant_values=np.nan) for _, array in run
    ]
    labelled = reading.over in run[0][1].coords
    labels = tuple(map(str, run[0][1][reading.over].to_numpy())) if labelled else ()
    return StageValues(np.stack(padded), tuple(name for name, _ in run), reading.over, labelled, labels)


def _over_runs(tables: list[StageValues], reading: Reading) -> StageValues:
    """Average categories over runs; things without a name of their own (units) stand side by side."""
    first = tables[0]
    if any(table.stages != first.stages or table.replicates != first.replicates for table in tables):
        raise BadInput(f"The runs of {_said(reading)} differ in stages or in {reading.over}. Choose what they share.")
    stacked: list[Floats] = [table.values for table in tables]
    joined = np.mean(stacked, axis=0) if first.paired else np.concatenate(stacked, axis=1)
    return replace(first, values=np.asarray(joined, dtype=np.float64))


def _only_once(run: list[tuple[str, xr.DataArray]], reading: Reading) -> None:
    names = [name for name, _ in run]
    if len(set(names)) < len(names):
        raise BadInput(f"Several values a stage fit {_said(reading)}. Say which hierarchy, unit and lesion.")


def _only_one(column: Iterable[Any], name: str, reading: Reading) -> None:
    found = list(dict.fromkeys(column))
    if len(found) > 1:
        raise BadInput(f"{_said(reading)} is there for several: {name} {', '.join(map(repr, found))}. Say which.")


def _fits_any(name: str, wanted: str | tuple[str, ...]) -> bool:
    return any(_fits(name, one) for one in ((wanted,) if isinstance(wanted, str) else wanted))


def _fits(name: str, wanted: str) -> bool:
    """Match `*` and `?`; brackets stand for themselves, because lesions write their scope in them."""
    return fnmatchcase(str(name), wanted.replace("[", "[[]"))


def _said(reading: Reading) -> str:
    parts = {"lesion": reading.lesion or "none", "control": reading.control, "unit": reading.unit, "item": reading.item}
    told = ", ".join(f"{name} {value!r}" for name, value in parts.items() if value)
    stages = reading.stages if isinstance(reading.stages, str) else ", ".join(reading.stages)
    return f"{reading.metric!r} ({told}, stages {stages!r})"


def _there(known: pd.DataFrame) -> str:
    parts = {
        name: list(dict.fromkeys(known[name].replace("", "none"))) for name in ("lesion", "control", "unit", "item")
    }
    return "; ".join(f"{name} {', '.join(map(repr, found[:6]))}" for name, found in parts.items())
