"""Receptive field maps from recordings: drifting bars on a grid, sparse noise by reverse correlation, or maps that are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_choice, checked_finite, checked_responses
from stratoscope.types import Floats

POLARITIES = ("both", "on", "off")


@dataclass(frozen=True)
class FieldMaps:
    """Raw receptive field maps of units, on a grid of the visual field.

    Attributes
    ----------
    maps : array (unit, row, column)
        Response to each place, in the units of the responses. May be negative where a baseline was taken off.
    azimuth : array (column,)
        Degrees, one a column, rising or falling throughout.
    elevation : array (row,)
        Degrees, one a row, rising or falling throughout.
    method : str
        How the maps came about.

    Raises
    ------
    BadInput
        For NaN or infinite maps, or places that do not fit them.
    """

    maps: Floats
    azimuth: Floats
    elevation: Floats
    method: str = "given"

    def __post_init__(self) -> None:
        maps = checked_finite(self.maps, "FieldMaps", "maps")
        azimuth, elevation = (np.asarray(axis, dtype=np.float64) for axis in (self.azimuth, self.elevation))
        if maps.ndim != 3 or maps.shape[1:] != (elevation.size, azimuth.size) or min(maps.shape[1:]) < 2:
            raise BadInput(
                f"Receptive field maps have the shape (unit, row, column) with one elevation a row and one azimuth a column, "
                f"two or more of each; came maps {maps.shape}, {elevation.size} elevations and {azimuth.size} azimuths. "
                "Give a map alone as map[None]."
            )
        for name, axis in (("azimuth", azimuth), ("elevation", elevation)):
            steps = np.diff(axis)
            if not ((steps > 0).all() or (steps < 0).all()):
                raise BadInput(
                    f"The {name} of a map rises or falls throughout, but {axis.tolist()} came. Sort its places."
                )
        object.__setattr__(self, "maps", maps)
        object.__setattr__(self, "azimuth", azimuth)
        object.__setattr__(self, "elevation", elevation)

    def on_pixels(self, azimuth: Any, elevation: Any) -> Floats:
        """Return the maps (unit, row, column) at other places, as receptive fields that weigh the pixels of images.

        Between places of the grid they are interpolated linearly; outside they are zero, and so is what was negative. This is
        the `rf` of `stratoscope.stimuli.properties.rf_luminance` and `rf_contrast`.

        Parameters
        ----------
        azimuth, elevation : array (column,), array (row,)
            Centres of the pixels, degrees.

        Raises
        ------
        BadInput
            Where a unit has nothing above zero on these pixels.
        """
        columns = _interpolation(self.azimuth, np.asarray(azimuth, dtype=np.float64))
        rows = _interpolation(self.elevation, np.asarray(elevation, dtype=np.float64))
        placed = np.maximum(np.einsum("pr,urc,qc->upq", rows, self.maps, columns), 0.0)
        dark = np.flatnonzero(placed.max(axis=(1, 2)) <= 0)
        if len(dark):
            raise BadInput(
                f"{len(dark)} of {len(placed)} receptive fields are nowhere above zero on these pixels (first: unit {dark[0]}). "
                "Leave these units out, or take off less baseline."
            )
        return np.asarray(placed)


def _interpolation(places: Floats, wanted: Floats) -> Floats:
    """Return weights (wanted, place) of linear interpolation, all zero beyond half a step outside the places."""
    order = np.argsort(places)
    known = places[order]
    edge = (known[1] - known[0]) / 2, (known[-1] - known[-2]) / 2
    inside = (wanted >= known[0] - edge[0]) & (wanted <= known[-1] + edge[1])
    weights = np.stack([np.interp(wanted, known, row) for row in np.eye(len(known))], axis=1)
    return np.asarray(np.where(inside[:, None], weights, 0.0)[:, np.argsort(order)])


def bar_maps(responses: Any, azimuth: Any, elevation: Any, orientation: Any, *, baseline: Any = 0.0) -> FieldMaps:
    """Maps from short bars that drift within the cells of a grid, averaged over orientations.

    Parameters
    ----------
    responses : array (presentation, unit)
        Count of each unit for each sweep of a bar.
    azimuth, elevation : array (presentation,)
        Centre of the cell the bar drifted in, degrees. Every cell of the grid is needed.
    orientation : array (presentation,)
        Orientation of the bar. Trials are averaged within each orientation first, so that all weigh the same.
    baseline : float or array (unit,)
        Count without a stimulus in as long a time, taken off.

    Returns
    -------
    FieldMaps
        Rows by falling elevation, as in an image.

    Raises
    ------
    BadInput
        For a cell without a presentation of some orientation, or columns that do not fit.

    When it misleads
    ----------------
    A map has the grain of its grid: fields smaller than a cell (10° in the paper) look as large as one. A unit that prefers
    one orientation keeps a quarter of its contrast. Without a baseline the whole screen counts as field.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794: 10° bars, 4 orientations, 66°/s, 6 x 11 cells of 10°.
    """
    counts = checked_responses(responses, "bar_maps", rows="presentation")
    places = [_column(values, len(counts), name) for name, values in (("azimuth", azimuth), ("elevation", elevation))]
    across, column = np.unique(places[0], return_inverse=True)
    up, row = np.unique(-places[1], return_inverse=True)
    turned, angle = np.unique(_column(orientation, len(counts), "orientation"), return_inverse=True)
    shape = (len(turned), len(up), len(across))
    cell = np.ravel_multi_index((angle, row, column), shape)
    shown = np.bincount(cell, minlength=int(np.prod(shape)))
    if (shown == 0).any():
        gap = np.unravel_index(int((shown == 0).argmax()), shape)
        raise BadInput(
            f"{int((shown == 0).sum())} of {shown.size} cells of the grid have no presentation; the first is orientation "
            f"{turned[gap[0]]:g} at azimuth {across[gap[2]]:g}, elevation {-up[gap[1]]:g}. Give every cell in every "
            "orientation, or leave that orientation out."
        )
    means = np.stack([np.bincount(cell, weights=unit, minlength=shown.size) / shown for unit in counts.T])
    maps = means.reshape(-1, *shape).mean(axis=1)
    taken = np.broadcast_to(np.asarray(baseline, dtype=np.float64), (counts.shape[1],))
    return FieldMaps(maps - taken[:, None, None], across, -up, f"drifting bars, {len(turned)} orientations")


def sparse_noise_maps(
    responses: Any, frames: Any, azimuth: Any, elevation: Any, *, polarity: str = "both"
) -> FieldMaps:
    """Maps from sparse noise by reverse correlation: what a unit answers more while a place is lit.

        map(x) = mean of r over frames with x lit - mean of r over frames with x not lit

    Parameters
    ----------
    responses : array (frame, unit)
        Count of each unit in a window after each frame, put off by its latency.
    frames : array (frame, row, column)
        Contrast of each place against the background: above 0 lighter, below 0 darker, 0 background.
    azimuth, elevation : array (column,), (row,)
        Where the places are, degrees.
    polarity : str
        ``both`` (lighter and darker alike), ``on`` (lighter alone) or ``off`` (darker alone).

    Returns
    -------
    FieldMaps

    Raises
    ------
    TooFew
        Where a place is lit in every frame or in none.
    BadInput
        For frames that do not fit the responses.

    When it misleads
    ----------------
    It is the linear field: a unit that answers pairs of spots shows nothing. Places that are lit together more often than
    by chance smear into each other. ``both`` hides that on and off fields lie apart.

    References
    ----------
    Jones & Palmer 1987, doi:10.1152/jn.1987.58.6.1187.
    """
    counts = checked_responses(responses, "sparse_noise_maps", rows="frame")
    shown = checked_finite(frames, "sparse_noise_maps", "frames")
    if shown.ndim != 3 or len(shown) != len(counts):
        raise BadInput(
            f"sparse_noise_maps expects frames (frame, row, column) for {len(counts)} responses, but {shown.shape} came."
        )
    checked_choice(polarity, POLARITIES, "polarity")
    lit = {"both": shown != 0, "on": shown > 0, "off": shown < 0}[polarity].reshape(len(shown), -1).astype(np.float64)
    times = lit.sum(axis=0)
    if times.min() < 1 or times.max() > len(lit) - 1:
        raise TooFew(
            f"sparse_noise_maps compares frames with a place lit and not lit, but {int((times < 1).sum())} places are never "
            f"lit and {int((times > len(lit) - 1).sum())} always. Leave them out, or choose another polarity."
        )
    on = lit.T @ counts
    off = counts.sum(axis=0) - on
    maps = (on / times[:, None] - off / (len(lit) - times)[:, None]).T
    return FieldMaps(maps.reshape(-1, *shown.shape[1:]), azimuth, elevation, f"reverse correlation, {polarity}")


def _column(values: Any, n: int, name: str) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (n,) or not np.isfinite(column).all():
        raise BadInput(
            f"bar_maps needs a finite {name} for each of {n} presentations, but the shape {column.shape} came."
        )
    return column
