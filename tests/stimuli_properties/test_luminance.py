import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.properties import luminance_images, mean_luminance


def test_primaries_have_the_weights_of_their_standard():
    primaries = np.eye(3)[:, None, None, :]
    assert mean_luminance(primaries) == pytest.approx([0.2126, 0.7152, 0.0722])
    rec601 = luminance_images(primaries, weights="rec601")[:, 0, 0]
    assert rec601 == pytest.approx([0.299, 0.587, 0.114])


@pytest.mark.parametrize("weights", ["rec709", "rec601", "mean"])
def test_grey_is_the_same_with_all_weights(weights, rng):
    grey = rng.random((2, 5, 7))
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_allclose(luminance_images(rgb, weights=weights), grey, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (bool, 1)])
def test_white_is_one_whatever_the_number_of_bits(dtype, white):
    assert mean_luminance(np.full((1, 2, 2), white, dtype)) == [1.0]


def test_srgb_middle_grey_is_a_fifth_of_the_light_of_white():
    # 118/255 is the sRGB code of 18 % grey, and code 0.04045 is where the straight part ends
    light = luminance_images(np.full((1, 1, 1), 118, np.uint8), encoding="srgb")
    assert light[0, 0, 0] == pytest.approx(0.1812, abs=1e-4)
    assert luminance_images(np.full((1, 1, 1), 0.04045), encoding="srgb")[0, 0, 0] == pytest.approx(0.04045 / 12.92)


def test_mean_luminance_of_analytic_images(pictures):
    images = np.stack([pictures.wave(0, 8), pictures.half(), pictures.uniform(0.3), pictures.box(0, 0, 16, 16)])
    assert mean_luminance(images) == pytest.approx([0.5, 0.5, 0.3, 1 / 16])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 63), st.integers(0, 63))
def test_mean_luminance_follows_gain_and_ignores_shifts(gain, down, across):
    image = np.random.default_rng(7).random((1, 64, 64))
    moved = np.roll(gain * image, (down, across), (1, 2))
    assert mean_luminance(moved) == pytest.approx(gain * mean_luminance(image))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 4)), r"Images have the shape .* came \(4, 4\)\. For a single image"),
        (np.zeros((1, 4, 4, 4)), r"Images have the shape .* came \(1, 4, 4, 4\)"),
        (np.zeros((1, 0, 4)), r"at least one pixel; came the shape \(1, 0, 4\)"),
        (np.zeros((1, 4, 4), np.int64), "came int64, whose white is unknown"),
        (np.full((1, 4, 4), -0.1), "Luminance cannot be negative; the smallest pixel is -0.1"),
        (np.full((1, 4, 4, 3), 2.0), "RGB floats run from 0 to 1; the largest is 2"),
    ],
)
def test_images_that_cannot_be_read_as_light_are_refused(images, message):
    with pytest.raises(BadInput, match=message):
        luminance_images(images)


def test_nan_pixels_are_refused_with_the_image_named():
    images = np.zeros((3, 4, 4))
    images[1, 2, 2] = np.nan
    with pytest.raises(BadInput, match=r"1 of 3 images hold NaN or infinite pixels \(first: image 1\)"):
        mean_luminance(images)


def test_unknown_weights_and_encodings_offer_the_nearest():
    with pytest.raises(UnknownName, match=r"No set of luminance weights is called 'rec708'\. Did you mean 'rec709'"):
        luminance_images(np.zeros((1, 2, 2)), weights="rec708")
    with pytest.raises(UnknownName, match=r"No encoding is called 'gamma'\. Known: 'linear', 'srgb'"):
        luminance_images(np.zeros((1, 2, 2)), encoding="gamma")
    with pytest.raises(BadInput, match="sRGB values run from 0 to 1; the largest is 3"):
        luminance_images(np.full((1, 2, 2), 3.0), encoding="srgb")
