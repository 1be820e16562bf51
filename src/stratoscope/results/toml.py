"""Write TOML: the standard library reads it and does not write it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stratoscope.results.records import plain

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def dumps(values: Mapping[str, Any]) -> str:
    r"""Return `values` as TOML text. Entries that are None are left out, since TOML has no word for them.

    Numpy scalars and arrays, tuples and paths are written as the plain values they stand for. A lone surrogate
    (half of a file name that is not valid UTF-8) has no place in TOML and is written as its escape, ``\udc80``.
    """
    return "\n".join(_table(plain(values), ())).strip() + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, value in values.items():
        if not isinstance(value, dict) and not _of_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in values.items():
        here = (*path, _key(key))
        if isinstance(value, dict):
            yield from ("", f"[{'.'.join(here)}]")
            yield from _table(value, here)
        elif _of_tables(value):
            for entry in value:
                yield from ("", f"[[{'.'.join(here)}]]")
                yield from _table(entry, here)


def _of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(entry)}" for key, entry in value.items()) + "}"
    return str(value) if isinstance(value, int) else _string(value)


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _string(text: str) -> str:
    return '"' + "".join(map(_character, text)) + '"'


def _character(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if 0xD800 <= ord(char) <= 0xDFFF:
        return f"\\\\u{ord(char):04x}"
    return f"\\u{ord(char):04x}" if ord(char) < 0x20 or ord(char) == 0x7F else char
