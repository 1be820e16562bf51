"""What stands after ``objects:``, taken apart and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from stratoscope.errors import BadInput, unknown_name
from stratoscope.stimuli.objects.files import SUFFIXES
from stratoscope.stimuli.objects.views import DENSE_RANGES

SETS = ("tafazoli", "dense")
#: Options of the screen, and how each is read.
SCREEN_OPTIONS: dict[str, Callable[[str], Any]] = {
    "pixels": int,
    "field": float,
    "width": float,
    "height": float,
    "projection": str,
}
#: Every option that is read as something else than text.
NUMBERS: dict[str, Callable[[str], Any]] = {**SCREEN_OPTIONS, "background": float, "n": int, "seed": int, "views": int}
OPTIONS = {
    "tafazoli": ("objects", "meshes", "axes", "views", "background", *SCREEN_OPTIONS),
    "dense": ("objects", "meshes", "n", "seed", "redraw", "background", *DENSE_RANGES, *SCREEN_OPTIONS),
}


@dataclass(frozen=True)
class Asked:
    """A spec taken apart: the kind of set, and its options as text."""

    kind: str
    options: Mapping[str, str] = field(default_factory=dict)


def parse_spec(spec: str) -> Asked:
    """Take ``KIND?name=value&name=value`` apart and refuse what is not known."""
    kind, _, tail = spec.partition("?")
    options = dict(_pair(word) for word in tail.split("&") if word)
    if Path(kind).suffix.lower() in SUFFIXES or (kind not in SETS and kind and Path(kind).is_dir()):
        kind, options = "tafazoli", {"meshes": kind, **options}
    kind = kind or "tafazoli"
    if kind not in SETS:
        raise unknown_name("set of object views", kind, SETS)
    for name in options:
        if name not in OPTIONS[kind]:
            raise unknown_name(f"option of 'objects:{kind}'", name, OPTIONS[kind])
    for name, read in NUMBERS.items():
        _readable(name, options.get(name), read)
    return Asked(kind, options)


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not value:
        raise BadInput(f"An option of 'objects:' reads name=value; came {word!r}.")
    return name, unquote(value)


def _readable(name: str, value: str | None, read: Callable[[str], object]) -> None:
    try:
        read(value) if value is not None else None
    except ValueError as error:
        kind = "a whole number" if read is int else "a number"
        raise BadInput(f"The option {name!r} of 'objects:' is {kind}; came {value!r}.") from error
