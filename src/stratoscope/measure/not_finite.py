"""Responses that are no numbers, or too large to be squared: they cost the metrics of their stage, and are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stratoscope.types import Integers

#: Beyond this, squares and their sums overflow float64. Single precision does not reach it.
LARGEST = 1e100


def rows_not_finite(responses: Any) -> Integers:
    """Return the rows of a batch (stimulus, unit) that hold a NaN, an infinity, or a value beyond `LARGEST`.

    A finite sum proves that every term is finite, and costs one read; only a suspect batch is looked at closely, as is one
    in double precision, whose finite values can be too large.
    """
    double = str(responses.dtype).endswith("float64")
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(float(responses.sum())) and not (
            double and responses.size and float(abs(responses).max()) > LARGEST
        ):
            return np.empty(0, dtype=np.int64)
    if hasattr(responses, "isfinite"):  # a tensor; numpy does not know all of its formats
        good = (responses.isfinite() & (responses.abs() <= LARGEST)).all(1).cpu().numpy()
    else:
        good = (np.isfinite(responses) & (np.abs(responses) <= LARGEST)).all(axis=1)
    return np.flatnonzero(~good).astype(np.int64)


def why_not_finite(rows: Sequence[int] | None, ids: Sequence[str], said: Mapping[str, Any]) -> str:
    """Say why a stage has no numbers, or nothing where it has.

    Parameters
    ----------
    rows : sequence of int, or None
        Stimuli with such responses.
    ids : sequence of str
        Id of every stimulus.
    said : mapping
        What the source says of itself; its ``arithmetic`` tells how it computes.
    """
    if not rows:
        return ""
    return (
        f"The responses to {len(set(rows))} stimuli are not finite (first: {ids[min(rows)]!r}), so nothing was measured at this "
        f"stage. {_advice(str(said.get('arithmetic', '')))}"
    )


def _advice(arithmetic: str) -> str:
    if "bfloat16" not in arithmetic and "float16" in arithmetic:
        return (
            f"The network computes in half precision ({arithmetic}), which overflows above 65,504: take bfloat16, which reaches as "
            "far as float32 (--autocast bfloat16), or no half precision. Where these stimuli fail in float32 too, look for "
            "weights that are NaN."
        )
    return "Look for an overflow, or weights that are NaN."
