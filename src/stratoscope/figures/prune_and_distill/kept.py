"""What the figures of the study read from its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.results import Results, Row
from stratoscope.types import Floats, Integers

#: Words for each meaning of untrained.
WORDS: Mapping[str, str] = {
    "fresh": "fresh initialisation",
    "permuted": "permuted weights",
    "checkpoint": "first checkpoint",
}
ALL = "all properties"


@dataclass(frozen=True)
class Curve:
    """One quantity along the stages of one network, or of several models of one kind.

    Attributes
    ----------
    kind : str
        ``trained``, or a meaning of untrained.
    value : array (model, stage)
    low, high : array (stage,)
        Interval of a single network; range over several models.
    n : array of int (stage,)
        What a single network's number rests on; of several models, how many have a value.
    """

    kind: str
    value: Floats
    low: Floats
    high: Floats
    n: Integers

    @property
    def mean(self) -> Floats:
        """Mean over models (stage,); NaN where none has a value."""
        known = np.isfinite(self.value)
        count = known.sum(axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(known, self.value, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan))


class Kept:
    """The rows of a study, found by what they are about."""

    def __init__(self, results: Results) -> None:
        said = results.run.get("study", {})
        if said.get("name") != "prune-and-distill":
            raise BadInput("These results are of no prune-and-distill study. Give those of one, see open_study.")
        self.protocol: Mapping[str, Any] = said["protocol"]
        self.base = str(self.protocol["trained"])
        self.kinds: dict[str, str] = dict(zip(self.protocol["untrained"], self.protocol["lesions"], strict=True))
        first = next((row.hierarchy for row in results.rows if row.lesion == self.base), "")
        own = [row for row in results.rows if row.hierarchy == first]
        self.stages = tuple(dict.fromkeys(row.stage for row in own if row.lesion == self.base))
        training = [row for row in results.rows if row.hierarchy == f"{first} over training"]
        self.points = tuple(dict.fromkeys(row.stage for row in training))
        self._rows: dict[tuple[str, str, str, str], list[Row]] = {}
        for row in own:
            self._rows.setdefault((row.metric, row.item, row.control, row.lesion), []).append(row)
        self._training: dict[tuple[str, str, str], Row] = {(row.metric, row.item, row.stage): row for row in training}
        self.properties = tuple(map(str, self.protocol["properties"]))

    def trained(self, metric: str, item: str = "", control: str = "") -> Curve:
        """Return a quantity of the trained network with its interval."""
        found = {row.stage: row for row in self._rows.get((metric, item, control, self.base), [])}
        parts = [
            np.array([getattr(found[stage], name) if stage in found else np.nan for stage in self.stages])
            for name in ("value", "low", "high")
        ]
        n = np.array([found[stage].n if stage in found else 0 for stage in self.stages], dtype=np.int64)
        return Curve("trained", parts[0][None], parts[1], parts[2], n)

    def untrained(self, kind: str, metric: str, item: str = "", control: str = "") -> Curve:
        """Return a quantity of the models of one meaning of untrained, with their range."""
        rows = self._rows.get((metric, item, control, self.kinds[kind]), [])
        seeds: list[int | None] = list(dict.fromkeys(row.seed for row in rows)) if kind != "checkpoint" else [None]
        values = np.full((max(len(seeds), 1), len(self.stages)), np.nan)
        for row in rows:
            values[0 if kind == "checkpoint" else seeds.index(row.seed), self.stages.index(row.stage)] = row.value
        filled = np.where(np.isfinite(values), values, np.nan)
        known = np.isfinite(filled).any(axis=0)
        low, high = np.full(len(self.stages), np.nan), np.full(len(self.stages), np.nan)
        low[known], high[known] = np.nanmin(filled[:, known], axis=0), np.nanmax(filled[:, known], axis=0)
        return Curve(kind, values, low, high, np.isfinite(values).sum(axis=0))

    def curves(self, metric: str, item: str = "", control: str = "") -> list[Curve]:
        """Return the trained network and every meaning of untrained that there is."""
        found = [self.trained(metric, item, control)]
        return [*found, *(self.untrained(kind, metric, item, control) for kind in self.kinds)]

    def along_training(self, metric: str, item: str = "") -> tuple[Floats, Floats, Floats]:
        """Return value and ends of a quantity at every point of training (point,)."""
        rows = [self._training.get((metric, item, point)) for point in self.points]
        parts = [
            np.array([np.nan if row is None else getattr(row, name) for row in rows])
            for name in ("value", "low", "high")
        ]
        return parts[0], parts[1], parts[2]
