"""Formats of 16 bits that responses may be kept in until all stimuli have come: half the room, fewer digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name

#: What `Spool` may be asked to keep; None keeps responses as they come.
NAMES = ("float32", "float64", "bfloat16", "float16")
_LARGEST = 65504.0


@dataclass(frozen=True)
class Format:
    """A format of 16 bits.

    Attributes
    ----------
    name : str
        Its name.
    stored : numpy dtype
        What lies in memory or in a file.
    pack, unpack : callable
        From float32 to what is stored, to the nearest, and back.
    """

    name: str
    stored: np.dtype[Any]
    pack: Callable[[NDArray[Any]], NDArray[Any]]
    unpack: Callable[[NDArray[Any]], NDArray[np.float32]]


def _to_bfloat16(values: NDArray[Any]) -> NDArray[Any]:
    """Keep the upper half of the bits of float32, rounded to the nearest, ties to even."""
    single = np.ascontiguousarray(values, dtype=np.float32)
    bits = single.view(np.uint32)
    upper = ((bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16).astype(np.uint16)
    upper[np.isnan(single)] = 0x7FC0  # rounding could carry the bits of a NaN over to a number
    return upper


def _from_bfloat16(stored: NDArray[Any]) -> NDArray[np.float32]:
    return (stored.astype(np.uint32) << 16).view(np.float32)


def _to_float16(values: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    over = np.isinf(half) & np.isfinite(values)
    if over.any():
        raise BadInput(
            f"A response of {float(np.abs(values[over]).max()):.3g} came, but float16 holds numbers up to {_LARGEST:,.0f} "
            "only. Keep the responses as bfloat16, which has the range of float32, or as they come."
        )
    return half


def _from_float16(stored: NDArray[Any]) -> NDArray[np.float32]:
    return stored.astype(np.float32)


FORMATS = {
    "bfloat16": Format("bfloat16", np.dtype(np.uint16), _to_bfloat16, _from_bfloat16),
    "float16": Format("float16", np.dtype(np.float16), _to_float16, _from_float16),
}


def bytes_of(spool: str | None) -> int:
    """Return bytes that a response takes, as planned before it is known how it comes.

    Raises
    ------
    UnknownName
        Another format than `NAMES`.
    """
    if spool is not None and spool not in NAMES:
        raise unknown_name("spool format", spool, NAMES)
    return {None: 4, "float32": 4, "float64": 8}.get(spool, 2)
