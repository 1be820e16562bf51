from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.objects.screen import Screen, directions


def test_directions_obey_the_tangent_screen_formulas(rng):
    plane = rng.uniform(-0.5, 0.5, (50, 2))
    azimuth = rng.uniform(-30, 30, 50)
    x, y, z = directions(plane, azimuth, np.zeros(50)).T
    phi, theta = np.arctan(plane[:, 0]), np.deg2rad(azimuth)
    np.testing.assert_allclose(x / z, np.tan(theta + phi))
    np.testing.assert_allclose(y / z, plane[:, 1] * np.cos(phi) / np.cos(theta + phi))


def test_the_centre_of_a_tangent_screen_is_where_it_was_put(rng):
    azimuth, elevation = rng.uniform(-40, 40, (2, 20))
    x, y, z = directions(np.zeros((20, 2)), azimuth, elevation).T
    np.testing.assert_allclose(np.rad2deg(np.arctan2(x, z)), azimuth)
    np.testing.assert_allclose(np.rad2deg(np.arctan2(y, np.hypot(x, z))), elevation)


def test_pixels_are_equal_steps_of_azimuth_and_elevation():
    screen = Screen(pixels=64, field=96)
    at = directions(np.zeros((3, 2)), np.array([0, 30, -48.0]), np.array([0, 15, 0.0]))
    np.testing.assert_allclose(screen.pixel_coordinates(at), [[32, 32], [52, 22], [0, 32]], atol=1e-9)


def test_a_flat_screen_has_the_aspect_of_the_real_one():
    screen = Screen(pixels=1920, field=120, projection="flat")
    assert screen.shape == (1109, 1920)
    edge = directions(np.zeros((2, 2)), np.array([60.0, 0]), np.array([0, 45.0]))
    np.testing.assert_allclose(screen.pixel_coordinates(edge)[:, 0], [1920, 960])


def test_bounding_circles_must_lie_on_screen_and_image():
    screen = Screen()
    azimuth, elevation = np.array([30.0, 31, 0, 0]), np.array([0, 0, 27.5, 28.0])
    np.testing.assert_array_equal(screen.fits(azimuth, elevation, np.full(4, 35.0)), [True, False, True, False])


def test_impossible_screens_are_refused():
    with pytest.raises(UnknownName, match="No projection is called 'angle'"):
        Screen(projection="angle")
    with pytest.raises(BadInput, match=r"An image has 8 to 4096 pixels a side; 2 were asked for"):
        Screen(pixels=2)
    with pytest.raises(BadInput, match=r"lie between 0 and 180 degrees; came 120.0, 90.0 and 200"):
        Screen(field=200)
