"""Single units: a number of every one of them, sorted, and two numbers of the same units against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name
from stratoscope.figures.captions import physical, pretty, pretty_lesion
from stratoscope.figures.sparse_coding.panel import panels_figure, title
from stratoscope.figures.style import RAMP, THEME, house_style
from stratoscope.results import Results
from stratoscope.results.tree import stage_nodes
from stratoscope.types import Floats

#: Most points of one sorted curve, and of a whole figure: beyond it every so-many-th unit is drawn.
MOST_SORTED, MOST_POINTS = 100, 4000
#: Most units drawn against each other, over all stages.
MOST_PAIRED = 800
#: Most panels: one a hierarchy, lesion and definition of a unit.
MOST_PANELS = 6


@dataclass(frozen=True, eq=False)
class UnitValues:
    """One number of every unit of one stage."""

    owner: tuple[str, str, str]
    stage: str
    depth: float
    values: Floats


def unit_metrics(results: Results) -> list[str]:
    """Return the names of the arrays that hold one number a unit, in the order of the table."""
    found = {
        str(name): None for node in stage_nodes(results.tree) for name, array in node.data_vars.items()
        if array.dims == ("unit",) and array.dtype.kind == "f"
    }  # fmt: skip
    order = {name: place for place, name in enumerate(dict.fromkeys(row.metric for row in results.rows))}
    return sorted(found, key=lambda name: (order.get(name.split(".")[0], len(order)), name))


def units_of(results: Results, name: str) -> list[UnitValues]:
    """Return `name` of every unit at every stage that has it, in order of runs and stages."""
    found = []
    for node in stage_nodes(results.tree):
        array = node.data_vars.get(name)
        if array is not None and array.dims == ("unit",):
            owner = (str(node.attrs["hierarchy"]), str(node.attrs["lesion"]), str(node.attrs["unit"]))
            values = array.to_numpy().astype(np.float64)
            found.append(UnitValues(owner, str(node.attrs["name"]), float(node.attrs["depth"]), values))
    if not found:
        raise unknown_name("number of every unit in these results", name, unit_metrics(results))
    return found


def sorted_units(results: Results, name: str) -> Figure:
    """Draw a number of every unit, largest first, one curve a stage: how many units carry how much.

    The x axis is the share of the units of a stage, so that stages of any width compare. Of many units every so-many-th
    is drawn, `points_of` says which; units without a value are left out. A panel a hierarchy, lesion and definition of a unit.

    Parameters
    ----------
    results : Results
        With an array `name` (unit,) at one stage or more.
    name : str
        Such as ``lifetime_sparseness`` or ``unit_information.luminance``.

    Raises
    ------
    UnknownName
        If no stage holds such an array.
    """
    groups = _grouped(units_of(results, name))
    figure, axes = _figure(len(groups))
    n_stages = sum(len(members) for members in groups.values())
    with house_style():
        for place, (owner, members) in enumerate(groups.items()):
            for one, colour in zip(members, _colours(members), strict=True):
                ranked = np.sort(one.values[np.isfinite(one.values)])[::-1]
                rows = points_of(len(ranked), n_stages)
                share = (rows + 0.5) / max(len(ranked), 1)
                axes[place].plot(share, ranked[rows], color=colour, lw=1.2, label=one.stage)
            axes[place].set_xlim(0, 1)
            axes[place].set_xlabel("share of units, largest first")
            axes[place].set_ylabel(_label(results, name))
            title(axes[place], chr(ord("A") + place), _panel_name(owner, list(groups)))
            _legend(axes[place])
    return figure


def units_against(results: Results, x: str, y: str) -> Figure:
    """Draw two numbers of the same units against each other, a colour a stage.

    Of stages with many units as many are drawn as `paired_rows` chooses; both numbers must have been measured with the same
    definition of a unit.

    Parameters
    ----------
    results : Results
    x, y : str
        Names of arrays (unit,), such as ``lifetime_sparseness`` and ``unit_information.luminance``.

    Raises
    ------
    UnknownName
        If no stage holds one of them.
    BadInput
        If no stage holds both.
    """
    groups = _grouped(units_of(results, y))
    beside = {(one.owner, one.stage): one.values for one in units_of(results, x)}
    both = {owner: [one for one in members if (owner, one.stage) in beside] for owner, members in groups.items()}
    both = {owner: members for owner, members in both.items() if members}
    if not both:
        raise BadInput(
            f"No stage holds both {x} and {y}: they were read with different definitions of a unit. Ask for one with unit=."
        )
    figure, axes = _figure(len(both))
    with house_style():
        for place, (owner, members) in enumerate(both.items()):
            for one, colour in zip(members, _colours(members), strict=True):
                across = beside[owner, one.stage]
                rows = paired_rows(across, one.values, MOST_PAIRED // sum(map(len, both.values())))
                axes[place].plot(
                    across[rows],
                    one.values[rows],
                    ls="",
                    marker="o",
                    ms=2.2,
                    mew=0,
                    alpha=0.6,
                    color=colour,
                    label=one.stage,
                )
            axes[place].set_xlabel(_label(results, x))
            axes[place].set_ylabel(_label(results, y))
            title(axes[place], chr(ord("A") + place), _panel_name(owner, list(both)))
            _legend(axes[place], points=True)
    return figure


def paired_names(results: Results) -> list[tuple[str, str]]:
    """Return the pairs that are worth a look: sparseness over stimuli, and every information, where a stage holds both."""
    sparse = "lifetime_sparseness"
    together = {
        str(name) for node in stage_nodes(results.tree) if sparse in node.data_vars
        for name, array in node.data_vars.items() if array.dims == ("unit",)
    }  # fmt: skip
    return [(sparse, name) for name in unit_metrics(results) if name in together and "information" in name]


def points_of(count: int, n_curves: int) -> NDArray[np.int64]:
    """Return which of `count` sorted units are drawn: all, or at even distances with the first and the last."""
    most = max(min(MOST_SORTED, MOST_POINTS // max(n_curves, 1)), 8)
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).round().astype(np.int64))


def paired_rows(x: Floats, y: Floats, most: int) -> NDArray[np.int64]:
    """Return which units are drawn against each other: those that have both numbers, at most `most`, by seed 0."""
    rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    return rows if len(rows) <= most else np.sort(np.random.default_rng(0).choice(rows, max(most, 4), replace=False))


def _grouped(found: Sequence[UnitValues]) -> dict[tuple[str, str, str], list[UnitValues]]:
    groups: dict[tuple[str, str, str], list[UnitValues]] = {}
    for one in found:
        groups.setdefault(one.owner, []).append(one)
    return dict(list(groups.items())[:MOST_PANELS])


def _figure(count: int) -> tuple[Figure, list[Axes]]:
    columns = min(count, 3)
    figure, axes = panels_figure(columns, -(-count // columns))
    for unused in axes.flat[count:]:
        unused.remove()
    return figure, list(axes.flat[:count])


def _colours(members: Sequence[UnitValues]) -> list[str]:
    ends = len(members) - 1
    return [to_hex(RAMP(place / ends if ends else 0.0)) for place in range(len(members))]


def _label(results: Results, name: str) -> str:
    metric, _, column = name.partition(".")
    said = results.metrics.get(metric)
    about = f" about {column}" if column else ""
    return f"{pretty(metric)}{about}{physical(said.unit) if said else ''}"


def _panel_name(owner: tuple[str, str, str], owners: Sequence[tuple[str, str, str]]) -> str:
    """Name a panel by what sets it apart, and by what a unit is."""
    several = [len({one[place] for one in owners}) > 1 for place in range(3)]
    words = [owner[0] if several[0] else "", pretty_lesion(owner[1]) if several[1] or owner[1] else ""]
    return ", ".join([*filter(None, words), f"units: {owner[2]}"])


def _legend(axes: Axes, *, points: bool = False) -> None:
    lines = axes.get_lines()
    if 1 < len(lines) <= 8:
        axes.legend(frameon=False, fontsize=6.4, handlelength=0.6 if points else 1.2, borderaxespad=0.2)
    elif lines:
        axes.text(
            0.98, 0.95, "first stage blue,\nlast orange", transform=axes.transAxes, ha="right", va="top", fontsize=7,
            color=THEME["soft"],
        )  # fmt: skip
