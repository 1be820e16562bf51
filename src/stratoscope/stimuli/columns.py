"""Properties of stimuli as columns: text or numbers, which of them is the category, and how many each category has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name

Columns: TypeAlias = dict[str, NDArray[Any]]

#: Columns of a table that can be the category; the first that is there is.
CATEGORY_COLUMNS = ("category", "label", "class", "wnid", "condition")
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|nan|NaN|NA|")


def typed(cells: Sequence[str]) -> NDArray[Any]:
    """Turn text cells (stimulus,) into int64, into float64 (an empty cell or ``NA`` is NaN), or leave them text.

    Whole numbers with leading zeros (``007``), and numbers beyond what a float can hold, are names, and stay text.
    """
    texts = [cell.strip() for cell in cells]
    if all(WHOLE.fullmatch(text) for text in texts):
        return np.asarray([int(text) for text in texts], dtype=np.int64)
    is_number = all(DECIMAL.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text) for text in texts)
    if is_number and any(texts):
        numbers = np.asarray([float("nan") if text in {"", "NA"} else float(text) for text in texts])
        if not np.isinf(numbers).any():  # beyond what a float can hold: a name made of digits
            return numbers
    return np.asarray(texts, dtype=np.str_)


def pick_category(
    columns: Mapping[str, NDArray[Any]], wanted: str | None, where: str, options: Sequence[str] = CATEGORY_COLUMNS
) -> tuple[Columns, tuple[str, ...]]:
    """Add the column ``category``, and say in a note where it comes from.

    Parameters
    ----------
    columns : mapping of str to array (stimulus,)
        Every property there is.
    wanted : str, optional
        Column to take; where None, the first of `options` that is there, upper or lower case.
    where : str
        File or set, for messages.
    options : sequence of str
        Names to look for, most telling first.

    Returns
    -------
    dict of str to array (stimulus,)
        With ``category`` first, where there is one.
    tuple of str
        Notes.
    """
    if wanted is not None and wanted not in columns:
        raise unknown_name("column", wanted, columns)
    found = [name for option in options for name in columns if name.lower() == option]
    chosen = wanted or next(iter(found), None)
    if chosen is None:
        return dict(columns), (f"{where!r} has no categories: none of its columns is called {_either(options)}.",)
    _check_complete(columns[chosen], chosen, where)
    rest = {name: values for name, values in columns.items() if name != "category"}
    if wanted is not None and wanted != "category" and "category" in columns:
        rest["category_in_file"] = columns["category"]
    others = [f"{name!r} has {len(np.unique(columns[name]))}" for name in found if name != chosen]
    also = f"; {', '.join(others)}" if others else ""
    note = f"Categories are the column {chosen!r} of {where!r} ({len(np.unique(columns[chosen]))} values{also})."
    return {"category": columns[chosen], **rest}, (note,)


def _check_complete(values: NDArray[Any], name: str, where: str) -> None:
    missing = np.isnan(values) if values.dtype.kind == "f" else np.asarray([value == "" for value in values.tolist()])
    if missing.any():
        raise BadInput(
            f"{missing.sum()} of {len(values)} stimuli in {where!r} have no entry in column {name!r}, which says the "
            f"category (first: stimulus {int(np.argmax(missing)) + 1}). Fill it, or choose another with category_column."
        )


def _either(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def keep_columns(columns: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None) -> Columns:
    """Return the wanted columns in the order they were asked for; ``category`` always stays."""
    if wanted is None:
        return dict(columns)
    for name in wanted:
        if name not in columns:
            raise unknown_name("column", name, columns)
    first = ["category"] if "category" in columns else []
    return {name: columns[name] for name in first + [name for name in wanted if name != "category"]}


def name_categories(labels: NDArray[Any], names: Sequence[str] | None, where: str) -> NDArray[Any]:
    """Replace whole-number labels (stimulus,) by their names, where there are names."""
    if names is None or not np.issubdtype(labels.dtype, np.integer):
        return labels
    if labels.min() < 0 or labels.max() >= len(names):
        raise BadInput(
            f"The labels of {where!r} run from {labels.min()} to {labels.max()}, but there are names for 0 to "
            f"{len(names) - 1}. Give one name for every label."
        )
    named: NDArray[Any] = np.asarray(names, dtype=np.str_)[labels]
    return named


def count_categories(categories: NDArray[Any] | None) -> dict[str, int]:
    """Return how many stimuli each category has, in natural order of the categories."""
    counts = Counter(() if categories is None else map(str, categories.tolist()))
    return {name: counts[name] for name in sorted(counts, key=natural)}


def natural(text: str) -> tuple[tuple[str, int], ...]:
    """Sort key that puts ``view2`` before ``view10``, and is the same on every machine."""
    parts = re.split(r"([0-9]+)", text)
    pairs = zip(parts[::2], [*parts[1::2], "-1"], strict=True)
    return (*((letters, int(digits)) for letters, digits in pairs), (text, -1))
