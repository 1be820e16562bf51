import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.stimuli.properties import luminance_sd, rms_contrast


def test_rms_contrast_of_grating_half_plane_and_uniform_field(pictures):
    images = np.stack([pictures.wave(0, 8), pictures.half(), pictures.wave(3, 5, amplitude=0.1), pictures.uniform(0.3)])
    assert rms_contrast(images) == pytest.approx([1 / np.sqrt(2), 1, 0.2 / np.sqrt(2), 0], abs=1e-12)
    assert luminance_sd(images) == pytest.approx([0.5 / np.sqrt(2), 0.5, 0.1 / np.sqrt(2), 0], abs=1e-12)


def test_rms_contrast_of_an_object_on_black_depends_on_its_area_alone(pictures):
    share = 100 / 64**2
    assert rms_contrast(pictures.box(3, 9, 10, 10)[None]) == pytest.approx([np.sqrt(1 / share - 1)])


def test_a_black_image_has_no_contrast_rather_than_zero():
    assert np.isnan(rms_contrast(np.zeros((1, 4, 4)))).all()
    assert luminance_sd(np.zeros((1, 4, 4))) == [0]


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(0, 10), st.integers(0, 63))
def test_contrast_ignores_gain_and_shift_and_the_sd_ignores_added_light(gain, light, shift):
    image = np.random.default_rng(7).random((1, 64, 64))
    moved = np.roll(gain * image, shift, 2)
    assert rms_contrast(moved) == pytest.approx(rms_contrast(image))
    assert luminance_sd(moved + light) == pytest.approx(gain * luminance_sd(image))
