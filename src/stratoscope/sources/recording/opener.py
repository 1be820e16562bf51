"""The ``recording:`` sources."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stratoscope.errors import BadInput
from stratoscope.sources.openers import SOURCES, Request
from stratoscope.sources.recording.open import open_asked
from stratoscope.sources.recording.options import parse_options
from stratoscope.sources.recording.recording import Recording


def open_spec(name: str, request: Request) -> Recording:
    """Open ``FILE?option=value&option=value``; stages asked for are areas.

    Raises
    ------
    BadInput
        Options that only networks have.
    """
    if (request.weights, request.input, request.size) != ("default", "auto", None):
        raise BadInput(
            f"{request.spec!r} holds responses of neurons: weights, input and size have no meaning for it. Leave them out."
        )
    if request.unit not in ("channel", "neuron"):
        raise BadInput(
            f"The units of {request.spec!r} are neurons, and {request.unit!r} has no meaning for it. Leave it out."
        )
    path, _, options = name.partition("?")
    asked = parse_options(options)
    if request.stages != "auto":
        areas = (request.stages,) if isinstance(request.stages, str) else tuple(request.stages)
        asked = replace(asked, areas=areas)
    return open_asked(Path(path), asked)


SOURCES.add("recording", open_spec)
