"""A sweep: every row is checked, then measured in a folder of its own; what is finished is kept, what fails is noted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from stratoscope.errors import BadInput, ResultsError, StratoscopeError, WeightsError
from stratoscope.measure import profile
from stratoscope.measure.request import MetricRequest, ask
from stratoscope.results import Results, open_results
from stratoscope.results.toml import dumps
from stratoscope.sources import lesions, open_source
from stratoscope.stimuli import open_stimuli
from stratoscope.sweeps.decoded import Key, Sharing, sharing_key
from stratoscope.sweeps.rows import LESIONS, SweepRow, Table, read_rows, refuse_rows
from stratoscope.types import Stimuli

ROWS, TABLE, ABOUT = "rows", "table.csv", "sweep.toml"


@dataclass(frozen=True)
class Sweep:
    """What a sweep came to.

    Attributes
    ----------
    folder : Path
        ``rows/`` with a results folder for each run, ``table.csv`` with all their tables, ``sweep.toml`` with what became
        of each row.
    rows : tuple of SweepRow
        Everything that was asked for.
    results : Results, optional
        The runs that succeeded, side by side; None where none did.
    failures : tuple of str
        One sentence for each row that failed, and for all that failed inside the others.
    kept : int
        Rows that were finished before and not measured again.
    decoded : int
        Images that were decoded for rows that share them.
    """

    folder: Path
    rows: tuple[SweepRow, ...]
    results: Results | None
    failures: tuple[str, ...]
    kept: int
    decoded: int

    def table(self) -> pd.DataFrame:
        """Return the tables of all runs, with the columns ``row``, ``model``, ``stimuli`` before them."""
        return pd.read_csv(self.folder / TABLE, keep_default_na=False, na_values=[""])

    def report(self, path: str | Path) -> Path:
        """Write the runs side by side as one HTML page."""
        if self.results is None:
            raise BadInput("No row of this sweep has results, so there is nothing to report. Look at its failures.")
        return self.results.report(path)


def sweep(
    table: Table,
    *,
    out: str | Path,
    stimuli: str | None = None,
    metrics: Sequence[MetricRequest] | None = None,
    batch_size: int = 32,
    workers: int = 2,
    budget: str | float = "4GB",
    skip_unreadable: bool = False,
    device: str = "cpu",
    progress: bool = True,
    tell: Callable[[str], None] | None = None,
) -> Sweep:
    """Measure every row of a table, each as `profile` would, with images decoded once for networks that frame them alike.

    Every row is checked on one stimulus before the first long pass. Rows that are finished in `out` are not measured
    again, one that was broken off goes on where it was; the same call continues. A row that fails is noted, and the
    others go on.

    Parameters
    ----------
    table : path, or sequence of mappings
        See `read_rows`.
    out : path
        Folder of the sweep.
    stimuli : str, optional
        Stimuli of rows that name none.
    metrics, batch_size, workers, budget, skip_unreadable
        As in `profile`, the same for every row.
    device : str
        Where the networks run.
    progress : bool
        Show progress bars.
    tell : callable, optional
        Is called with a line about each row.

    Returns
    -------
    Sweep

    Raises
    ------
    BadInput
        Rows that cannot be measured: none is begun, and each is told with its row and column.
    ResultsError
        A row was measured with other weights or stimuli before.

    Examples
    --------
    >>> rows = [{"model": "bundled:alexnet", "lesion": lesion} for lesion in ("", "permute_weights")]  # doctest: +SKIP
    >>> st.sweep(rows, stimuli="objects:", out="sweep").table()  # doctest: +SKIP
    """
    rows = read_rows(table, stimuli)
    folder = Path(out).expanduser().absolute()
    asked = {"metrics": metrics, "batch_size": batch_size, "workers": workers, "budget": budget,
             "skip_unreadable": skip_unreadable, "progress": progress}  # fmt: skip
    _check_folder(folder)
    opening = _Opening(device)
    where = f"the table {str(table)!r}" if isinstance(table, (str, Path)) else "the rows"
    todo, groups = _check(rows, opening, metrics, folder, where)
    (folder / ROWS).mkdir(parents=True, exist_ok=True)
    failed: dict[SweepRow, str] = {}
    with closing(Sharing(folder, groups)) as sharing:
        for number, row in enumerate(rows, 1):
            if tell is not None:
                tell(f"[{number}/{len(rows)}] {row.label}{'' if row in todo else ': finished before'}")
            if row in todo:
                why = _measure(row, opening, sharing, asked, folder / ROWS / row.folder(metrics))
                failed |= {row: why} if why else {}
        decoded, notes = sharing.decoded, sharing.notes
    return _put_together(rows, failed, len(rows) - len(todo), decoded, notes, folder, metrics)


class _Opening:
    """Opens what rows name; a set of stimuli that several name is opened once."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._stimuli: dict[tuple[Any, ...], Stimuli] = {}

    def stimuli(self, row: SweepRow) -> Stimuli:
        key = (row.stimuli, row.limit, row.per_category)
        if key not in self._stimuli:
            self._stimuli[key] = open_stimuli(row.stimuli, limit=row.limit, per_category=row.per_category)
        return self._stimuli[key]

    def source(self, row: SweepRow) -> Any:
        return open_source(
            row.model, weights=row.weights, input=row.input, size=row.size, seed=row.seed, device=self._device
        )

    def lesioned(self, source: Any, row: SweepRow) -> Any:
        if not row.lesion:
            return source
        return getattr(lesions, row.lesion)(source, **({"seed": row.seed} if LESIONS[row.lesion] else {}))


