"""Columns of the tables of a recording: brought to one length and one type, or refused with table and row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.types import Floats


def text_column(values: Any, n: int, table: str, column: str) -> NDArray[Any]:
    """Return `values` as text (row,); one text stands for every row."""
    given = np.asarray(values)
    texts = (
        np.full(n, str(values)) if given.ndim == 0 else np.array([str(value) for value in given.tolist()], dtype=str)
    )
    return one_length(texts, n, table, column)


def seconds_column(values: Any, n: int, table: str, column: str) -> Floats:
    """Return `values` as finite seconds (row,)."""
    seconds = one_length(np.asarray(values, dtype=np.float64), n, table, column)
    bad = np.flatnonzero(~np.isfinite(seconds))
    if len(bad):
        raise BadInput(
            f"Column {column!r} of the table of {table} must be finite seconds; row {bad[0]} is {seconds[bad[0]]}"
            f"{more(bad)}. Leave out the rows without a time."
        )
    return seconds


def one_length(values: NDArray[Any], n: int, table: str, column: str) -> NDArray[Any]:
    """Return `values`, refused unless they are (`n`,)."""
    if values.shape != (n,):
        raise BadInput(
            f"Column {column!r} of the table of {table} must have one value for each of its {n} rows; its shape is "
            f"{values.shape}. Give one value a row."
        )
    return values


def extra_columns(columns: Mapping[str, Any], n: int, table: str) -> dict[str, NDArray[Any]]:
    """Return further columns as arrays of one length."""
    return {str(name): one_length(np.asarray(values), n, table, str(name)) for name, values in columns.items()}


def more(rows: Sequence[Any] | NDArray[Any]) -> str:
    """Say how many rows beside the first one are concerned, where there are several."""
    return f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
