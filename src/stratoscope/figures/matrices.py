"""Matrices of one hierarchy: its stages against each other, and its stimuli against each other at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stratoscope.errors import unknown_name
from stratoscope.figures.captions import pretty, pretty_lesion
from stratoscope.figures.places import NamedPlaces
from stratoscope.figures.sparse_coding.panel import panels_figure, title
from stratoscope.figures.style import house_style, name_room, shorten
from stratoscope.results import Results
from stratoscope.results.tree import run_nodes, stage_nodes
from stratoscope.types import Floats

#: Most rows of a matrix of stimuli, and most panels of a figure.
MOST_STIMULI, MOST_PANELS = 60, 12
#: As many categories stand for their stimuli; of fewer, the means would hide what there is to see.
LEAST_CATEGORIES = 12
#: Most names that are written along an axis.
_NAMES = 16


@dataclass(frozen=True, eq=False)
class Square:
    """A square matrix with the names of its rows, which are those of its columns."""

    title: str
    names: tuple[str, ...]
    value: Floats


def stage_metrics(results: Results) -> list[str]:
    """Return the names of the matrices (stage, other_stage) that results hold."""
    return list(
        dict.fromkeys(
            str(name) for run in run_nodes(results.tree) for name, array in run.children["cross"].data_vars.items()
            if array.dims == ("stage", "other_stage")
        )
    )  # fmt: skip


def stimulus_metrics(results: Results) -> list[str]:
    """Return the names of the matrices (stimulus, other_stimulus) that stages hold."""
    return list(
        dict.fromkeys(
            str(name) for node in stage_nodes(results.tree) for name, array in node.data_vars.items()
            if array.dims == ("stimulus", "other_stimulus")
        )
    )  # fmt: skip


def squares_of_stages(results: Results, name: str) -> list[Square]:
    """Return the matrix `name` between the stages of every run that has it; stages without a value are left out."""
    found = []
    for run in run_nodes(results.tree):
        array = run.children["cross"].data_vars.get(name)
        if array is None or array.dims != ("stage", "other_stage"):
            continue
        value = array.to_numpy().astype(np.float64)
        kept = np.flatnonzero(np.isfinite(value).any(axis=0))
        names = tuple(str(one) for one in array.coords["stage"].to_numpy()[kept])
        found.append(Square(_owner(run), names, value[np.ix_(kept, kept)]))
    if not found:
        raise unknown_name("matrix between stages in these results", name, stage_metrics(results))
    return found[:MOST_PANELS]


def squares_of_stimuli(results: Results, name: str) -> list[Square]:
    """Return the matrix `name` between stimuli at the stages of the first run that has it, small enough to be seen.

    Up to `MOST_STIMULI` stimuli are shown as they are, ordered by category. Of more, from `LEAST_CATEGORIES` categories on, these
    stand for their stimuli, each number the mean over pairs of different stimuli; otherwise stimuli at even distances in
    the order of categories. Of many stages, those at even distances with the first and the last.
    """
    run = next((run for run in run_nodes(results.tree) if any(name in one.data_vars for one in _stages(run))), None)
    if run is None:
        raise unknown_name("matrix between stimuli in these results", name, stimulus_metrics(results))
    nodes = [node for node in _stages(run) if name in node.data_vars]
    kept = np.unique(np.linspace(0, len(nodes) - 1, min(len(nodes), MOST_PANELS)).round().astype(int))
    labels = _categories(run)
    return [_reduced(nodes[place], name, labels) for place in kept]


def stage_matrix(results: Results, name: str) -> Figure:
    """Draw how alike the stages of a hierarchy are, such as ``cka.position``: a panel a run.

    Parameters
    ----------
    results : Results
        With a matrix `name` between stages.
    name : str
        Name of the metric and of the definition of a unit, as in ``results.cross``.

    Raises
    ------
    UnknownName
        If the results hold no such matrix.
    """
    metric = name.partition(".")[0]
    return _figure(squares_of_stages(results, name), pretty(metric), results, metric)


def stimulus_matrix(results: Results, name: str = "rdm") -> Figure:
    """Draw how far apart the responses to stimuli, or to categories, are at every stage: see `squares_of_stimuli`.

    Parameters
    ----------
    results : Results
        With matrices `name` (stimulus, other_stimulus).
    name : str
        Name of the arrays.

    Raises
    ------
    UnknownName
        If no stage holds such a matrix.
    """
    return _figure(squares_of_stimuli(results, name), pretty(name), results, name)


def _figure(squares: Sequence[Square], words: str, results: Results, metric: str) -> Figure:
    columns = min(len(squares), 3)
    names = [name for square in squares for name in square.names]
    figure, axes = panels_figure(columns, -(-len(squares) // columns), bottom=name_room(names) + 0.15)
    for unused in axes.flat[len(squares) :]:
        unused.remove()
    ends = _ends(squares, results, metric)
    with house_style():
        for place, square in enumerate(squares):
            _paint(axes.flat[place], square, ends, words)
            title(axes.flat[place], chr(ord("A") + place) if place < 26 else "", shorten(square.title, 40))
    return figure


def _ends(squares: Sequence[Square], results: Results, metric: str) -> tuple[float, float]:
    """Return the ends of the colours, the same in all panels: from the least value declared, or seen, to the largest seen."""
    seen = np.concatenate([square.value[np.isfinite(square.value)] for square in squares] or [np.zeros(1)])
    said = results.metrics.get(metric)
    low = said.range[0] if said is not None and np.isfinite(said.range[0]) else float(seen.min(initial=0.0))
    high = float(seen.max(initial=low))
    return min(low, float(seen.min(initial=low))), high if high > low else low + 1.0


def _paint(axes: Axes, square: Square, ends: tuple[float, float], words: str) -> None:
    image = axes.imshow(
        square.value, cmap="cividis", vmin=ends[0], vmax=ends[1], aspect="auto", interpolation="nearest"
    )
    image.set_label(words)
    axes.grid(visible=False)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.9, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=6.6)
    step = -(-len(square.names) // _NAMES)
    kept = list(range(0, len(square.names), step))
    axes.set_xticks(kept, [shorten(square.names[i], 16) for i in kept], rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(kept, [shorten(square.names[i], 16) for i in kept])
    axes.tick_params(labelsize=6.6, pad=2)
    axes.fmt_xdata = axes.fmt_ydata = NamedPlaces(square.names)


def _owner(run: Any) -> str:
    node = next(iter(_stages(run)), None)
    return "" if node is None else f"{node.attrs['hierarchy']}, {pretty_lesion(str(node.attrs['lesion']))}"


def _stages(run: Any) -> list[Any]:
    return [node for name, node in sorted(run.children.items()) if name.startswith("stage_")]


def _categories(run: Any) -> NDArray[np.str_] | None:
    """Return the category of every stimulus of a run, or None."""
    for array in run.children["stimuli"].data_vars.values():
        if array.attrs.get("name") == "category":
            return np.asarray(array.to_numpy().astype(str))
    return None


def _reduced(node: Any, name: str, labels: NDArray[np.str_] | None) -> Square:
    array = node.data_vars[name]
    value = array.to_numpy().astype(np.float64)
    ids = np.array([str(one) for one in _ids(array, len(value))])
    named = f"{node.attrs['name']} (units: {node.attrs['unit']})"
    order = np.arange(len(value)) if labels is None else np.argsort(labels, kind="stable")
    if len(value) > MOST_STIMULI:
        groups = [] if labels is None else list(np.unique(labels))
        if LEAST_CATEGORIES <= len(groups) <= MOST_STIMULI and labels is not None:
            return Square(named, tuple(map(str, groups)), _means(value, labels, groups))
        order = order[np.linspace(0, len(order) - 1, MOST_STIMULI).round().astype(int)]
    return Square(named, tuple(ids[order]), value[np.ix_(order, order)])


def _ids(array: Any, count: int) -> Any:
    return array.coords["stimulus"].to_numpy() if "stimulus" in array.coords else np.arange(count).astype(str)


def _means(value: Floats, labels: NDArray[np.str_], groups: Sequence[str]) -> Floats:
    """Return the mean of `value` over pairs of different stimuli of every two categories; NaN without such a pair."""
    member = np.array([labels == group for group in groups], dtype=np.float64)
    known = np.isfinite(value) & ~np.eye(len(value), dtype=bool)
    counts = member @ known @ member.T
    sums = member @ np.where(known, value, 0.0) @ member.T
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
