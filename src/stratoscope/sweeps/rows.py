"""The rows of a sweep, from a CSV or TOML table or from plain values; what cannot be read is told with row and column."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

from stratoscope.errors import BadInput, StratoscopeError, unknown_name
from stratoscope.stimuli.table import parse_table, read_text

#: Where a sweep is written down: a file, or one mapping a row.
Table: TypeAlias = "str | Path | Sequence[Mapping[str, Any]]"

#: Lesions of a whole network that need no more than a seed, and whether they draw random numbers.
LESIONS = {"permute_weights": True, "permute_biases": True, "reinitialize": True, "remove_gating": False}
#: Columns that may hold several words, read together.
_SEVERAL = ("stages", "unit")
_WHOLE = {"seed": 0, "size": 1, "limit": 1, "per_category": 1}


@dataclass(frozen=True)
class SweepRow:
    """One run of a sweep.

    Attributes
    ----------
    model, weights, input, size : str, str, str, int
        As in `open_source`; a checkpoint is a model (``bundled:alexnet@200``) or a file of weights.
    stimuli, limit, per_category : str, int, int
        As in `open_stimuli`. Which stimuli are kept does not depend on `seed`, so that rows show the same.
    lesion : str
        One of `LESIONS`; empty for the intact network.
    seed : int
        Seed of random weights, of the lesion, and of every resampling.
    stages, unit : tuple of str
        As in `profile`; empty for its defaults.
    name : str
        Name of its folder; by default made of the columns that are not empty.
    """

    model: str
    stimuli: str
    weights: str = "default"
    lesion: str = ""
    seed: int = 0
    stages: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    input: str = "auto"
    size: int | None = None
    limit: int | None = None
    per_category: int | None = None
    name: str = ""

    @property
    def label(self) -> str:
        """What the row is called in messages and tables."""
        return self.name or self._words()

    def folder(self, metrics: Sequence[Any] | None) -> str:
        """Return the name of the folder: the label, and a hash of all that decides the results."""
        asked = {key: value for key, value in asdict(self).items() if key != "name"}
        text = json.dumps([asked, metrics], sort_keys=True, default=str)
        slug = re.sub(r"[^A-Za-z0-9._]+", "-", self.label).strip("-.")[:60] or "row"
        return f"{slug}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def _words(self) -> str:
        words = [self.model, self.stimuli, "" if self.weights == "default" else self.weights, self.lesion or "intact"]
        return " ".join(word for word in [*words, f"seed {self.seed}"] if word)


COLUMNS = tuple(one.name for one in fields(SweepRow))


def read_rows(table: Table, stimuli: str | None = None) -> tuple[SweepRow, ...]:
    """Read the rows of a sweep.

    Parameters
    ----------
    table : path, or sequence of mappings
        ``.csv`` or ``.tsv``: a line a run; an empty cell is the default, several stages or units have spaces between
        them. ``.toml``: tables ``[[rows]]``, in which a list stands for one run for each of its values (for ``stages``
        and ``unit`` for several read together), and values before the first one are for all of them.
    stimuli : str, optional
        Stimuli of rows that name none.

    Raises
    ------
    BadInput
        No row, a column that is not known or missing, a value that cannot be read, or a row twice. All mistakes of a
        table are told at once, each with its row and column.
    """
    where = f"the table {str(table)!r}" if isinstance(table, (str, Path)) else "the rows"
    given = _read(Path(table)) if isinstance(table, (str, Path)) else [dict(row) for row in table]
    if not given:
        raise BadInput(f"There is no row in {where}. Expected one for each run, with a column 'model'.")
    made: list[SweepRow] = []
    wrong: list[str] = []
    for number, row in enumerate(given, 1):
        try:
            made.append(_row(row, stimuli))
        except StratoscopeError as error:
            wrong.append(f"row {number}, {error}")
    refuse_rows(wrong, len(given), where)
    twice = [number for number, row in enumerate(made, 1) if _bare(row) in map(_bare, made[: number - 1])]
    if twice:
        raise BadInput(f"Row {twice[0]} of {where} asks for the same as one before it. Remove one of them.")
    return tuple(made)


def refuse_rows(wrong: Sequence[str], n: int, where: str) -> None:
    """Refuse a table as a whole for the mistakes in `wrong`, each with its row and column."""
    if wrong:
        more = f" And {len(wrong) - 5} more." if len(wrong) > 5 else ""
        raise BadInput(
            f"{len(wrong)} of {n} rows of {where} cannot be measured, so nothing was begun: {' '.join(wrong[:5])}{more}"
        )


def _bare(row: SweepRow) -> str:
    return row.folder(None).rpartition("-")[2]


def _read(path: Path) -> list[dict[str, Any]]:
    if path.suffix.lower() == ".toml":
        return _read_toml(path)
    if path.suffix.lower() not in {".csv", ".tsv"}:
        raise BadInput(f"A sweep is a .csv, .tsv or .toml table, and {str(path)!r} is none. Rename it, or convert it.")
    table = parse_table(read_text(path), str(path))
    return [dict(zip(table.cells, cells, strict=True)) for cells in zip(*table.cells.values(), strict=True)]


def _read_toml(path: Path) -> list[dict[str, Any]]:
    try:
        said = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"The table {str(path)!r} is no TOML: {error}. Mend it there.") from error
    rows = said.pop("rows", None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput(f"The table {str(path)!r} has no [[rows]]. Write that above the values of each run.")
    return [one for row in rows for one in _multiplied({**said, **row})]


def _multiplied(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each combination of the values in lists."""
    lists = {key: value for key, value in row.items() if isinstance(value, list) and key not in _SEVERAL}
    return [{**row, **dict(zip(lists, values, strict=True))} for values in itertools.product(*lists.values())]


def _row(given: Mapping[str, Any], stimuli: str | None) -> SweepRow:
    for key in given:
        if key not in COLUMNS:
            raise _at(key, str(unknown_name("column of a sweep", str(key), COLUMNS)))
    values = {key: _value(key, value) for key, value in given.items() if value not in ("", None, [])}
    values.setdefault("stimuli", stimuli)
    for key in ("model", "stimuli"):
        if not values.get(key):
            raise _at(key, "it is empty, and every run needs it.")
    row = SweepRow(**values)
    if row.lesion and row.lesion not in LESIONS:
        raise _at("lesion", str(unknown_name("lesion", row.lesion, LESIONS)))
    return row


def _value(key: str, value: Any) -> Any:
    if key in _SEVERAL:
        return tuple(str(value).split()) if not isinstance(value, (list, tuple)) else tuple(map(str, value))
    if key not in _WHOLE:
        return "" if key == "lesion" and value == "intact" else str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}", str(value).strip()) or int(value) < _WHOLE[key]:
        raise _at(key, f"{str(value)[:40]!r} is no whole number from {_WHOLE[key]} up.")
    return int(value)


def _at(key: str, sentence: str) -> BadInput:
    return BadInput(f"column {key[:60]!r}: {sentence}")
