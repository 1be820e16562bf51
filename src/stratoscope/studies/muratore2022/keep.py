"""What is kept of one pass: sampled units one by one, and the pair geometry of all units on some of the stimuli."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BudgetTooSmall, StratoscopeError
from stratoscope.measure.budget import readable, spool_allowance
from stratoscope.measure.record import Settings
from stratoscope.studies.hear import KeptResponses, play_to, why_broken
from stratoscope.summaries import Gram
from stratoscope.types import Integers, Played, Responses, Source, Stage, Stimuli, Summary

#: Neighbours kept of every stimulus; they serve `gride` up to n1 = 64.
NEIGHBOURS = 129
_FLOAT = 8


class OfRows:
    """Hands a summary only the stimuli `rows`, as positions in `rows`, which are ascending."""

    def __init__(self, summary: Summary, rows: Integers, n_stimuli: int) -> None:
        self.summary = summary
        self._place = np.full(n_stimuli, -1, dtype=np.int64)
        self._place[rows] = np.arange(len(rows))

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        places = self._place[rows]
        kept = np.flatnonzero(places >= 0)
        if len(kept):
            self.summary.update(places[kept], responses if len(kept) == len(rows) else responses[kept])

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        assert isinstance(other, OfRows)
        self.summary.merge(other.summary)

    def state(self) -> dict[str, Any]:
        """Return what the summary kept."""
        return self.summary.state()


@dataclass(frozen=True)
class Kept:
    """What is kept of one stage.

    Attributes
    ----------
    responses : array (stimulus, kept unit)
        Of the sampled units, float32.
    seen : array (stimulus,)
        Which stimuli were played.
    gram : mapping
        State of the Gram summary of all units, over the stimuli of the dimension.
    broken : str
        Why there is nothing, or empty.
    """

    responses: NDArray[np.float32]
    seen: NDArray[np.bool_]
    gram: Mapping[str, Any]
    broken: str = ""


@dataclass(frozen=True)
class Pass:
    """One pass of one source."""

    said: Mapping[str, Any]
    kept: Mapping[Stage, Kept]
    played: Played


def room_for(
    stages: Sequence[Stage], units: Mapping[str, Integers], n_stimuli: int, n_dimension: int, budget: int, held: int = 0
) -> int:
    """Return the bytes of `budget` that the pass leaves for the spools of the pair geometry; raises `BudgetTooSmall`.

    `held` are bytes that the study holds besides.
    """
    resident = held + sum(4 * n_stimuli * len(units[stage.name]) for stage in stages)
    k = min(NEIGHBOURS, n_dimension - 1)
    closing = (3 * n_dimension**2 + 2 * n_dimension * k) * _FLOAT + 6 * n_stimuli * _FLOAT * max(
        map(len, units.values())
    )
    if resident + closing > budget:
        raise BudgetTooSmall(
            f"The study needs at least {readable(resident + closing)} for sampled units and pairs of stimuli, but the budget is "
            f"{readable(budget)}. Give --budget {readable(resident + closing).replace(' ', '')} or more, sample fewer units, or "
            "choose fewer stages."
        )
    return spool_allowance(budget, resident, closing)


def play_once(
    source: Source,
    stimuli: Stimuli,
    units: Mapping[str, Integers],
    rows: Integers,
    *,
    room: int,
    settings: Settings,
    label: str,
) -> Pass:
    """Play every stimulus once through `source`, already prepared.

    Parameters
    ----------
    units : mapping of str to array
        Units kept of every stage, by its name.
    rows : array
        Stimuli of the pair geometry, ascending.
    room : int
        Bytes for spools; what does not fit goes to files that are gone afterwards.
    settings, label
        As in `stratoscope.studies.hear.hear`.
    """
    with tempfile.TemporaryDirectory(prefix="stratoscope-") as folder:
        summaries: dict[Stage, dict[str, Summary]] = {}
        grams: dict[Stage, Gram] = {}
        for stage in source.stages:
            size = 4 * len(rows) * stage.n_units
            k = min(NEIGHBOURS, len(rows) - 1)
            fits = size <= room
            room -= size if fits else 0
            limit = size if fits else 0
            grams[stage] = Gram(
                len(rows), stage.n_units, k=k, duplicates="merge", memory_limit=limit, folder=Path(folder)
            )
            kept = KeptResponses(len(stimuli), stage.n_units, units[stage.name])
            summaries[stage] = {"responses": kept, "gram": OfRows(grams[stage], rows, len(stimuli))}
        listener, played = play_to(summaries, source, stimuli, settings=settings, label=label)
        said = source.describe()
        broken = why_broken(listener, stimuli, said)
        states: dict[Stage, Kept] = {}
        for stage, held in summaries.items():
            states[stage] = _closed(held, broken.get(stage, ""))
            grams[stage].close()
    return Pass(said, states, played)


def _closed(held: Mapping[str, Summary], broken: str) -> Kept:
    state = held["responses"].state()
    gram: Mapping[str, Any] = {}
    if not broken:
        try:
            gram = held["gram"].state()
        except StratoscopeError as error:
            broken = str(error)
    return Kept(state["responses"], state["seen"], gram, broken)
