"""The dimension that an estimator finds at each scale, one curve a stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stratoscope.errors import unknown_name
from stratoscope.figures import style
from stratoscope.figures.captions import pretty, pretty_lesion
from stratoscope.results import Results
from stratoscope.results.tree import stage_nodes
from stratoscope.types import Floats


@dataclass(frozen=True)
class ScaleCurve:
    """Dimension of one stage at each neighbourhood size."""

    stage: str
    depth: float
    line: tuple[str, str, str]
    n1: Floats
    value: Floats
    low: Floats
    high: Floats


def scale_curves(results: Results, metric: str = "gride") -> Figure:
    """Draw the dimension of every stage over the neighbourhood size it was estimated at, a panel a network and lesion.

    A flat stretch is a dimension one can speak of; a curve that keeps falling says that noise is measured at small
    scales, one that keeps rising says that curvature is at large ones.

    Parameters
    ----------
    results : Results
        With arrays `metric` (n1,) and optionally ``metric.low`` and ``metric.high``.
    metric : str
        Name of the arrays.

    Raises
    ------
    UnknownName
        If no stage holds such an array along ``n1``.
    """
    curves = scales_of(results, metric)
    if not curves:
        known = {
            str(name) for node in stage_nodes(results.tree) for name, a in node.data_vars.items() if "n1" in a.dims
        }
        raise unknown_name("array along n1 in these results", metric, sorted(known))
    lines = list(dict.fromkeys(curve.line for curve in curves))
    title = f"{pretty(metric)}  (unit: {_units(results, metric)})"
    if len(lines) == 1:
        figure, axes = style.new_figure(labels=True, bottom=0.55)
        with style.house_style():
            style.title_axis(axes, title)
            _fill(axes, curves, curves, most=9)
        return figure
    figure, every = style.new_grid(len(lines))
    with style.house_style():
        style.title_axis(every[0], title, above=1.2)
        for axes, line, name in zip(every, lines, _names(lines), strict=True):
            axes.set_title(style.shorten(name, 30), loc="left", fontweight="bold", fontsize=8.2, pad=3)
            _fill(axes, [curve for curve in curves if curve.line == line], curves, most=2)
        for axes in every[:-1]:
            axes.set_xlabel("")
    return figure


def scales_of(results: Results, metric: str) -> list[ScaleCurve]:
    """Return the arrays `metric` along ``n1`` of all stages, in order of runs and of execution."""
    return list(_scale_curves(results, metric))


def _fill(axes: Axes, own: Sequence[ScaleCurve], curves: Sequence[ScaleCurve], most: int) -> None:
    """Draw the curves of one panel, on an axis that holds those of all, and name at most so many of them."""
    _axis(axes, curves)
    labels = [label for curve in own if (label := _draw(axes, curve))]
    style.write_labels(axes, [labels[i] for i in _shown(len(labels), most)])


def _names(lines: Sequence[tuple[str, str, str]]) -> list[str]:
    """Name every panel by what sets it apart from the others."""
    differ = [index for index in range(3) if len({line[index] for line in lines}) > 1]
    return [", ".join(pretty_lesion(line[i]) if i == 1 else line[i] for i in differ) for line in lines]


def _draw(axes: Axes, curve: ScaleCurve) -> style.Label | None:
    """Draw one stage, in the colour of its depth."""
    colour = to_hex(style.RAMP(curve.depth))
    name = style.shorten(curve.stage)
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    axes.fill_between(curve.n1, curve.low, curve.high, where=known, color=colour, alpha=0.13, lw=0)
    axes.plot(curve.n1, curve.value, color=colour, marker="o", mew=0, lw=1.3, label=curve.stage)
    finite = curve.value[np.isfinite(curve.value)]
    return style.Label(name, float(finite[-1]), colour) if len(finite) else None


def _axis(axes: Axes, curves: Sequence[ScaleCurve]) -> None:
    sizes = np.unique(np.concatenate([curve.n1 for curve in curves]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.set_xlabel("neighbourhood size n1 (distances to neighbours n1 and 2·n1)", fontsize=7.6, loc="right")
    tops = np.concatenate([np.where(np.isfinite(curve.high), curve.high, curve.value) for curve in curves])
    tops = tops[np.isfinite(tops)]
    axes.set_ylim(0, 1.06 * float(tops.max()) if len(tops) else 1.0)


def _scale_curves(results: Results, metric: str) -> Iterator[ScaleCurve]:
    for node in stage_nodes(results.tree):
        data = node.to_dataset()
        if metric not in data or data[metric].dims != ("n1",):
            continue
        value = data[metric].to_numpy()
        n1 = data["n1"].to_numpy() if "n1" in data.coords else 2.0 ** np.arange(len(value))
        unknown = np.full(len(value), np.nan)
        ends = [data[key].to_numpy() if (key := f"{metric}.{end}") in data else unknown for end in ("low", "high")]
        at = node.attrs
        line = (at["hierarchy"], at["lesion"], at["unit"])
        yield ScaleCurve(at["name"], float(at["depth"]), line, n1.astype(np.float64), value, ends[0], ends[1])


def _units(results: Results, metric: str) -> str:
    return " and ".join(
        dict.fromkeys(node.attrs["unit"] for node in stage_nodes(results.tree) if metric in node.data_vars)
    )


def _shown(n: int, most: int) -> list[int]:
    """Return which of `n` labels to write: all, or an even choice that keeps the first and the last."""
    return sorted({round(float(i)) for i in np.linspace(0, n - 1, min(n, most))})
