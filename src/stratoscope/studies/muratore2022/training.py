"""Training as a hierarchy of its own: the checkpoints in their order and the trained network at the end, over all stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stratoscope.results import StageResult
from stratoscope.statistics.propagate import from_intervals
from stratoscope.studies.muratore2022.informed import CONCENTRATION, INFORMATION
from stratoscope.studies.muratore2022.over_units import Drawn
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.stages import Closed
from stratoscope.studies.muratore2022.write import Writer
from stratoscope.types import Estimate, Stage

#: Name of the last point.
TRAINED = "trained"
#: Kind of the stages that stand for points in training.
CHECKPOINT = "checkpoint"


def hierarchy_of(name: str) -> str:
    """Name the hierarchy whose stages are points in the training of network `name`."""
    return f"{name} over training"


def over_training(
    steps: Sequence[tuple[str, Mapping[Stage, Closed]]], others: Sequence[tuple[str, str]], protocol: Protocol
) -> list[StageResult]:
    """Return what was measured at every point of training, as means over the stages of the network.

    Parameters
    ----------
    steps : sequence of (str, mapping of Stage to Closed)
        Name of each point, and what was measured there; the trained network last.
    others : sequence of (metric, item)
        Numbers beside information that are averaged.
    """
    found = []
    for place, (name, closed) in enumerate(steps):
        first = next(iter(closed))
        depth = place / max(len(steps) - 1, 1)
        point = Stage(name, depth, CHECKPOINT, (), first.unit, first.n_units, "flat", hierarchy_of(first.hierarchy))
        write = Writer(point, "", None)
        for metric, field in ((INFORMATION, "information"), (CONCENTRATION, "concentration")):
            parts = [getattr(one.over_units, field)[""] for one in closed.values() if _has(one, field)]
            if parts:
                mean = Drawn(
                    parts[0].names,
                    np.mean([one.value for one in parts], axis=0),
                    np.mean([one.draws for one in parts], axis=0),
                    len(parts),
                )
                said = "mean over stages; bootstrap of units"
                write.by_property(metric, mean.estimates(level=protocol.level, seed=protocol.seed, method=said))
        for metric, item in others:
            _mean(write, list(closed.values()), metric, item, protocol)
        found.append(write.result())
    return found


def _has(one: Closed, field: str) -> bool:
    return one.over_units is not None and "" in getattr(one.over_units, field)


def _mean(write: Writer, stages: Sequence[Closed], metric: str, item: str, protocol: Protocol) -> None:
    numbers = [one.number(metric, item=item) for one in stages]
    known = [one for one in numbers if np.isfinite(one.value)]
    if not known:
        write.failed(metric, "no stage has a value", item=item)
        return
    if all(np.isfinite([one.low, one.high]).all() for one in known):
        value, low, high = ([getattr(one, name) for one in known] for name in ("value", "low", "high"))
        found, _ = from_intervals(
            value,
            low,
            high,
            lambda rows: rows.mean(axis=-1),
            level=protocol.level,
            seed=protocol.seed,
            vectorized=True,
        )
    else:
        found = Estimate(float(np.mean([one.value for one in known])), np.nan, np.nan, len(known))
    write.number(metric, found, item=item)
