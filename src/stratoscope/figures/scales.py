"""The dimension that an estimator finds at each scale, one curve a stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stratoscope.errors import unknown_name
from stratoscope.figures import style
from stratoscope.figures.captions import pretty
from stratoscope.results import Results
from stratoscope.results.tree import stage_nodes
from stratoscope.types import Floats


@dataclass(frozen=True)
class ScaleCurve:
    """Dimension of one stage at each neighbourhood size."""

    stage: str
    depth: float
    lesion: str
    n1: Floats
    value: Floats
    low: Floats
    high: Floats


def scale_curves(results: Results, metric: str = "gride") -> Figure:
    """Draw the dimension of every stage over the neighbourhood size it was estimated at.

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
    curves = list(_scale_curves(results, metric))
    if not curves:
        known = {
            str(name) for node in stage_nodes(results.tree) for name, a in node.data_vars.items() if "n1" in a.dims
        }
        raise unknown_name("array along n1 in these results", metric, sorted(known))
    figure, axes = style.new_figure(labels=True, bottom=0.55)
    with style.house_style():
        style.title_axis(axes, f"{pretty(metric)}  (unit: {_units(results, metric)})")
        _axis(axes, curves)
        labels = [label for curve in curves if (label := _draw(axes, curve))]
        style.write_labels(axes, [labels[i] for i in _shown(len(labels))])
    return figure


def _draw(axes: Axes, curve: ScaleCurve) -> style.Label | None:
    """Draw one stage; stages under a lesion are dashed, and their names stand at the intact ones."""
    colour = to_hex(style.RAMP(curve.depth))
    name = ", ".join(filter(None, (style.shorten(curve.stage), curve.lesion)))
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    axes.fill_between(curve.n1, curve.low, curve.high, where=known, color=colour, alpha=0.13, lw=0)
    dash = "-" if not curve.lesion else (0, (3, 1.5))
    axes.plot(curve.n1, curve.value, color=colour, marker="o", mew=0, lw=1.3, ls=dash, label=name)
    finite = curve.value[np.isfinite(curve.value)]
    return style.Label(name, float(finite[-1]), colour) if len(finite) and not curve.lesion else None


def _axis(axes: Axes, curves: list[ScaleCurve]) -> None:
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
        yield ScaleCurve(at["name"], float(at["depth"]), at["lesion"], n1.astype(np.float64), value, ends[0], ends[1])


def _units(results: Results, metric: str) -> str:
    return " and ".join(
        dict.fromkeys(node.attrs["unit"] for node in stage_nodes(results.tree) if metric in node.data_vars)
    )


def _shown(n: int, most: int = 9) -> list[int]:
    """Return which of `n` labels to write: all, or an even choice that keeps the first and the last."""
    return sorted({round(float(i)) for i in np.linspace(0, n - 1, min(n, most))})
