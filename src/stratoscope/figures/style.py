"""The house style: thin axes, direct labels, colours that colour-blind readers can tell apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from stratoscope.types import Floats

#: Named colours. Every one is used for one purpose, so that a page can put its own light and dark colours in their place.
THEME = {
    "ink": "#1f2430",
    "soft": "#5d6675",
    "control": "#8b93a1",
    "rule": "#dfe3e9",
    "series-1": "#0f6ba8",
    "series-2": "#c4561a",
    "series-3": "#14866d",
    "series-4": "#8d4a9c",
    "series-5": "#a67a00",
    "series-6": "#4a5ab0",
}
SERIES = tuple(colour for name, colour in THEME.items() if name.startswith("series"))
#: From the input end to the output end, readable on white and on black.
RAMP = LinearSegmentedColormap.from_list("depth", ["#3f8fd0", "#7d7fb8", "#a8708f", "#cf6a35"])
CONTROL_LINES = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (2, 2)))

STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8.8,
    "axes.edgecolor": THEME["soft"],
    "axes.labelcolor": THEME["ink"],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": THEME["rule"],
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.6,
    "text.color": THEME["ink"],
    "xtick.color": THEME["soft"],
    "ytick.color": THEME["soft"],
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "stratoscope",
    "pdf.fonttype": 42,
}
#: Width of a figure, in inches: a column of a page, and readable on a telephone without turning it.
WIDTH = 4.5
#: Points of a character of a stage's name, on average.
_CHARACTER = 4.3


@dataclass(frozen=True)
class Label:
    """A line's name, to be written beside its last point."""

    text: str
    y: float
    colour: str
    weight: str = "normal"


def house_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws and saves in the house style; pyplot is left alone."""
    return mpl.rc_context(STYLE)


def new_figure(labels: bool, bottom: float = 0.5, height: float = 2.75) -> tuple[Figure, Axes]:
    """Return an empty figure and its axes, with room for direct labels at the right and names below.

    See `new_panels` for the parameters.
    """
    figure, every = new_panels(1, labels, bottom, height)
    return figure, every[0]


def new_panels(n: int, labels: bool, bottom: float = 0.5, height: float = 2.75) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and `n` axes side by side, each with room for direct labels and names below.

    Parameters
    ----------
    n : int
        Number of axes.
    labels : bool
        Whether lines will be labelled at their right ends.
    bottom : float
        Room below the axes, inches.
    height : float
        Height of figure without that room, inches.
    """
    with house_style():
        figure = Figure(figsize=(n * WIDTH, height + bottom))
        tall = height + bottom
        wide = WIDTH - (1.16 if labels else 0.15) - 0.5
        places = [(index + 0.5 / WIDTH) / n for index in range(n)]
        every = [figure.add_axes((left, bottom / tall, wide / WIDTH / n, (height - 0.36) / tall)) for left in places]
    return figure, every


