import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import UnknownName
from stratoscope.stimuli.properties import symmetry


@pytest.mark.parametrize("axis", ["left-right", "up-down"])
def test_boxes_and_discs_are_symmetric_wherever_they_are(pictures, axis):
    images = np.stack([pictures.box(3, 5, 10, 21), pictures.disc(9, 20, 41), pictures.uniform(0.4)])
    assert symmetry(images, axis, background=0.0) == pytest.approx([1, 1, 1])


def test_a_triangle_with_an_upright_axis_is_symmetric_in_one_direction_only():
    rows, columns = np.mgrid[:64, :64]
    triangle = ((rows >= 10) & (rows < 50) & (np.abs(columns - 30) <= (rows - 10) / 2)).astype(float)[None]
    assert symmetry(triangle, "left-right", background=0.0) == pytest.approx([1])
    # two triangles of height 1 mirrored at a third of it share 2/3 of their area
    assert symmetry(triangle, "up-down", background=0.0) == pytest.approx([2 / 3], abs=0.03)


def test_odd_patterns_are_antisymmetric_about_the_mean(pictures):
    columns = (np.arange(64) + 0.5) / 64
    odd = np.tile(0.5 + 0.5 * np.sin(2 * np.pi * 3 * columns), (64, 1))[None]
    even = np.tile(0.5 + 0.5 * np.cos(2 * np.pi * 3 * columns), (64, 1))[None]
    assert symmetry(odd) == pytest.approx([-1])
    assert symmetry(even) == pytest.approx([1])
    assert symmetry(odd, "up-down") == pytest.approx([1])
    assert symmetry(pictures.half()[None]) == pytest.approx([-1])


def test_it_is_the_overlap_with_the_flipped_image_about_the_middle(rng):
    half = rng.random((1, 20, 15))
    image = np.concatenate([half, rng.permuted(half[:, :, ::-1], axis=1)], axis=2)
    columns = image.sum(axis=1, keepdims=True)
    image = image / columns  # every column weighs the same, so the mirror stands in the middle
    by_hand = (image * image[:, :, ::-1]).sum() / (image**2).sum()
    assert symmetry(image, background=0.0) == pytest.approx([by_hand])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 20), st.integers(-8, 8), st.integers(-8, 8))
def test_symmetry_ignores_gain_and_shift(gain, down, across):
    image = np.full((1, 64, 64), 0.3)
    image[0, 22:40, 20:44] = np.random.default_rng(2).random((18, 24))
    other = gain * np.roll(image, (down, across), (1, 2))
    assert symmetry(other, background=0.3 * gain) == pytest.approx(symmetry(image, background=0.3))


def test_an_image_of_background_alone_has_no_symmetry(pictures):
    assert np.isnan(symmetry(pictures.uniform(0.3)[None], background=0.3)).all()
    assert np.isnan(symmetry(pictures.uniform(0.1)[None])).all()
    assert np.isnan(symmetry(pictures.uniform(0)[None], background=0.0)).all()


def test_another_axis_is_refused():
    with pytest.raises(UnknownName, match=r"No axis of symmetry is called 'left-rihgt'\. Did you mean 'left-right'"):
        symmetry(np.zeros((1, 4, 4)), "left-rihgt")
