"""Stimuli of which a column has one value, such as the categories a network was never trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name
from stratoscope.types import Stimuli


def only(stimuli: Stimuli, column: str, value: Any) -> Stimuli:
    """Return the stimuli whose `column` is `value`, chosen before anything is normalised over categories.

    Numbers are compared as numbers, however they were read or written: ``0``, ``0.0`` and ``"0"`` are the same.

    Parameters
    ----------
    stimuli : Stimuli
        The whole set.
    column : str
        Name of a column.
    value : str, number or truth value
        What it must be.

    Raises
    ------
    UnknownName
        For a column that is not there.
    BadInput
        Where no stimulus has that value; the message says which values there are.

    Examples
    --------
    >>> only(caltech, "imagenet1000", 0)  # doctest: +SKIP
    """
    if column not in stimuli.columns:
        raise unknown_name("column of these stimuli", column, stimuli.columns)
    values = np.asarray(stimuli.columns[column])
    rows = np.flatnonzero(_same(values, value))
    if not len(rows):
        there = list(dict.fromkeys(map(str, values.tolist())))
        more = f" and {len(there) - 8} more" if len(there) > 8 else ""
        raise BadInput(
            f"No stimulus of {stimuli.name!r} has {column} = {value!r}. There is {', '.join(map(repr, there[:8]))}{more}."
        )
    if len(rows) == len(values):
        return stimuli
    said = f"{len(rows)} of {len(stimuli)} stimuli were chosen: those with {column} = {value}."
    taken = stimuli.take(rows.astype(np.int64))
    return replace(taken, notes=(*stimuli.notes, said), fingerprint=f"{stimuli.fingerprint}[{column}={value}]")


def _same(values: NDArray[Any], value: Any) -> NDArray[np.bool_]:
    number = _number(value)
    as_text = values.astype(str) == str(value)
    if number is None:
        return np.asarray(as_text)
    return np.asarray(as_text | np.array([_number(one) == number for one in values.tolist()]))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
