"""What every metric asks of the array it is given: two dimensions, finite, float64, never changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.summaries.blocks import all_finite
from stratoscope.types import Floats
from stratoscope.words import plural


def checked_responses(responses: Any, metric: str, *, fewest: int = 1, rows: str = "stimulus") -> Floats:
    """Return `responses` (stimulus, unit) as float64, or say what is wrong with them."""
    array = np.asarray(responses, dtype=np.float64)
    if array.ndim != 2:
        raise BadInput(
            f"{metric} expects responses of shape ({rows}, unit), but {array.shape} came. "
            "Flatten what belongs to one stimulus into one row."
        )
    if array.shape[1] == 0:
        raise TooFew(f"{metric} needs at least 1 unit, but responses of shape {array.shape} have none.")
    if array.shape[0] < fewest:
        raise TooFew(f"{metric} needs at least {fewest} {plural(rows)}, but {array.shape[0]} came.")
    return checked_finite(array, metric)


def checked_points(responses: Any, metric: str) -> NDArray[Any]:
    """Return `responses` (stimulus, unit) checked as by `checked_responses`, but float32 as it is.

    Distances are measured in float64 from float32 as well; a copy in float64 would only cost time and memory.
    """
    array = np.asarray(responses)
    if array.dtype != np.float32 or array.ndim != 2 or not array.shape[1] or not all_finite(array):
        return checked_responses(array, metric)
    return array


def checked_finite(values: Any, metric: str, what: str = "responses") -> Floats:
    """Return `values` as float64, or say how many of them are NaN or infinite."""
    array = np.asarray(values, dtype=np.float64)
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise BadInput(
            f"{metric} expects finite {what}, but {bad} of {array.size} values are NaN or infinite. "
            "Leave out the stimuli or units they belong to."
        )
    return array


def checked_choice(value: str, options: tuple[str, ...], kind: str) -> str:
    """Return `value`, which must be one of `options`, or offer the nearest names."""
    if value not in options:
        raise unknown_name(kind, value, options)
    return value


def checked_fraction(value: float, name: str) -> float:
    """Return `value`, which must lie above 0 and not above 1."""
    if not 0.0 < value <= 1.0:
        raise BadInput(f"{name} must lie above 0 and at most at 1, but {value!r} came.")
    return float(value)
