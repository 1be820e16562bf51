"""Families of surfaces as (vertices, faces): superquadrics, supershapes, lathed, swept and extruded solids, blobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stratoscope.types import Floats, Integers

#: Points and triangles of one surface.
Surface = tuple[Floats, Integers]


def grid_surface(points: Floats, *, around: bool = True, along: bool = False) -> Surface:
    """Triangles over a grid of points (row, column, 3).

    Parameters
    ----------
    points : (row, column, 3) float64
        Points; a row that shrinks to one place closes the surface there.
    around, along : bool, optional
        Whether the last column joins the first, and the last row the first.
    """
    rows, columns = points.shape[:2]
    i, j = np.meshgrid(np.arange(rows - (not along)), np.arange(columns - (not around)), indexing="ij")
    below, right = (i + 1) % rows, (j + 1) % columns
    a, b = i * columns + j, i * columns + right
    c, d = below * columns + j, below * columns + right
    faces = np.stack([np.stack([a, b, d], -1), np.stack([a, d, c], -1)], 2).reshape(-1, 3)
    return points.reshape(-1, 3), faces.astype(np.int64)


def superquadric(size: Sequence[float], *, roundness: tuple[float, float] = (0.3, 0.3), rings: int = 14) -> Surface:
    """Superellipsoid with half axes `size`; roundness 1 is an ellipsoid, near 0 a box (Barr 1981).

    Its points are c(v)^e1 c(u)^e2, c(v)^e1 s(u)^e2, s(v)^e1 with powers that keep the sign.
    """
    v, u = _angles(rings)
    e1, e2 = roundness
    x = _power(np.cos(v), e1) * _power(np.cos(u), e2)
    z = _power(np.cos(v), e1) * _power(np.sin(u), e2)
    return grid_surface(np.stack([x, _power(np.sin(v), e1) + 0 * u, z], -1) * np.asarray(size))


def supershape(longitude: Sequence[float], latitude: Sequence[float], *, rings: int = 32) -> Surface:
    """Spherical product of two superformulas, each given as (m, n1, n2, n3) (Gielis 2003)."""
    v, u = _angles(rings)
    r1, r2 = _superformula(u, *longitude), _superformula(v, *latitude)
    return grid_surface(
        np.stack([r1 * np.cos(u) * r2 * np.cos(v), r2 * np.sin(v) + 0 * u, r1 * np.sin(u) * r2 * np.cos(v)], -1)
    )


def lathe(profile: Sequence[tuple[float, float]], *, columns: int = 28) -> Surface:
    """Solid of revolution about y; `profile` is a list of (radius, height) from one end on the axis to the other."""
    radius, height = np.asarray(profile, float).T
    u = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    x, z = np.outer(radius, np.cos(u)), np.outer(radius, np.sin(u))
    return grid_surface(np.stack([x, np.repeat(height[:, None], columns, 1), z], -1))


def sweep(
    path: Floats, radius: Floats, *, upright: Sequence[float], closed: bool = False, columns: int = 12
) -> Surface:
    """Tube of the given radius (point,) along `path` (point, 3).

    `upright` is any direction that the path never takes; it fixes where the columns of the tube start.
    """
    tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    side = _unit(np.cross(tangent, np.asarray(upright, float)))
    other = np.cross(_unit(tangent), side)
    u = np.linspace(0, 2 * np.pi, columns, endpoint=False)[:, None]
    ring = np.cos(u) * side[:, None] + np.sin(u) * other[:, None]
    return grid_surface(path[:, None] + np.asarray(radius)[:, None, None] * ring, along=closed)


def extrude(radius: Callable[[Floats], Floats], *, depth: float, bevel: float, columns: int = 80) -> Surface:
    """Solid of half-thickness `depth` whose outline is ``radius(angle)``, with edges bevelled by `bevel`."""
    u = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    outline = np.stack([np.cos(u), np.sin(u)], -1) * radius(u)[:, None]
    steps = [(0, -depth), (1 - bevel, -depth), (1, bevel - depth), (1, depth - bevel), (1 - bevel, depth), (0, depth)]
    rings = [np.column_stack([outline * scale, np.full(columns, z)]) for scale, z in steps]
    return grid_surface(np.stack(rings))


def blob(bumps: Sequence[tuple[Sequence[float], float, float]], *, rings: int = 24) -> Surface:
    """Sphere with smooth bumps and dents, each (direction, height, width in radians)."""
    v, u = _angles(rings)
    sphere = np.stack([np.cos(v) * np.cos(u), np.sin(v) + 0 * u, np.cos(v) * np.sin(u)], -1)
    radius = np.ones(sphere.shape[:2])
    for direction, height, width in bumps:
        angle = np.arccos(np.clip(sphere @ _unit(np.asarray(direction, float)), -1, 1))
        radius += height * np.exp(-((angle / width) ** 2))
    return grid_surface(sphere * radius[..., None])


def placed(surface: Surface, *, turn: Sequence[float] = (0, 0, 0), shift: Sequence[float] = (0, 0, 0)) -> Surface:
    """Turn a surface about x, then y, then z (degrees), then shift it."""
    points, faces = surface
    for axis, degrees in enumerate(turn):
        points = points @ _rotation(axis, degrees).T
    return points + np.asarray(shift, float), faces


def _rotation(axis: int, degrees: float) -> Floats:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def _angles(rings: int) -> tuple[Floats, Floats]:
    """Latitude (ring, 1) and longitude (1, 2 rings) of a sphere."""
    v = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)[:, None]
    return v, np.linspace(-np.pi, np.pi, 2 * rings, endpoint=False)[None]


def _power(value: Floats, exponent: float) -> Floats:
    value = np.where(np.abs(value) < 1e-12, 0.0, value)
    return np.asarray(np.sign(value) * np.abs(value) ** exponent)


def _superformula(angle: Floats, m: float, n1: float, n2: float, n3: float) -> Floats:
    return np.asarray((np.abs(np.cos(m * angle / 4)) ** n2 + np.abs(np.sin(m * angle / 4)) ** n3) ** (-1 / n1))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
