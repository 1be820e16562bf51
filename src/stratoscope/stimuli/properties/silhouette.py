"""What stands out from a uniform background: its area, place and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties.enclosing_circle import enclosing_circles
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.types import Floats

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Luminance of the background, or ``border``: the median of each image's outermost pixels.
Background: TypeAlias = float | Literal["border"]
#: One and a half steps of an 8-bit image: pixels that differ less from the background belong to it.
TOLERANCE = 1.5 / 255


class ScreenLike(Protocol):
    """A screen that says where the pixels of an image are in the visual field."""

    @property
    def field(self) -> float:
        """Width of the image in degrees."""

    @property
    def projection(self) -> str:
        """``angular`` (equal steps of angle) or ``flat`` (pixels of a flat screen straight ahead)."""


def silhouettes(images: ArrayLike, *, background: Background = 0.0, tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """Pixels of every image that differ from the background in luminance.

        |L(x) − L_background| > tolerance

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.
    background : float or "border", optional
        Luminance of the uniform background, in the unit of the images; ``border`` takes the median luminance of the
        outermost pixels of each image.
    tolerance : float, optional
        Largest difference that still counts as background.

    Returns
    -------
    array (stimulus, row, column), bool

    Raises
    ------
    BadInput
        A background or tolerance that is negative or not finite, or as `luminance_images`.

    When it misleads
    ----------------
    Parts as bright as the background are holes, and a shadowed side may be missing; lossy compression adds a halo; in a
    photograph nearly everything is silhouette.
    """
    return silhouettes_of(luminance_images(images), background, tolerance)


def silhouettes_of(luminance: Floats, background: Background, tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """Silhouettes of luminance images (stimulus, row, column)."""
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise BadInput(f"The tolerance of a silhouette is a luminance difference from 0 up; came {tolerance}.")
    return np.asarray(np.abs(luminance - background_levels(luminance, background)[:, None, None]) > tolerance)


def background_levels(luminance: Floats, background: Background) -> Floats:
    """Background luminance of every image, (stimulus,)."""
    if isinstance(background, str):
        if background != "border":
            raise BadInput(f"A background is a luminance or 'border'; came {background!r}.")
        edges = (luminance[:, 0], luminance[:, -1], luminance[:, 1:-1, 0], luminance[:, 1:-1, -1])
        return np.asarray(np.median(np.concatenate(edges, axis=1), axis=1))
    if not (np.isfinite(background) and background >= 0):
        raise BadInput(f"The background is a finite luminance from 0 up, or 'border'; came {background}.")
    return np.full(len(luminance), float(background))


def silhouette_area(images: ArrayLike, *, background: Background = 0.0, tolerance: float = TOLERANCE) -> Floats:
    """Share of the image that the silhouette covers.

    Parameters
    ----------
    images, background, tolerance
        As `silhouettes`.

    Returns
    -------
    array (stimulus,), float64
        0 to 1. Unchanged by shifts within the image; grows with the square of the scale.

    Raises
    ------
    BadInput
        As `silhouettes`.

    When it misleads
    ----------------
    As `silhouettes`; and a view cut by the border loses area.

    References
    ----------
    Defined here.
    """
    return area_of(silhouettes(images, background=background, tolerance=tolerance))


def area_of(masks: NDArray[np.bool_]) -> Floats:
    """Share of each image (stimulus, row, column) that its silhouette covers."""
    return np.asarray(masks.mean(axis=(1, 2)))


def silhouette_geometry(
    images: ArrayLike,
    *,
    background: Background = 0.0,
    tolerance: float = TOLERANCE,
    screen: ScreenLike | None = None,
) -> dict[str, Floats]:
    """Position and size of every silhouette.

        centroid = mean position of its pixels; extent = last − first + 1 along rows and columns;
        diameter = that of the smallest circle around its pixel centres, plus one pixel

    Parameters
    ----------
    images, background, tolerance
        As `silhouettes`.
    screen : Screen, optional
        With it, degrees of visual field are given too.

    Returns
    -------
    dict of str to array (stimulus,), float64
        ``centroid_row`` and ``centroid_column`` in pixels, the centre of the first pixel at 0, rows downwards;
        ``silhouette_height``, ``silhouette_width`` and ``circle_diameter`` in pixels. With a screen
        ``centroid_azimuth`` and ``centroid_elevation`` (right and up positive) and ``circle_degrees``. An image
        without a silhouette has NaN. Positions move with the image, sizes are proportional to scale.

    Raises
    ------
    BadInput
        As `silhouettes`; a screen whose field is not between 0 and 180 degrees, or of an unknown projection.

    When it misleads
    ----------------
    The centroid is not the centre of the object that was drawn (a handle pulls it), and the circle around the
    silhouette is smaller than the bounding circle that sets the size of a rendered object over all its rotations.
    One stray pixel of noise moves extents and circle. On a flat screen degrees shrink away from the centre, so
    ``circle_degrees`` is the angle of the circle's horizontal diameter.

    References
    ----------
    Welzl 1991, Smallest enclosing disks, LNCS 555:359-370
    """
    return geometry_of(silhouettes(images, background=background, tolerance=tolerance), screen)


def geometry_of(masks: NDArray[np.bool_], screen: ScreenLike | None = None) -> dict[str, Floats]:
    """Position and size of silhouettes (stimulus, row, column)."""
    by_row, by_column = masks.sum(axis=2), masks.sum(axis=1)
    row, height = _mean_and_extent(by_row)
    column, width = _mean_and_extent(by_column)
    centre, radius = _circles(masks)
    found = {
        "centroid_row": row,
        "centroid_column": column,
        "silhouette_height": height,
        "silhouette_width": width,
        "circle_diameter": 2 * radius + 1,
    }
    return found if screen is None else found | _in_degrees(found, centre, screen, masks.shape[1:])


def _mean_and_extent(counts: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """Mean position and extent along one axis from pixels at each position (stimulus, position)."""
    total = counts.sum(axis=1)
    here = counts > 0
    mean = counts @ np.arange(counts.shape[1]) / np.maximum(total, 1)
    extent = counts.shape[1] - np.argmax(here[:, ::-1], axis=1) - np.argmax(here, axis=1)
    return np.where(total > 0, mean, np.nan), np.where(total > 0, extent, np.nan)


def _circles(masks: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Smallest circle around pixel centres; the first and last pixel of each row hold up any such circle."""
    n, rows, columns = masks.shape
    first = np.argmax(masks, axis=2)
    last = columns - 1 - np.argmax(masks[:, :, ::-1], axis=2)
    row = np.broadcast_to(np.arange(rows), (n, rows))
    points = np.concatenate([np.stack([row, first], axis=2), np.stack([row, last], axis=2)], axis=1).astype(np.float64)
    any_in_row = masks.any(axis=2)
    return enclosing_circles(points, np.concatenate([any_in_row, any_in_row], axis=1))


