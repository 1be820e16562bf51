"""Views of meshes as grey images, by a depth buffer over all triangles and pixels at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import unknown_name
from stratoscope.stimuli.objects.mesh import Mesh
from stratoscope.stimuli.objects.screen import Screen, directions
from stratoscope.stimuli.objects.views import Views, check_fit
from stratoscope.types import Floats, Integers

#: Where the light stands: up, to the left and before the object; it stays when the object turns.
LIGHT = np.array([-0.45, 0.6, 0.66]) / math.sqrt(0.45**2 + 0.6**2 + 0.66**2)
#: Share of the light that comes from everywhere.
AMBIENT = 0.22
#: Corners are placed to this fraction of a pixel, so that rounding of the last bit changes no pixel.
SUBPIXEL = 1 / 256
#: Views rendered together, at most; fewer where faces or pixels are many.
CHUNK = 32
MOST_FACES = 200_000
MOST_POINTS = 4_000_000


def render(
    meshes: Mapping[str, Mesh],
    views: Views,
    screen: Screen | None = None,
    *,
    background: float = 0.0,
    supersample: int = 2,
    threads: int = 2,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.uint8]:
    """Render views of objects on a uniform background.

    Objects are seen in parallel projection on a screen that is tangent at their centre, shaded by Lambert's law
    with a fixed distant light and some ambient light. A pixel is 255 times the luminance (full luminance and
    reflectance 1, facing the light, is 255), without gamma.

    Parameters
    ----------
    meshes : mapping of str to Mesh
        The objects by name.
    views : Views
        What to show.
    screen : Screen, optional
        Screen and image geometry.
    background : float, optional
        Luminance of the background, 0 (dark) to 1.
    supersample : int, optional
        Every pixel is the mean of this many points a side.
    threads : int, optional
        Threads; the images do not depend on it.
    progress : callable, optional
        Called with the number of views done.

    Returns
    -------
    (view, row, column) uint8
        Luminance; the same for the same views, whichever others are rendered with them.

    Raises
    ------
    UnknownName
        If a view shows an object that is none of `meshes`.
    BadInput
        If a view leaves the screen.
    """
    screen = screen or Screen()
    for name in dict.fromkeys(views.object.tolist()):
        if name not in meshes:
            raise unknown_name("object", name, meshes)
    check_fit(views, screen)
    images = np.empty((len(views), *screen.shape), np.uint8)

    def draw(rows: Integers) -> int:
        part = views.take(rows)
        images[rows] = _shown(_draw(meshes[str(part.object[0])], part, screen, supersample), background, supersample)
        return len(rows)

    with ThreadPoolExecutor(threads) as pool:
        points = screen.shape[0] * screen.shape[1] * supersample**2
        for done in accumulate(pool.map(draw, _chunks(meshes, views, points))):
            if progress:
                progress(done)
    return images


def _chunks(meshes: Mapping[str, Mesh], views: Views, points: int) -> Iterable[Integers]:
    """Rows of one object at a time, as many together as memory likes."""
    for name in dict.fromkeys(views.object.tolist()):
        rows = np.flatnonzero(views.object == name)
        step = max(1, min(CHUNK, MOST_FACES // len(meshes[name].faces), MOST_POINTS // points))
        yield from (rows[start : start + step] for start in range(0, len(rows), step))


def _shown(light: NDArray[np.float32], background: float, supersample: int) -> NDArray[np.uint8]:
    """Mean over the points of each pixel, as 8 bits."""
    n, rows, columns = light.shape
    filled = np.where(np.isnan(light), np.float32(background), light)
    tiles = filled.reshape(n, rows // supersample, supersample, columns // supersample, supersample)
    return np.asarray(np.rint(tiles.mean((2, 4), dtype=np.float64).clip(0, 1) * 255), np.uint8)


def _draw(mesh: Mesh, views: Views, screen: Screen, supersample: int) -> NDArray[np.float32]:
    """Luminance of every point (view, row, column), NaN where there is no object."""
    rows, columns = (supersample * side for side in screen.shape)
    turns = _turns(views)
    points = _turned(mesh.vertices, turns)
    corners = _placed(points, views, screen, supersample)[:, mesh.faces]
    depth = points[:, mesh.faces, 2]
    signed = _doubled_area(corners)
    view, face = np.nonzero(signed < 0 if mesh.closed else signed != 0)
    light = _corner_light(mesh, turns, view, face, signed[view, face] > 0)
    light *= (views.luminance / 100)[view, None]
    flat = _fill(corners[view, face], depth[view, face], light, view, (len(views), rows, columns))
    return flat.reshape(len(views), rows, columns)


def _turns(views: Views) -> Floats:
    """Rotation of every view (view, 3, 3): first about the vertical, then in the plane."""
    matrices = []
    for depth, plane in zip(np.deg2rad(views.in_depth), np.deg2rad(views.in_plane), strict=True):
        c, s, cp, sp = math.cos(depth), math.sin(depth), math.cos(plane), math.sin(plane)
        matrices.append([[cp * c, -sp, cp * s], [sp * c, cp, sp * s], [-s, 0.0, c]])
    return np.array(matrices)


def _turned(vectors: Floats, turns: Floats) -> Floats:
    """Rotate vectors (vector, 3) for every view: (view, vector, 3). Sums in a fixed order, unlike a matrix product."""
    x, y, z = vectors.T
    t = turns[..., None]
    return np.stack([t[:, k, 0] * x + t[:, k, 1] * y + t[:, k, 2] * z for k in range(3)], -1)


def _placed(points: Floats, views: Views, screen: Screen, supersample: int) -> Floats:
    """Column and row of every point (view, vertex, 2), in supersampled pixels."""
    radius = np.tan(np.deg2rad(views.size) / 2)[:, None, None]
    towards = directions(points[..., :2] * radius, views.azimuth[:, None], views.elevation[:, None])
    pixels = screen.pixel_coordinates(towards) * supersample
    return np.asarray(np.rint(pixels / SUBPIXEL) * SUBPIXEL)


def _doubled_area(corners: Floats) -> Floats:
    """Twice the signed area (...) of triangles (..., 3, 2); negative where the face looks at the viewer, rows go down."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    return np.asarray(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    )


