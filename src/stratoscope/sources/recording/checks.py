"""Columns of the tables of a recording: brought to one length and one type, or refused with table and row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, did_you_mean
from stratoscope.types import Floats, Integers

#: Fewest units of an area that can be a stage.
FEWEST_UNITS = 3


def text_column(values: Any, n: int, table: str, column: str) -> NDArray[Any]:
    """Return `values` as text (row,); one text stands for every row."""
    given = np.asarray(values)
    texts = (
        np.full(n, str(values)) if given.ndim == 0 else np.array([str(value) for value in given.tolist()], dtype=str)
    )
    return one_length(texts, n, table, column)


def seconds_column(values: Any, n: int, table: str, column: str) -> Floats:
    """Return `values` as finite seconds (row,)."""
    seconds = one_length(as_numbers(values, f"Column {column!r} of the table of {table}"), n, table, column)
    bad = np.flatnonzero(~np.isfinite(seconds))
    if len(bad):
        raise BadInput(
            f"Column {column!r} of the table of {table} must be finite seconds; row {bad[0]} is {seconds[bad[0]]}"
            f"{more(bad)}. Leave out the rows without a time."
        )
    return seconds


def whole_column(values: Any, n: int, table: str, column: str) -> Integers:
    """Return `values` as whole numbers (row,)."""
    numbers = one_length(as_numbers(values, f"Column {column!r} of the table of {table}"), n, table, column)
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers == np.rint(numbers))))
    if len(bad):
        raise BadInput(
            f"Column {column!r} of the table of {table} must be whole numbers; row {bad[0]} is {numbers[bad[0]]}{more(bad)}. "
            "Number them from 0, or leave the column out."
        )
    return numbers.astype(np.int64)


def as_numbers(values: Any, what: str) -> Floats:
    """Return `values` as float64; refuses text, saying `what` it is that must be numbers."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{what} must be numbers: {error}. Mend the table.") from error


def one_length(values: NDArray[Any], n: int, table: str, column: str) -> NDArray[Any]:
    """Return `values`, refused unless they are (`n`,)."""
    if values.shape != (n,):
        raise BadInput(
            f"Column {column!r} of the table of {table} must have one value for each of its {n} rows; its shape is "
            f"{values.shape}. Give one value a row."
        )
    return values


def extra_columns(columns: Mapping[str, Any], n: int, table: str) -> dict[str, NDArray[Any]]:
    """Return further columns as arrays of one length, objects (such as texts read from a file) as text."""
    return {str(name): _plain(one_length(np.asarray(values), n, table, str(name))) for name, values in columns.items()}


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    return np.array([str(value) for value in values.tolist()]) if values.dtype.kind == "O" else values


def more(rows: Sequence[Any] | NDArray[Any]) -> str:
    """Say how many rows beside the first one are concerned, where there are several."""
    return f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""


def check_areas(area: NDArray[Any], areas: Sequence[str]) -> None:
    """Refuse areas with too few units to be a stage."""
    for name in areas:
        rows = np.flatnonzero(area == name)
        if len(rows) < FEWEST_UNITS:
            raise TooFew(
                f"Area {name!r} has {len(rows)} units (rows {', '.join(map(str, rows))} of the table of units), and a stage "
                f"needs at least {FEWEST_UNITS}: fewer span no space of their own. Leave the area out with areas=..., or "
                "give its units to a larger area."
            )


def check_ids(ids: Sequence[str], shown: Sequence[str], *, given: bool, columns: Mapping[str, Any]) -> None:
    """Refuse ids that are not those of the presentations."""
    if columns and not given:
        raise BadInput(
            f"Columns of the stimuli ({', '.join(columns)}) need to know whose they are. Give ids=..., in the order of the columns."
        )
    if len(set(ids)) != len(ids):
        twice = next(id_ for id_ in ids if list(ids).count(id_) > 1)
        raise BadInput(f"The id {twice!r} stands for two stimuli. Ids must be unique.")
    never = [id_ for id_ in ids if id_ not in set(shown)]
    if never:
        raise BadInput(
            f"Stimulus {never[0]!r} has zero trials: no row of the table of presentations shows it, nor {len(never) - 1} "
            f"others.{did_you_mean(never[0], shown, n=1)} Leave such stimuli out of ids."
        )
    extra = [id_ for id_ in shown if id_ not in set(ids)]
    if extra:
        raise BadInput(
            f"The table of presentations shows {extra[0]!r} and {len(extra) - 1} other stimuli that are not among the "
            f"{len(ids)} ids.{did_you_mean(extra[0], ids, n=1)} Add them, or leave these presentations out."
        )


def refuse_no_text(values: NDArray[Any], what: str) -> None:
    """Refuse text whose letters are beyond Unicode, as damaged bytes make it: Python cannot even print it."""
    if (
        values.dtype.kind == "U"
        and values.size
        and np.ascontiguousarray(values).reshape(-1).view(np.uint32).max() > 0x10FFFF
    ):
        raise BadInput(f"{what} holds letters that do not exist. The file is damaged; copy it again.")
