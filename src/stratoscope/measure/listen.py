"""Hear a source out: feed every batch of responses to the summaries that the metrics read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.measure.budget import spool_allowance
from stratoscope.measure.not_finite import rows_not_finite
from stratoscope.measure.request import Asked, bytes_of_groups, neighbours_measured, neighbours_needed
from stratoscope.metrics.indices import FIELDS
from stratoscope.summaries import Categories, Gram, JoinedSpool, PerStimulus, PerUnit, Spool, UnitBlocks
from stratoscope.summaries.formats import bytes_of
from stratoscope.summaries.spool import panel_width
from stratoscope.types import Integers, Responses, Stage, Stimuli, Summary

_FLOAT, _SINGLE = 8, 4
_SUMMARIES = ("categories", "gram", "per_stimulus", "per_unit", "spool")
#: Panels of a spool that are held while it is read: one that is worked on, one that is read ahead, what is made of them.
_PANELS = 4
#: Summaries that keep responses until all have come; of one stage they share them.
_KEEP_RESPONSES = frozenset({"gram", "spool"})


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
        Bytes of the responses that are kept until all have come, stage by stage.
    spool_memory : int
        Bytes of spools that may stay in memory; the rest goes to files.
    n_neighbours : int
        Nearest neighbours kept of every stimulus.
    exact : int, optional
        How many of them estimates read; those beyond are read by intervals alone. None is all.
    spool : str, optional
        Format that responses are kept in; None keeps them as they come.
    grams_in_files : bool
        Whether Gram matrices wait in files until stages are compared, as memory does not hold those of all stages.
    """

    needs: Mapping[Stage, tuple[str, ...]]
    resident: int
    spools: Mapping[Stage, int]
    spool_memory: int
    n_neighbours: int
    exact: int | None = None
    spool: str | None = None
    grams_in_files: bool = False


def plan(
    stages: Sequence[Stage],
    asked: Sequence[Asked],
    n_stimuli: int,
    n_categories: int,
    budget: int,
    spool: str | None = None,
) -> Plan:
    """Plan the summaries of a run within `budget` bytes; raises `BudgetTooSmall` when they do not fit."""
    needs = {stage: tuple(sorted({one.metric.needs for one in asked if one.reads(stage)})) for stage in stages}
    resident = sum(
        _resident(name, stage.n_units, n_stimuli, n_categories) for stage, names in needs.items() for name in names
    )
    grams = sum("gram" in names for names in needs.values()) * _FLOAT * n_stimuli**2
    compared = grams if any(one.between_stages for one in asked) else 0
    groups = [bytes_of_groups(asked, stage, n_stimuli) for stage in stages]
    resident += sum(kept for kept, _ in groups)
    size = bytes_of(spool) * n_stimuli
    spools = {stage: size * stage.n_units for stage, names in needs.items() if _KEEP_RESPONSES & {*names}}
    k = min(neighbours_needed(asked), n_stimuli - 1)
    closing = (3 * n_stimuli**2 + 2 * n_stimuli * k) * _FLOAT if any("gram" in names for names in needs.values()) else 0
    widest = max((panel_width(n_stimuli, stage.n_units) for stage in spools), default=0)
    closing += _PANELS * widest * n_stimuli * _SINGLE
    closing += max((summing for _, summing in groups), default=0)
    in_files = resident + compared + closing > budget and compared > 0
    resident += 0 if in_files else compared
    memory = spool_allowance(budget, resident, closing)
    return Plan(needs, resident, spools, memory, k, neighbours_measured(asked), spool, in_files)


def _resident(name: str, n_units: int, n_stimuli: int, n_categories: int) -> int:
    """Bytes of a summary that live through the pass; a spool is counted apart."""
    floats = {"per_stimulus": 12 * n_stimuli, "per_unit": 10 * n_units, "categories": n_categories * n_units}
    return _FLOAT * floats.get(name, 0)


@dataclass
class Listener:
    """The visit of a run: one set of summaries a stage, and the stimuli whose responses are not finite.

    Attributes
    ----------
    summaries : dict of Stage to dict of str to Summary
    broken : dict of Stage to list of int
        Rows with NaN or infinite responses; such a stage keeps no numbers.
    grams_in_files : bool
        As in `Plan`.
    """

    summaries: dict[Stage, dict[str, Summary]]
    broken: dict[Stage, list[int]] = field(default_factory=dict)
    grams_in_files: bool = False

    def __call__(self, stage: Stage, rows: Integers, responses: Responses) -> None:
        """Feed one batch to the summaries of `stage`, unless it holds a NaN or an infinity."""
        bad = rows_not_finite(responses)
        if len(bad):
            self.broken.setdefault(stage, []).extend(int(rows[i]) for i in bad)
        if stage not in self.broken:
            for summary in self.summaries[stage].values():
                summary.update(rows, responses)

    def release(self, stage: Stage) -> dict[str, Summary]:
        """Hand over the summaries of `stage`, so that their memory goes when they are closed."""
        return self.summaries.pop(stage)


