import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties import (
    dominant_orientation,
    orientation_coherence,
    orientation_energy,
    orientation_entropy,
)

# cycles down and across, and the orientation of the bars counter-clockwise from horizontal
GRATINGS = [(8, 0, 0), (0, 8, 90), (8, 8, 45), (8, -8, 135), (6, 3, np.rad2deg(np.arctan2(3, 6)))]


@pytest.mark.parametrize(("down", "across", "degrees"), GRATINGS)
def test_the_dominant_orientation_of_a_grating_is_that_of_its_bars(pictures, down, across, degrees):
    image = pictures.wave(down, across)[None]
    assert dominant_orientation(image, periodic=True) == pytest.approx([degrees], abs=1e-6)
    assert orientation_coherence(image, periodic=True) == pytest.approx([1])
    assert dominant_orientation(image) == pytest.approx([degrees], abs=1)
    assert orientation_entropy(image) == pytest.approx([0], abs=0.05)


@pytest.mark.parametrize("bands", [4, 5, 6, 7, 8])
def test_energy_adds_up_to_the_variance_and_is_largest_where_the_bars_are(pictures, bands):
    images = np.stack([pictures.wave(8, 0), pictures.wave(0, 5), pictures.wave(6, 6, amplitude=0.25)])
    energy = orientation_energy(images, bands=bands, periodic=True)
    assert energy.shape == (bands, 3)
    assert energy.sum(axis=0) == pytest.approx(images.var(axis=(1, 2)))
    angles = np.arange(bands) * 180 / bands
    for degrees, column in zip([0, 90, 45], energy.T, strict=True):
        apart = np.abs((angles - degrees + 90) % 180 - 90)
        assert apart[np.argmax(column)] == pytest.approx(apart.min())


def test_energy_of_a_grating_has_the_tuning_of_the_filter(pictures):
    energy = orientation_energy(pictures.wave(8, 0)[None], bands=4, periodic=True)[:, 0]
    assert energy / energy[0] == pytest.approx([1, 1 / 8, 0, 1 / 8], abs=1e-12)  # cos⁶ of 0, 45, 90, 135 degrees


def test_noise_has_the_same_energy_in_every_band(pictures, rng):
    images = np.stack([pictures.noise(0, rng) for _ in range(5)])
    energy = orientation_energy(images, bands=4, periodic=True).mean(axis=1)
    assert energy / energy.mean() == pytest.approx(np.ones(4), abs=0.02)


def test_where_orientations_balance_none_dominates(pictures):
    images = np.stack([pictures.disc(15), pictures.checks(8), pictures.uniform(0.5), pictures.box(22, 22, 20, 20)])
    assert np.isnan(dominant_orientation(images)).all()
    assert orientation_coherence(images)[[0, 1, 3]] == pytest.approx([0, 0, 0], abs=1e-9)
    assert np.isnan(orientation_coherence(images)[2])


def test_a_bar_has_the_orientation_of_its_length(pictures):
    bars = np.stack([pictures.box(30, 10, 4, 44), pictures.box(10, 30, 44, 4), pictures.half()])
    assert dominant_orientation(bars) == pytest.approx([0, 90, 90], abs=1e-6)


def test_entropy_counts_orientations(pictures):
    images = np.stack([pictures.half(), pictures.smooth_disc(20), pictures.checks(16), pictures.uniform(0.2)])
    entropy = orientation_entropy(images)
    assert entropy[0] == pytest.approx(0, abs=1e-6)
    assert entropy[1] == pytest.approx(np.log2(24), abs=0.02)
    assert 1 < entropy[2] < 3  # two orientations and what corners add
    assert np.isnan(entropy[3])
    assert orientation_entropy(images[1:2], bins=8) == pytest.approx([3], abs=0.01)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 20), st.booleans(), st.integers(-8, 8), st.integers(-8, 8))
def test_orientation_ignores_polarity_and_shift_and_energy_follows_squared_gain(gain, inverted, down, across):
    image = np.zeros((1, 64, 64))
    image[0, 22:40, 20:44] = np.random.default_rng(2).random((18, 24))
    other = np.roll(gain * (1 - image if inverted else image), (down, across), (1, 2))
    assert orientation_energy(other) == pytest.approx(gain**2 * orientation_energy(image))
    assert dominant_orientation(other) == pytest.approx(dominant_orientation(image), abs=1e-6)
    assert orientation_entropy(other) == pytest.approx(orientation_entropy(image), abs=1e-6)


def test_turning_the_image_turns_the_orientation(pictures):
    image = pictures.box(28, 10, 6, 40) + 0.5 * pictures.box(10, 10, 20, 3)
    turned = np.rot90(image)
    before, after = dominant_orientation(np.stack([image, turned]))
    assert (after - before) % 180 == pytest.approx(90)
    np.testing.assert_allclose(
        orientation_energy(turned[None])[:, 0], np.roll(orientation_energy(image[None])[:, 0], 2)
    )


def test_other_numbers_of_bands_and_bins_are_refused(pictures):
    image = pictures.disc(5)[None]
    with pytest.raises(BadInput, match="Orientation energy comes in 4 to 8 bands; came 3"):
        orientation_energy(image, bands=3)
    with pytest.raises(BadInput, match="Orientation entropy needs at least 2 bins; came 1"):
        orientation_entropy(image, bins=1)
