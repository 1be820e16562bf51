from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.optimize import minimize

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties import silhouette_area, silhouette_geometry, silhouettes
from stratoscope.stimuli.properties.enclosing_circle import enclosing_circles


@dataclass(frozen=True)
class Screen:
    field: float = 96.0
    projection: str = "angular"


def test_area_of_box_disc_and_half_plane(pictures):
    images = np.stack([pictures.box(3, 5, 10, 20), pictures.disc(20), pictures.half(), pictures.uniform(0)])
    area = silhouette_area(images) * 64**2
    assert area[[0, 2, 3]] == pytest.approx([200, 32 * 64, 0])
    assert area[1] == pytest.approx(np.pi * 20**2, rel=0.01)


def test_position_and_size_of_box_bar_and_disc(pictures):
    images = np.stack([pictures.box(3, 5, 10, 20), pictures.box(40, 2, 1, 31), pictures.disc(10, 30, 40)])
    found = silhouette_geometry(images)
    assert found["centroid_row"] == pytest.approx([7.5, 40, 30])
    assert found["centroid_column"] == pytest.approx([14.5, 17, 40])
    assert found["silhouette_height"].tolist() == [10, 1, 21]
    assert found["silhouette_width"].tolist() == [20, 31, 21]
    assert found["circle_diameter"] == pytest.approx([np.hypot(9, 19) + 1, 31, 21])


def test_centroid_agrees_with_scipy_on_scattered_pixels(rng):
    images = (rng.random((4, 20, 30)) > 0.8).astype(float)
    found = silhouette_geometry(images)
    expected = np.array([ndimage.center_of_mass(image) for image in images])
    np.testing.assert_allclose(np.stack([found["centroid_row"], found["centroid_column"]], axis=1), expected)


def test_an_image_without_a_silhouette_has_no_place(pictures):
    found = silhouette_geometry(pictures.uniform(0.5)[None], background=0.5, screen=Screen())
    assert all(np.isnan(values).all() for values in found.values())
    assert len(found) == 8


@settings(max_examples=25, deadline=None)
@given(st.integers(-10, 10), st.integers(-10, 10), st.integers(1, 3))
def test_places_move_with_the_image_and_sizes_follow_scale(down, across, scale):
    image = np.zeros((1, 64, 64))
    image[0, 20:30, 22:40] = np.random.default_rng(1).random((10, 18)) > 0.3
    before = silhouette_geometry(image)
    shifted = silhouette_geometry(np.roll(image, (down, across), (1, 2)))
    assert shifted["centroid_row"] - before["centroid_row"] == pytest.approx(down)
    assert shifted["circle_diameter"] == pytest.approx(before["circle_diameter"])
    larger = image.repeat(scale, 1).repeat(scale, 2)
    assert silhouette_area(larger) == pytest.approx(silhouette_area(image))
    assert silhouette_geometry(larger)["silhouette_width"] == pytest.approx(scale * before["silhouette_width"])


def test_degrees_are_right_and_up_of_straight_ahead(pictures):
    images = np.stack([pictures.disc(5), pictures.disc(5, 31.5 - 10, 31.5 + 20)])
    found = silhouette_geometry(images, screen=Screen(field=96))
    assert found["centroid_azimuth"] == pytest.approx([0, 30], abs=1e-12)
    assert found["centroid_elevation"] == pytest.approx([0, 15], abs=1e-12)
    assert found["circle_degrees"] == pytest.approx(1.5 * found["circle_diameter"])


def test_on_a_flat_screen_degrees_are_those_of_the_tangent(pictures):
    found = silhouette_geometry(pictures.box(31, 63, 2, 1)[None], screen=Screen(90, "flat"))
    assert found["centroid_azimuth"] == pytest.approx([np.rad2deg(np.arctan(31.5 / 32))])
    assert found["centroid_elevation"] == pytest.approx([0], abs=1e-12)
    middle = silhouette_geometry(pictures.box(31, 22, 1, 20)[None], screen=Screen(90, "flat"))
    assert middle["circle_degrees"] == pytest.approx([2 * np.rad2deg(np.arctan(10 / 32))])


def test_the_border_gives_the_background(pictures):
    image = 0.4 + 0.3 * pictures.box(10, 10, 5, 5)
    assert silhouettes(image[None], background="border").sum() == 25
    assert silhouettes(image[None], background=0.4).sum() == 25
    assert silhouettes(image[None], background=0.0).all()
    assert not silhouettes(image[None], background=0.4, tolerance=0.31).any()


def test_enclosing_circles_agree_with_a_minimiser(rng):
    points = rng.normal(size=(20, 15, 2))
    valid = rng.random((20, 15)) > 0.3
    valid[0] = False
    centre, radius = enclosing_circles(points, valid)
    assert np.isnan(radius[0])
    for i in range(1, 20):
        own = points[i, valid[i]]
        reach = lambda at, own=own: np.linalg.norm(own - at, axis=1).max()  # noqa: E731  one line beside its use
        best = minimize(reach, own.mean(axis=0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10})
        assert reach(centre[i]) == pytest.approx(radius[i])
        assert radius[i] == pytest.approx(best.fun, abs=1e-5)


def test_backgrounds_and_screens_that_make_no_sense_are_refused(pictures):
    image = pictures.disc(5)[None]
    with pytest.raises(BadInput, match="A background is a luminance or 'border'; came 'edge'"):
        silhouettes(image, background="edge")
    with pytest.raises(BadInput, match="finite luminance from 0 up, or 'border'; came nan"):
        silhouettes(image, background=np.nan)
    with pytest.raises(BadInput, match="a luminance difference from 0 up; came -1"):
        silhouettes(image, tolerance=-1)
    with pytest.raises(BadInput, match="lies between 0 and 180 degrees; came 400"):
        silhouette_geometry(image, screen=Screen(400))
    with pytest.raises(BadInput, match="projection is 'angular' or 'flat'; came 'fisheye'"):
        silhouette_geometry(image, screen=Screen(90, "fisheye"))
