"""The one pass: prepare, plan memory, play every stimulus once, close every stage, and hand over results."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratoscope.errors import BadInput, ResultsError
from stratoscope.measure.areas import with_controls
from stratoscope.measure.budget import parse_bytes
from stratoscope.measure.close import compare_stages
from stratoscope.measure.closing import Closing
from stratoscope.measure.kept import Here, Workers, kept_run
from stratoscope.measure.kept_grams import in_file
from stratoscope.measure.listen import Listener, category_codes, give_back, make_listener
from stratoscope.measure.partial.folder import beside
from stratoscope.measure.partial.work import Work
from stratoscope.measure.progress import bar
from stratoscope.measure.record import Settings, record
from stratoscope.measure.request import Asked, MetricRequest, ask
from stratoscope.results import Results, StageResult, check_target
from stratoscope.stimuli import choose_examples
from stratoscope.types import Played, Source, Stimuli

if TYPE_CHECKING:
    from distributed import Client


def profile(
    source: Source,
    stimuli: Stimuli,
    *,
    metrics: Sequence[MetricRequest] | None = None,
    stages: str | Sequence[str] | None = None,
    unit: str | Sequence[str] | None = None,
    batch_size: int = 32,
    workers: int = 2,
    budget: str | float = "4GB",
    spool: str | None = None,
    seed: int = 0,
    skip_unreadable: bool = False,
    progress: bool = True,
    extrapolate: bool = False,
    out: str | Path | None = None,
    overwrite: bool = False,
    checkpoint: str | Path | None = None,
    resume: bool = True,
    client: Client | None = None,
) -> Results:
    """Measure how each stage of `source` reformats `stimuli`, in one pass.

    Parameters
    ----------
    source : Source
        A network, or responses that exist already.
    stimuli : Stimuli
        The stimuli; each is played once.
    metrics : sequence of str or (str, dict), optional
        Metrics by name, with options as ``"two_nn:fraction=0.8"`` or ``("two_nn", {"fraction": 0.8})``. By default
        sparseness, dead and constant fractions, intrinsic dimension and participation ratio.
    stages, unit : str or sequence of str, optional
        Override the source's choice of stages, and what a unit is. By default every metric reads the unit definition
        its literature uses: ``channel`` for sparseness, ``position`` for dimension.
    batch_size, workers : int
        Stimuli a batch, and threads that decode ahead of the network.
    budget : str or float
        Memory for what the run keeps, the network left aside, such as ``"2GB"``. What does not fit goes to files.
    spool : {None, "bfloat16", "float16", "float32", "float64"}
        Format that responses are kept in until all stimuli have come, for metrics of pairs of stimuli and of unit
        information: as they come (float32, as a rule), or rounded to 16 bits, which halves the room and changes these
        metrics by what ``docs/performance.md`` says.
    seed : int
        Seed of every resampling.
    skip_unreadable : bool
        Go on without stimuli that cannot be read, and list them in the results; otherwise the first one stops the run.
    progress : bool
        Show a progress bar on anything over two seconds.
    extrapolate : bool
        Of a recording with single trials: add what its dimensions become with infinitely many units, and stimuli; takes
        minutes. The other controls of areas (`stratoscope.metrics.controlled_dimension`) are always there.
    out : path, optional
        Folder to save the results in.
    overwrite : bool
        Replace a results folder that is there already.
    checkpoint : path, optional
        Folder for what is done of the run until its results are saved, so that the same call goes on where one was
        broken off; by default, with `out`, that name with ``.partial`` behind it. Without `out` it stays when the run has
        ended, and goes when the caller removes it. Kept of networks alone: responses that exist already are read again.
    resume : bool
        Go on with what is in that folder; otherwise throw it away and begin anew.
    client : distributed.Client, optional
        Cluster whose workers share the pass and the closing of stages; the results are the same. Needs the extra
        ``dask``; `open_cluster` makes one.

    Returns
    -------
    Results

    Raises
    ------
    StratoscopeError
        For wrong names, shapes, settings and budgets, all found on one stimulus before the long pass.
    ResultsError
        The results cannot be written, or what is done of a run belongs to another one, which is said.

    Examples
    --------
    >>> source = st.open_source("bundled:alexnet")  # doctest: +SKIP
    >>> st.profile(source, st.open_stimuli("objects:")).table()  # doctest: +SKIP
    """
    settings = Settings(batch_size, workers, parse_bytes(budget), seed, skip_unreadable, progress, extrapolate, spool)
    if out is not None:
        check_target(Path(out), overwrite=overwrite)
    asked, remarks = ask(
        metrics, _strings(unit), has_categories=stimuli.categories is not None, columns=stimuli.columns
    )
    prepared, asked = _prepare(source, stimuli, _strings(stages), asked)
    keep = _checkpoint(prepared, out, checkpoint)
    if keep is None and client is None:
        outcome = _at_once(prepared, stimuli, asked, settings, out)
        return _results(prepared, stimuli, asked, settings, outcome, remarks, out, overwrite=overwrite)
    with _place(keep) as folder, _workers(prepared, client) as hands:
        work = Work(prepared, stimuli, tuple(asked), settings, prepared.describe(), folder)
        return _put_away(work, hands, remarks, out, overwrite=overwrite, resume=resume)


def _put_away(
    work: Work, workers: Workers, remarks: list[str], out: str | Path | None, *, overwrite: bool, resume: bool
) -> Results:
    """Do everything so that it can be taken up again."""
    source, stimuli, asked = work.source, work.stimuli, list(work.asked)
    with kept_run(work, workers, resume=resume, leave=out is None) as kept:
        outcome = _Outcome(work.said, kept.played, kept.closed, compare_stages(work.stages, kept.grams, asked))
        remarks = [*remarks, *kept.remarks]
        return _results(source, stimuli, asked, work.settings, outcome, remarks, out, overwrite=overwrite)


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    """Yield the folder for what is done; one for the time of the run where none was named."""
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="stratoscope-") as folder:
        yield Path(folder)


@contextmanager
def _workers(source: Source, client: Client | None) -> Iterator[Workers]:
    """Yield who does the work: this process, or the workers of `client`."""
    if client is None:
        yield Here()
        return
    if not hasattr(source, "select"):
        raise BadInput(
            f"{source.name!r} holds responses that exist already, and a cluster shares the work of playing a network. "
            "Leave client (--cluster) out: one process reads responses as fast as the disk gives them."
        )
    from stratoscope.measure.on_dask import OnDask, checked_client

    with OnDask(checked_client(client)) as workers:
        yield workers


@dataclass(frozen=True)
class _Outcome:
    """What a run came to: what the source says of itself, who was played, the stages, and what compares them."""

    said: Mapping[str, Any]
    played: Played
    closed: list[StageResult]
    compared: tuple[dict[str, Any], list[str]]


def _at_once(
    source: Source, stimuli: Stimuli, asked: list[Asked], settings: Settings, out: str | Path | None
) -> _Outcome:
    """Do everything in one go and put nothing away."""
    with _spool_folder(out) as folder, ThreadPoolExecutor(1) as aside:
        describing = aside.submit(source.describe)  # hashing the weights takes as long as a few batches
        listener = make_listener(source.stages, stimuli, asked, settings.budget, folder, settings.spool)
        played = _play(source, stimuli, listener, settings)
        said = describing.result()
        closing = Closing.of(source.stages, stimuli, asked, said, settings.seed, played.n)
        return _Outcome(said, played, *_close(source, listener, closing, settings, folder))


def _results(
    source: Source,
    stimuli: Stimuli,
    asked: list[Asked],
    settings: Settings,
    outcome: _Outcome,
    remarks: list[str],
    out: str | Path | None,
    *,
    overwrite: bool,
) -> Results:
    cross, refused = outcome.compared
    skipped = {row for row, _ in outcome.played.skipped}
    ids = [one for row, one in enumerate(stimuli.ids) if row not in skipped]
    closed, further, missing = with_controls(source, outcome.closed, asked, ids, settings)
    results = Results.build(
        record(outcome.said, source.stages, stimuli, asked, outcome.played, settings),
        closed,
        _coordinates(stimuli, asked),
        cross,
        columns=stimuli.columns,
        metrics=[*(one.metric for one in asked), *further],
        remarks=[*stimuli.notes, *remarks, *refused, *missing],
        skipped=[(stimuli.ids[row], why) for row, why in outcome.played.skipped],
        examples=choose_examples(stimuli, [row for row, _ in outcome.played.skipped]),
    )
    if out is not None:
        results.save(Path(out), overwrite=overwrite)
    return results


def _checkpoint(source: Source, out: str | Path | None, asked: str | Path | None) -> Path | None:
    """Return where what is done is kept; None where nothing is, as of responses that exist already."""
    if not hasattr(source, "select") or (out is None and asked is None):
        return None
    if asked is not None:
        return Path(asked).expanduser().absolute()
    target = Path(str(out)).expanduser().absolute()
    return beside(target)


def _prepare(
    source: Source, stimuli: Stimuli, stages: Sequence[str] | None, asked: list[Asked]
) -> tuple[Source, list[Asked]]:
    """Choose stages and units, trace one stimulus, and check that every metric has a stage to read."""
    select = getattr(source, "select", None)
    if select is None:
        # Responses that exist already say themselves what a unit is, so every metric reads them as they are.
        if stages is not None:
            raise BadInput(
                f"{source.name!r} holds responses that exist already, and all its stages are measured; stages="
                f"{', '.join(stages)!r} has no meaning for it. Leave it out, or keep only these stages in the source."
            )
        return source, [replace(one, units=()) for one in asked]
    units = tuple(dict.fromkeys(unit for one in asked for unit in one.units))
    return select(stages=stages, unit=units).prepare(stimuli), asked


def _play(source: Source, stimuli: Stimuli, listener: Listener, settings: Settings) -> Played:
    with bar(len(stimuli), source.name, "stimuli", show=settings.progress) as step:
        played = source.play(
            stimuli,
            listener,
            batch_size=settings.batch_size,
            workers=settings.workers,
            skip_unreadable=settings.skip_unreadable,
            progress=step,
        )
    if played.n == 0:
        raise BadInput("Not one stimulus could be read, so there is nothing to measure.")
    return played


def _close(
    source: Source, listener: Listener, closing: Closing, settings: Settings, folder: Path
) -> tuple[list[StageResult], tuple[dict[str, Any], list[str]]]:
    closed, grams = [], {}
    with bar(len(source.stages), source.name, "stages", show=settings.progress) as step:
        for done, stage in enumerate(source.stages, start=1):
            kept = listener.release(stage)
            result, gram = closing.close(stage, kept, listener.broken.get(stage))
            give_back(kept)
            closed.append(result)
            if gram is not None and listener.grams_in_files:
                gram = {"gram": in_file(gram["gram"], folder / f"gram-{done:04d}.safetensors")}
            if gram is not None:
                grams[stage] = gram
            step(done)
    return closed, compare_stages(source.stages, grams, closing.asked)


def _coordinates(stimuli: Stimuli, asked: Sequence[Asked]) -> dict[str, Any]:
    coordinates: dict[str, Any] = {"stimulus": np.asarray(stimuli.ids)}
    coordinates |= dict(along for along in (one.along() for one in asked) if along is not None)
    codes = category_codes(stimuli)
    return coordinates if codes is None else {**coordinates, "category": np.asarray(codes[1])}


@contextmanager
def _spool_folder(out: str | Path | None) -> Iterator[Path]:
    """Spool beside the results, on the disk the user chose for big files; without results, where the system says.

    Where the folder above the results is yet to be made, the nearest one that exists is used: a run that breaks off
    leaves nothing behind.
    """
    beside = None if out is None else next(one for one in Path(out).expanduser().absolute().parents if one.is_dir())
    try:
        made = tempfile.TemporaryDirectory(prefix=".stratoscope-spool-", dir=beside)
    except OSError as error:
        where = beside or tempfile.gettempdir()
        raise ResultsError(
            f"The run needs a folder for what does not fit into memory, and none could be made in {where}: "
            f"{error.strerror}. Choose a place for the results that can be written to."
        ) from error
    with made as folder:
        yield Path(folder)


def _strings(value: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return None if value is None else (value,) if isinstance(value, str) else tuple(value)
