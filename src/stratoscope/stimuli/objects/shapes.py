"""The ten objects that come with the package, each made by a few lines of code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from stratoscope.errors import unknown_name
from stratoscope.stimuli.objects.mesh import Mesh, join, make_mesh
from stratoscope.stimuli.objects.surfaces import (
    Surface,
    blob,
    extrude,
    lathe,
    placed,
    superquadric,
    supershape,
    sweep,
)
from stratoscope.types import Floats


def jug() -> Surface:
    """Lathed body with a swept handle."""
    body = [(0, -1.0), (0.5, -1.0), (0.62, -0.75), (0.66, -0.45), (0.58, -0.1), (0.4, 0.2), (0.32, 0.45)]
    rim = [(0.36, 0.7), (0.48, 0.95), (0.42, 0.95), (0.28, 0.6), (0, 0.5)]
    handle = sweep(_arc(-80, 85, 0.5) + np.array([0.42, 0.1, 0]), _rounded_ends(0.09, 25), upright=(0, 0, 1))
    return placed(join(lathe(body + rim), handle), turn=(14, 0, -6))


def plane() -> Surface:
    """Aeroplane seen from above and ahead: lathed fuselage, wings and tail from superquadrics."""
    hull = lathe(
        [(0, -1), (0.06, -0.98), (0.1, -0.7), (0.16, -0.2), (0.17, 0.4), (0.15, 0.7), (0.08, 0.92), (0, 1)], columns=16
    )
    right = placed(superquadric((0.5, 0.17, 0.04), rings=8), turn=(0, 0, -24), shift=(0.5, 0.0, 0))
    left = placed(superquadric((0.5, 0.17, 0.04), rings=8), turn=(0, 0, 24), shift=(-0.5, 0.0, 0))
    tail = placed(superquadric((0.34, 0.1, 0.03), rings=8), shift=(0, -0.85, 0))
    fin = placed(superquadric((0.03, 0.16, 0.22), rings=8), shift=(0, -0.85, 0.2))
    return placed(join(hull, right, left, tail, fin), turn=(-25, 0, 18))


def chair() -> Surface:
    """Chair of boxes with rounded edges."""
    seat = superquadric((0.5, 0.07, 0.5), rings=8)
    back = placed(superquadric((0.5, 0.5, 0.06), rings=8), shift=(0, 0.5, -0.45))
    legs = [
        placed(superquadric((0.07, 0.42, 0.07), rings=8), shift=(x, -0.45, z))
        for x in (-0.42, 0.42)
        for z in (-0.42, 0.42)
    ]
    facing_left = placed(join(seat, back, *legs), turn=(0, -32, 0))
    return placed(facing_left, turn=(20, 0, 0))


def ring() -> Surface:
    """Ring with a stone."""
    u = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    band = sweep(
        np.stack([np.cos(u), np.sin(u), 0 * u], -1) * 0.72, 0.15 + 0.05 * np.sin(u), upright=(0, 0, 1), closed=True
    )
    stone = placed(superquadric((0.32, 0.3, 0.3), roundness=(1.6, 1.6), rings=10), shift=(0, 0.98, 0))
    return placed(join(band, stone), turn=(0, 22, -14))


def star() -> Surface:
    """Extruded star with five points."""
    return placed(extrude(_star_outline, depth=0.2, bevel=0.12, columns=60), turn=(8, -14, 10))


def knot() -> Surface:
    """Tube along a trefoil knot."""
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    path = np.stack([np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], -1)
    return sweep(path, np.full(96, 0.52), upright=(0, 0, 1), closed=True, columns=10)


def spring() -> Surface:
    """Tube along a helix of three and a half turns."""
    t = np.linspace(0, 7 * np.pi, 110)
    path = np.stack([0.42 * np.cos(t), t / (7 * np.pi) * 2 - 1, 0.42 * np.sin(t)], -1)
    return placed(sweep(path, _rounded_ends(0.11, 110), upright=(0, 1, 0), columns=10), turn=(0, 0, -20))


def crescent() -> Surface:
    """Horn swept along an arc, thick in the middle."""
    radius = 0.3 * np.sin(np.linspace(0, np.pi, 41)) ** 0.8
    return placed(sweep(_arc(-125, 125, 0.75, 41), radius, upright=(0, 0, 1), columns=16), turn=(20, 0, 200))


def urchin() -> Surface:
    """Supershape with blunt spikes."""
    return placed(supershape((6, 0.5, 1.5, 1.5), (6, 0.6, 1.5, 1.5), rings=28), turn=(55, 0, 10))


def boulder() -> Surface:
    """Blob with four bumps and a dent."""
    bumps = [
        ((1, 0.5, 0.4), 0.9, 0.45),
        ((-0.9, 0.7, 0.2), 0.6, 0.4),
        ((-0.4, -1, 0.3), 1.1, 0.45),
        ((0.6, -0.6, 0.8), 0.45, 0.35),
    ]
    return blob([*bumps, ((0, 0.9, 0.5), -0.35, 0.5)], rings=26)


#: How each object is made, and its reflectance.
_MAKERS: dict[str, tuple[Callable[[], Surface], float]] = {
    "jug": (jug, 0.9),
    "plane": (plane, 1.0),
    "chair": (chair, 1.0),
    "ring": (ring, 1.0),
    "star": (star, 0.85),
    "knot": (knot, 0.9),
    "spring": (spring, 0.8),
    "crescent": (crescent, 1.0),
    "urchin": (urchin, 0.9),
    "boulder": (boulder, 0.7),
}

#: Names of the ten objects, in the order of every default set.
DEFAULT_OBJECTS: tuple[str, ...] = tuple(_MAKERS)


@cache
def default_object(name: str) -> Mesh:
    """Return one of the ten objects of the package.

    Raises
    ------
    UnknownName
        If `name` is none of `DEFAULT_OBJECTS`; the message has the nearest names.
    """
    if name not in _MAKERS:
        raise unknown_name("object", name, DEFAULT_OBJECTS)
    make, reflectance = _MAKERS[name]
    return make_mesh(name, *make(), reflectance=reflectance)


def _arc(start: float, end: float, radius: float, n: int = 25) -> Floats:
    """Points (point, 3) on a circle in the frontal plane, from `start` to `end` degrees."""
    t = np.deg2rad(np.linspace(start, end, n))
    return np.stack([radius * np.cos(t), radius * np.sin(t), 0 * t], -1)


def _rounded_ends(radius: float, n: int) -> Floats:
    """Radii of a tube (point,) that closes round at both ends."""
    end = np.minimum(np.arange(n), np.arange(n)[::-1])
    return np.asarray(radius * np.sqrt(1 - (1 - np.minimum(end / 3, 1)) ** 2))


def _star_outline(angle: Floats) -> Floats:
    """Radius of a five-pointed star with straight sides."""
    inner, half = 0.42, np.pi / 5
    from_tip = np.abs((angle - np.pi / 2 + half) % (2 * half) - half)
    tip, notch = np.array([1.0, 0.0]), inner * np.array([np.cos(half), np.sin(half)])
    normal = np.array([notch[1] - tip[1], tip[0] - notch[0]])
    return np.asarray(normal @ tip / (normal[0] * np.cos(from_tip) + normal[1] * np.sin(from_tip)))
