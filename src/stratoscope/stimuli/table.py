"""A table (CSV or TSV) with image paths and properties; also the ``.stim.csv`` of DNNBrain."""

from __future__ import annotations

import csv
import io
import os
import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stratoscope.errors import BadInput, did_you_mean
from stratoscope.stimuli.columns import Columns, pick_category, typed
from stratoscope.stimuli.decode import MAX_BYTES, refuse_no_file
from stratoscope.stimuli.folder import FileLoader, size_of
from stratoscope.stimuli.openers import Wanted, first_few, make_stimuli, opener
from stratoscope.types import Stimuli

#: Columns that can have the image paths; the first that is there does.
IMAGE_COLUMNS = ("path", "file", "filename", "image", "stimulus", "stimid")

#: Columns a table may have; no set of properties comes near it, and each one costs an array in the results.
MAX_COLUMNS = 10_000


@dataclass(frozen=True)
class Table:
    """Text cells by column, all of one length, and what a ``.stim.csv`` says above them."""

    where: str
    cells: Mapping[str, tuple[str, ...]]
    header: Mapping[str, str] = field(default_factory=dict)


@opener("table")
def open_table(where: str, wanted: Wanted) -> Stimuli:
    """Open the images that a table lists, a row each, with every other column as a property.

    Paths are relative to the table's own folder (or to ``root``); ids are the paths as the table writes them. The image
    column is ``path``, ``file``, ``filename``, ``image``, ``stimulus`` or ``stimID``, and the category is ``category``,
    ``label``, ``class``, ``wnid`` or ``condition``, the first that is there. A ``.stim.csv`` begins with ``type=image``,
    ``path=FOLDER`` and ``data=stimID,...``, and its paths are relative to that folder.

    Parameters
    ----------
    where : str
        Path of the table.
    wanted : Wanted
        Columns to keep, image and category column, and root.

    Returns
    -------
    Stimuli
        Its fingerprint is a hash of ids, file sizes and categories.

    Raises
    ------
    BadInput
        A table that cannot be read, lacks the column, or lists images that are not there.
    """
    path = Path(where).expanduser()
    table = parse_table(read_text(path), where)
    base = (wanted.root or path.parent / table.header.get("path", "")).expanduser()
    image_column = find_image_column(table, wanted.image_column or ("stimID" if table.header else None))
    ids = [make_id(cell, base) for cell in table.cells[image_column]]
    paths = [str(base / name) for name in ids]
    sizes = [size_of(Path(path)) for path in paths]
    _refuse_missing([name for name, size in zip(ids, sizes, strict=True) if size < 0], len(ids), where, base)
    columns, notes = pick_category(properties(table, image_column), wanted.category_column, where)
    return make_stimuli(f"table:{where}", ids, FileLoader(tuple(paths)), columns, map(str, sizes), wanted, notes)


