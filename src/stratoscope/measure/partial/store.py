"""Put shards and closed stages away as files, and take them out again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.measure.kept_grams import GramFile
from stratoscope.measure.listen import make_stage_summaries
from stratoscope.measure.partial.tensors import Tensors, open_tensors, write_tensors
from stratoscope.measure.partial.work import Work
from stratoscope.results import Row, StageResult, Values
from stratoscope.results.records import plain
from stratoscope.summaries import JoinedSpool, Part
from stratoscope.summaries.formats import FORMATS
from stratoscope.summaries.spool import panel_width
from stratoscope.types import PortableSummary, Stage, Summary


def write_shard(path: Path, arrays: Mapping[str, Any], skipped: Mapping[int, str]) -> None:
    """Put a shard away: what its summaries hold, and the stimuli that were left out."""
    write_tensors(path, arrays, {"skipped": json.dumps({str(row): why for row, why in skipped.items()})})


def read_skipped(path: Path) -> dict[int, str]:
    """Return the rows that a shard left out, and why."""
    with open_tensors(path) as file:
        return {int(row): why for row, why in json.loads(file.about["skipped"]).items()}


@contextmanager
def summaries_of(work: Work, stage: Stage) -> Iterator[tuple[dict[str, Summary], list[int]]]:
    """Yield the summaries of one stage over all shards, merged in their order, and the rows that are not finite.

    They may be read until the context ends: responses stay in the shards' files.
    """
    index = str(work.stages.index(stage))
    with ExitStack() as files:
        parts = [(shard, files.enter_context(open_tensors(work.path_of(shard)))) for shard in work.shards]
        broken = [
            int(row) + shard.start
            for shard, file in parts
            if f"{index}.broken" in file.names
            for row in file.array(f"{index}.broken")
        ]
        if broken:
            yield {}, broken
            return
        starts = [(shard.start, file) for shard, file in parts]
        responses = _joined(work, stage, index, starts)
        kept = make_stage_summaries(work.plan, stage, len(work.stimuli), work.codes, work.asked, responses)
        for name, summary in kept.items():
            if name not in {"gram", "spool"}:
                _unpack(summary, f"{index}.{name}.", starts)
        yield kept, []


def _unpack(summary: Any, prefix: str, parts: Sequence[tuple[int, Tensors]]) -> None:
    portable: PortableSummary = summary
    for start, file in parts:
        names = [name for name in file.names if name.startswith(prefix)]
        if names:
            portable.unpack({name.removeprefix(prefix): file.array(name) for name in names}, start)


def _joined(work: Work, stage: Stage, index: str, parts: Sequence[tuple[int, Tensors]]) -> JoinedSpool | None:
    """Return the responses of a stage, read from the files where they lie; None where none were kept."""
    name, rows = f"{index}.responses.elements", f"{index}.responses.rows"
    having = [(start, file) for start, file in parts if name in file.names]
    if stage not in work.plan.spools:
        return None
    joined = [Part(file.array(rows) + start, partial(file.part, name)) for start, file in having]
    kept = np.result_type(*(file.dtype(name) for _, file in having)) if having else np.dtype(np.float32)
    dtype = work.plan.spool if work.plan.spool in FORMATS else kept
    n = len(work.stimuli)
    return JoinedSpool(n, stage.n_units, joined, panel_units=panel_width(n, stage.n_units), dtype=dtype)


def write_stage(path: Path, result: StageResult, gram: Mapping[str, Any] | None) -> None:
    """Put a closed stage away: its arrays, its rows of the table, and its Gram matrix where stages are compared."""
    arrays = {f"value.{name}": np.asarray(values.data) for name, values in result.arrays.items()}
    arrays |= {} if gram is None else {"gram": gram["gram"]}
    dims = {name: [list(values.dims), plain(values.attrs)] for name, values in result.arrays.items()}
    rows = [asdict(row) for row in result.rows]
    write_tensors(path, arrays, {"arrays": json.dumps(dims), "rows": json.dumps(rows)})


def read_stage(path: Path, stage: Stage) -> tuple[StageResult, dict[str, Any] | None]:
    """Return what `write_stage` put away; a Gram matrix stays in the file."""
    with open_tensors(path) as file:
        file.verify()
        arrays = {
            name: Values(file.array(f"value.{name}"), tuple(dims), attrs)
            for name, (dims, attrs) in json.loads(file.about["arrays"]).items()
        }
        rows = tuple(Row(**row) for row in json.loads(file.about["rows"]))
        gram = {"gram": GramFile(path, file.shape("gram"))} if "gram" in file.names else None
    return StageResult(stage, arrays, rows), gram
