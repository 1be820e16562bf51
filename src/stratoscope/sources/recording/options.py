"""How a recording is asked for, beside its path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources.recording.counting import Window


@dataclass(frozen=True)
class Asked:
    """What a reader of recordings is told.

    Attributes
    ----------
    areas : tuple of str, optional
        Areas that are kept, in order.
    window, baseline : (float, float), optional
        Counting window and baseline, in seconds after onset.
    latency : str, optional
        ``unit``: windows begin at the latency of each unit.
    complete : str, optional
        ``units`` or ``stimuli``: leave out what misses the other.
    area, area_column : str, optional
        One area for all units, or the column that has it.
    table, stimulus : str, optional
        Table of presentations of an NWB file, and the column (or array) with the stimulus.
    counts : str, optional
        Array of an archive that has the responses.
    dims : tuple of str, optional
        Its dimensions: ``stimulus``, ``repeat``, ``unit``, or ``presentation``, ``unit``.
    missing : float, optional
        Number that stands for a missing trial.
    presentations, units : str, optional
        Files with the other tables, beside tidy spikes.
    """

    areas: tuple[str, ...] | None = None
    window: Window | None = None
    baseline: Window | None = None
    latency: str | None = None
    complete: str | None = None
    area: str | None = None
    area_column: str | None = None
    table: str | None = None
    stimulus: str | None = None
    counts: str | None = None
    dims: tuple[str, ...] | None = None
    missing: float | None = None
    presentations: str | None = None
    units: str | None = None


def parse_options(text: str) -> Asked:
    """Read ``window=0.1:0.5&areas=V1,LM``.

    Raises
    ------
    UnknownName
        An option that does not exist.
    BadInput
        A value that cannot be read.
    """
    known = [one.name for one in fields(Asked)]
    values: dict[str, Any] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        if name not in known:
            raise unknown_name("option of a recording", name, known)
        if not value:
            raise BadInput(
                f"The option {name!r} of a recording needs a value, as in {name}={_EXAMPLES.get(name, 'VALUE')}."
            )
        values[name] = _read(name, value)
    return Asked(**values)


def _read(name: str, value: str) -> Any:
    try:
        return _READERS.get(name, str)(value)
    except ValueError as error:
        raise BadInput(
            f"The option {name}={value} of a recording cannot be read. Write it as {name}={_EXAMPLES[name]}."
        ) from error


def _window(value: str) -> Window:
    begin, end = value.split(":")
    return float(begin), float(end)


def _names(value: str) -> tuple[str, ...]:
    return tuple(value.split(","))


_READERS: dict[str, Callable[[str], Any]] = {
    "window": _window,
    "baseline": _window,
    "areas": _names,
    "dims": _names,
    "missing": float,
}
_EXAMPLES = {
    "window": "0.1:0.5",
    "baseline": "-0.1:0",
    "areas": "V1,LM",
    "dims": "unit,stimulus,repeat",
    "missing": "-1",
}
