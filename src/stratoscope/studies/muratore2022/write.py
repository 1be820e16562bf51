"""Everything of one stage of one model, written down as arrays and rows while it is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.results import Row, StageResult, Values, estimate_arrays
from stratoscope.types import Estimate, Stage


class Writer:
    """Collects the arrays and rows of one stage.

    Parameters
    ----------
    stage : Stage
    lesion : str
        What was done to the model, empty for the trained one.
    seed : int or None
        Seed of a random model; it tells the rows of its repeats apart.
    """

    def __init__(self, stage: Stage, lesion: str, seed: int | None) -> None:
        self.stage, self.lesion, self.seed = stage, "" if lesion == "intact" else lesion, seed
        self.arrays: dict[str, Values] = {}
        self.rows: list[Row] = []

    def number(self, metric: str, value: Estimate, *, item: str = "", control: str = "") -> None:
        """Write one number with its interval."""
        seed = value.seed if self.seed is None else self.seed
        numbers = float(value.value), float(value.low), float(value.high)
        dropped = ", ".join(f"{count} {what} dropped" for what, count in value.dropped.items() if count)
        note = "; ".join(part for part in (value.note, dropped) if part)
        self.rows.append(
            Row.of(
                self.stage,
                metric,
                *numbers,
                n=value.n,
                item=item,
                lesion=self.lesion,
                control=control,
                seed=seed,
                note=note,
            )
        )

    def failed(self, metric: str, note: str, *, item: str = "", control: str = "") -> None:
        """Write that a number could not be had, and why."""
        self.number(metric, Estimate(np.nan, np.nan, np.nan, 0, note=note), item=item, control=control)

    def array(self, name: str, data: NDArray[Any], *dims: str, unit: str = "") -> None:
        """Keep an array of the stage."""
        self.arrays[name] = Values(np.asarray(data), dims, {"unit": unit} if unit else {})

    def estimate(self, metric: str, value: Estimate, along: tuple[str, Sequence[object]] | None = None) -> None:
        """Write an estimate: one number, or one for each label of the dimension `along`."""
        self.arrays.update(estimate_arrays(metric, (along[0],) if along else (), value))
        if along is None:
            self.number(metric, value)
            return
        for place, label in enumerate(along[1]):
            ends = (float(np.asarray(part)[place]) for part in (value.value, value.low, value.high))
            number, low, high = ends
            n = int(np.asarray(value.n).reshape(-1)[min(place, np.size(value.n) - 1)])
            one = replace(value, value=number, low=low, high=high, n=n, scale=None)
            self.number(metric, one, item=f"{along[0]}={label}")

    def by_property(self, metric: str, estimates: Mapping[str, Estimate], *, control: str = "", note: str = "") -> None:
        """Write one number for each property, and for all together."""
        for name, value in estimates.items():
            said = "; ".join(part for part in (value.note, note) if part)
            self.number(metric, replace(value, note=said), item=name, control=control)

    def result(self) -> StageResult:
        """Return the stage's share of the results."""
        return StageResult(self.stage, self.arrays, tuple(self.rows))
