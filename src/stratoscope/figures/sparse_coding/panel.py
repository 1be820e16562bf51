"""Figures of several panels in the house style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stratoscope.figures.places import NamedPlaces
from stratoscope.figures.style import RAMP, THEME, house_style, name_room, shorten

#: Size of one panel, inches.
WIDE, TALL = 2.5, 1.9
#: Most names of stages that are written below a panel.
_NAMES = 12
TITLES = {"conv": "convolutional stages", "fc": "fully connected stages", "all": "all stages"}


def panels_figure(columns: int, rows: int = 1, *, bottom: float = 0.5) -> tuple[Figure, Any]:
    """Return a figure and its axes (row, column), with `bottom` inches below each panel for names of stages."""
    with house_style():
        height = rows * (TALL + bottom + 0.25)
        right = 0.1
        width = columns * (WIDE + 0.55) + right
        figure = Figure(figsize=(width, height))
        axes = figure.subplots(rows, columns, squeeze=False)
        figure.subplots_adjust(
            left=0.55 / width, right=1 - right / width, bottom=bottom / height, top=1 - 0.3 / height,
            wspace=0.55 / WIDE, hspace=(bottom + 0.35) / TALL,
        )  # fmt: skip
    return figure, axes


def title(axes: Axes, letter: str, words: str) -> None:
    """Write the letter of the panel and what it shows."""
    axes.set_title(f"{letter}  {words}", loc="left", fontsize=8.6, color=THEME["ink"], pad=5)


def name_places(axes: Axes, names: Sequence[str]) -> None:
    """Put names of stages at 0, 1, 2 ...; of many, those that have room."""
    step = -(-len(names) // _NAMES)
    kept = list(range(len(names) - 1, -1, -step))[::-1]
    axes.set_xticks(kept, [shorten(names[i]) for i in kept], rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="x", labelsize=7.4, pad=2)
    axes.fmt_xdata = NamedPlaces(tuple(names))


def room_for(names: Sequence[str]) -> float:
    """Return the inches that the names of stages need below a panel."""
    return name_room(names) + 0.1


def ramp(count: int) -> list[str]:
    """Return a colour for each of `count` stages, from the input end to the output end."""
    return [to_hex(RAMP(place)) for place in np.linspace(0, 1, count)] if count > 1 else [to_hex(RAMP(0.0))]
