"""The one pass: prepare, plan memory, play every stimulus once, close every stage, and hand over results."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stratoscope.errors import BadInput, ResultsError, printable
from stratoscope.measure.areas import with_controls
from stratoscope.measure.budget import parse_bytes
from stratoscope.measure.close import close_stage, compare_stages
from stratoscope.measure.listen import Listener, category_codes, give_back, make_listener
from stratoscope.measure.record import Settings, record
from stratoscope.measure.request import Asked, MetricRequest, ask
from stratoscope.results import Results, StageResult, check_target
from stratoscope.types import Played, Source, Stimuli


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
    seed: int = 0,
    skip_unreadable: bool = False,
    progress: bool = True,
    extrapolate: bool = False,
    out: str | Path | None = None,
    overwrite: bool = False,
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

    Returns
    -------
    Results

    Raises
    ------
    StratoscopeError
        For wrong names, shapes, settings and budgets, all found on one stimulus before the long pass.

    Examples
    --------
    >>> source = st.open_source("bundled:alexnet")  # doctest: +SKIP
    >>> st.profile(source, st.open_stimuli("objects:")).table()  # doctest: +SKIP
    """
    settings = Settings(batch_size, workers, parse_bytes(budget), seed, skip_unreadable, progress)
    if out is not None:
        check_target(Path(out), overwrite=overwrite)
    asked, remarks = ask(
        metrics, _strings(unit), has_categories=stimuli.categories is not None, columns=stimuli.columns
    )
    prepared, asked = _prepare(source, stimuli, _strings(stages), asked)
    with _spool_folder(out) as folder, ThreadPoolExecutor(1) as aside:
        describing = aside.submit(prepared.describe)  # hashing the weights takes as long as a few batches
        listener = make_listener(prepared.stages, stimuli, asked, settings.budget, folder)
        played = _play(prepared, stimuli, listener, settings)
        said = describing.result()
        closed, (cross, refused) = _close(prepared, stimuli, listener, asked, settings, said, played.n)
    skipped = {row for row, _ in played.skipped}
    ids = [one for row, one in enumerate(stimuli.ids) if row not in skipped]
    closed, further, missing = with_controls(prepared, closed, asked, ids, extrapolate=extrapolate, seed=seed)
    results = Results.build(
        record(said, prepared.stages, stimuli, asked, played, settings),
        closed,
        _coordinates(stimuli, asked),
        cross,
        columns=stimuli.columns,
        metrics=[*(one.metric for one in asked), *further],
        remarks=[*stimuli.notes, *remarks, *refused, *missing],
        skipped=[(stimuli.ids[row], why) for row, why in played.skipped],
    )
    if out is not None:
        results.save(Path(out), overwrite=overwrite)
    return results


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
    source: Source,
    stimuli: Stimuli,
    listener: Listener,
    asked: Sequence[Asked],
    settings: Settings,
    said: Mapping[str, Any],
    n: int,
) -> tuple[list[StageResult], tuple[dict[str, Any], list[str]]]:
    lesion, lesion_seed = str(said.get("lesion") or ""), said.get("seed")
    closed, grams = [], {}
    compared = any(one.between_stages for one in asked)
    with bar(len(source.stages), source.name, "stages", show=settings.progress) as step:
        for done, stage in enumerate(source.stages, start=1):
            smallest = min(other.n_units for other in source.stages if other.unit == stage.unit)
            kept = listener.release(stage)
            result, gram = close_stage(
                stage,
                kept,
                asked,
                n=n,
                lesion="" if lesion == "intact" else lesion,
                seed=settings.seed if lesion_seed is None else lesion_seed,
                smallest=smallest,
                broken=_why_broken(listener.broken.get(stage), stimuli),
                labels=None if stimuli.categories is None else np.asarray(stimuli.categories).astype(str),
                ids=stimuli.ids,
                columns=stimuli.columns,
            )
            give_back(kept)
            closed.append(result)
            if compared and gram is not None:
                grams[stage] = {"gram": gram["gram"]}
            step(done)
    return closed, compare_stages(source.stages, grams, asked)


def _why_broken(rows: Sequence[int] | None, stimuli: Stimuli) -> str:
    if not rows:
        return ""
    return (
        f"The responses to {len(set(rows))} stimuli are not finite (first: {stimuli.ids[min(rows)]!r}), so nothing was "
        "measured at this stage. Look for an overflow, or weights that are NaN."
    )


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


@contextmanager
def bar(total: int, label: str, what: str = "stimuli", *, show: bool) -> Iterator[Callable[[int], None]]:
    """Show on stderr how many of `what` are done, the rate and the time left, on anything over two seconds.

    The function given takes the number done so far.
    """
    looks: dict[str, Any] = {"unit": f" {what}", "delay": 2, "leave": False, "dynamic_ncols": True}
    with tqdm(total=total, desc=printable(label), disable=not show, **looks) as shown:

        def step(done: int) -> None:
            shown.update(done - shown.n)

        yield step
