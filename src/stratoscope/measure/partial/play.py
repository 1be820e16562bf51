"""Play shards: one pass over their stimuli, each shard handed over as soon as it is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import UnreadableStimulus
from stratoscope.measure.listen import Listener, make_shard_listener
from stratoscope.measure.partial.shards import Shard
from stratoscope.measure.partial.tensors import Stream
from stratoscope.measure.partial.work import Work
from stratoscope.summaries import UnitBlocks
from stratoscope.types import Integers, Loaded, PortableSummary, Responses, Stage, Stimuli


@dataclass(frozen=True)
class Finished:
    """A shard that was played.

    Attributes
    ----------
    shard : Shard
    listener : Listener
        Its summaries, whose rows count from the shard's first stimulus.
    skipped : mapping of int to str
        Rows of the set that were left out, and why.
    """

    shard: Shard
    listener: Listener
    skipped: Mapping[int, str]


def play_shards(
    work: Work,
    wanted: Sequence[Shard],
    hand_over: Callable[[Finished], None],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Play the shards `wanted` in one pass, and call `hand_over` with each as soon as all its stimuli have come.

    Parameters
    ----------
    work : Work
    wanted : sequence of Shard
    hand_over : callable
        Called with a `Finished`, in order, from inside the pass.
    progress : callable, optional
        Called with the number of stimuli done so far.
    """
    rows = np.concatenate([np.arange(shard.start, shard.stop) for shard in wanted])
    chosen = work.stimuli if len(rows) == len(work.stimuli) else work.stimuli.take(rows)
    reasons: dict[int, str] = {}
    visit = _Visit(work, wanted, rows, reasons, hand_over)

    def step(done: int) -> None:
        visit.complete(done)
        if progress is not None:
            progress(done)

    settings = work.settings
    work.source.play(
        replace(chosen, load=_remembering(chosen, reasons)),
        visit,
        batch_size=settings.batch_size,
        workers=settings.workers,
        skip_unreadable=settings.skip_unreadable,
        progress=step,
    )
    step(len(rows))


class _Visit:
    """The visit of a pass over shards: it gives every batch to the shard it belongs to."""

    def __init__(
        self,
        work: Work,
        wanted: Sequence[Shard],
        rows: Integers,
        reasons: Mapping[int, str],
        hand_over: Callable[[Finished], None],
    ) -> None:
        self.work, self.wanted, self.rows = work, wanted, rows
        self.reasons, self.hand_over = reasons, hand_over
        self._ends = np.cumsum([len(shard) for shard in wanted])
        self._seen = np.zeros(len(rows), dtype=bool)
        self._open: dict[int, Listener] = {}
        self._next = 0

    def __call__(self, stage: Stage, rows: Integers, responses: Responses) -> None:
        """Take responses to the stimuli at positions `rows` of this pass."""
        self._seen[rows] = True
        of = np.searchsorted(self._ends, rows, side="right")
        first = int(of[0]) if len(of) else 0
        if (of == first).all():  # a batch lies within one shard, unless the source makes its own
            self._listener(first)(stage, rows - self._begin(first), responses)
            return
        for one in np.unique(of):
            mine = np.flatnonzero(of == one)
            self._listener(int(one))(stage, rows[mine] - self._begin(int(one)), responses[mine])

    def complete(self, done: int) -> None:
        """Hand over the shards that lie before position `done` of this pass."""
        while self._next < len(self.wanted) and self._ends[self._next] <= done:
            at, shard = self._next, self.wanted[self._next]
            left_out = self._begin(at) + np.flatnonzero(~self._seen[self._begin(at) : self._ends[at]])
            why = {int(self.rows[i]): self.reasons.get(int(i), "It could not be read.") for i in left_out}
            listener = self._listener(at)
            del self._open[at]
            self._next += 1
            self.hand_over(Finished(shard, listener, why))

    def _begin(self, at: int) -> int:
        return int(self._ends[at]) - len(self.wanted[at])

    def _listener(self, at: int) -> Listener:
        if at not in self._open:
            work, shard = self.work, self.wanted[at]
            own = range(shard.start, shard.stop)
            self._open[at] = make_shard_listener(work.plan, len(work.stimuli), work.codes, work.asked, own, work.folder)
        return self._open[at]


def _remembering(stimuli: Stimuli, reasons: dict[int, str]) -> Callable[[int], Loaded]:
    """Return the `load` of `stimuli`, which notes why one could not be read: a shard is handed over before the pass ends."""

    def load(row: int) -> Loaded:
        try:
            return stimuli.load(row)
        except UnreadableStimulus as error:
            reasons[row] = str(error)
            raise

    return load


def arrays_of(finished: Finished, stages: Sequence[Stage]) -> dict[str, NDArray[Any] | Stream]:
    """Return all that a shard's summaries hold, by stage number, summary and name: ``3.per_unit.sums``."""
    found: dict[str, NDArray[Any] | Stream] = {}
    for index, stage in enumerate(stages):
        broken = finished.listener.broken.get(stage)
        if broken:
            found[f"{index}.broken"] = np.unique(broken)
            continue
        for name, summary in finished.listener.summaries[stage].items():
            found |= {f"{index}.{name}.{key}": values for key, values in _packed(summary).items()}
    return found


def _packed(summary: Any) -> Mapping[str, NDArray[Any] | Stream]:
    if isinstance(summary, UnitBlocks):
        spool = summary.spool
        dtype, size = spool.stored or np.dtype(np.float32), len(spool.order) * spool.n_units
        return {"rows": spool.order, "elements": Stream(dtype, (size,), spool.pieces)}
    portable: PortableSummary = summary
    return portable.pack()
