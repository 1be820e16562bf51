from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.stimuli.objects.mesh import join, make_mesh
from stratoscope.stimuli.objects.surfaces import superquadric

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
CUBE_FACES = np.array(
    [
        [0, 1, 3],
        [0, 3, 2],
        [4, 6, 7],
        [4, 7, 5],
        [0, 4, 5],
        [0, 5, 1],
        [2, 3, 7],
        [2, 7, 6],
        [0, 2, 6],
        [0, 6, 4],
        [1, 5, 7],
        [1, 7, 3],
    ]
)


def test_a_mesh_is_moved_and_scaled_into_the_unit_sphere():
    mesh = make_mesh("cube", 5 * CUBE + 3, CUBE_FACES)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 1, atol=1e-3)


def test_faces_of_a_closed_mesh_look_outwards_however_they_came():
    for faces in (CUBE_FACES, CUBE_FACES[:, ::-1]):
        mesh = make_mesh("cube", CUBE, faces)
        assert mesh.closed
        centres = mesh.vertices[mesh.faces].mean(1)
        assert ((mesh.normals.mean(1) * centres).sum(1) > 0).all()


def test_a_mesh_with_a_hole_is_not_closed():
    assert not make_mesh("open cube", CUBE, CUBE_FACES[1:]).closed


def test_edges_of_a_cube_stay_sharp_and_a_sphere_is_smooth():
    cube = make_mesh("cube", CUBE, CUBE_FACES)
    assert (np.isclose(np.abs(cube.normals), 1).sum(-1) == 1).all()
    sphere = make_mesh("sphere", *superquadric((1, 1, 1), roundness=(1, 1), rings=24))
    radial = (sphere.normals * sphere.vertices[sphere.faces]).sum(-1)
    assert radial.min() > 0.99


def test_points_at_one_place_become_one_vertex():
    double = join((CUBE, CUBE_FACES[:6]), (CUBE, CUBE_FACES[6:]))
    mesh = make_mesh("cube in two parts", *double)
    assert len(mesh.vertices) == 8
    assert mesh.closed


def test_a_mesh_without_faces_is_refused():
    with pytest.raises(BadInput, match=r"Mesh 'points' has no faces \(8 vertices\)\. A surface of triangles is needed"):
        make_mesh("points", CUBE, np.zeros((0, 3), int))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vertices_that_are_not_finite_are_refused(bad):
    vertices = CUBE.copy()
    vertices[2, 1] = bad
    with pytest.raises(BadInput, match=r"Mesh 'cube' has 1 vertices that are not finite; the first is number 3"):
        make_mesh("cube", vertices, CUBE_FACES)


def test_faces_that_point_nowhere_are_refused():
    with pytest.raises(BadInput, match=r"has faces that point to vertex 7 of 4\. The file is damaged"):
        make_mesh("cube", CUBE[:4], CUBE_FACES)


def test_wrong_shapes_are_refused():
    with pytest.raises(
        BadInput, match=r"needs vertices \(vertex, 3\) and faces \(face, 3\); came \(8, 2\) and \(12, 3\)"
    ):
        make_mesh("flat", CUBE[:, :2], CUBE_FACES)


def test_faces_without_area_are_refused():
    with pytest.raises(BadInput, match="has no face with an area"):
        make_mesh("line", np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0.0]]), np.array([[0, 1, 2]]))
