"""A metric over the depth of a hierarchy, its controls behind it and its lesions beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.figures import style
from stratoscope.figures.captions import axis_label, declaration, drawn_rows, rows_of
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
    The y range is the one the metric declares. A stage without a value is marked by a cross.

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
    rows = drawn_rows(rows_of(results, metric))
    places, by_depth = places_of(rows)
    curves = list(_curves(rows, places))
    measured = [curve for curve in curves if not curve.control]
    labelled = len(measured) > 1 or len(curves) > len(measured)
    figure, axes = style.new_figure(labelled, style.name_room([row.stage for row in rows]))
    with style.house_style():
        style.title_axis(axes, axis_label(results, metric, rows))
        name_stages(axes, places, by_depth)
        _limit(axes, rows, declaration(results, metric).range)
        if len(measured) == 1:
            draw_distributions(axes, results, metric, places, style.SERIES[0])
        labels = [*_draw_controls(axes, curves), *_draw_measured(axes, measured)]
        if labelled:
            style.write_labels(axes, labels)
    return figure


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
    """Draw controls of the intact measurement behind everything; each kind has its own dashes and one label."""
    dashes: dict[str, Any] = {}
    for curve in (curve for curve in curves if curve.control and not curve.key[1]):
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
    names = _names(curves)
    ordered = len({curve.key[3] for curve in curves}) == len(curves) > 2
    colours = style.line_colours(names, ordered)
    labelled: set[str] = set()
    for curve, name in zip(curves, names, strict=True):
        colour = colours[name]
        _band(axes, curve, colour, 0.18, zorder=2.0)
        axes.plot(
            curve.x, curve.along("value"), color=colour, marker="o", mew=0, zorder=3, clip_on=False,
            label=name,
        )  # fmt: skip
        _mark_missing(axes, curve, colour)
        if name not in labelled:
            labelled.add(name)
            yield style.Label(name, _end(curve), colour, "bold")


def _names(curves: Sequence[Curve]) -> list[str]:
    """Name each line by what sets it apart from the others; without a lesion it is intact."""
    differ = [index for index in range(4) if len({curve.key[index] for curve in curves}) > 1]
    named = []
    for curve in curves:
        words = [curve.key[index] or ("intact" if index == 1 else "") for index in differ]
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


def _limit(axes: Axes, rows: Sequence[Row], declared: tuple[float, float]) -> None:
    """Set the y range to the declared one; an open end follows the values."""
    values = np.array([number for row in rows for number in (row.value, row.low, row.high)])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.5
    bottom = declared[0] if np.isfinite(declared[0]) else low - room
    top = declared[1] if np.isfinite(declared[1]) else high + room
    axes.set_ylim(bottom, max(top, bottom + 1e-9))