def _check(
    rows: Sequence[SweepRow], opening: _Opening, metrics: Sequence[MetricRequest] | None, folder: Path, where: str
) -> tuple[list[SweepRow], Counter[Key]]:
    """Return the rows to measure, and how many frame the same stimuli alike; refuses the table where one cannot be."""
    todo: list[SweepRow] = []
    wrong: list[str] = []
    groups: Counter[Key] = Counter()
    for number, row in enumerate(rows, 1):
        try:
            for column, step in _steps(row, opening, metrics):  # noqa: B007  the message below names it
                result = step()
        except ResultsError:
            raise
        except StratoscopeError as error:
            at = "weights" if isinstance(error, WeightsError) and row.weights != "default" else column
            wrong.append(f"row {number}, column {at!r}: {error}")
            continue
        stimuli, source = opening.stimuli(row), result
        if _finished(folder / ROWS / row.folder(metrics), row, stimuli, source):
            continue
        todo.append(row)
        if (key := sharing_key(stimuli, source)) is not None:
            groups[key] += 1
    refuse_rows(wrong, len(rows), where)
    return todo, groups


def _steps(
    row: SweepRow, opening: _Opening, metrics: Sequence[MetricRequest] | None
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is tried of a row before anything is measured, and the column that is at fault where it fails."""
    held: list[Any] = []
    yield "stimuli", lambda: held.append(opening.stimuli(row))
    stimuli = held.pop()
    known = {"has_categories": stimuli.categories is not None, "columns": stimuli.columns}
    yield "stimuli", lambda: held.append(ask(metrics, row.unit or None, **known)[0])
    asked = held.pop()
    yield "model", lambda: held.append(opening.source(row))
    yield "lesion", lambda: held.append(opening.lesioned(held.pop(), row))
    source = held.pop()
    if not hasattr(source, "select"):
        yield "stages", lambda: _no_stages(row, source)
        return
    units = tuple(dict.fromkeys(unit for one in asked for unit in one.units))
    yield (
        ("unit" if row.unit and not row.stages else "stages"),
        lambda: source.select(row.stages or None, units).prepare(stimuli),
    )


def _no_stages(row: SweepRow, source: Any) -> Any:
    if row.stages:
        raise BadInput(
            f"{row.model!r} holds responses that exist already, of which all stages are measured. Leave it empty."
        )
    return source


def _finished(folder: Path, row: SweepRow, stimuli: Stimuli, source: Any) -> bool:
    """Say whether a row has results already; refuses results of other stimuli or weights."""
    if not folder.is_dir():
        return False
    run = open_results(folder).run
    said = source.describe()
    differ = [
        what for what, before, now in (
            ("stimuli", run.get("stimuli", {}).get("fingerprint"), stimuli.fingerprint),
            ("weights", run.get("source", {}).get("weights_sha256"), said.get("weights_sha256")),
        ) if before != now
    ]  # fmt: skip
    if differ:
        raise ResultsError(
            f"Row {row.label!r} was measured before with other {' and '.join(differ)}: {folder} holds its results. Remove that "
            "folder to measure it again, or choose another folder for the sweep."
        )
    return True


def _measure(row: SweepRow, opening: _Opening, sharing: Sharing, asked: dict[str, Any], out: Path) -> str:
    """Measure one row into its folder; return why it failed, or nothing."""
    try:
        stimuli = opening.stimuli(row)
        source = sharing.source(opening.lesioned(opening.source(row), row), stimuli)
        profile(source, stimuli, stages=row.stages or None, unit=row.unit or None, seed=row.seed, out=out, **asked)
    except StratoscopeError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  one row must not cost the others, and its kind is told
        return f"{type(error).__name__}: {error}"
    return ""


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds other things than a sweep."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise ResultsError(f"{folder} is a file, and a sweep is a folder. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ROWS).is_dir():
        raise ResultsError(f"{folder} holds other things than a sweep. Choose an empty folder or a new name.")


def _put_together(
    rows: tuple[SweepRow, ...],
    failed: dict[SweepRow, str],
    kept: int,
    decoded: int,
    notes: Sequence[str],
    folder: Path,
    metrics: Sequence[MetricRequest] | None,
) -> Sweep:
    opened = {row: open_results(folder / ROWS / row.folder(metrics)) for row in rows if row not in failed}
    told = tuple(f"Row {row.label!r} failed: {why}" for row, why in failed.items())
    inside = tuple(f"{row.label}: {line}" for row, one in opened.items() for line in one.failures)
    results = None
    if opened:
        results = Results.combine(list(opened.values()))
        results = replace(results, remarks=(*told, *notes, *results.remarks))
        tables = [_told(row, one) for row, one in opened.items()]
        _write(folder / TABLE, pd.concat(tables, ignore_index=True).to_csv(index=False))
    about = [
        {"row": row.label, "folder": f"{ROWS}/{row.folder(metrics)}", "outcome": "failed" if row in failed else "measured",
         "why": failed.get(row, "")}
        for row in rows
    ]  # fmt: skip
    _write(folder / ABOUT, dumps({"rows": about, "decoded_once": decoded, "notes": list(notes)}))
    return Sweep(folder, rows, results, (*told, *inside), kept, decoded)


def _told(row: SweepRow, results: Results) -> pd.DataFrame:
    table = results.table()
    for place, (name, value) in enumerate((("row", row.label), ("model", row.model), ("stimuli", row.stimuli))):
        table.insert(place, name, value)
    return table


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    made = path.with_name(f".{path.name}-{os.getpid()}")
    made.write_text(text, encoding="utf-8", errors="backslashreplace")
    made.replace(path)