def new_grid(n: int, height: float = 1.55) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and `n` small axes in two columns that share their ranges, from left to right and down."""
    rows = (n + 1) // 2
    tall = rows * (height + 0.62) + 0.4
    lefts, wide = (0.48, WIDTH / 2 + 0.33), WIDTH / 2 - 1.0
    with house_style():
        figure = Figure(figsize=(WIDTH, tall))
        every: list[Axes] = []
        for index in range(n):
            place = (lefts[index % 2], tall - 0.62 - height - index // 2 * (height + 0.62), wide, height)
            shared = every[0] if every else None
            size = (place[0] / WIDTH, place[1] / tall, place[2] / WIDTH, place[3] / tall)
            every.append(figure.add_axes(size, sharex=shared, sharey=shared))
    return figure, every


def title_axis(axes: Axes, text: str, above: float = 1.05) -> None:
    """Write the label of the y axis above it, level, where it is read first."""
    axes.set_ylabel(text, rotation=0, ha="left", va="bottom", color=THEME["ink"])
    inches = axes.get_window_extent().width / axes.figure.dpi
    axes.yaxis.set_label_coords(-0.42 / inches, above)


def write_labels(axes: Axes, labels: Sequence[Label], x: float = 1.02) -> None:
    """Write `labels` at the right of `axes`, moved apart where they would touch."""
    shown = [label for label in labels if np.isfinite(label.y)]
    if not shown:
        return
    wrapped = [wrap(printable(label.text)) for label in shown]
    to_axes = axes.transData + axes.transAxes.inverted()
    wanted = np.array([to_axes.transform((axes.get_xlim()[1], label.y))[1] for label in shown])
    tall = axes.get_window_extent().height / axes.figure.dpi * 72
    heights = np.array([(text.count("\n") + 1.25) * 10.2 / tall for text in wrapped])
    for label, text, y in zip(shown, wrapped, spread(_below(wanted, heights), heights), strict=True):
        axes.text(
            x, y, text, transform=axes.transAxes, color=label.colour, va="center", ha="left", fontweight=label.weight,
            fontsize=8.2, linespacing=1.1,
        )  # fmt: skip


def _below(wanted: Floats, heights: Floats, top: float = 1.03) -> Floats:
    """Return `wanted`, lowered where labels stacked from above would reach over `top`, where the title stands."""
    lowered = wanted.copy()
    for index in np.argsort(-wanted, kind="stable"):
        lowered[index] = min(wanted[index], top - heights[index] / 2)
        top -= heights[index]
    return lowered


def spread(wanted: Floats, heights: Floats) -> Floats:
    """Return places near `wanted` at which labels of `heights` do not overlap, in the same order from below.

    Labels are merged into blocks that share their displacement, the way isotonic regression pools its violators.
    """
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[int]] = []
    for index in order:
        blocks.append([int(index)])
        while len(blocks) > 1 and _low(blocks[-1], wanted, heights) < _high(blocks[-2], wanted, heights):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    placed = np.empty(len(wanted))
    for block in blocks:
        low = _low(block, wanted, heights)
        for index in block:
            placed[index] = low + heights[index] / 2
            low += heights[index]
    return placed


def _low(block: Sequence[int], wanted: Floats, heights: Floats) -> float:
    return float(np.mean(wanted[list(block)]) - heights[list(block)].sum() / 2)


def _high(block: Sequence[int], wanted: Floats, heights: Floats) -> float:
    return float(np.mean(wanted[list(block)]) + heights[list(block)].sum() / 2)


def line_colours(names: Sequence[str], ordered: bool) -> dict[str, str]:
    """Give every name a colour: along a ramp where the names have an order, else colours far apart.

    Repeats of the colours come only after all six, and every line is labelled.
    """
    different = list(dict.fromkeys(names))
    if not ordered:
        return {name: SERIES[index % len(SERIES)] for index, name in enumerate(different)}
    return {name: to_hex(RAMP(index / max(len(different) - 1, 1))) for index, name in enumerate(different)}


def name_room(names: Sequence[str]) -> float:
    """Return the room in inches that slanted stage names need below the axes."""
    longest = max((len(shorten(name)) for name in names), default=0)
    return 0.4 + 0.64 * longest * _CHARACTER / 72


def wrap(text: str, width: int = 14) -> str:
    """Return `text` in lines of at most `width` characters, broken at spaces, else after ``: . / _ -``.

    What cannot be broken there and is longer loses its middle.
    """
    lines = [""]
    for word in re.findall(r"\S+\s*", text):
        pieces = [word] if len(word.rstrip()) <= width else re.findall(r"[^:./_-]*[:./_-]?\s*", word)
        for piece in pieces:
            if lines[-1] and len(lines[-1] + piece.rstrip()) > width:
                lines.append("")
            lines[-1] += piece if len(piece.rstrip()) <= width else shorten(piece.rstrip(), width)
    return "\n".join(line.rstrip() for line in lines)


def shorten(name: str, width: int = 24) -> str:
    """Return `name`, its middle left out where it is longer than `width` characters; what has no shape becomes �."""
    name = printable(name)
    return name if len(name) <= width else f"{name[: width // 2 - 1]}…{name[-(width // 2) :]}"


def printable(text: str) -> str:
    """Return `text` with control characters and halves of characters, which no font and no XML takes, as �."""
    return "".join(char if char.isprintable() else "�" for char in text)
