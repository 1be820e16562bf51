"""Close the stages of one pass: information, objects, dimension, and what units say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from stratoscope.errors import StratoscopeError
from stratoscope.metrics import constant_fraction, dead_fraction
from stratoscope.results import StageResult
from stratoscope.studies.muratore2022.dimensions import write_dimensions
from stratoscope.studies.muratore2022.informed import INFORMATION, RESIDUE, OverUnits, informed, write_information
from stratoscope.studies.muratore2022.invariance import Shown, write_object_information, write_readout
from stratoscope.studies.muratore2022.keep import Kept, Pass
from stratoscope.studies.muratore2022.over_units import ALL
from stratoscope.studies.muratore2022.plan import Plan
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.units import unit_places
from stratoscope.studies.muratore2022.write import Writer
from stratoscope.types import Estimate, Floats, Stage


@dataclass(frozen=True)
class Closed:
    """One stage of one model.

    Attributes
    ----------
    result : StageResult
        Its share of the results.
    over_units : OverUnits or None
        What comparing models needs of its information.
    """

    result: StageResult
    over_units: OverUnits | None = None

    def number(self, metric: str, *, item: str = "", control: str = "") -> Estimate:
        """Return a number of the stage; NaN where it has none."""
        for row in self.result.rows:
            if (row.metric, row.item, row.control) == (metric, item, control):
                return Estimate(row.value, row.low, row.high, row.n)
        return Estimate(np.nan, np.nan, np.nan, 0)


def close(
    played: Pass, plan: Plan, protocol: Protocol, *, seed: int | None, whole: bool, workers: int
) -> dict[Stage, Closed]:
    """Measure every stage of one pass.

    Parameters
    ----------
    seed : int or None
        Of a random model.
    whole : bool
        Also what takes long: for the trained network.
    workers : int
        Stages that are closed at a time.
    """
    lesion = str(played.said.get("lesion") or "")

    def one(stage: Stage) -> Closed:
        return _close_stage(Writer(stage, lesion, seed), played.kept[stage], plan, protocol, whole=whole)

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        return dict(zip(played.kept, pool.map(one, played.kept), strict=True))


def _close_stage(write: Writer, kept: Kept, plan: Plan, protocol: Protocol, *, whole: bool) -> Closed:
    if kept.broken:
        write.failed(INFORMATION, kept.broken, item=ALL)
        return Closed(write.result())
    over_units = None
    dense = plan.sets.dense[kept.seen[plan.sets.dense]]
    responses = kept.responses[dense]
    try:
        _fractions(write, responses)
        found = informed(responses, _values(write.stage, kept, plan), protocol)
        over_units = write_information(write, found, protocol)
    except StratoscopeError as error:
        write.failed(INFORMATION, str(error), item=ALL)
    if plan.sets.objects is not None:
        views = plan.sets.views[kept.seen[plan.sets.views]]
        light = plan.seen.luminance
        shown = Shown(plan.sets.objects[dense], {}, None if light is None else light[dense])
        write_object_information(write, responses, shown, protocol)
        whole_views = Shown(
            plan.sets.objects[plan.sets.views], plan.sets.where, None if light is None else light[plan.sets.views]
        )
        seen = np.flatnonzero(kept.seen[plan.sets.views])
        write_readout(write, kept.responses[views], whole_views.take(seen), plan.sizes, protocol)
    near = plan.sets.dimension
    objects = None if plan.sets.objects is None else plan.sets.objects[near]
    write_dimensions(write, kept, kept.responses[near[kept.seen[near]]], objects, plan.n_matched, protocol, whole=whole)
    for name, places in unit_places(write.stage, plan.units[write.stage.name]).items():
        write.array(name, places, "unit")
    return Closed(write.result(), over_units)


def _values(stage: Stage, kept: Kept, plan: Plan) -> dict[str, Floats]:
    """Return the properties of the stimuli that were played, of the image or as each unit sees them."""
    there = kept.seen[plan.sets.dense]
    if plan.in_fields:
        return {name: values[there] for name, values in plan.in_fields[stage.name].items()}
    return {name: values[plan.sets.dense[there]] for name, values in plan.seen.values.items()}


def _fractions(write: Writer, responses: np.ndarray) -> None:
    for name, value in {
        "dead_fraction": float(dead_fraction(responses)),
        "constant_fraction": float(constant_fraction(responses, variance_floor=RESIDUE)),
    }.items():
        write.array(name, np.asarray(value))
        write.number(name, Estimate(value, np.nan, np.nan, len(responses), note=""))


def results_of(closed: Mapping[Stage, Closed]) -> list[StageResult]:
    """Return the share of every stage in the results, in order."""
    return [one.result for one in closed.values()]
