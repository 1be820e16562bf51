"""A triangle mesh made ready for rendering: checked, centred, scaled to the unit sphere, with a normal at every corner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from stratoscope.errors import BadInput
from stratoscope.types import Floats, Integers

#: Neighbouring faces that meet at less than this angle are shaded as one smooth surface, degrees.
CREASE = 40.0


@dataclass(frozen=True)
class Mesh:
    """A solid or surface within the unit sphere; x to the right, y up, z towards the viewer.

    Attributes
    ----------
    name : str
        Name of the object, its category in every set.
    vertices : (vertex, 3) float64
        Points; their smallest enclosing sphere has its centre at 0 and radius 1.
    faces : (face, 3) int64
        Corners of every triangle, counter-clockwise seen from outside where the surface is closed.
    normals : (face, corner, 3) float64
        Unit normals at the corners of every face.
    closed : bool
        Whether every edge joins two faces of like orientation, so that faces turned away need no drawing.
    reflectance : float
        Share of light given back, 0 to 1.
    """

    name: str
    vertices: Floats
    faces: Integers
    normals: Floats
    closed: bool
    reflectance: float = 1.0


def make_mesh(name: str, vertices: Floats, faces: Integers, *, reflectance: float = 1.0) -> Mesh:
    """Check, weld, centre and scale a mesh.

    Parameters
    ----------
    name : str
        Name of the object.
    vertices : (vertex, 3) array of float
        Points in any unit.
    faces : (face, 3) array of int
        Positions of the corners in `vertices`.
    reflectance : float, optional
        Share of light given back, above 0 to 1.

    Returns
    -------
    Mesh
        The mesh within the unit sphere.

    Raises
    ------
    BadInput
        If there are no faces, a vertex is not finite, or a face points to a vertex that is not there.
    """
    points, triangles = _checked(name, np.asarray(vertices, float), np.asarray(faces, np.int64))
    points, triangles = _weld(points, triangles)
    if len(triangles) == 0:
        raise BadInput(
            f"Mesh {name!r} has no face with an area: every triangle is a line or a point. Check the export."
        )
    points = _within_unit_sphere(points)
    closed = _is_closed(triangles)
    if closed and _volume(points, triangles) < 0:
        triangles = triangles[:, ::-1].copy()
    return Mesh(name, points, triangles, _corner_normals(points, triangles), closed, reflectance)


def join(*parts: tuple[Floats, Integers]) -> tuple[Floats, Integers]:
    """Put several (vertices, faces) into one; the parts may run through each other."""
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in parts])
    faces = [faces + start for (_, faces), start in zip(parts, starts, strict=False)]
    return np.concatenate([vertices for vertices, _ in parts]), np.concatenate(faces)


def _checked(name: str, vertices: Floats, faces: Integers) -> tuple[Floats, Integers]:
    if faces.size == 0:
        raise BadInput(
            f"Mesh {name!r} has no faces ({len(vertices)} vertices). A surface of triangles is needed; "
            "export the object as a mesh, not as points or curves."
        )
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise BadInput(
            f"Mesh {name!r} needs vertices (vertex, 3) and faces (face, 3); came {vertices.shape} and {faces.shape}."
        )
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise BadInput(
            f"Mesh {name!r} has faces that point to vertex {int(faces.max())} of {len(vertices)}. The file is damaged."
        )
    bad = np.flatnonzero(~np.isfinite(vertices).all(1))
    if len(bad):
        raise BadInput(
            f"Mesh {name!r} has {len(bad)} vertices that are not finite; the first is number {bad[0] + 1}: "
            f"{vertices[bad[0]].tolist()}. Mend the file: every coordinate must be a number."
        )
    return vertices, faces


def _weld(vertices: Floats, faces: Integers) -> tuple[Floats, Integers]:
    """Give one index to points at one place, and leave out unused points and faces without area."""
    span = float(np.ptp(vertices[faces.ravel()], axis=0).max()) or 1.0
    _, first, inverse = np.unique(np.round(vertices / span, 7), axis=0, return_index=True, return_inverse=True)
    points, triangles = vertices[first], inverse.reshape(-1)[faces]
    distinct = (triangles != np.roll(triangles, 1, axis=1)).all(1)
    area = np.linalg.norm(_face_normals(points, triangles), axis=1)
    triangles = triangles[distinct & (area > 1e-12 * span**2)]
    used, renumbered = np.unique(triangles, return_inverse=True)
    return points[used], renumbered.reshape(-1, 3).astype(np.int64)


def _within_unit_sphere(points: Floats) -> Floats:
    """Move and scale to the smallest enclosing sphere (Badoiu and Clarkson's iteration, to within 0.2 %)."""
    centre = (points.min(0) + points.max(0)) / 2
    for step in range(2, 500):
        farthest = points[((points - centre) ** 2).sum(1).argmax()]
        centre = centre + (farthest - centre) / step
    moved = points - centre
    return np.asarray(moved / np.sqrt((moved**2).sum(1).max()))


def _face_normals(points: Floats, faces: Integers) -> Floats:
    """Normals as long as twice the area of their face (face, 3)."""
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    return np.asarray(np.cross(b - a, c - a))


def _volume(points: Floats, faces: Integers) -> float:
    return float((points[faces[:, 0]] * _face_normals(points, faces)).sum() / 6)


def _is_closed(faces: Integers) -> bool:
    """Whether every directed edge has exactly one partner in the other direction."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    n = int(faces.max()) + 1
    there, back = np.sort(start * n + end), np.sort(end * n + start)
    return bool((np.diff(there) > 0).all() and (there == back).all())


def _corner_normals(points: Floats, faces: Integers) -> Floats:
    """Mean normal of the faces round each corner that meet its face at less than the crease angle."""
    weighted = _face_normals(points, faces)
    unit = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    corner = np.arange(faces.size)
    at = sparse.csr_matrix((np.ones(faces.size), (corner, faces.ravel())))
    of = sparse.csr_matrix((np.ones(faces.size), (faces.ravel(), corner // 3)))
    pairs = (at @ of).tocoo()
    smooth = (unit[pairs.row // 3] * unit[pairs.col]).sum(1) > np.cos(np.deg2rad(CREASE))
    near = sparse.csr_matrix((np.ones(smooth.sum()), (pairs.row[smooth], pairs.col[smooth])), (faces.size, len(faces)))
    summed = near @ weighted
    return np.asarray((summed / np.linalg.norm(summed, axis=1, keepdims=True)).reshape(-1, 3, 3))
