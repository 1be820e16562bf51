import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties import orientation_energy, power_spectrum, spatial_frequency, spectral_slope


def test_power_adds_up_to_the_variance_on_even_and_odd_sides(rng):
    for shape in ((16, 20), (17, 21), (18, 17)):
        images = rng.random((3, *shape))
        power = power_spectrum(images, periodic=True)
        assert power.sum(axis=(1, 2)) - power[:, 0, 0] == pytest.approx(images.var(axis=(1, 2)))


def test_the_smooth_part_solves_poissons_equation(rng):
    # by hand: the discrete Laplacian of the periodic part is that of the image without the steps across the border
    image = rng.random((18, 20))
    inner = np.zeros_like(image)
    for axis in (0, 1):
        step = np.diff(image, axis=axis)
        pad = [(0, 1) if a == axis else (0, 0) for a in (0, 1)]
        inner += np.pad(step, pad) - np.pad(step, [p[::-1] for p in pad])
    q, r = np.fft.fftfreq(18)[:, None], np.fft.fftfreq(20)[None]
    laplacian = 2 * np.cos(2 * np.pi * q) + 2 * np.cos(2 * np.pi * r) - 4
    laplacian[0, 0] = 1
    expected = np.abs(np.fft.fft2(inner) / laplacian) ** 2 / image.size**2
    expected[0, 0] = image.mean() ** 2
    doubled = np.where((np.arange(11) > 0) & (np.arange(11) < 10), 2, 1)
    np.testing.assert_allclose(power_spectrum(image[None])[0], expected[:, :11] * doubled, atol=1e-15)


def test_an_object_on_a_background_has_no_smooth_part(pictures):
    image = (0.2 + 0.5 * pictures.disc(12, 25, 30))[None]
    np.testing.assert_allclose(power_spectrum(image), power_spectrum(image, periodic=True), atol=1e-15)


def test_spatial_frequency_of_gratings_is_their_own(pictures):
    images = np.stack([pictures.wave(5, 0), pictures.wave(0, 12), pictures.wave(3, 4), pictures.uniform(0.4)])
    assert spatial_frequency(images, periodic=True)[:3] == pytest.approx([5, 12, 5])
    assert np.isnan(spatial_frequency(images)[3])
    plaid = (pictures.wave(0, 4, amplitude=0.2) + pictures.wave(10, 0, amplitude=0.2)) / 2
    assert spatial_frequency(plaid[None], periodic=True) == pytest.approx([7])


def test_without_its_border_a_crop_of_noise_has_no_cross_on_its_spectrum(pictures, rng):
    crops = np.stack([pictures.noise(-3, rng, side=256)[40:104, 90:154] for _ in range(10)])
    upright = {periodic: orientation_energy(crops, periodic=periodic)[[0, 2]].sum() for periodic in (False, True)}
    slanted = {periodic: orientation_energy(crops, periodic=periodic)[[1, 3]].sum() for periodic in (False, True)}
    assert upright[False] / slanted[False] < 1.4
    assert upright[True] / slanted[True] > 2
    assert spectral_slope(crops).mean() == pytest.approx(-3, abs=0.2)


@pytest.mark.parametrize("slope", [0, -1, -2, -3])
def test_noise_has_the_slope_it_was_made_with(pictures, rng, slope):
    images = np.stack([pictures.noise(slope, rng) for _ in range(10)])
    assert spectral_slope(images, periodic=True) == pytest.approx(np.full(10, slope), abs=0.03)
    if slope <= -1:
        assert spectral_slope(images).mean() == pytest.approx(slope, abs=0.1)


def test_the_slope_of_a_disc_is_that_of_its_edge_and_a_uniform_field_has_none(pictures):
    images = np.stack([pictures.smooth_disc(20), pictures.uniform(0.5), pictures.uniform(0)])
    slope = spectral_slope(images)
    assert slope[0] == pytest.approx(-3, abs=0.2)
    assert np.isnan(slope[1:]).all()


def test_a_grating_has_too_few_rings_for_a_slope(pictures):
    assert np.isnan(spectral_slope(pictures.wave(0, 8)[None], periodic=True)).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 20), st.floats(0, 2), st.integers(-9, 9), st.integers(-9, 9))
def test_spectra_of_objects_ignore_gain_light_and_shift(gain, light, down, across):
    image = np.zeros((1, 64, 64))
    image[0, 22:40, 20:44] = np.random.default_rng(2).random((18, 24))
    other = gain * np.roll(image, (down, across), (1, 2)) + light
    assert spatial_frequency(other) == pytest.approx(spatial_frequency(image), rel=1e-6)
    assert spectral_slope(other) == pytest.approx(spectral_slope(image), rel=1e-6)


def test_enlarging_an_object_twofold_halves_its_frequency():
    row, column = np.mgrid[:64, :64]
    small, large = (np.exp(-((row - 31) ** 2 + (column - 33) ** 2) / (2 * width**2)) for width in (1.2, 2.4))
    assert spatial_frequency(small[None]) / spatial_frequency(large[None]) == pytest.approx([2], rel=0.02)


def test_tiny_images_are_refused():
    with pytest.raises(BadInput, match="A power spectrum needs images of at least 16 x 16 pixels; came 8 x 32"):
        spatial_frequency(np.zeros((1, 8, 32)))
