"""The screen in degrees of visual field, and where a point of an object falls on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratoscope.errors import BadInput, unknown_name
from stratoscope.types import Floats

PROJECTIONS = ("angular", "flat")


@dataclass(frozen=True)
class Screen:
    """A screen before the eye, and the part of the visual field that an image shows.

    Attributes
    ----------
    width, height : float
        Extent of the screen in degrees, centred straight ahead; 120 x 90 is that of Tafazoli et al. 2017.
        No object may reach beyond it.
    field : float
        Width of the image in degrees of azimuth (and, with ``angular``, its height in degrees of elevation).
    pixels : int
        Columns of the image.
    projection : str
        ``angular``: columns are equal steps of azimuth and rows equal steps of elevation, so that a view keeps its
        shape wherever it is shown; the image is square. ``flat``: the pixels of a flat screen that stands at a
        right angle to straight ahead, with the tangent-screen correction; pixels are square on the screen, the
        image shows its full height, and views far from the centre are stretched as they are on the real screen.
    """

    width: float = 120.0
    height: float = 90.0
    field: float = 96.0
    pixels: int = 64
    projection: str = "angular"

    def __post_init__(self) -> None:
        if self.projection not in PROJECTIONS:
            raise unknown_name("projection", self.projection, PROJECTIONS)
        if not 8 <= self.pixels <= 4096:
            raise BadInput(f"An image has 8 to 4096 pixels a side; {self.pixels} were asked for.")
        if not (0 < self.width < 180 and 0 < self.height < 180 and 0 < self.field < 180):
            raise BadInput(
                f"Width, height and field of a flat screen lie between 0 and 180 degrees; came {self.width}, "
                f"{self.height} and {self.field}."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        if self.projection == "angular":
            return self.pixels, self.pixels
        return max(1, round(self.pixels * _tangent(self.height / 2) / _tangent(self.field / 2))), self.pixels

    @property
    def half(self) -> tuple[float, float]:
        """Largest azimuth and elevation, in degrees, that are both on the screen and in the image."""
        rows = self.field if self.projection == "angular" else self.height
        return min(self.width, self.field) / 2, min(self.height, rows) / 2

    def fits(self, azimuth: Floats, elevation: Floats, size: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether the bounding circle of each view (degrees) lies on the screen and in the image, (view,) bool."""
        x, y = self.half
        reach = size / 2
        return np.asarray((np.abs(azimuth) + reach <= x) & (np.abs(elevation) + reach <= y))

    def pixel_coordinates(self, directions: Floats) -> Floats:
        """Place directions (..., 3), x right, y up, z ahead, into the image: (..., 2) as column and row in pixels.

        The centre of the image is (columns / 2, rows / 2); rows run downwards.
        """
        x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
        rows, columns = self.shape
        if self.projection == "angular":
            scale = columns / np.deg2rad(self.field)
            across, up = np.arctan2(x, z) * scale, np.arctan2(y, np.hypot(x, z)) * scale
        else:
            scale = columns / (2 * _tangent(self.field / 2))
            across, up = x / z * scale, y / z * scale
        return np.stack([columns / 2 + across, rows / 2 - up], -1)


def directions(plane: Floats, azimuth: Floats, elevation: Floats) -> Floats:
    """Directions in space of points drawn on a screen that is tangent at (azimuth, elevation).

    With x2, y2 the point on the tangent screen in units of the viewing distance R, phi = atan(x2) and elevation 0,
    the direction meets the flat screen at x1 = tan(azimuth + phi), y1 = y2 cos(phi) / cos(azimuth + phi): the
    tangent-screen projection by which Tafazoli et al. (2017, doi:10.7554/eLife.22794) kept the shapes undistorted.

    Parameters
    ----------
    plane : (..., 2) float64
        Points on the tangent screen, in viewing distances, x right and y up.
    azimuth, elevation : (...) float64
        Where the tangent screen touches the sphere of vision, degrees.

    Returns
    -------
    (..., 3) float64
        Directions, x right, y up, z straight ahead; not of unit length.
    """
    a, e = np.deg2rad(azimuth), np.deg2rad(elevation)
    x, y = plane[..., 0], plane[..., 1]
    up = y * np.cos(e) + np.sin(e)
    ahead = np.cos(e) - y * np.sin(e)
    return np.stack([x * np.cos(a) + ahead * np.sin(a), up, ahead * np.cos(a) - x * np.sin(a)], -1)


def _tangent(degrees: float) -> float:
    return float(np.tan(np.deg2rad(degrees)))
