"""What a drawn figure shows, read from its artists as plain data: so that a figure of many panels answers in a page too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch

from stratoscope.figures.counts import counts
from stratoscope.figures.live import NAMED, plain
from stratoscope.figures.places import NamedPlaces
from stratoscope.types import Floats

#: Shorter than any other dash: what stands for a row of dots.
_DOTS = 2.0


def live_panels(figure: Figure, stages: Sequence[str] | None = None) -> dict[str, Any]:
    """Return every panel of `figure` as plain data: what `panels` of a page draws.

    Lines come with the band of their colour as low and high; boxes as outlines; levels (lines across a panel) as such. What
    has no label does not stand in a legend. Places that name stages (`places.NamedPlaces`) keep all names, also those
    for which the drawing has no room. Images are matrices whose axes name their rows and columns.

    Parameters
    ----------
    figure : Figure
        As one of the functions of `figures` drew it.
    stages : sequence of str, optional
        Which names are names of stages, that can be chosen; by default those along the panels.

    Returns
    -------
    dict
        ``kind`` "panels", ``stages`` (names along the panels that have them), and ``panels``: title, ``x`` and ``y`` (label,
        range, base of the logarithm or 0, names of 0, 1, 2 ...), ``lines`` (name, colour, dash, marks, control, x, y, low, high, and n where it is known), ``levels``,
        ``heat`` (label, range, value) or None.
    """
    bars = {id(image.colorbar.ax) for axes in figure.axes for image in axes.images if image.colorbar is not None}
    panels = [_panel(axes) for axes in figure.axes if axes.has_data() and id(axes) not in bars]
    named = dict.fromkeys(name for panel in panels for name in panel["x"]["names"]) if stages is None else stages
    return {"kind": "panels", "stages": list(named), "panels": panels}


def _panel(axes: Axes) -> dict[str, Any]:
    across = [line for line in axes.lines if line.get_transform() != axes.transData]
    drawn = [line for line in axes.lines if line not in across]
    bands = [band for found in axes.collections if isinstance(found, PolyCollection) for band in _bands(found)]
    lines = [_line(line, bands) for line in drawn if line.get_visible() and len(_points(line))]
    title, label = axes.get_title("left"), axes.get_ylabel()
    return {
        "title": title or label,
        "x": _axis(axes.get_xlabel(), axes.get_xlim(), axes.xaxis, _names(axes.fmt_xdata)),
        "y": _axis(label if title else "", axes.get_ylim(), axes.yaxis, _names(axes.fmt_ydata)),
        "lines": [*_outlines(axes), *lines],
        "levels": [_level(line) for line in across],
        "heat": next((_heat(image) for image in axes.images), None),
    }


def _names(said: object) -> list[str]:
    return list(said.names) if isinstance(said, NamedPlaces) else []


def _heat(image: AxesImage) -> dict[str, Any]:
    value = np.ma.filled(np.ma.asarray(image.get_array(), dtype=np.float64), np.nan)
    return {"label": str(image.get_label()), "range": plain(image.get_clim()), "value": [plain(row) for row in value]}


def _axis(label: str, ends: tuple[float, float], axis: Axis, names: list[str]) -> dict[str, Any]:
    base = float(getattr(axis.get_transform(), "base", 0)) if axis.get_scale() == "log" else 0
    return {"label": label, "range": plain(ends), "log": base, "names": names}


def _points(line: Line2D) -> Floats:
    return np.asarray(line.get_xydata(), dtype=np.float64)


def _line(line: Line2D, bands: Sequence[tuple[str, dict[float, tuple[float, float]]]]) -> dict[str, Any]:
    points, colour = _points(line), to_hex(line.get_color())
    # the band of a line has its colour, and its places: several lines may share one colour
    own = next((ends for tint, ends in bands if tint == colour and all(x in ends for x in points[:, 0])), {})
    label = str(line.get_label())
    dotted = line.get_linestyle() not in ("None", "")
    counted = counts(line)
    return {
        **({"n": counted} if counted is not None else {}),
        "name": "" if label.startswith("_") else label,
        "colour": NAMED.get(colour, colour),
        "control": NAMED.get(colour) in ("control", "soft"),
        "dash": _dash(line),
        "marks": ("lines+markers" if dotted else "markers") if line.get_marker() not in ("None", "", None) else "lines",
        "x": plain(points[:, 0]),
        "y": plain(points[:, 1]),
        "low": plain(own.get(x, (np.nan, np.nan))[0] for x in points[:, 0]),
        "high": plain(own.get(x, (np.nan, np.nan))[1] for x in points[:, 0]),
    }


def _dash(line: Line2D) -> str:
    """Return the dash of `line` as the page calls it; matplotlib keeps patterns in multiples of the width of the line."""
    if not line.is_dashed():
        return "solid"
    pattern = line._unscaled_dash_pattern[1] or ()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to it
    if len(pattern) > 2:
        return "dashdot"
    return "dot" if pattern and pattern[0] < _DOTS else "dash"


def _bands(found: PolyCollection) -> Iterator[tuple[str, dict[float, tuple[float, float]]]]:
    """Return colour, and lowest and highest end at every place, of a filled band."""
    faces = np.asarray(found.get_facecolor())
    if not len(faces):
        return
    ends: dict[float, tuple[float, float]] = {}
    for path in found.get_paths():
        for x, y in np.asarray(path.vertices, dtype=np.float64):
            low, high = ends.get(float(x), (y, y))
            ends[float(x)] = (min(low, float(y)), max(high, float(y)))
    yield to_hex(faces[0]), ends


def _outlines(axes: Axes) -> Iterator[dict[str, Any]]:
    """Return the boxes of a box plot as closed lines without names."""
    for patch in axes.patches:
        if isinstance(patch, PathPatch):
            points, colour = np.asarray(patch.get_path().vertices), to_hex(patch.get_edgecolor())
            nothing = plain([np.nan] * len(points))
            yield {
                "name": "", "colour": NAMED.get(colour, colour), "control": False, "dash": "solid", "marks": "lines",
                "x": plain(points[:, 0]), "y": plain(points[:, 1]), "low": nothing, "high": nothing,
            }  # fmt: skip


def _level(line: Line2D) -> dict[str, Any]:
    """Return a line across a panel: at which value, along which axis, and how it looks."""
    points, colour = _points(line), to_hex(line.get_color())
    along = "y" if points[0, 1] == points[-1, 1] else "x"
    at = float(points[0, 1] if along == "y" else points[0, 0])
    return {"along": along, "at": at, "colour": NAMED.get(colour, colour), "dash": _dash(line)}
