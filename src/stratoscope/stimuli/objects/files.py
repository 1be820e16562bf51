"""Meshes from files: Wavefront ``.obj`` and ``.stl`` by our own small readers, other formats through trimesh."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, missing_extra
from stratoscope.stimuli.objects.mesh import Mesh, make_mesh
from stratoscope.stimuli.objects.surfaces import Surface

#: Endings of mesh files; those after the second need trimesh.
SUFFIXES = (".obj", ".stl", ".glb", ".gltf", ".ply", ".off")
STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def open_meshes(places: Iterable[str | Path]) -> dict[str, Mesh]:
    """Open mesh files, and every mesh file of folders, by their name without ending.

    Parameters
    ----------
    places : iterable of path
        Files or folders.

    Raises
    ------
    BadInput
        If a place is missing, has no mesh, two files have one name, or a file cannot be used as a mesh.
    """
    meshes: dict[str, Mesh] = {}
    for path in (path for place in places for path in _mesh_files(Path(place))):
        if path.stem in meshes:
            raise BadInput(f"Two mesh files are called {path.stem!r}; the second is {str(path)!r}. Rename one.")
        meshes[path.stem] = open_mesh(path)
    return meshes


def open_mesh(path: str | Path) -> Mesh:
    """Open one mesh file; y is up and z towards the viewer.

    Raises
    ------
    BadInput
        If the file is missing, of a format that is not read, damaged, without faces, or has vertices that are not
        finite.
    MissingExtra
        If the format needs trimesh and it is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"There is no mesh file {str(path)!r}. Give the path of a {_listed()} file.")
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"Meshes are read from {_listed()} files; {path.name!r} is none of them. Convert it.")
    read = {".obj": _read_obj, ".stl": _read_stl}.get(path.suffix.lower(), _read_with_trimesh)
    return make_mesh(path.stem, *read(path))


def _mesh_files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise BadInput(f"There is no mesh in the folder {str(place)!r}. Expected {_listed()} files.")
    return found


def _listed() -> str:
    return ", ".join(SUFFIXES[:-1]) + " or " + SUFFIXES[-1]


def _read_obj(path: Path) -> Surface:
    """Vertices and faces of all groups; polygons are cut into fans of triangles."""
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            kind, *words = line.split() or ("",)
            try:
                if kind == "v":
                    vertices.append([float(word) for word in words[:3]])
                    _require(len(words) >= 3)
                elif kind == "f":
                    corners = [_obj_index(word, len(vertices)) for word in words]
                    _require(len(corners) >= 3)
                    faces += [(corners[0], corners[k], corners[k + 1]) for k in range(1, len(corners) - 1)]
            except ValueError as error:
                raise BadInput(
                    f"Line {number} of {path.name!r} is not a line of a Wavefront file: {line.strip()[:60]!r}. "
                    "The file is damaged or of another format; export it again."
                ) from error
    return np.array(vertices, float).reshape(-1, 3), np.array(faces, np.int64).reshape(-1, 3)


def _obj_index(word: str, n: int) -> int:
    """Position of a vertex from ``7``, ``7/1/2`` or ``-1``, which counts back from the last."""
    index = int(word.partition("/")[0])
    _require(index != 0)
    return index - 1 if index > 0 else n + index


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _read_stl(path: Path) -> Surface:
    """Corners of a binary or text STL file, three vertices a face."""
    content = path.read_bytes()
    n = int.from_bytes(content[80:84], "little")
    if len(content) == 84 + n * STL_TRIANGLE.itemsize:
        corners = np.frombuffer(content, STL_TRIANGLE, n, 84)["corners"].astype(float)
    else:
        corners = _text_stl_corners(path, content)
    return corners.reshape(-1, 3), np.arange(corners.size // 3).reshape(-1, 3)


def _text_stl_corners(path: Path, content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    lines = content.decode("ascii", errors="replace").splitlines()
    try:
        _require(lines[0].lstrip().startswith("solid"))
        points = [[float(word) for word in line.split()[1:4]] for line in lines if line.split()[:1] == ["vertex"]]
        return np.array(points, float).reshape(-1, 3, 3)
    except (ValueError, IndexError) as error:
        raise BadInput(
            f"{path.name!r} is neither a binary nor a text STL file, or is cut short. Export it again."
        ) from error


def _read_with_trimesh(path: Path) -> Surface:
    try:
        import trimesh
    except ImportError as error:
        raise missing_extra("trimesh", "mesh", f"Reading {path.suffix} files") from error
    try:
        mesh: Any = trimesh.load(path, force="mesh", process=False)
        return np.array(mesh.vertices, np.float64).reshape(-1, 3), np.array(mesh.faces, np.int64).reshape(-1, 3)
    except Exception as error:  # trimesh raises whatever its parsers meet
        raise BadInput(f"{path.name!r} cannot be read as a mesh ({error}). Export it again.") from error