def read_text(path: Path) -> str:
    """Read a table file as UTF-8 text, with or without a byte-order mark."""
    refuse_no_file(path, "a table")
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise BadInput(
                f"The table {str(path)!r} has {size:,} bytes, more than the {MAX_BYTES:,} allowed. Split it."
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"There is no table {str(path)!r}. Expected a CSV or TSV file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"The table {str(path)!r} is not UTF-8 text ({error.reason}). Save it as UTF-8.") from error
    except OSError as error:
        raise BadInput(f"The table {str(path)!r} cannot be read: {error.strerror}.") from error


def parse_table(text: str, where: str) -> Table:
    """Split a table into columns of text cells.

    A file ending in ``.tsv`` is split at tabs; another at commas, or where its first line has none, at semicolons or
    tabs. Empty lines are left out. A quoted cell may run over several lines.
    """
    if "\0" in text:
        raise BadInput(f"The table {where!r} holds NUL bytes, as binary files and UTF-16 text do. Save it as UTF-8.")
    header, lines, first = _split_header(list(io.StringIO(text, newline="")), where)
    separator = _separator(lines[0] if lines else "", where)
    _check_width(lines, separator, where)
    try:
        reader = csv.reader(lines, delimiter=separator)
        rows = [(first - 1 + reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise BadInput(f"The table {where!r} cannot be read: {error}.") from error
    if len(rows) < 2:
        raise BadInput(f"The table {where!r} has no rows. Expected a line of column names and a line for each image.")
    names = _column_names(rows[0][1], where)
    for number, row in rows[1:]:
        if len(row) != len(names):
            raise BadInput(
                f"Line {number} of {where!r} has {len(row)} cells, expected {len(names)} ({_listed(names)}). "
                "Put cells with a separator in them into double quotes."
            )
    columns = zip(*(row for _, row in rows[1:]), strict=True)
    return Table(where, dict(zip(names, columns, strict=True)), header)


def _check_width(lines: Sequence[str], separator: str, where: str) -> None:
    """Refuse a table so wide that it is none, before its cells are made; the first line decides."""
    if lines and (columns := lines[0].count(separator) + 1) > MAX_COLUMNS:
        raise BadInput(
            f"The table {where!r} has {columns:,} columns, more than the {MAX_COLUMNS:,} allowed. Is it turned on its side? "
            "Expected a line for each image."
        )


def _listed(names: Sequence[str], n: int = 12) -> str:
    """Return the first names, with how many more there are."""
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(names[:n]) + more


def _split_header(lines: Sequence[str], where: str) -> tuple[dict[str, str], list[str], int]:
    """Take the ``key=value`` lines of a ``.stim.csv`` apart from its rows; also the number of the first row's line."""
    if not where.lower().endswith(".stim.csv"):
        return {}, list(lines), 1
    start = next((number for number, line in enumerate(lines) if line.startswith("data=")), None)
    if start is None:
        raise BadInput(f"{where!r} has no line 'data=stimID,...'. Expected it after 'type=image' and 'path=FOLDER'.")
    pairs = (line.partition("=") for line in lines[:start] if line.strip())
    header = {key.strip(): value.strip() for key, _, value in pairs}
    if header.get("type") != "image":
        raise BadInput(
            f"{where!r} has type={header.get('type', '')}, expected type=image. Export its frames as images."
        )
    return header, [lines[start].removeprefix("data="), *lines[start + 1 :]], start + 1


def _separator(first: str, where: str) -> str:
    if where.lower().endswith(".tsv"):
        return "\t"
    return next((separator for separator in ",;\t" if separator in first), ",")


def _column_names(cells: Sequence[str], where: str) -> list[str]:
    names = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput(f"Two columns of {where!r} are called {twice[0]!r}. Rename one.")
    return names


def find_image_column(table: Table, wanted: str | None) -> str:
    """Return the column that has the image paths: the wanted one, or the first of `IMAGE_COLUMNS`."""
    names = list(table.cells)
    if wanted is not None:
        if wanted in names:
            return wanted
        raise BadInput(
            f"{table.where!r} has no column {wanted!r}. Its columns are {first_few(names, 12)}."
            f"{did_you_mean(wanted, names)}"
        )
    for option in IMAGE_COLUMNS:
        for name in names:
            if name.lower() == option:
                return name
    near = next((hint for option in IMAGE_COLUMNS if (hint := did_you_mean(option, names, 1))), "")
    raise BadInput(
        f"{table.where!r} has no column with image paths: expected one called path, file, filename, image or stimulus, "
        f"found {first_few(names, 12)}.{near} Name it with image_column."
    )


def properties(table: Table, image_column: str) -> Columns:
    """Return every column but the image paths, as numbers where all its cells are numbers."""
    return {name: typed(cells) for name, cells in table.cells.items() if name != image_column}


def make_id(cell: str, base: Path) -> str:
    """Return the path in `cell`, relative to `base` where it lies below it, with ``/``."""
    path = cell.strip()
    relative = path.removeprefix(f"{base.absolute()}{os.sep}")
    return posixpath.normpath(relative) if relative else ""


def _refuse_missing(missing: Sequence[str], n: int, where: str, base: Path) -> None:
    if missing:
        raise BadInput(
            f"{len(missing)} of {n} images listed in {where!r} are not there: {first_few(missing)}. "
            f"They were looked for in {str(base)!r}; name another folder with root."
        )
