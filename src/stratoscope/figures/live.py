"""The same figures as plain data, for a page that draws them itself: what hovers, zooms and can be hidden."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from stratoscope.figures import style
from stratoscope.figures.captions import axis_label, controlled_lesion, drawn_rows, rows_of
from stratoscope.figures.curves import Curve, curves_of, line_names
from stratoscope.figures.side_by_side import Matrix
from stratoscope.results import Results

#: Names of colours that the page has its own light and dark values for.
NAMED = {colour: name for name, colour in style.THEME.items()}
#: Dashes of controls, in the order in which `figures.style.CONTROL_LINES` has them.
_DASHES = ("dash", "dot", "dashdot", "longdash")


def live_curves(results: Results, metric: str) -> dict[str, Any]:
    """Return what `figures.metric_over_depth` draws as plain data.

    Returns
    -------
    dict
        ``kind`` "curves", the label of the y axis, ``stages`` with their places, and ``lines``: name, colour, dash,
        whether it is a control, and along the stages x, value, low, high, n, note. Missing numbers are None.
    """
    rows = drawn_rows(rows_of(results, metric))
    curves, places, by_depth = curves_of(rows)
    measured = [curve for curve in curves if not curve.control]
    controls = [curve for curve in curves if curve.control and curve.key[1] == controlled_lesion(rows)]
    names = line_names(measured)
    colours = style.line_colours(names, len({curve.key[3] for curve in measured}) == len(measured) > 2)
    dashes: dict[str, str] = {}
    for curve in controls:
        dashes.setdefault(curve.control, _DASHES[len(dashes) % len(_DASHES)])
    lines = [_line(curve, f"control: {curve.control}", "control", dashes[curve.control]) for curve in controls]
    lines += [_line(curve, name, colours[name], "solid") for curve, name in zip(measured, names, strict=True)]
    return {
        "kind": "curves",
        "label": axis_label(results, metric, rows),
        "axis": "depth, 0 (input) to 1 (output)" if by_depth else "order of execution, 0 (input) to 1 (output)",
        "stages": [{"name": stage, "hierarchy": hierarchy, "x": place} for (hierarchy, stage), place in places.items()],
        "lines": lines,
    }


def live_matrix(one: Matrix) -> dict[str, Any]:
    """Return what `figures.side_by_side.stage_similarity` draws as plain data."""
    parts = {"value": one.value, "low": one.low, "high": one.high, "share": one.best_share}
    return {
        "kind": "matrix", "label": one.measure, "first": one.first, "second": one.second, "rows": list(one.rows),
        "columns": list(one.columns), "n": one.n, "drawn": one.drawn, **{name: [plain(row) for row in part] for name, part in parts.items()},
    }  # fmt: skip


def _line(curve: Curve, name: str, colour: str, dash: str) -> dict[str, Any]:
    return {
        "name": name,
        "control": bool(curve.control),
        "colour": NAMED.get(colour, colour),
        "dash": dash,
        "stages": [row.stage for row in curve.rows],
        "x": plain(curve.x),
        "y": plain(curve.along("value")),
        "low": plain(curve.along("low")),
        "high": plain(curve.along("high")),
        "n": [int(row.n) for row in curve.rows],
        "notes": [row.note for row in curve.rows],
    }


def plain(numbers: Sequence[float] | np.ndarray[Any, Any] | Iterable[float]) -> list[float | None]:
    """Return numbers to six digits, which no screen resolves; None for what is not finite."""
    return [float(f"{one:.6g}") if math.isfinite(one) else None for one in map(float, numbers)]
