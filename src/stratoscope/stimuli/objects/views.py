"""Which views of the objects are shown: the fixed axes of Tafazoli et al. 2017, or random combinations of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, did_you_mean, unknown_name
from stratoscope.stimuli.objects.screen import Screen
from stratoscope.types import Floats, Integers

#: Azimuths of the position axis, degrees.
POSITIONS = (-22.5, -15.0, -7.5, 0.0, 7.5, 15.0, 22.5, 30.0)
#: Azimuths at which the other axes are shown, degrees.
DEFAULT_AZIMUTHS = (-15.0, 15.0)
#: Values of the other axes that differ from the default: degrees, and percent for luminance.
OTHER_AXES: dict[str, tuple[float, ...]] = {
    "size": (15.0, 25.0, 45.0, 55.0),
    "in_plane": (-40.0, -20.0, 20.0, 40.0),
    "in_depth": (-60.0, -40.0, 40.0, 60.0),
    "luminance": (12.5, 25.0, 50.0),
}
AXES = ("position", *OTHER_AXES)
DEFAULT_VIEW = {"azimuth": 0.0, "elevation": 0.0, "size": 35.0, "in_plane": 0.0, "in_depth": 0.0, "luminance": 100.0}
#: Ranges of the random views; on the default screen every combination lies within the image.
DENSE_RANGES: dict[str, tuple[float, float]] = {
    "azimuth": (-20.0, 20.0),
    "elevation": (-15.0, 15.0),
    "size": (15.0, 55.0),
    "in_plane": (-40.0, 40.0),
    "in_depth": (-60.0, 60.0),
    "luminance": (12.5, 100.0),
}


@dataclass(frozen=True)
class Views:
    """A list of views; every field is an array (view,).

    Attributes
    ----------
    object : array of str
        Name of the object.
    axis : array of str
        Axis that the view belongs to: one of `AXES`, or ``dense``.
    azimuth, elevation : array of float
        Centre of the object in degrees from straight ahead; positive to the right and up.
    size : array of float
        Diameter of the bounding circle, degrees: that of the smallest sphere round the object, in every pose.
    in_plane : array of float
        Rotation in the picture plane, degrees, positive counter-clockwise.
    in_depth : array of float
        Rotation about the vertical axis of the object, degrees, positive turns its front to the viewer's right;
        made before the rotation in the plane.
    luminance : array of float
        Percent of the full luminance of the object.
    """

    object: NDArray[np.str_]
    axis: NDArray[np.str_]
    azimuth: Floats
    elevation: Floats
    size: Floats
    in_plane: Floats
    in_depth: Floats
    luminance: Floats

    def __len__(self) -> int:
        return len(self.object)

    def take(self, rows: Integers) -> Views:
        """Return the views at `rows`, in that order."""
        return replace(self, **{name: values[rows] for name, values in self.columns().items()})

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return every field by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def tafazoli_views(objects: Sequence[str], *, axes: Sequence[str] = AXES, per_object: int | None = None) -> Views:
    """Views of Tafazoli et al. 2017: 38 an object, one axis changed at a time.

    Eight positions (-22.5 to 30 degrees of azimuth), and at -15 and +15 degrees four sizes, four rotations in the
    plane, four in depth and three luminances that differ from the default (35 degrees, 0, 0, 100 %).

    Parameters
    ----------
    objects : sequence of str
        Names of the objects.
    axes : sequence of str, optional
        Axes to show, of `AXES`.
    per_object : int, optional
        Keep only the first so many views of each object, in the order of the axes.

    Returns
    -------
    Views
        All views of the first object, then of the second ...

    Raises
    ------
    BadInput
        If more views are asked for than the axes have: they are fixed, `dense_views` has no such limit.

    References
    ----------
    Tafazoli, Safaai, De Franceschi et al. 2017, eLife 6:e22794, doi:10.7554/eLife.22794

    Examples
    --------
    >>> len(tafazoli_views(["jug", "star"]))
    76
    """
    rows = [row for axis in axes for row in _axis_views(axis)]
    n = len(rows) if per_object is None else per_object
    if not 1 <= n <= len(rows):
        raise BadInput(
            f"{n} views an object were asked for, but {_axes_named(axes)} {len(rows)}: "
            "the values are fixed. Ask for fewer, or for 'objects:dense?n=...' with any number of views."
        )
    kept = rows[:n] * len(objects)
    values = {name: np.array([row[name] for _, row in kept]) for name in DEFAULT_VIEW}
    return Views(np.repeat(np.array(objects), n), np.array([axis for axis, _ in kept]), **values)


def dense_views(
    objects: Sequence[str],
    n: int,
    *,
    seed: int = 0,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    screen: Screen | None = None,
    redraw: bool = False,
) -> Views:
    """Random combined views, each drawn uniformly and independently from continuous ranges.

    Parameters
    ----------
    objects : sequence of str
        Names of the objects; they take turns, so that their numbers differ by one at most.
    n : int
        Number of views in all.
    seed : int, optional
        Seed of the draw. The first views of a longer set with the same seed are the same.
    ranges : mapping of str to (float, float), optional
        Lowest and highest value of an axis, in place of those in `DENSE_RANGES`; equal ends hold the axis fixed.
    screen : Screen, optional
        Screen that the views must fit.
    redraw : bool, optional
        Draw a view again while it does not fit the screen. Position and size are then no longer independent.

    Raises
    ------
    BadInput
        If a range is turned round or outside what is possible, or its views can leave the screen and `redraw` is off.
    """
    if n < 1:
        raise BadInput(f"A dense set needs at least 1 view; {n} were asked for.")
    limits = _limits(ranges or {})
    screen = screen or Screen()
    _check_reach(limits, screen, redraw)
    drawn = {name: np.empty(n) for name in limits}
    for row, stream in enumerate(_streams(seed, n)):
        view = _draw(stream, limits)
        while not screen.fits(*(np.array(view[name]) for name in ("azimuth", "elevation", "size"))):
            view = _draw(stream, limits)
        for name, value in view.items():
            drawn[name][row] = value
    return Views(np.resize(np.array(objects), n), np.full(n, "dense"), **drawn)


def check_fit(views: Views, screen: Screen) -> None:
    """Refuse views whose bounding circle leaves the screen or the image.

    Raises
    ------
    BadInput
        The message names the first such view and what would fit.
    """
    outside = np.flatnonzero(~screen.fits(views.azimuth, views.elevation, views.size))
    if len(outside):
        row, (x, y) = outside[0], screen.half
        raise BadInput(
            f"{len(outside)} of {len(views)} views leave the screen; the first is {str(views.object[row])!r} at azimuth "
            f"{views.azimuth[row]:g}, elevation {views.elevation[row]:g} with size {views.size[row]:g} degrees. Its "
            f"bounding circle must lie within azimuth +-{x:g} and elevation +-{y:g}: move it, make it smaller, or "
            "widen the screen or its field."
        )


def _axis_views(axis: str) -> list[tuple[str, dict[str, float]]]:
    if axis not in AXES:
        raise unknown_name("view axis", axis, AXES)
    if axis == "position":
        return [(axis, DEFAULT_VIEW | {"azimuth": azimuth}) for azimuth in POSITIONS]
    at = [DEFAULT_VIEW | {"azimuth": azimuth} for azimuth in DEFAULT_AZIMUTHS]
    return [(axis, view | {axis: value}) for view in at for value in OTHER_AXES[axis]]


def _axes_named(axes: Sequence[str]) -> str:
    if tuple(axes) == AXES:
        return "the axes of Tafazoli et al. 2017 have"
    return f"the axis {axes[0]!r} has" if len(axes) == 1 else f"the axes {', '.join(axes)} have"


def _limits(ranges: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    for name, (low, high) in ranges.items():
        if name not in DENSE_RANGES:
            raise BadInput(f"There is no view axis {name!r} to draw from.{did_you_mean(name, DENSE_RANGES)}")
        if not (np.isfinite([low, high]).all() and low <= high):
            raise BadInput(f"The range of {name} goes from {low:g} to {high:g}; the lower end comes first.")
    limits = {**DENSE_RANGES, **ranges}
    (small, large), (dim, bright) = limits["size"], limits["luminance"]
    if small <= 0 or large >= 180:
        raise BadInput(f"Sizes lie between 0 and 180 degrees; came {small:g} to {large:g}.")
    if dim < 0 or bright > 100:
        raise BadInput(f"Luminance lies between 0 and 100 percent; came {dim:g} to {bright:g}.")
    return limits


def _check_reach(limits: Mapping[str, tuple[float, float]], screen: Screen, redraw: bool) -> None:
    x, y = screen.half
    azimuth, elevation = (max(map(abs, limits[name])) for name in ("azimuth", "elevation"))
    small, large = (size / 2 for size in limits["size"])
    if not redraw and (azimuth + large > x or elevation + large > y):
        raise BadInput(
            f"Views as far as azimuth {azimuth:g} and elevation {elevation:g} with sizes up to {2 * large:g} degrees "
            f"leave the screen, which reaches to azimuth +-{x:g} and elevation +-{y:g}. Narrow the ranges, or say "
            "redraw=1 to draw such views again."
        )
    nearest = [
        0.0 if low <= 0 <= high else min(abs(low), abs(high)) for low, high in (limits["azimuth"], limits["elevation"])
    ]
    if nearest[0] + small >= x or nearest[1] + small >= y:
        raise BadInput(
            f"No view within these ranges fits a screen that reaches to azimuth +-{x:g} and elevation +-{y:g}. "
            "Bring the ranges nearer to the centre or allow smaller sizes."
        )


def _streams(seed: int, n: int) -> Iterator[np.random.Generator]:
    """One generator a view, so that no view depends on how many others there are or were drawn again."""
    return (np.random.default_rng((seed, row)) for row in range(n))


def _draw(stream: np.random.Generator, limits: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    return {name: low + (high - low) * stream.random() for name, (low, high) in limits.items()}