def make_listener(
    stages: Sequence[Stage],
    stimuli: Stimuli,
    asked: Sequence[Asked],
    budget: int,
    folder: Path,
    spool: str | None = None,
) -> Listener:
    """Plan the run within `budget` bytes and make its empty summaries; spools that do not fit go to `folder`."""
    codes = category_codes(stimuli)
    planned = plan(stages, asked, len(stimuli), len(codes[1]) if codes else 0, budget, spool)
    left, sums = planned.spool_memory, _sums_read(asked)
    summaries: dict[Stage, dict[str, Summary]] = {}
    for stage, names in planned.needs.items():
        size = planned.spools.get(stage, 0)
        in_memory = size <= left
        left -= size if in_memory else 0
        keep: dict[str, Any] = {"memory_limit": size if in_memory else 0, "folder": folder, "dtype": spool}
        gram = partial(Gram, k=planned.n_neighbours, exact=planned.exact, duplicates="merge", **keep)
        streams = {name: _summary(name, stage, len(stimuli), codes, sums, gram) for name in names if name != "spool"}
        summaries[stage] = streams | (_unit_blocks(stage, len(stimuli), streams, keep) if "spool" in names else {})
    return Listener(summaries, grams_in_files=planned.grams_in_files)


def make_shard_listener(
    planned: Plan,
    n_stimuli: int,
    codes: tuple[Integers, list[str]] | None,
    asked: Sequence[Asked],
    shard: range,
    folder: Path,
) -> Listener:
    """Make the empty summaries of one shard of `n_stimuli`, whose rows count from the shard's first stimulus.

    Responses that are kept until all have come are one summary, ``responses``, whoever reads them later; they lie in
    panels of the same width in every shard.
    """
    sums = _sums_read(asked)
    own = None if codes is None else (codes[0][shard.start : shard.stop], codes[1])
    size = sum(planned.spools.values()) * len(shard) // n_stimuli
    in_memory = size <= planned.spool_memory
    keep: dict[str, Any] = {"memory_limit": None if in_memory else 0, "folder": folder, "dtype": planned.spool}
    summaries: dict[Stage, dict[str, Summary]] = {}
    for stage, names in planned.needs.items():
        streams = {name: _summary(name, stage, len(shard), own, sums) for name in names if name not in _KEEP_RESPONSES}
        if _KEEP_RESPONSES & {*names}:
            width = panel_width(n_stimuli, stage.n_units)
            streams["responses"] = UnitBlocks(Spool(len(shard), stage.n_units, panel_units=width, **keep))
        summaries[stage] = streams
    return Listener(summaries)


def make_stage_summaries(
    planned: Plan,
    stage: Stage,
    n_stimuli: int,
    codes: tuple[Integers, list[str]] | None,
    asked: Sequence[Asked],
    responses: JoinedSpool | None,
) -> dict[str, Summary]:
    """Make the summaries of one stage over all stimuli, empty but for the `responses` that were put away."""
    sums, names = _sums_read(asked), planned.needs[stage]
    summaries = {name: _summary(name, stage, n_stimuli, codes, sums) for name in names if name not in _KEEP_RESPONSES}
    if "gram" in names:
        k, exact = planned.n_neighbours, planned.exact
        summaries["gram"] = Gram(n_stimuli, stage.n_units, k=k, exact=exact, duplicates="merge", spool=responses)
    if "spool" in names and responses is not None:
        summaries["spool"] = UnitBlocks(responses, filled_elsewhere=True)
    return summaries


def _unit_blocks(
    stage: Stage, n_stimuli: int, others: Mapping[str, Summary], keep: Mapping[str, Any]
) -> dict[str, Summary]:
    """Make the summary that reads responses in blocks of units, from the spool of a Gram matrix where there is one."""
    gram = others.get("gram")
    if isinstance(gram, Gram):
        return {"spool": UnitBlocks(gram.spool, filled_elsewhere=True)}
    return {"spool": UnitBlocks(Spool(n_stimuli, stage.n_units, **keep))}


def _sums_read(asked: Sequence[Asked]) -> frozenset[str]:
    """Name the power sums that the sparseness indices in `asked` read; third and fourth powers cost a third more."""
    indices = {str(one.options.get("index", "treves-rolls")) for one in asked}
    return frozenset(field for index in indices for field in FIELDS.get(index, ()))


def _summary(
    name: str,
    stage: Stage,
    n_stimuli: int,
    codes: tuple[Integers, list[str]] | None,
    sums: frozenset[str],
    gram: Callable[..., Gram] | None = None,
) -> Summary:
    if name == "per_stimulus":
        return PerStimulus(n_stimuli, fields=("mean", "m2", "active", *sorted(sums & {"l1", "m4", "gini"})))
    if name == "per_unit":
        return PerUnit(stage.n_units, order=4 if "m4" in sums else 2)
    if name == "categories" and codes is not None:
        return Categories(codes[0], codes[1], stage.n_units)
    if name == "gram" and gram is not None:
        return gram(n_stimuli, stage.n_units)
    raise BadInput(f"A metric needs the summary {name!r}, which there is not. There are {', '.join(_SUMMARIES)}.")


def give_back(summaries: Mapping[str, Summary]) -> None:
    """Give back the memory and files of the summaries of a stage that is closed."""
    for summary in summaries.values():
        if isinstance(summary, Gram | UnitBlocks):
            summary.close()


def category_codes(stimuli: Stimuli) -> tuple[Integers, list[str]] | None:
    """Return the code of every stimulus's category and the names, in natural order; None without categories."""
    if stimuli.categories is None:
        return None
    names, codes = np.unique(np.asarray(stimuli.categories).astype(str), return_inverse=True)
    return codes.astype(np.int64), [str(name) for name in names]
