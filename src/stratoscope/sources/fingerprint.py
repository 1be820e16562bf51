"""Say in plain values what a network's preprocessing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def describe_preprocess(preprocess: Callable[..., Any] | None) -> str:
    """Return what preprocessing says of itself, or its name."""
    if preprocess is None:
        return "images / 255; arrays as they are"
    said = getattr(preprocess, "describe", None)
    if said is not None:
        return str(said() if callable(said) else said)
    named = getattr(preprocess, "__qualname__", None)
    text = named or repr(preprocess)
    return type(preprocess).__qualname__ if " at 0x" in text else str(text)
