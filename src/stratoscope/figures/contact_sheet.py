"""Contact sheet of rendered objects: a row an object, a column a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.stimuli.objects import DEFAULT_VIEW, Mesh, Screen, Views, render

#: Views that stand for each axis, in degrees or percent.
SHOWN: dict[str, tuple[float, ...]] = {
    "azimuth": (-22.5, 0.0, 30.0),
    "size": (15.0, 35.0, 55.0),
    "in_plane": (-40.0, -20.0, 20.0, 40.0),
    "in_depth": (-60.0, -40.0, 40.0, 60.0),
    "luminance": (100.0, 50.0, 25.0, 12.5),
}
TITLES = {
    "azimuth": "azimuth (°)",
    "size": "size (°)",
    "in_plane": "in-plane rotation (°)",
    "in_depth": "in-depth rotation (°)",
    "luminance": "luminance (%)",
}


def contact_sheet(
    meshes: Mapping[str, Mesh], *, shown: Mapping[str, Sequence[float]] = SHOWN, pixels: int = 128, gap: int = 6
) -> Figure:
    """Draw objects (rows) at chosen values of each view axis (columns).

    Parameters
    ----------
    meshes : mapping of str to Mesh
        Objects by name, in the order of the rows.
    shown : mapping of str to sequence of float, optional
        Values of each axis; the other axes stay at their default, at azimuth 0.
    pixels : int, optional
        Columns of each image.
    gap : int, optional
        Pixels between images; four times as many between axes.

    Returns
    -------
    matplotlib.figure.Figure
        One figure, not attached to pyplot.
    """
    columns = [(axis, value) for axis, values in shown.items() for value in values]
    images = render(meshes, _views(list(meshes), columns), Screen(pixels=pixels), supersample=4)
    lefts = _lefts([len(values) for values in shown.values()], pixels, gap)
    sheet = np.full((len(meshes) * (pixels + gap) - gap, lefts[-1] + pixels), 255, np.uint8)
    for k, image in enumerate(images):
        top, left = k // len(columns) * (pixels + gap), lefts[k % len(columns)]
        sheet[top : top + pixels, left : left + pixels] = image
    figure = Figure(figsize=(sheet.shape[1] / 160 + 0.7, sheet.shape[0] / 160 + 0.6), dpi=160)
    axes = figure.add_axes((0.055, 0.005, 0.94, 0.945))
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    _label_rows(axes, list(meshes), pixels, gap)
    _label_columns(axes, dict(zip(lefts, columns, strict=True)), pixels, gap)
    axes.set_axis_off()
    return figure


def _views(objects: list[str], columns: Sequence[tuple[str, float]]) -> Views:
    rows = [DEFAULT_VIEW | {axis: value} for _ in objects for axis, value in columns]
    values = {name: np.array([row[name] for row in rows]) for name in DEFAULT_VIEW}
    return Views(np.repeat(objects, len(columns)), np.array([axis for axis, _ in columns] * len(objects)), **values)


def _lefts(counts: Sequence[int], pixels: int, gap: int) -> list[int]:
    """Left edge of every column of images, in pixels."""
    group = np.repeat(np.arange(len(counts)), counts)
    return [int(k * (pixels + gap) + 3 * gap * group[k]) for k in range(len(group))]


def _label_rows(axes: Axes, names: Sequence[str], pixels: int, gap: int) -> None:
    for k, name in enumerate(names):
        axes.text(-2 * gap, k * (pixels + gap) + pixels / 2, name, ha="right", va="center", fontsize=8)


def _label_columns(axes: Axes, columns: Mapping[int, tuple[str, float]], pixels: int, gap: int) -> None:
    """Write the value above every column, by its left edge, and the axis above its group."""
    for left, (_, value) in columns.items():
        axes.text(left + pixels / 2, -gap, f"{value:g}", ha="center", va="bottom", fontsize=7, color="0.35")
    for axis in dict.fromkeys(axis for axis, _ in columns.values()):
        at = [left for left, (name, _) in columns.items() if name == axis]
        middle = (at[0] + at[-1] + pixels) / 2
        axes.text(middle, -8 * gap, TITLES.get(axis, axis), ha="center", va="bottom", fontsize=8)
