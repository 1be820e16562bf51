"""``stratoscope stages``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.grid import grid
from stratoscope.cli.options import opened_source, source_options
from stratoscope.cli.say import say
from stratoscope.types import Stage, Stimuli

#: Width and height of the grey image that shows the shapes, in pixels, where --size says nothing.
_SIZE = 256


@click.command(
    cls=Command,
    examples="""
    stratoscope stages torchvision:alexnet
    stratoscope stages torchvision:resnet18 --stages relu --unit position
    stratoscope stages my_net.py:build --size 32
    """,
)
@click.argument("model")
@source_options
def command(model: str, **asked: Any) -> None:
    """List the stages of MODEL: depth, kind, shape, units, layout.

    All that can be chosen are listed, or those that --stages chooses. A grey image passes once to show the shapes.
    """
    source = opened_source(model, asked)
    head = ("stage", "depth", "kind", "shape", "unit", "units", "layout")
    body = [
        (s.name, f"{s.depth:.3f}", s.kind, " x ".join(map(str, s.shape)), s.unit, f"{s.n_units:,}", s.layout)
        for s in _listed(source, _grey(asked["size"] or _SIZE), bool(asked["stages"] or asked["unit"]))
    ]
    say(grid(head, body, right=("depth", "units")))


def _listed(source: Any, example: Stimuli, chosen: bool) -> Sequence[Stage]:
    """Return all taps of a network, or the chosen ones; responses that exist already know their stages."""
    if not hasattr(source, "taps"):
        return tuple(source.stages)
    return tuple(source.prepare(example).stages if chosen else source.taps(example))


def _grey(size: int) -> Stimuli:
    from PIL import Image

    return Stimuli("one grey image", ("grey",), lambda _: Image.new("RGB", (size, size), (128, 128, 128)))
