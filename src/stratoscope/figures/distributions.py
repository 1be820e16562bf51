"""The spread over categories or units behind a curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stratoscope.figures.places import Places
from stratoscope.results import Results
from stratoscope.results.tree import stage_nodes
from stratoscope.types import Floats

#: Fewer values than this are no distribution; more are drawn from this many of their quantiles.
LEAST, MOST = 8, 1001
#: More violins than this are too slender for their outline to be seen, and a page of them is heavy.
SLENDER = 40


def draw_distributions(axes: Axes, results: Results, metric: str, places: Places, colour: str) -> Floats:
    """Draw a faint violin at every stage that holds `metric` for each category or unit; return all that is drawn."""
    found = list(_spreads(results, metric, places))
    if not found:
        return np.empty(0)
    where = np.array([place for place, _ in found])
    apart = np.diff(np.unique(where)).min() if len(np.unique(where)) > 1 else 0.2
    parts: Any = axes.violinplot(
        [values for _, values in found], where, widths=min(0.8 * float(apart), 0.12), showextrema=False,
        points=80 if len(found) <= SLENDER else 24,
    )  # fmt: skip
    for body in parts["bodies"]:
        body.set(facecolor=colour, edgecolor=colour, linewidth=0.4, alpha=0.13, zorder=1.8)
    return np.concatenate([values for _, values in found])


def _spreads(results: Results, metric: str, places: Places) -> Iterator[tuple[float, Floats]]:
    for node in stage_nodes(results.tree):
        array = node.data_vars.get(metric)
        at = (node.attrs["hierarchy"], node.attrs["name"])
        if array is None or at not in places or array.dims not in {("category",), ("unit",), ("stimulus",)}:
            continue
        values = array.to_numpy().astype(np.float64)
        values = values[np.isfinite(values)]
        if len(values) >= LEAST and np.ptp(values) > 0:
            drawn = values if len(values) <= MOST else np.quantile(values, np.linspace(0, 1, MOST))
            yield places[at], drawn