def _corner_light(mesh: Mesh, turns: Floats, view: Integers, face: Integers, away: NDArray[np.bool_]) -> Floats:
    """Lambert's law at the corners (triangle, 3); the back of an open surface is lit like a front."""
    toward = np.stack(
        [turns[:, 0, k] * LIGHT[0] + turns[:, 1, k] * LIGHT[1] + turns[:, 2, k] * LIGHT[2] for k in range(3)], -1
    )
    normals, toward = mesh.normals[face], toward[view]
    cosine = sum(normals[..., k] * toward[:, None, k] for k in range(3))
    cosine = np.where(away[:, None], -cosine, cosine)
    return np.asarray(mesh.reflectance * (AMBIENT + (1 - AMBIENT) * np.maximum(cosine, 0)))


def _fill(
    corners: Floats, depth: Floats, light: Floats, view: Integers, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Light of the nearest triangle at every point (point,), NaN where there is none."""
    low, high = _boxes(corners, shape)
    triangle, column, row = _points_in(low, high)
    weights = _barycentric(corners)
    w = weights[triangle]
    first = w[:, 0] * column + w[:, 1] * row + w[:, 2]
    second = w[:, 3] * column + w[:, 4] * row + w[:, 5]
    third = 1 - first - second
    inside = np.flatnonzero((first >= 0) & (second >= 0) & (third >= -1e-12))
    triangle = triangle[inside]
    parts = (first[inside], second[inside], third[inside])
    z = sum(part * depth[triangle, k] for k, part in enumerate(parts))
    value = sum(part * light[triangle, k] for k, part in enumerate(parts))
    point = (view[triangle] * shape[1] + row[inside]) * shape[2] + column[inside]
    return _nearest(point, np.asarray(z), np.asarray(value), shape[0] * shape[1] * shape[2])


def _boxes(corners: Floats, shape: tuple[int, int, int]) -> tuple[Integers, Integers]:
    """First and one past the last (column, row) whose centre may lie in each triangle (triangle, 2)."""
    edge = np.array([shape[2], shape[1]])
    low = np.clip(np.ceil(corners.min(1) - 0.5), 0, edge).astype(np.int64)
    high = np.clip(np.floor(corners.max(1) - 0.5) + 1, 0, edge).astype(np.int64)
    return low, np.maximum(low, high)


def _points_in(low: Integers, high: Integers) -> tuple[Integers, Integers, Integers]:
    """Triangle, column and row of every point in every box, boxes in order."""
    width, height = (high - low).T
    counts = width * height
    triangle = np.repeat(np.arange(len(low)), counts)
    within = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    down, across = np.divmod(within, width[triangle])
    return triangle, low[triangle, 0] + across, low[triangle, 1] + down


def _barycentric(corners: Floats) -> Floats:
    """Coefficients (triangle, 6) of the first two barycentric coordinates at the centre of point (column, row)."""
    (ax, ay), (bx, by), (cx, cy) = (corners[:, k].T for k in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    of_a = [by - cy, cx - bx, bx * cy - cx * by]
    of_b = [cy - ay, ax - cx, cx * ay - ax * cy]
    planes = [[p / area, q / area, (r + 0.5 * (p + q)) / area] for p, q, r in (of_a, of_b)]
    return np.stack([*planes[0], *planes[1]], -1)


def _nearest(point: Integers, z: Floats, value: Floats, n: int) -> NDArray[np.float32]:
    """Keep at each point the value with the largest z; of equals, the last triangle."""
    buffer = np.full(n, -np.inf)
    np.maximum.at(buffer, point, z)
    won = np.flatnonzero(z == buffer[point])
    image = np.full(n, np.nan, np.float32)
    image[point[won]] = value[won]
    return image
