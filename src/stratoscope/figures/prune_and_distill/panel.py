"""Panels that show the trained network beside untrained ones along the stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.figures.counts import count
from stratoscope.figures.prune_and_distill.kept import WORDS, Curve
from stratoscope.figures.sparse_coding.panel import name_places, panels_figure, room_for, title
from stratoscope.figures.style import SERIES, THEME

#: Colour of each kind, and how its line is drawn.
COLOURS = {"trained": SERIES[0], "fresh": SERIES[1], "permuted": SERIES[2], "checkpoint": SERIES[3]}
DASHES: dict[str, Any] = {
    "trained": "-",
    "fresh": (0, (5, 2)),
    "permuted": (0, (2, 1.5)),
    "checkpoint": (0, (6, 2, 1, 2)),
}


def grid(count: int, names: Sequence[str], *, spare: bool = False) -> tuple[Figure, list[Axes]]:
    """Return a figure and `count` axes in three columns, with room for the names of stages below each.

    With `spare` there is an empty place behind the last one, for a legend.
    """
    places = count + spare
    wide = min(places, 3)
    figure, axes = panels_figure(wide, -(-places // wide), bottom=room_for(names))
    for unused in axes.flat[count:]:
        unused.remove()
    return figure, list(axes.flat[:count])


def draw_curves(axes: Axes, curves: Sequence[Curve], *, legend: bool = False) -> None:
    """Draw each curve with its interval, or the range over its models, behind it."""
    for curve in curves[::-1]:
        colour = COLOURS[curve.kind]
        places = np.arange(len(curve.low))
        label = WORDS.get(curve.kind, curve.kind)
        if len(curve.value) > 1:
            label += f" ({len(curve.value)})"
        axes.fill_between(places, curve.low, curve.high, color=colour, alpha=0.16, lw=0)
        own = curve.kind == "trained"
        lines = axes.plot(
            places, curve.mean, color=colour, ls=DASHES[curve.kind], lw=1.7 if own else 1.2, marker="o", ms=3 if own else 2,
            mew=0, label=label,
        )  # fmt: skip
        count(lines, curve.n)
    if legend:
        handles, labels = axes.get_legend_handles_labels()
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.13 * (len(labels) + 1) * (high - low))
        axes.legend(handles[::-1], labels[::-1], frameon=False, fontsize=6.6, handlelength=2.2, loc="upper left")


def finish(axes: Axes, names: Sequence[str], letter: str, words: str, unit: str, *, from_zero: bool = True) -> None:
    """Write the title, the unit and the names of the stages."""
    if from_zero:
        low, high = axes.get_ylim()
        axes.set_ylim(min(0.0, low), max(high, 1e-9))
    else:
        axes.axhline(0, color=THEME["soft"], lw=0.6)
    axes.set_ylabel(unit)
    name_places(axes, names)
    title(axes, letter, words)
