"""Meshes, views and a screen as stimuli, rendered block by block when they are first asked for."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stratoscope.errors import BadInput
from stratoscope.stimuli.objects.mesh import Mesh
from stratoscope.stimuli.objects.render import CHUNK, render
from stratoscope.stimuli.objects.screen import Screen
from stratoscope.stimuli.objects.views import Views, check_fit
from stratoscope.types import Stimuli

#: Changes whenever the pixels of a view do.
RENDERER = "1"
#: Largest memory for views that were drawn, bytes.
CACHE = 96 * 2**20


def make_set(
    name: str, meshes: Mapping[str, Mesh], views: Views, screen: Screen | None = None, *, background: float = 0.0
) -> Stimuli:
    """Put meshes, views and a screen together as stimuli; a view is rendered when it is first loaded.

    Raises
    ------
    BadInput
        If a view leaves the screen, or is there twice.
    """
    screen = screen or Screen()
    check_fit(views, screen)
    ids = view_ids(views)
    if len(set(ids)) < len(ids):
        raise BadInput(
            f"{len(ids) - len(set(ids))} of {len(ids)} views are the same as another. Widen a range, or ask for fewer."
        )
    drawn = _Drawn(meshes, views, screen, background)
    columns = views.columns()
    content = _fingerprint(ids, meshes, f"{screen} {background} {RENDERER}")
    return Stimuli(name, ids, drawn.load, {"category": columns["object"], **columns}, content)


def view_ids(views: Views) -> tuple[str, ...]:
    """Name every view by its parameters, such as ``jug_az-15_el0_sz35_ip0_id0_lum100``."""
    short = {"azimuth": "az", "elevation": "el", "size": "sz", "in_plane": "ip", "in_depth": "id", "luminance": "lum"}
    columns = views.columns()
    rows = zip(*(columns[name].tolist() for name in short), strict=True)
    words = ["_".join(f"{tag}{value:.8g}" for tag, value in zip(short.values(), row, strict=True)) for row in rows]
    return tuple(f"{name}_{word}" for name, word in zip(views.object.tolist(), words, strict=True))


def _fingerprint(ids: Sequence[str], meshes: Mapping[str, Mesh], how: str) -> str:
    digest = hashlib.sha256(("\0".join(ids) + how).encode())
    for name, mesh in meshes.items():
        digest.update(f"{name} {mesh.reflectance}".encode())
        digest.update(np.round(mesh.vertices, 9).tobytes() + mesh.faces.tobytes())
    return digest.hexdigest()


class _Drawn:
    """Views rendered block by block when first asked for, and the latest blocks kept."""

    def __init__(self, meshes: Mapping[str, Mesh], views: Views, screen: Screen, background: float) -> None:
        self._scene = meshes, views, screen, background
        rows, columns = screen.shape
        self._kept = max(2, CACHE // (CHUNK * rows * columns))
        self._blocks: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._locks = [threading.Lock() for _ in range(-(-len(views) // CHUNK))]
        self._tidy = threading.Lock()

    def load(self, row: int) -> Image.Image:
        """Return view `row` as an RGB image."""
        block, within = divmod(row, CHUNK)
        with self._locks[block]:
            images = self._blocks.get(block)
            if images is None:
                images = self._render(block)
        with self._tidy:
            self._blocks[block] = images
            self._blocks.move_to_end(block)
            while len(self._blocks) > self._kept:
                self._blocks.popitem(last=False)
        return Image.fromarray(images[within]).convert("RGB")

    def _render(self, block: int) -> NDArray[np.uint8]:
        meshes, views, screen, background = self._scene
        rows = np.arange(block * CHUNK, min((block + 1) * CHUNK, len(views)))
        return render(meshes, views.take(rows), screen, background=background, threads=1)
