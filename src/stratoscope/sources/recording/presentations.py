"""The table of presentations: which stimulus was on when, in which trial of which session."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.sources.recording.checks import more, seconds_column, text_column, whole_column
from stratoscope.types import Floats, Integers

#: Session of presentations whose rows stand for several sessions.
ALIGNED = "aligned"


@dataclass(frozen=True)
class Presentations:
    """One row for each time a stimulus was shown.

    Attributes
    ----------
    stimulus : array (presentation,) of str
        Id of the stimulus.
    onset, offset : array (presentation,), optional
        When it went on and off, in seconds of the clock of its session. None where only counts are known.
    trial : array (presentation,) of int
        Which repeat of the stimulus in its session this is, from 0; counted in the order of the rows by default. A
        repeat that is missing has no row.
    session : array (presentation,) of str
        Session of the presentation; one text stands for all rows.

    Raises
    ------
    BadInput
        No row, an empty stimulus, one trial twice, times that are not finite, an offset not after its onset.

    Examples
    --------
    >>> Presentations(["cat", "dog", "cat"]).trial.tolist()
    [0, 0, 1]
    """

    stimulus: NDArray[Any]
    onset: Floats | None = None
    offset: Floats | None = None
    trial: Integers | None = None
    session: NDArray[Any] = field(default_factory=lambda: np.array(""))

    def __post_init__(self) -> None:
        n = len(self.stimulus)
        stimulus = text_column(list(self.stimulus), n, "presentations", "stimulus")
        _check_stimuli(stimulus)
        object.__setattr__(self, "stimulus", stimulus)
        object.__setattr__(self, "session", text_column(self.session, n, "presentations", "session"))
        object.__setattr__(self, "trial", _trials(self.trial, self.session, stimulus))
        if (self.onset is None) != (self.offset is None):
            raise BadInput("Presentations have onsets and offsets, or neither. Give both columns, in seconds.")
        if self.onset is not None:
            object.__setattr__(self, "onset", seconds_column(self.onset, n, "presentations", "onset"))
            object.__setattr__(self, "offset", seconds_column(self.offset, n, "presentations", "offset"))
            _check_order(self.onset, self.offset)

    def __len__(self) -> int:
        return len(self.stimulus)

    @cached_property
    def stimuli(self) -> tuple[str, ...]:
        """Ids of the stimuli, in the order in which they first occur."""
        return tuple(dict.fromkeys(self.stimulus.tolist()))

    @cached_property
    def codes(self) -> Integers:
        """Position in `stimuli` of the stimulus of every presentation."""
        place = {id_: code for code, id_ in enumerate(self.stimuli)}
        return np.array([place[id_] for id_ in self.stimulus.tolist()], dtype=np.int64)

    def aligned(self) -> tuple[Presentations, Integers]:
        """Give the repeats with one number of a stimulus, in all sessions, one row.

        Returns
        -------
        Presentations
            Of one session, without times: stimuli in order, their repeats one after another.
        array (presentation,)
            Row in that table of every presentation here.
        """
        trial = np.asarray(self.trial)
        keys = self.codes * (trial.max() - trial.min() + 1) + (trial - trial.min())
        _, first, rows = np.unique(keys, return_index=True, return_inverse=True)
        return Presentations(self.stimulus[first], trial=trial[first], session=np.array(ALIGNED)), rows

    def take(self, rows: Any) -> Presentations:
        """Return the table restricted to `rows` (positions, or true for those kept), in that order."""
        times = [None if column is None else column[rows] for column in (self.onset, self.offset, self.trial)]
        return Presentations(self.stimulus[rows], times[0], times[1], times[2], self.session[rows])


def _check_stimuli(stimulus: NDArray[Any]) -> None:
    if not len(stimulus):
        raise BadInput("The table of presentations has no row. A recording needs at least one presentation.")
    empty = np.flatnonzero(stimulus == "")
    if len(empty):
        raise BadInput(
            f"Row {empty[0]} of the table of presentations names no stimulus{more(empty)}. Give the id of the stimulus "
            "that was shown, or leave blank screens out."
        )


def _trials(trial: Any, session: NDArray[Any], stimulus: NDArray[Any]) -> Integers:
    """Number the repeats of each stimulus within its session, or check the numbers given."""
    shown = list(zip(session.tolist(), stimulus.tolist(), strict=True))
    if trial is None:
        seen: Counter[tuple[str, str]] = Counter()
        numbers = []
        for pair in shown:
            numbers.append(seen[pair])
            seen[pair] += 1
        return np.array(numbers, dtype=np.int64)
    given = whole_column(trial, len(stimulus), "presentations", "trial")
    first: dict[Any, int] = {}
    for row, key in enumerate(zip(shown, given.tolist(), strict=True)):
        if first.setdefault(key, row) != row:
            raise BadInput(
                f"Rows {first[key]} and {row} of the table of presentations are both trial {key[1]} of stimulus "
                f"{key[0][1]!r}. Number the repeats of each stimulus within its session, or leave the numbers out."
            )
    return given


def _check_order(onset: Floats, offset: Floats | None) -> None:
    wrong = np.flatnonzero(np.asarray(offset) <= onset)
    if len(wrong):
        row = wrong[0]
        raise BadInput(
            f"Row {row} of the table of presentations ends at {np.asarray(offset)[row]:g} s and begins at {onset[row]:g} s"
            f"{more(wrong)}. A presentation ends after it began."
        )
