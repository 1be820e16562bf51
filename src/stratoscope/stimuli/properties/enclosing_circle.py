"""The smallest circle around points, exactly and for many sets of points at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Floats, Integers

PAIRS = ((0, 3), (1, 3), (2, 3))
TRIPLES = ((0, 1, 3), (0, 2, 3), (1, 2, 3))
#: Points this far outside, in the unit of the points, still count as enclosed.
SLACK = 1e-9


def enclosing_circles(points: Floats, valid: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Smallest circle around the valid points of each set.

    A circle is held up by at most three points. Starting from one, the point farthest outside joins them and the
    smallest circle around those four takes over; the radius grows each time, so it ends.

    Parameters
    ----------
    points : array (set, point, 2)
        Coordinates.
    valid : array (set, point), bool
        Which of them count.

    Returns
    -------
    centre : array (set, 2)
    radius : array (set,)
        Both NaN for a set without points.
    """
    n = len(points)
    some = np.asarray(valid.any(axis=1))
    start = points[np.arange(n), np.argmax(valid, axis=1)]
    support = np.repeat(start[:, None], 3, axis=1)
    centre, radius = start.copy(), np.zeros(n)
    active = np.flatnonzero(some)
    while active.size:
        distance = np.asarray(np.linalg.norm(points[active] - centre[active, None], axis=2))
        farthest: Integers = np.asarray(np.argmax(np.where(valid[active], distance, -1.0), axis=1))
        reach = distance[np.arange(len(active)), farthest]
        outside = np.flatnonzero(np.asarray(reach > radius[active] * (1 + SLACK) + SLACK))
        active, farthest = active[outside], farthest[outside]
        four = np.concatenate([support[active], points[active, farthest][:, None]], axis=1)
        support[active], centre[active], radius[active] = _around_four(four)
    return np.where(some[:, None], centre, np.nan), np.where(some, radius, np.nan)


def _around_four(points: Floats) -> tuple[Floats, Floats, Floats]:
    """Smallest circle around four points (set, 4, 2) with the last on it: its support (set, 3, 2), centre, radius."""
    candidates = [(a, b, b) for a, b in PAIRS] + list(TRIPLES)
    centres = np.stack(
        [(points[:, a] + points[:, b]) / 2 for a, b in PAIRS] + [_circumcentre(points[:, list(t)]) for t in TRIPLES], 1
    )
    radii = np.linalg.norm(centres - points[:, None, 3], axis=2)
    reach = np.linalg.norm(centres[:, :, None] - points[:, None], axis=3).max(axis=2)
    fits = reach <= radii * (1 + SLACK / 10) + SLACK / 10
    best = np.argmin(np.where(fits, radii, np.inf), axis=1)
    rows = np.arange(len(points))
    return points[rows[:, None], np.asarray(candidates)[best]], centres[rows, best], radii[rows, best]


def _circumcentre(corners: Floats) -> Floats:
    """Centre of the circle through three points (set, 3, 2); infinite where they lie on a line."""
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice_area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    b2, c2 = (b**2).sum(axis=1), (c**2).sum(axis=1)
    offset = np.stack([c[:, 1] * b2 - b[:, 1] * c2, b[:, 0] * c2 - c[:, 0] * b2], axis=1)
    flat = np.abs(twice_area) <= 1e-12 * np.sqrt(b2 * c2)
    return np.where(flat[:, None], 1e150, a + offset / (2 * np.where(flat, 1.0, twice_area))[:, None])
