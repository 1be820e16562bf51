"""A run whose parts are put away as they are done, so that it can be broken off at any moment and taken up again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.measure.listen import give_back
from stratoscope.measure.partial.folder import discard, done, on_disk, opened, skipped
from stratoscope.measure.partial.play import Finished, arrays_of, play_shards
from stratoscope.measure.partial.shards import Shard
from stratoscope.measure.partial.store import read_stage, summaries_of, write_shard, write_stage
from stratoscope.measure.partial.work import Work
from stratoscope.measure.progress import bar
from stratoscope.results import StageResult
from stratoscope.types import Played


class Workers(Protocol):
    """Who does the work: this process, or others."""

    def play(self, work: Work, wanted: list[Shard], step: Any) -> None:
        """Play the shards `wanted` and put them away, calling `step` with the number of stimuli done."""

    def close(self, work: Work, wanted: list[int], n: int, step: Any) -> None:
        """Close the stages of the numbers `wanted` and put them away, calling `step` with the number done."""


@dataclass(frozen=True)
class Kept:
    """What a run came to, and what to do when its results are safe."""

    closed: list[StageResult]
    grams: dict[Any, Any]
    played: Played
    remarks: list[str] = field(default_factory=list)


@contextmanager
def kept_run(work: Work, workers: Workers, *, resume: bool, leave: bool) -> Iterator[Kept]:
    """Do everything of `work` that is not done yet; the folder goes when the context ends well, unless it is to stay.

    Raises
    ------
    ResultsError
        The folder belongs to another run, or the disk refuses; what is done stays there.
    """
    work.plan  # noqa: B018 - a budget that is too small is said before anything is made
    with opened(work, resume=resume) as notes:
        _say(work, "Going on with")
        try:
            _play(work, workers)
            closed = _closed(work, workers, notes)
        except BaseException:
            _say(work, "Broken off. The same command goes on with")
            raise
        yield closed
        if not leave:
            discard(work.folder)


def _play(work: Work, workers: Workers) -> None:
    there = done(work)
    wanted = [shard for shard in work.shards if shard not in there]
    if not wanted:
        return
    before = sum(map(len, there))
    with bar(len(work.stimuli), work.source.name, "stimuli", show=work.settings.progress, done=before) as step:
        workers.play(work, wanted, lambda n: step(before + n))


def _closed(work: Work, workers: Workers, notes: list[str]) -> Kept:
    left_out = skipped(work)
    _check_left_out(work, left_out)
    played = Played(len(work.stimuli) - len(left_out), left_out)
    wanted = [index for index in range(len(work.stages)) if not work.path_of_stage(index).is_file()]
    before = len(work.stages) - len(wanted)
    with bar(len(work.stages), work.source.name, "stages", show=work.settings.progress, done=before) as step:
        workers.close(work, wanted, played.n, lambda n: step(before + n))
    read = [read_stage(work.path_of_stage(index), stage) for index, stage in enumerate(work.stages)]
    grams = {stage: gram for stage, (_, gram) in zip(work.stages, read, strict=True) if gram is not None}
    return Kept([result for result, _ in read], grams, played, notes)


def _check_left_out(work: Work, left_out: tuple[tuple[int, str], ...]) -> None:
    if len(left_out) == len(work.stimuli):
        raise BadInput("Not one stimulus could be read, so there is nothing to measure.")
    if left_out and not work.settings.skip_unreadable:
        raise UnreadableStimulus(
            f"{left_out[0][1]} The run was begun with leave to skip such stimuli, and {len(left_out)} were left out. Give "
            "that leave again (--skip-unreadable), or mend them and begin anew (--restart)."
        )


def _say(work: Work, what: str) -> None:
    shards = len(done(work))
    stages = sum(work.path_of_stage(index).is_file() for index in range(len(work.stages)))
    if work.settings.progress and shards + stages:
        tqdm.write(
            f"{what} {work.folder}: {shards} of {len(work.shards)} shards and {stages} of {len(work.stages)} stages "
            "are done.",
            file=sys.stderr,
        )


class Here:
    """The process itself as the one who works."""

    def play(self, work: Work, wanted: list[Shard], step: Any) -> None:
        """Play the shards `wanted` in one pass."""

        def put_away(finished: Finished) -> None:
            put_shard_away(work, finished)

        play_shards(work, wanted, put_away, step)

    def close(self, work: Work, wanted: list[int], n: int, step: Any) -> None:
        """Close one stage after the other."""
        for count, index in enumerate(wanted, start=1):
            close_and_put_away(work, index, n)
            step(count)


def put_shard_away(work: Work, finished: Finished) -> Path:
    """Write a shard that was played to its file, and give back what it held."""
    path = work.path_of(finished.shard)
    arrays = arrays_of(finished, work.stages)
    on_disk(work, lambda: write_shard(path, arrays, finished.skipped))
    for stage in work.stages:
        give_back(finished.listener.release(stage))
    return path


def close_and_put_away(work: Work, index: int, n: int) -> Path:
    """Close stage number `index` from the shards, all of which must be there, and write what it came to."""
    stage, path = work.stages[index], work.path_of_stage(index)
    with summaries_of(work, stage) as (kept, broken):
        result, gram = work.closing(n).close(stage, kept, broken)
        on_disk(work, lambda: write_stage(path, result, gram))
    return path
