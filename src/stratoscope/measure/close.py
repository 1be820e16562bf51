"""Close a stage: read its summaries through the metrics, and write down values, controls and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stratoscope.errors import StratoscopeError
from stratoscope.measure.request import Asked
from stratoscope.metrics.controls import size_matched, structureless
from stratoscope.metrics.readout import Readout
from stratoscope.results import Row, StageResult, Values, estimate_arrays
from stratoscope.statistics.intervals import median_interval
from stratoscope.types import Estimate, Stage, Summary


def close_stage(
    stage: Stage,
    summaries: Mapping[str, Summary],
    asked: Sequence[Asked],
    *,
    n: int,
    lesion: str,
    seed: int,
    smallest: int,
    broken: str = "",
    labels: Any = None,
    ids: Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
) -> tuple[StageResult, Any]:
    """Compute every metric in `asked` at `stage` from its `summaries`.

    A metric that refuses becomes a row with NaN and its sentence as note, so that one stage never costs the run.

    Parameters
    ----------
    n : int
        Stimuli that were played.
    smallest : int
        Number of units of the narrowest stage with the same unit definition, for the size-matched control.
    broken : str
        Why this stage has no numbers at all, or an empty string.
    labels : array (stimulus,), optional
        Category of every stimulus of the set, for what reads them out.
    ids : sequence of str
        Id of every stimulus of the set.
    columns : mapping of str to array (stimulus,), optional
        Properties of every stimulus of the set, for what units tell about them, and for views that are held out.

    Returns
    -------
    StageResult
    dict, or None
        State of the Gram summary where there is one, for what compares stages.
    """
    states = {} if broken else {name: summary.state() for name, summary in summaries.items()}
    if labels is not None and "gram" in states:
        seen = states["gram"]["rows"]
        states["gram"] = states["gram"] | {"labels": np.asarray(labels)[seen], "ids": np.asarray(ids)[seen]}
        states["gram"]["columns"] = {name: np.asarray(values)[seen] for name, values in (columns or {}).items()}
    if "spool" in states:
        seen = states["spool"]["rows"]
        states["spool"]["columns"] = {name: np.asarray(values)[seen] for name, values in (columns or {}).items()}
    arrays: dict[str, Values] = {}
    rows: list[Row] = []
    for one in (one for one in asked if one.reads(stage) and not one.between_stages):
        write = _Writer(stage, one, lesion, seed, n)
        try:
            if broken:
                rows.append(write.failed(broken))
                continue
            value = one.metric.through(states[one.metric.needs], **one.options)
            seen = states[one.metric.needs].get("rows", ())
            arrays.update({name: _at_all(array, seen, len(ids)) for name, array in write.arrays(value).items()})
            rows.extend(write.rows(value))
            rows.extend(write.controls(states, smallest))
        except StratoscopeError as error:
            rows.append(write.failed(str(error)))
    return StageResult(stage, arrays, tuple(rows)), states.get("gram")


def compare_stages(
    stages: Sequence[Stage], grams: Mapping[Stage, Any], asked: Sequence[Asked]
) -> tuple[dict[str, Values], list[str]]:
    """Compute the metrics that compare stages with each other from the states of their gram summaries.

    Stages with different unit definitions are never mixed: each definition gets a matrix of its own, with a row and a
    column for every place in `stages`; NaN for places without a Gram matrix.

    Returns
    -------
    dict of str to Values
        Matrices (stage, other_stage), one for each metric and unit definition.
    list of str
        Why one could not be computed.
    """
    found: dict[str, Values] = {}
    refused: list[str] = []
    places = list(dict.fromkeys(stage.name for stage in stages))
    for one in (one for one in asked if one.between_stages):
        for unit in one.units or tuple(dict.fromkeys(stage.unit for stage in grams)):
            chosen = {stage.name: gram for stage, gram in grams.items() if stage.unit == unit}
            try:
                matrix = np.asarray(one.metric.through(chosen, **one.options))
            except StratoscopeError as error:
                refused.append(str(error))
                continue
            lost = [stage.name for stage in stages if stage.unit == unit and stage.name not in chosen]
            if lost:
                refused.append(
                    f"{one.metric.name} compares nothing with {', '.join(lost[:5])}{' ...' if lost[5:] else ''}, whose responses "
                    "are not finite. Look for an overflow, or weights that are NaN."
                )
            where = np.array([places.index(name) for name in chosen], dtype=np.int64)
            full = np.full((len(places), len(places)), np.nan)
            full[np.ix_(where, where)] = matrix
            found[f"{one.metric.name}.{unit.replace(':', '-')}"] = Values(full, one.metric.dims, {"unit": unit})
    return found, refused


def _at_all(values: Values, seen: Sequence[int], n_stimuli: int) -> Values:
    """Spread an array over the stimuli that were seen to all of the set, NaN at those that were skipped."""
    skipping = [axis for axis, dim in enumerate(values.dims) if dim in ("stimulus", "other_stimulus")]
    if not skipping or not len(seen) < n_stimuli or values.data.shape[skipping[0]] != len(seen):
        return values
    full = values.data.astype(np.float64)
    for axis in skipping:
        wider = np.full((*full.shape[:axis], n_stimuli, *full.shape[axis + 1 :]), np.nan)
        wider[(slice(None),) * axis + (np.asarray(seen),)] = full
        full = wider
    return replace(values, data=full)


class _Writer:
    """Writes what one metric gave at one stage as arrays and as rows of the tidy table."""

    def __init__(self, stage: Stage, one: Asked, lesion: str, seed: int, n: int) -> None:
        self.stage, self.one, self.metric = stage, one, one.metric
        self.lesion, self.seed, self.n = lesion, seed, n

    def failed(self, note: str) -> Row:
        nothing = Estimate(value=np.nan, low=np.nan, high=np.nan, n=0, note=note)
        return self._row(nothing)

    def arrays(self, value: Any) -> dict[str, Values]:
        about = {"unit": self.metric.unit, "options": repr(dict(self.one.options))}
        if not isinstance(value, Estimate):
            return {self.one.name: Values(np.asarray(value), self.metric.dims, about)}
        return estimate_arrays(self.metric.name, self.metric.dims, value)

    def rows(self, value: Any) -> list[Row]:
        if not isinstance(value, Estimate):
            if np.ndim(value) == 0:
                return [self._row(Estimate(float(value), np.nan, np.nan, self.n))]
            if np.ndim(value) != 1:
                return []
            about = f"{self.one.column}, " if self.one.column else ""
            return [self._row(median_interval(value), item=f"{about}median over {_plural(self.metric.dims[0])}")]
        if np.ndim(value.value) == 0:
            beside = value.controls if isinstance(value, Readout) else {}
            return [self._row(value), *(self._row(one, control=name) for name, one in beside.items())]
        along = self.one.along() or (self.metric.dims[0], range(len(value.value)))
        return [self._row(_pick(value, i), item=f"{along[0]}={label}") for i, label in enumerate(along[1])]

    def controls(self, states: Mapping[str, Any], smallest: int) -> list[Row]:
        means = states.get("categories", {}).get("mean")
        rows = []
        if "structureless" in self.metric.controls and means is not None:
            baseline = structureless(means, seed=self.seed, **self.one.options)
            rows.append(self._row(baseline, item="median over categories", control="structureless"))
        if "size_matched" in self.metric.controls and means is not None and smallest < self.stage.n_units:
            matched = size_matched(means, smallest, seed=self.seed, **self.one.options)
            rows.append(self._row(matched, item="median over categories", control=f"size-matched to {smallest} units"))
        return rows

    def _row(self, value: Estimate, *, item: str = "", control: str = "") -> Row:
        dropped = ", ".join(f"{count} {what} dropped" for what, count in value.dropped.items() if count)
        return Row.of(
            self.stage,
            self.metric.name,
            float(value.value),
            float(value.low),
            float(value.high),
            n=value.n,
            item=item,
            lesion=self.lesion,
            control=control,
            seed=self.seed if value.seed is None else value.seed,
            note="; ".join(part for part in (value.note, dropped) if part),
        )


def _pick(value: Estimate, i: int) -> Estimate:
    number, low, high = (float(np.asarray(part)[i]) for part in (value.value, value.low, value.high))
    n = int(np.asarray(value.n).reshape(-1)[min(i, np.size(value.n) - 1)])
    return replace(value, value=number, low=low, high=high, n=n, scale=None)


def _plural(dim: str) -> str:
    return {"category": "categories", "stimulus": "stimuli", "unit": "units"}.get(dim, dim)
