"""What was shown: example pictures, the properties of the set, and the stimuli one by one."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from stratoscope.report.parts import Grid
from stratoscope.report.sentences import number
from stratoscope.results import Results

#: Most stimuli that are listed, and most values of a property that are named.
MOST_LISTED, MOST_NAMED = 300, 4
#: Longest name of a stimulus below its picture.
_SHORT = 28


@dataclass(frozen=True)
class Picture:
    """An example stimulus: its id, what it is called below the picture, its category, and the picture as ``data:`` address."""

    name: str
    short: str
    category: str
    address: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Shown:
    """Everything the report says of the stimuli."""

    lead: str
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]
    properties: Grid
    listed: Grid
    listed_title: str


def shown_stimuli(results: Results) -> Shown | None:
    """Return what was shown, from what the run kept; None where it kept nothing of its stimuli."""
    table = results.stimuli
    if not len(table) and not results.examples:
        return None
    pictures = tuple(_pictures(results, table))
    return Shown(
        _lead(table, len(pictures)),
        pictures,
        tuple(_notes(results, pictures)),
        Grid(("property", "kind", "values", "least", "median", "largest"), tuple(_properties(table))),
        _listed(table),
        _listed_title(len(table)),
    )


def _lead(table: pd.DataFrame, n_pictures: int) -> str:
    categories = f" in {table['category'].nunique():,} categories" if "category" in table else ""
    chosen = f" {n_pictures} of them are shown, chosen by category and position in the set, not by what they look like."
    return f"{len(table):,} stimuli{categories}.{chosen if n_pictures else ''}"


def _pictures(results: Results, table: pd.DataFrame) -> Iterator[Picture]:
    for examples in results.examples:
        for name, image in zip(examples.ids, examples.pictures(), strict=True):
            known = "category" in table and name in table.index
            category = str(table.loc[name, "category"]) if known else ""
            short = name if len(name) <= _SHORT else f"{name[:12]}…{name[-14:]}"
            yield Picture(name, short, category, _address(image), (image.shape[1], image.shape[0]))


def _address(image: NDArray[np.uint8]) -> str:
    """Return a picture as the address of itself. PNG, because it gives the same bytes for the same pixels."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[..., :3])).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _notes(results: Results, pictures: tuple[Picture, ...]) -> Iterator[str]:
    if not results.examples:
        yield "No example pictures: this run was made before they were kept, or the hierarchies came without their stimuli."
        return
    for examples in results.examples:
        if examples.images is None:
            yield f"No example pictures of {'other ' if pictures else ''}stimuli: {examples.note}"
        elif examples.note:
            yield examples.note


def _properties(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    for name in table.columns:
        values = table[name].to_numpy()
        if values.dtype.kind in "iufb":
            known = values.astype(np.float64)
            known = known[np.isfinite(known)]
            missing = len(values) - len(known)
            said = f"{len(np.unique(known)):,} different" + (f", {missing:,} missing" if missing else "")
            ends = (
                [number(float(one)) for one in (known.min(), np.median(known), known.max())]
                if len(known)
                else ["–"] * 3
            )
            yield str(name), "number", said, *ends
        else:
            counts = table[name].astype(str).value_counts()
            named = ", ".join(f"{value} ({count})" for value, count in sorted(counts.items())[:MOST_NAMED])
            more = f", and {len(counts) - MOST_NAMED:,} more" if len(counts) > MOST_NAMED else ""
            yield str(name), "name", named + more, "–", "–", "–"


def _rows(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, MOST_LISTED)).round().astype(np.int64))


def _listed(table: pd.DataFrame) -> Grid:
    kept = table.iloc[_rows(len(table))]
    body = tuple(
        (str(name), *(number(float(one)) if isinstance(one, (float, np.floating)) else str(one) for one in row))
        for name, row in zip(kept.index, kept.itertuples(index=False, name=None), strict=True)
    )
    return Grid(("stimulus", *map(str, table.columns)), body)


def _listed_title(count: int) -> str:
    if count <= MOST_LISTED:
        return f"The {count:,} stimuli with their properties"
    return f"{MOST_LISTED} of the {count:,} stimuli with their properties, at even distances (all are in the arrays of the run)"
