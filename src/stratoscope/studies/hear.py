"""One pass of one source: what is kept of every stage, and the responses of the read-out stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, BudgetTooSmall, TooFew
from stratoscope.measure.budget import readable
from stratoscope.measure.listen import Listener, category_codes
from stratoscope.measure.not_finite import why_not_finite
from stratoscope.measure.progress import bar
from stratoscope.measure.record import Settings
from stratoscope.summaries import Categories, PerUnit
from stratoscope.summaries.blocks import on_host
from stratoscope.types import Integers, Played, Responses, Source, Stage, Stimuli, Summary


@dataclass(frozen=True)
class Heard:
    """What was kept of one pass.

    Attributes
    ----------
    said : mapping
        What the source says of itself.
    states : mapping of Stage to mapping
        States of the summaries ``categories``, ``per_unit`` and, at the read-out stage, ``responses``.
    broken : mapping of Stage to str
        Why a stage has no numbers.
    played : Played
        Stimuli played and left out.
    """

    said: Mapping[str, Any]
    states: Mapping[Stage, Mapping[str, Mapping[str, Any]]]
    broken: Mapping[Stage, str]
    played: Played

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order of execution."""
        return tuple(self.states)


class KeptResponses:
    """Keeps the responses of a stage as they are, (stimulus, unit) in float32: for what needs them one by one.

    Parameters
    ----------
    n_stimuli, n_units : int
        Stimuli of the set, and units of the stage.
    units : array (kept unit,), optional
        Only these units are kept, in this order; all of them by default.
    """

    def __init__(self, n_stimuli: int, n_units: int, units: Integers | None = None) -> None:
        self._units = units
        self._kept = np.full((n_stimuli, n_units if units is None else len(units)), np.nan, dtype=np.float32)
        self._seen = np.zeros(n_stimuli, dtype=bool)

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        self._kept[rows] = on_host(responses if self._units is None else responses[:, self._units])
        self._seen[rows] = True

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        assert isinstance(other, KeptResponses)
        if (self._seen & other._seen).any():  # noqa: SLF001 - one of our own kind
            raise BadInput("Two summaries that are merged have seen the same stimulus. Give each its own stimuli.")
        rows = np.flatnonzero(other._seen)  # noqa: SLF001
        self._kept[rows] = other._kept[rows]  # noqa: SLF001
        self._seen[rows] = True

    def state(self) -> dict[str, Any]:
        """Return ``responses`` (stimulus, unit) and ``seen`` (stimulus,)."""
        return {"responses": self._kept, "seen": self._seen}


def checked_categories(stimuli: Stimuli) -> tuple[Integers, list[str]]:
    """Return code of each stimulus and names of the categories; refuses stimuli the study cannot work with."""
    codes = category_codes(stimuli)
    if codes is None:
        raise BadInput(
            f"This study compares categories, and {stimuli.name!r} has no column 'category'. "
            "Use class folders, or a CSV with that column."
        )
    if len(codes[1]) < 2:
        raise TooFew(
            f"This study needs at least 2 categories, because units are z-scored over them, but "
            f"{stimuli.name!r} has {len(codes[1])} ({', '.join(codes[1])}). Add class folders."
        )
    return codes


def checked_units(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Refuse stages read with several definitions of a unit."""
    units = list(dict.fromkeys(stage.unit for stage in stages))
    if len(units) > 1:
        raise BadInput(f"This study reads one definition of a unit, but {', '.join(units)} came. Choose one.")
    return tuple(stages)


def room(stages: Sequence[Stage], stimuli: Stimuli, kept: str, budget: int) -> int:
    """Return the bytes of `budget` that the pass leaves for stimuli; raises `BudgetTooSmall`."""
    n_categories = len(checked_categories(stimuli)[1])
    needed = sum(8 * (n_categories + 10) * stage.n_units for stage in stages)
    needed += sum(4 * len(stimuli) * stage.n_units for stage in stages if stage.name == kept)
    if needed > budget:
        raise BudgetTooSmall(
            f"The study needs at least {readable(needed)} for category means and read-out responses, but the budget is "
            f"{readable(budget)}. Give --budget {readable(needed).replace(' ', '')} or more, or choose fewer stages."
        )
    return budget - needed


def hear(source: Source, stimuli: Stimuli, *, kept: str, settings: Settings, label: str) -> Heard:
    """Play every stimulus once through `source`, already prepared, and keep what the study reads.

    Parameters
    ----------
    kept : str
        Name of the stage whose responses are kept for the read-out; empty for none.
    label : str
        What is shown beside the progress bar.
    """
    codes, names = checked_categories(stimuli)
    summaries: dict[Stage, dict[str, Summary]] = {
        stage: {"categories": Categories(codes, names, stage.n_units), "per_unit": PerUnit(stage.n_units, order=2)}
        for stage in source.stages
    }
    for stage, held in summaries.items():
        if stage.name == kept:
            held["responses"] = KeptResponses(len(stimuli), stage.n_units)
    listener, played = play_to(summaries, source, stimuli, settings=settings, label=label)
    said = source.describe()
    return Heard(
        said,
        {stage: {name: one.state() for name, one in held.items()} for stage, held in summaries.items()},
        why_broken(listener, stimuli, said),
        played,
    )


def play_to(
    summaries: dict[Stage, dict[str, Summary]], source: Source, stimuli: Stimuli, *, settings: Settings, label: str
) -> tuple[Listener, Played]:
    """Play every stimulus once through `source`, already prepared, to the `summaries` of its stages."""
    listener = Listener(summaries)
    with bar(len(stimuli), label, "stimuli", show=settings.progress) as step:
        played = source.play(
            stimuli, listener, batch_size=settings.batch_size, workers=settings.workers,
            skip_unreadable=settings.skip_unreadable, progress=step,
        )  # fmt: skip
    if played.n == 0:
        raise BadInput("Not one stimulus could be read, so there is nothing to measure.")
    return listener, played


def why_broken(listener: Listener, stimuli: Stimuli, said: Mapping[str, Any]) -> dict[Stage, str]:
    """Say of every stage with responses that are not finite why it has no numbers."""
    return {stage: why_not_finite(rows, stimuli.ids, said) for stage, rows in listener.broken.items()}


def seen_categories(state: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Say which categories (category,) had a stimulus that was played."""
    return np.asarray(state["count"]) > 0
