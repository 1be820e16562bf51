"""Responses in tiles of units that fit the processor's cache, from an array or from blocks as a spool yields them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.information.bins import Values, as_float

#: An array (stimulus, unit); blocks (stimulus, unit), or ``(start, block)``, of neighbouring units in order; or a
#: function without arguments that returns such blocks.
Blocks: TypeAlias = "Any | Iterable[Any] | Callable[[], Iterable[Any]]"


def tiles(responses: Blocks, units_at_a_time: int, metric: str) -> tuple[int, Iterator[tuple[int, Values]]]:
    """Return the number of stimuli, and ``(start, tile)`` one after the other.

    A tile holds the units from `start` on as (stimulus, unit), `units_at_a_time` of them at most.

    Raises
    ------
    BadInput
        For blocks that are not matrices, differ in their stimuli, or do not follow one another.
    TooFew
        Where no unit came.
    """
    if units_at_a_time < 1:
        raise BadInput(f"units_at_a_time must be at least 1, but {units_at_a_time} came. Leave it out, or give 512.")
    parts = _cut(responses, units_at_a_time, metric)
    first = next(parts, None)
    if first is None:
        raise TooFew(f"{metric} needs at least 1 unit, but no unit came. Look whether the stage has any.")
    return len(first[1]), chain([first], parts)


def _cut(responses: Blocks, units_at_a_time: int, metric: str) -> Iterator[tuple[int, Values]]:
    expected, n = 0, None
    for start, block in _blocks(responses):
        array = as_float(block)
        if array.ndim != 2:
            raise BadInput(
                f"{metric} expects responses of shape (stimulus, unit), but {array.shape} came. "
                "Flatten what belongs to one stimulus into one row."
            )
        if n not in (None, len(array)):
            raise BadInput(f"{metric} expects blocks of the same {n} stimuli, but one with {len(array)} came.")
        if start not in (None, expected):
            raise BadInput(
                f"{metric} expects blocks in order, the next from unit {expected} on, but one from unit {start} came."
            )
        n = len(array)
        for first in range(0, array.shape[1], units_at_a_time):
            yield expected + first, array[:, first : first + units_at_a_time]
        expected += array.shape[1]


def _blocks(responses: Blocks) -> Iterator[tuple[int | None, Any]]:
    if callable(responses):
        responses = responses()
    if isinstance(responses, (np.ndarray, list, tuple)) or hasattr(responses, "__array__"):
        yield None, np.asarray(responses)
        return
    for one in responses:
        yield one if isinstance(one, tuple) else (None, np.asarray(one))