def _in_degrees(
    found: Mapping[str, Floats], centre: Floats, screen: ScreenLike, shape: tuple[int, ...]
) -> dict[str, Floats]:
    rows, columns = shape
    if not 0 < screen.field < 180:
        raise BadInput(f"The field of a screen lies between 0 and 180 degrees; came {screen.field}.")
    x = found["centroid_column"] + 0.5 - columns / 2
    y = rows / 2 - found["centroid_row"] - 0.5
    azimuth, elevation = _angles(x, y, columns, screen)
    across, reach = centre[:, 1] + 0.5 - columns / 2, found["circle_diameter"] / 2
    middle = rows / 2 - centre[:, 0] - 0.5
    left, right = (_angles(across + side, middle, columns, screen)[0] for side in (-reach, reach))
    return {"centroid_azimuth": azimuth, "centroid_elevation": elevation, "circle_degrees": right - left}


def _angles(x: Floats, y: Floats, columns: int, screen: ScreenLike) -> tuple[Floats, Floats]:
    """Azimuth and elevation, in degrees, of places in pixels right of and above the centre of the image."""
    if screen.projection == "angular":
        return x * screen.field / columns, y * screen.field / columns
    if screen.projection != "flat":
        raise BadInput(f"A screen's projection is 'angular' or 'flat'; came {screen.projection!r}.")
    distance = columns / (2 * np.tan(np.deg2rad(screen.field / 2)))
    return np.rad2deg(np.arctan2(x, distance)), np.rad2deg(np.arctan2(y, np.hypot(x, distance)))
