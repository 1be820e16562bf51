"""What every raw dimension of a recorded area is drawn with: equal units, trials and rates, floors of noise, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from stratoscope.errors import StratoscopeError
from stratoscope.measure.record import Settings
from stratoscope.measure.request import Asked
from stratoscope.metrics.controlled_dimension import SIGNAL, controlled_dimension
from stratoscope.metrics.controlled_record import CONTROLLED, ControlRow
from stratoscope.metrics.equal_sizes import FEWEST_UNITS
from stratoscope.metrics.noise_corrected import MARGIN
from stratoscope.results import Declared, Row, StageResult
from stratoscope.results.declared import docstring_section
from stratoscope.types import Floats, Source, Stage

#: The name of the controlled dimension in the table, and the raw ones that are never without controls.
NAME = "controlled_dimension"
RAW = ("two_nn", "gride", "participation_ratio")
#: Random subsets of units and trials that the controls average over.
DRAWS = 3
#: Of Gride along scales only this stands beside every rank; the others would be a thicket.
_ALONG_SCALES = (SIGNAL,)


@runtime_checkable
class Repeated(Protocol):
    """A source that knows single trials, as a recording does."""

    def trials_by_area(self, ids: Sequence[str]) -> Mapping[str, Floats]:
        """Return responses (trial, stimulus, unit) of every area to the stimuli `ids`, NaN where a repeat is absent."""


def with_controls(
    source: Source,
    closed: Sequence[StageResult],
    asked: Sequence[Asked],
    ids: Sequence[str],
    settings: Settings,
) -> tuple[list[StageResult], list[Declared], list[str]]:
    """Add to the stages of a recording the rows of `controlled_dimension`, where raw dimensions were asked for.

    Parameters
    ----------
    ids : sequence of str
        Stimuli that were played.
    settings : Settings
        Seed of the draws, and whether the limits of infinitely many units and stimuli are added.

    Returns
    -------
    stages : list of StageResult
        With controls of `RAW`, and the controlled dimension, in their tables.
    declared : list of Declared
        What the controlled dimension is, where it was measured.
    remarks : list of str
        Why there are no controls, or not of all areas.
    """
    wanted = {one.metric.name for one in asked} & {*RAW}
    if not wanted or not isinstance(source, Repeated):
        return list(closed), [], []
    counts = source.trials_by_area(ids)
    few = [f"{area} ({array.shape[2]})" for area, array in counts.items() if array.shape[2] < FEWEST_UNITS]
    enough = {area: array for area, array in counts.items() if array.shape[2] >= FEWEST_UNITS}
    remarks = [_without(f"fewer than {FEWEST_UNITS} units are in {', '.join(few)}")] if few else []
    if not enough:
        return list(closed), [], remarks
    seed = settings.seed
    try:
        found = controlled_dimension(enough, n_resamples=DRAWS, extrapolate=settings.extrapolate, seed=seed)
    except StratoscopeError as error:
        return list(closed), [], [*remarks, _without(str(error))]
    rows = {area: [row for row in found.rows if row.area == area] for area in found.areas}
    made = [
        replace(one, rows=(*one.rows, *_rows(one.stage, rows.get(one.stage.name, ()), wanted, seed))) for one in closed
    ]
    return made, [_declared()], remarks


def _without(why: str) -> str:
    return (
        "Raw dimensions of areas without controls cannot be compared with those of others: they grow with units and with "
        f"noise. Controls are missing because {why[0].lower()}{why[1:].rstrip('.')}."
    )


def _rows(stage: Stage, found: Sequence[ControlRow], wanted: set[str], seed: int) -> Iterator[Row]:
    clear = {one.n1 for one in found if one.quantity == "margin" and one.value >= MARGIN}
    for one in (_above_noise(one, clear) for one in found):
        if one.quantity == "dimension":
            yield _row(stage, one, NAME, f"n1={one.n1}" if one.n1 else "", "", seed)
        elif one.control and one.quantity in wanted:
            item = f"n1={one.n1}" if one.quantity == "gride" else ""
            if not item or one.control in _ALONG_SCALES or one.control.startswith("infinite"):
                yield _row(stage, one, one.quantity, item, one.control, seed)
        if one.quantity == "gride" and one.n1 == 1 and one.control and "two_nn" in wanted:
            yield _row(stage, one, "two_nn", "", one.control, seed)  # Gride at the nearest neighbours is TwoNN


def _above_noise(one: ControlRow, clear: set[int]) -> ControlRow:
    """Take the number away where distances at this scale do not stand above their noise."""
    if one.quantity != "gride" or one.control != SIGNAL or one.n1 in clear:
        return one
    note = f"squared distances are within {MARGIN:g} standard deviations of their noise, or stimuli too few"
    return replace(one, value=np.nan, low=np.nan, high=np.nan, note=note)


def _row(stage: Stage, one: ControlRow, metric: str, item: str, control: str, seed: int) -> Row:
    stands_on = f"{one.n_units} units, {one.n_trials} trials a stimulus"
    note = "; ".join(part for part in (one.note, stands_on) if part)
    value, low, high = (float(number) for number in (one.value, one.low, one.high))
    return Row.of(
        stage, metric, value, low, high, n=one.n_stimuli, item=item, control=control, seed=seed, note=note
    )  # fmt: skip


def _declared() -> Declared:
    return Declared(
        NAME,
        "Dimension of the mean responses with equal units and trials in all areas, corrected for noise, at one scale.",
        "trials",
        (),
        "dimensions",
        (0.0, float(np.inf)),
        "neuron",
        (CONTROLLED,),
        "Denti et al. 2022, doi:10.1038/s41598-022-20991-1; Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012",
        docstring_section(controlled_dimension, "When it misleads"),
    )
