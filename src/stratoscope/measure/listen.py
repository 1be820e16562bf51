"""Hear a source out: feed every batch of responses to the summaries that the metrics read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.measure.budget import spool_allowance
from stratoscope.measure.request import Asked, neighbours_needed
from stratoscope.summaries import Categories, Gram, PerStimulus, PerUnit
from stratoscope.types import Integers, Responses, Stage, Stimuli, Summary

_FLOAT = 8
_PER_UNIT_FIELDS = 10
_PER_STIMULUS_FIELDS = 12


@dataclass(frozen=True)
class Plan:
    """What is kept at every stage, and how much memory that takes.

    Attributes
    ----------
    needs : mapping of Stage to tuple of str
        Names of the summaries to keep.
    resident : int
        Bytes of the summaries that live through the pass, spools left aside.
    spools : mapping of Stage to int
        Bytes of the responses that the pair metrics read, stage by stage.
    spool_memory : int
        Bytes of spools that may stay in memory; the rest goes to files.
    n_neighbours : int
        Nearest neighbours kept of every stimulus.
    """

    needs: Mapping[Stage, tuple[str, ...]]
    resident: int
    spools: Mapping[Stage, int]
    spool_memory: int
    n_neighbours: int


def plan(stages: Sequence[Stage], asked: Sequence[Asked], n_stimuli: int, n_categories: int, budget: int) -> Plan:
    """Plan the summaries of a run within `budget` bytes; raises `BudgetTooSmall` when they do not fit."""
    needs = {stage: tuple(sorted({one.metric.needs for one in asked if one.reads(stage)})) for stage in stages}
    size = {
        "per_stimulus": lambda stage: n_stimuli * _PER_STIMULUS_FIELDS * _FLOAT,
        "per_unit": lambda stage: stage.n_units * _PER_UNIT_FIELDS * _FLOAT,
        "categories": lambda stage: n_categories * stage.n_units * _FLOAT,
        "gram": lambda stage: 0,
    }
    resident = sum(size[name](stage) for stage, names in needs.items() for name in names)
    spools = {stage: 4 * n_stimuli * stage.n_units for stage, names in needs.items() if "gram" in names}
    k = min(neighbours_needed(asked), n_stimuli - 1)
    closing = (3 * n_stimuli**2 + 2 * n_stimuli * k) * _FLOAT if spools else 0
    return Plan(needs, resident, spools, spool_allowance(budget, resident, closing), k)


@dataclass
class Listener:
    """The visit of a run: one set of summaries a stage, and the stimuli whose responses are not finite.

    Attributes
    ----------
    summaries : dict of Stage to dict of str to Summary
    broken : dict of Stage to list of int
        Rows with NaN or infinite responses; such a stage keeps no numbers.
    """

    summaries: dict[Stage, dict[str, Summary]]
    broken: dict[Stage, list[int]] = field(default_factory=dict)

    def __call__(self, stage: Stage, rows: Integers, responses: Responses) -> None:
        """Feed one batch to the summaries of `stage`, unless it holds a NaN or an infinity."""
        bad = _rows_not_finite(responses)
        if len(bad):
            self.broken.setdefault(stage, []).extend(int(rows[i]) for i in bad)
        if stage not in self.broken:
            for summary in self.summaries[stage].values():
                summary.update(rows, responses)

    def release(self, stage: Stage) -> dict[str, Summary]:
        """Hand over the summaries of `stage`, so that their memory goes when they are closed."""
        return self.summaries.pop(stage)


def make_listener(
    stages: Sequence[Stage], stimuli: Stimuli, asked: Sequence[Asked], budget: int, folder: Path
) -> Listener:
    """Plan the run within `budget` bytes and make its empty summaries; spools that do not fit go to `folder`."""
    codes = category_codes(stimuli)
    planned = plan(stages, asked, len(stimuli), len(codes[1]) if codes else 0, budget)
    left = planned.spool_memory
    summaries: dict[Stage, dict[str, Summary]] = {}
    for stage, names in planned.needs.items():
        in_memory = planned.spools.get(stage, 0) <= left
        left -= planned.spools.get(stage, 0) if in_memory else 0
        make: dict[str, Callable[[], Summary]] = {
            "per_stimulus": lambda: PerStimulus(len(stimuli)),
            "per_unit": lambda stage=stage: PerUnit(stage.n_units),
            "categories": lambda stage=stage: Categories(*codes, stage.n_units),
            "gram": lambda stage=stage, limit=planned.spools.get(stage, 0) if in_memory else 0: Gram(
                len(stimuli),
                stage.n_units,
                k=planned.n_neighbours,
                duplicates="merge",
                memory_limit=limit,
                folder=folder,
            ),
        }
        summaries[stage] = {name: make[name]() for name in names}
    return Listener(summaries)


def give_back(summaries: Mapping[str, Summary]) -> None:
    """Give back the memory and files of the summaries of a stage that is closed."""
    for summary in summaries.values():
        if isinstance(summary, Gram):
            summary.close()


def category_codes(stimuli: Stimuli) -> tuple[Integers, list[str]] | None:
    """Return the code of every stimulus's category and the names, in natural order; None without categories."""
    if stimuli.categories is None:
        return None
    names, codes = np.unique(np.asarray(stimuli.categories).astype(str), return_inverse=True)
    return codes.astype(np.int64), [str(name) for name in names]


def _rows_not_finite(responses: Any) -> Integers:
    # A finite sum proves that every term is finite, and costs one read; only a suspect batch is looked at closely.
    if np.isfinite(float(responses.sum())):
        return np.empty(0, dtype=np.int64)
    values = np.asarray(responses.cpu() if hasattr(responses, "cpu") else responses)
    return np.flatnonzero(~np.isfinite(values).all(axis=1)).astype(np.int64)
