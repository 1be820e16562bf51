"""Where stages stand on the axis of depth, and which of their names are written there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.axes import Axes

from stratoscope.figures.style import THEME, shorten
from stratoscope.results import Row

#: Place along the axis of every (hierarchy, stage).
Places: TypeAlias = Mapping[tuple[str, str], float]
#: Points between two names slanted by 40 degrees that do not touch: the height of a line divided by its sine.
_SLANTED = 14.0


@dataclass(frozen=True)
class NamedPlaces:
    """Names of what stands at 0, 1, 2 ... of an axis, for axes that have no room to write them all: ``axes.fmt_xdata``."""

    names: tuple[str, ...]

    def __call__(self, place: float) -> str:
        """Return the name nearest to `place`."""
        return self.names[min(max(round(place), 0), len(self.names) - 1)] if self.names else ""


def places_of(rows: Sequence[Row]) -> tuple[dict[tuple[str, str], float], bool]:
    """Return where each stage stands, and whether that is its depth.

    Depth counts layers with weights, so a layer and its non-linearity may share it. Where stages of one hierarchy do,
    all stand evenly in order of execution, since they would hide each other.
    """
    orders: dict[str, dict[str, float]] = {}
    for row in rows:
        orders.setdefault(row.hierarchy, {}).setdefault(row.stage, row.depth)
    by_depth = all(len(set(order.values())) == len(order) for order in orders.values())
    placed = {}
    for hierarchy, order in orders.items():
        for rank, stage in enumerate(sorted(order, key=lambda name: order[name]), 1):
            placed[hierarchy, stage] = order[stage] if by_depth else rank / len(order)
    return placed, by_depth


def name_stages(axes: Axes, places: Places, by_depth: bool) -> None:
    """Put the names of the stages at their places, leaving out those that would overwrite their neighbours.

    Where several hierarchies with other stages share the axes, numbers are written instead.
    """
    axes.set_xlim(-0.03, 1.03)
    meaning = "depth, 0 (input) to 1 (output)" if by_depth else "order of execution, 0 (input) to 1 (output)"
    stages = _shared(places)
    if stages is None:
        axes.set_xlabel(meaning)
        return
    inches = axes.get_window_extent().width / axes.figure.dpi
    kept = _apart(sorted(stages), _SLANTED / (inches * 72) * 1.06)
    axes.set_xticks(kept, [shorten(stages[place]) for place in kept], rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xticks([place for place in stages if place not in kept], minor=True)
    axes.tick_params(axis="x", which="both", labelsize=7.8, pad=2)
    label = "stage, placed by depth from 0 (input) to 1 (output)" if by_depth else "stage, in order of execution"
    axes.set_xlabel(label, fontsize=7.6, color=THEME["soft"], loc="right")


def _shared(places: Places) -> dict[float, str] | None:
    """Return the stage at each place where all hierarchies have the same, else None."""
    own: dict[str, dict[float, str]] = {}
    for (hierarchy, stage), place in places.items():
        own.setdefault(hierarchy, {})[place] = stage
    first = next(iter(own.values()), {})
    return first if all(stages == first for stages in own.values()) else None


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Return the places that are at least `least` apart, always with the last."""
    kept: list[float] = []
    for place in reversed(places):
        if not kept or kept[-1] - place >= least:
            kept.append(place)
    return kept[::-1]
