from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.objects import (
    DEFAULT_OBJECTS,
    DEFAULT_VIEW,
    Screen,
    Views,
    default_object,
    dense_views,
    make_mesh,
    render,
)
from stratoscope.stimuli.objects.render import AMBIENT, LIGHT, _turned, _turns
from stratoscope.stimuli.objects.surfaces import superquadric

SPHERE = make_mesh("sphere", *superquadric((1, 1, 1), roundness=(1, 1), rings=32))
BOX = make_mesh("box", *superquadric((0.9, 0.3, 0.3), roundness=(0.05, 0.05)))


def views(name, **values):
    rows = np.broadcast_arrays(
        *(np.atleast_1d(values.get(axis, default)).astype(float) for axis, default in DEFAULT_VIEW.items())
    )
    return Views(np.full(len(rows[0]), name), np.full(len(rows[0]), "test"), *rows)


def centre_of_mass(image):
    rows, columns = np.indices(image.shape)
    return (columns * image).sum() / image.sum() + 0.5, (rows * image).sum() / image.sum() + 0.5


def spread(image):
    """Half lengths of the silhouette across and down, pixels."""
    rows, columns = np.nonzero(image > 0)
    return (np.ptp(columns) + 1) / 2, (np.ptp(rows) + 1) / 2


def test_a_sphere_has_the_size_it_was_asked_for_wherever_it_is():
    screen = Screen(pixels=192)
    for image in render({"sphere": SPHERE}, views("sphere", azimuth=[-30, 0, 20], size=[30, 30, 30]), screen):
        np.testing.assert_allclose(spread(image), 15 * 2, atol=1.01)


def test_azimuth_and_elevation_move_the_image_by_the_stated_pixels():
    middle, moved = render(
        {"sphere": SPHERE}, views("sphere", azimuth=[0, 15], elevation=[0, 9], size=[20, 20]), Screen(pixels=192)
    )
    (x0, y0), (x1, y1) = centre_of_mass(middle), centre_of_mass(moved)
    np.testing.assert_allclose([x1 - x0, y0 - y1], [30, 18], atol=0.4)


def test_positive_rotation_in_the_plane_is_counter_clockwise():
    (image,) = render({"box": BOX}, views("box", in_plane=40))
    rows, columns = np.nonzero(image)
    assert np.corrcoef(columns, -rows)[0, 1] > 0.7


def test_rotation_in_depth_foreshortens_by_its_cosine():
    flat, turned = render({"box": BOX}, views("box", in_depth=[0, 60], size=40), Screen(pixels=256, field=60))
    reach = np.cos(np.deg2rad(60)) * 0.9 + np.sin(np.deg2rad(60)) * 0.3
    np.testing.assert_allclose(spread(turned)[0] / spread(flat)[0], reach / 0.9, atol=0.05)


def test_positive_rotation_in_depth_turns_the_front_to_the_right():
    pointer = np.array([0, 0, 1.0])
    turned = _turned(pointer[None], _turns(views("x", in_depth=30)))[0, 0]
    np.testing.assert_allclose(turned, [0.5, 0, np.sqrt(0.75)], atol=1e-12)


def test_shading_is_lamberts_law():
    (image,) = render({"sphere": SPHERE}, views("sphere", size=60), Screen(pixels=256, field=90))
    at = 128 - 0.5
    rows, columns = np.indices(image.shape)
    radius = np.tan(np.deg2rad(30))
    x = np.tan(np.deg2rad((columns - at) * 90 / 256)) / radius
    y = -np.tan(np.deg2rad((rows - at) * 90 / 256)) / np.cos(np.deg2rad((columns - at) * 90 / 256)) / radius
    inner = np.hypot(x, y) < 0.8
    normal = np.stack([x, y, np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))], -1)
    expected = AMBIENT + (1 - AMBIENT) * np.maximum(normal @ LIGHT, 0)
    np.testing.assert_allclose(image[inner] / 255, expected[inner], atol=0.03)


def test_luminance_scales_the_pixels():
    full, half = render({"sphere": SPHERE}, views("sphere", luminance=[100, 50])).astype(float)
    assert np.abs(half - full / 2).max() <= 0.75


def test_the_background_is_uniform_and_edges_blend_into_it():
    (image,) = render({"sphere": SPHERE}, views("sphere"), background=0.5)
    assert (image[[0, -1]] == 128).all()


def test_nearer_parts_hide_farther_ones_and_an_open_surface_shows_both_sides():
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    for order in (faces, faces[:, ::-1]):
        sheet = make_mesh("sheet", square, order)
        front, back = render({"sheet": sheet}, views("sheet", in_depth=[0, 179.9]))
        assert front.max() > 150
        assert back.max() > 150


def test_pixels_do_not_depend_on_threads_or_on_what_else_is_rendered():
    meshes = {name: default_object(name) for name in DEFAULT_OBJECTS}
    dense = dense_views(DEFAULT_OBJECTS, 200, seed=5)
    once = render(meshes, dense, threads=1)
    np.testing.assert_array_equal(once, render(meshes, dense, threads=4))
    rows = np.arange(3, 200, 13)
    np.testing.assert_array_equal(once[rows], render(meshes, dense.take(rows), threads=2))


def test_progress_counts_every_view():
    seen = []
    render({"box": BOX}, views("box", in_plane=np.linspace(-40, 40, 70)), progress=seen.append)
    assert seen[-1] == 70


def test_unknown_objects_and_views_outside_are_refused():
    with pytest.raises(UnknownName, match="No object is called 'cube'"):
        render({"box": BOX}, views("cube"))
    with pytest.raises(BadInput, match=r"1 of 1 views leave the screen; the first is 'box' at azimuth 50"):
        render({"box": BOX}, views("box", azimuth=50))
