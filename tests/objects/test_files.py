from __future__ import annotations

import struct
import sys

import numpy as np
import pytest

from stratoscope.errors import BadInput, MissingExtra
from stratoscope.stimuli.objects import open_mesh, open_meshes

PYRAMID = """# a pyramid, its base one polygon, indices in every way of writing
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0.5 0.5 1
f 4/1 3/2 2/3 1/4
f 1//1 2//1 5//1
f 2 3 5
f 3/1/1 4/1/1 5/1/1
f -2 -5 -1
"""


def write_stl(path, corners):
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *corner.ravel(), 0) for corner in corners)
    path.write_bytes(b"\0" * 80 + struct.pack("<I", len(corners)) + body)


@pytest.fixture
def pyramid(tmp_path):
    path = tmp_path / "pyramid.obj"
    path.write_text(PYRAMID)
    return path


def test_polygons_and_every_way_of_indexing_are_read(pyramid):
    mesh = open_mesh(pyramid)
    assert (mesh.name, len(mesh.vertices), len(mesh.faces), mesh.closed) == ("pyramid", 5, 6, True)


def test_binary_and_text_stl_give_the_mesh_of_the_obj(pyramid, tmp_path):
    mesh = open_mesh(pyramid)
    corners = mesh.vertices[mesh.faces]
    write_stl(tmp_path / "binary.stl", corners)
    facets = [
        "facet normal 0 0 0\nouter loop\n"
        + "".join("vertex {} {} {}\n".format(*p) for p in face)
        + "endloop\nendfacet\n"
        for face in corners
    ]
    (tmp_path / "text.stl").write_text("solid pyramid\n" + "".join(facets) + "endsolid\n")
    for name in ("binary.stl", "text.stl"):
        other = open_mesh(tmp_path / name)
        assert other.closed
        np.testing.assert_allclose(other.vertices, mesh.vertices, atol=2e-3)


def test_glb_is_read_through_trimesh(pyramid, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    mesh = open_mesh(pyramid)
    trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(tmp_path / "pyramid.glb")
    other = open_mesh(tmp_path / "pyramid.glb")
    assert other.closed
    np.testing.assert_allclose(np.sort(other.vertices, 0), np.sort(mesh.vertices, 0), atol=2e-3)


def test_without_trimesh_a_glb_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trimesh", None)
    (tmp_path / "a.glb").write_bytes(b"glTF")
    with pytest.raises(MissingExtra, match=r"Reading \.glb files needs trimesh.*stratoscope\[mesh\]"):
        open_mesh(tmp_path / "a.glb")


def test_a_damaged_glb_is_refused(tmp_path):
    pytest.importorskip("trimesh")
    (tmp_path / "a.glb").write_bytes(b"glTFnonsense")
    with pytest.raises(BadInput, match=r"'a\.glb' cannot be read as a mesh"):
        open_mesh(tmp_path / "a.glb")


@pytest.mark.parametrize("line", ["v 1 2", "v 1 x 3", "f 1 2", "f 0 1 2", "f 1 2 a"])
def test_a_damaged_obj_names_the_line(line, tmp_path):
    (tmp_path / "bad.obj").write_text(f"v 0 0 0\n{line}\n")
    with pytest.raises(BadInput, match=r"Line 2 of 'bad\.obj' is not a line of a Wavefront file"):
        open_mesh(tmp_path / "bad.obj")


def test_an_obj_of_points_only_is_refused(tmp_path):
    (tmp_path / "cloud.obj").write_text("v 0 0 0\nv 1 1 1\n")
    with pytest.raises(BadInput, match=r"Mesh 'cloud' has no faces \(2 vertices\)"):
        open_mesh(tmp_path / "cloud.obj")


def test_an_obj_with_nan_is_refused(tmp_path):
    (tmp_path / "hole.obj").write_text("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(BadInput, match="1 vertices that are not finite"):
        open_mesh(tmp_path / "hole.obj")


def test_an_stl_cut_short_is_refused(tmp_path):
    write_stl(tmp_path / "cut.stl", np.eye(3)[None].repeat(4, 0))
    (tmp_path / "cut.stl").write_bytes((tmp_path / "cut.stl").read_bytes()[:-7])
    with pytest.raises(BadInput, match=r"'cut\.stl' is neither a binary nor a text STL file, or is cut short"):
        open_mesh(tmp_path / "cut.stl")


def test_missing_files_other_formats_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"There is no mesh file .*gone\.obj"):
        open_mesh(tmp_path / "gone.obj")
    (tmp_path / "a.max").write_text("")
    with pytest.raises(BadInput, match=r"Meshes are read from \.obj, \.stl, .*'a\.max' is none of them"):
        open_mesh(tmp_path / "a.max")
    with pytest.raises(BadInput, match="There is no mesh in the folder"):
        open_meshes([tmp_path])


def test_a_folder_gives_its_meshes_by_name_and_names_are_unique(pyramid, tmp_path):
    assert list(open_meshes([tmp_path])) == ["pyramid"]
    with pytest.raises(BadInput, match="Two mesh files are called 'pyramid'"):
        open_meshes([tmp_path, pyramid])


@pytest.mark.realdata
def test_real_meshes_open_with_the_numbers_of_faces_they_have(data):
    faces = {name: len(mesh.faces) for name, mesh in open_meshes([data / "meshes"]).items()}
    assert len(faces) == 8
    assert faces["spot"] == 5856
    assert faces["suzanne"] == 968
