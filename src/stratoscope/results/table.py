"""The table as CSV: numbers to the last bit, words as they are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stratoscope.errors import ResultsError
from stratoscope.results.records import COLUMNS, Row

_FLOATS = {"depth", "value", "low", "high"}
_INTEGERS = {"n_units", "n", "seed"}


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write `rows`; floats as their shortest exact form, a missing seed as an empty field."""
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([_written(getattr(row, name)) for name in COLUMNS] for row in rows)


def read_table(path: Path) -> tuple[Row, ...]:
    """Read the rows that `write_table` wrote."""
    with path.open(encoding="utf-8", errors="surrogatepass", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if tuple(header) != COLUMNS:
            raise ResultsError(f"{path} has the columns {', '.join(header)}; expected {', '.join(COLUMNS)}.")
        return tuple(Row(*(_read(name, text) for name, text in zip(COLUMNS, line, strict=True))) for line in reader)


def as_text(values: Any) -> Any:
    """Return strings as a pandas array that holds any name of a file, also one that is no valid Unicode.

    Pandas takes strings over to Arrow where that is installed, and Arrow refuses halves of characters.
    """
    return pd.array([str(one) for one in values], dtype=pd.StringDtype("python", na_value=np.nan))


def _written(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _read(name: str, text: str) -> Any:
    if name in _FLOATS:
        return float(text)
    if name in _INTEGERS:
        return int(text) if text else None
    return text
