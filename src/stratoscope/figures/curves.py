"""A metric over the depth of a hierarchy, its controls behind it and its lesions beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stratoscope.figures import style
from stratoscope.figures.captions import (
    axis_label,
    controlled_lesion,
    declaration,
    drawn_rows,
    pretty_lesion,
    rows_of,
)
from stratoscope.figures.distributions import draw_distributions
from stratoscope.figures.places import Places, name_stages, places_of
from stratoscope.results import Results, Row
from stratoscope.types import Floats


@dataclass(frozen=True)
class Curve:
    """The rows that one line runs through, in order of depth, what sets them apart, and where they stand."""

    key: tuple[str, str, str, str, str]
    rows: tuple[Row, ...]
    x: Floats

    @property
    def control(self) -> str:
        """The control this is, empty for the measurement."""
        return self.key[-1]

    def along(self, column: str) -> Floats:
        """Return one column of the rows."""
        return np.array([getattr(row, column) for row in self.rows], dtype=np.float64)


def metric_over_depth(results: Results, metric: str) -> Figure:
    """Draw `metric` over depth: the measurement with its interval, lesions beside it, controls in grey behind it.

    Where the results hold the metric for every category or unit, their distribution is drawn as a faint violin.
    The y axis stands on 0 and reaches as far as there is something to see, never beyond the range that the metric
    declares. A stage without a value is marked by a cross.

    Parameters
    ----------
    results : Results
        One run, or several combined.
    metric : str
        Name of a metric in the table.

    Returns
    -------
    Figure
        Not known to pyplot; save it with ``figure.savefig``.

    Raises
    ------
    UnknownName
        If the results hold no such metric.
    """
    return metrics_over_depth(results, [metric])


def metrics_over_depth(results: Results, metrics: Sequence[str]) -> Figure:
    """Draw several metrics over depth side by side, each as `metric_over_depth` draws it.

    Parameters
    ----------
    results : Results
        One run, or several combined.
    metrics : sequence of str
        Names of metrics in the table, from left to right.

    Returns
    -------
    Figure
        With one axes a metric, each 4.5 inches wide.

    Raises
    ------
    UnknownName
        If the results hold no such metric.
    """
    drawn = [drawn_rows(rows_of(results, metric)) for metric in metrics]
    labelled = any(len(_lines(rows)) > 1 for rows in drawn)
    room = style.name_room([row.stage for rows in drawn for row in rows])
    figure, every = style.new_panels(len(drawn), labelled, room)
    with style.house_style():
        for axes, metric, rows in zip(every, metrics, drawn, strict=True):
            _draw(axes, results, metric, rows)
    return figure


def curves_of(rows: Sequence[Row]) -> tuple[list[Curve], Places, bool]:
    """Return the lines that run through `rows`, where each stage stands, and whether that is its depth."""
    places, by_depth = places_of(rows)
    return list(_curves(rows, places)), places, by_depth


def _draw(axes: Axes, results: Results, metric: str, rows: Sequence[Row]) -> None:
    curves, places, by_depth = curves_of(rows)
    measured = [curve for curve in curves if not curve.control]
    style.title_axis(axes, axis_label(results, metric, rows))
    name_stages(axes, places, by_depth)
    spread = draw_distributions(axes, results, metric, places, style.SERIES[0]) if len(measured) == 1 else np.empty(0)
    _limit(axes, np.concatenate([_seen(rows), spread]), declaration(results, metric).range)
    controls = [curve for curve in curves if curve.control and curve.key[1] == controlled_lesion(rows)]
    labels = [*_draw_controls(axes, controls), *_draw_measured(axes, measured)]
    if len(labels) > 1:
        style.write_labels(axes, labels)


def _lines(rows: Sequence[Row]) -> set[tuple[str, ...]]:
    return {(row.hierarchy, row.lesion, row.unit, row.item, row.control) for row in rows}


def _seen(rows: Sequence[Row]) -> Floats:
    """Return every number that is drawn: values and ends of intervals, of controls only those of the intact."""
    own = controlled_lesion(rows)
    shown = [row for row in rows if not row.control or row.lesion == own]
    return np.array([number for row in shown for number in (row.value, row.low, row.high)])


def _curves(rows: Sequence[Row], places: Places) -> Iterator[Curve]:
    """Gather rows into lines; repeats under several seeds are lines of their own."""
    lines: dict[tuple[Any, ...], list[Row]] = {}
    repeated = _repeated(rows)
    for row in rows:
        key = (row.hierarchy, row.lesion, row.unit, row.item, row.control)
        lines.setdefault((key, row.seed if key in repeated else None), []).append(row)
    for (key, _), members in lines.items():
        ordered = tuple(sorted(members, key=lambda row: places[row.hierarchy, row.stage]))
        yield Curve(key, ordered, np.array([places[row.hierarchy, row.stage] for row in ordered]))


def _repeated(rows: Sequence[Row]) -> set[tuple[str, ...]]:
    """Return the lines that have several rows at one stage."""
    seen: set[tuple[str, ...]] = set()
    repeated: set[tuple[str, ...]] = set()
    for row in rows:
        key = (row.hierarchy, row.lesion, row.unit, row.item, row.control)
        if (*key, row.stage) in seen:
            repeated.add(key)
        seen.add((*key, row.stage))
    return repeated


def _draw_controls(axes: Axes, curves: Iterable[Curve]) -> Iterator[style.Label]:
    """Draw controls behind everything; each kind has its own dashes and one label."""
    dashes: dict[str, Any] = {}
    for curve in curves:
        first = curve.control not in dashes
        dash = dashes.setdefault(curve.control, style.CONTROL_LINES[len(dashes) % len(style.CONTROL_LINES)])
        colour = style.THEME["control"]
        _band(axes, curve, colour, 0.12, zorder=1.0)
        axes.plot(
            curve.x, curve.along("value"), color=colour, ls=dash, lw=1.1, zorder=1.5, clip_on=False,
            label=f"control: {curve.control}",
        )  # fmt: skip
        if first:
            yield style.Label(curve.control, _end(curve), colour)


def _draw_measured(axes: Axes, curves: Sequence[Curve]) -> Iterator[style.Label]:
    names = line_names(curves)
    ordered = len({curve.key[3] for curve in curves}) == len(curves) > 2
    colours = style.line_colours(names, ordered)
    labelled: set[str] = set()
    for curve, name in zip(curves, names, strict=True):
        colour = colours[name]
        first = curve is curves[0]
        _band(axes, curve, colour, 0.18 if first or len(curves) < 3 else 0.09, zorder=2.0)
        axes.plot(
            curve.x, curve.along("value"), color=colour, marker="o", mew=0, zorder=3.5 if first else 3, clip_on=False,
            label=name,
        )  # fmt: skip
        _mark_missing(axes, curve, colour)
        if name not in labelled:
            labelled.add(name)
            yield style.Label(name, _end(curve), colour, "bold")


def line_names(curves: Sequence[Curve]) -> list[str]:
    """Name each line by what sets it apart from the others; without a lesion it is intact."""
    differ = [index for index in range(4) if len({curve.key[index] for curve in curves}) > 1]
    named = []
    for curve in curves:
        words = [pretty_lesion(curve.key[index]) if index == 1 else curve.key[index] for index in differ]
        named.append(", ".join(filter(None, words)) or "measured")
    return named


def _band(axes: Axes, curve: Curve, colour: str, alpha: float, zorder: float) -> None:
    depth, low, high = curve.x, curve.along("low"), curve.along("high")
    known = np.isfinite(low) & np.isfinite(high)
    if known.sum() == 1:
        axes.vlines(depth[known], low[known], high[known], color=colour, lw=2.5, alpha=2 * alpha, zorder=zorder)
    elif known.any():
        axes.fill_between(depth, low, high, where=known, color=colour, alpha=alpha, lw=0, zorder=zorder)


def _mark_missing(axes: Axes, curve: Curve, colour: str) -> None:
    missing = ~np.isfinite(curve.along("value"))
    if missing.any():
        at = curve.x[missing]
        axes.plot(
            at, np.full(len(at), 0.02), ls="", marker="x", ms=4, color=colour, transform=axes.get_xaxis_transform(),
            label="no value", clip_on=False,
        )  # fmt: skip


def _end(curve: Curve) -> float:
    """Height of the last point that there is."""
    values = curve.along("value")
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else float("nan")


def _limit(axes: Axes, values: Floats, declared: tuple[float, float]) -> None:
    """Let the y axis hold 0 and `values` with some room, within the declared range."""
    values = values[np.isfinite(values)]
    low, high = (min(values.min(), 0.0), max(values.max(), 0.0)) if len(values) else (0.0, 0.0)
    if low == high:
        high = declared[1] if np.isfinite(declared[1]) else 1.0
    room = 0.06 * (high - low)
    bottom = max(low - room, declared[0]) if low < 0 else 0.0
    top = min(high + room, max(declared[1], high)) if high > 0 else 0.0
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.set_ylim(float(bottom), float(top))
