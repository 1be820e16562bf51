import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties import contour_curvature, corner_energy, edge_density
from stratoscope.stimuli.properties.edges import derivative_kernel, gradients_of

INNER = 54  # pixels a side that are left without the border


def test_derivatives_agree_with_scipy_and_are_exact_for_polynomials(rng):
    image = rng.random((1, 40, 40))
    reference = gaussian_filter(image, (0, 1.5, 1.5), (0, 1, 0), truncate=5)[:, 5:-5, 5:-5]
    np.testing.assert_allclose(gradients_of(image).down, reference, atol=0.01)
    x = np.arange(-5.0, 6.0)
    assert [derivative_kernel(1.5, 1) @ x**n for n in (0, 1, 2)] == pytest.approx([0, 1, 0], abs=1e-12)
    assert [derivative_kernel(1.5, 2) @ x**n for n in (0, 1, 2)] == pytest.approx([0, 0, 2], abs=1e-12)


def test_edge_length_of_half_plane_box_and_discs(pictures):
    images = np.stack([pictures.half(), pictures.half(33), pictures.disc(10), pictures.disc(20), pictures.uniform(0.5)])
    length = edge_density(images) * INNER**2
    assert length[:2] == pytest.approx([INNER, INNER])
    assert length[2:4] == pytest.approx([2 * np.pi * 10, 2 * np.pi * 20], rel=0.03)
    assert length[4] == 0


@pytest.mark.parametrize(("down", "across"), [(0, 8), (8, 0), (6, 6), (6, -6), (3, 7)])
def test_a_grating_has_two_edges_a_cycle_whatever_its_orientation(pictures, down, across):
    expected = 2 * np.hypot(down, across) / 64
    assert edge_density(pictures.wave(down, across)[None]) == pytest.approx([expected], rel=0.06)


def test_straight_contours_have_no_corners_and_no_curvature(pictures):
    images = np.stack([pictures.half(), pictures.wave(0, 8), pictures.wave(6, 0)])
    assert corner_energy(images) == pytest.approx([0, 0, 0], abs=1e-12)
    assert contour_curvature(images) == pytest.approx([0, 0, 0], abs=1e-9)
    assert contour_curvature(pictures.wave(4, 5)[None]) == pytest.approx([0], abs=0.005)


@pytest.mark.parametrize("radius", [8, 12, 20])
def test_the_curvature_of_a_disc_is_one_over_its_radius(pictures, radius):
    assert contour_curvature(pictures.smooth_disc(radius)[None]) == pytest.approx([1 / radius], rel=0.04)


def test_corner_energy_counts_corners(pictures):
    one = pictures.half() * pictures.half().T
    images = np.stack([one, pictures.box(18, 18, 28, 28), pictures.box(18, 18, 26, 27), pictures.checks(32)])
    energy = corner_energy(images)
    assert energy[1] == pytest.approx(4 * energy[0], rel=1e-6)
    assert energy[2] == pytest.approx(energy[1], rel=1e-6)
    assert energy[3] > energy[0]  # four corners meet there


def test_corner_energy_agrees_with_eigenvalues_by_numpy(rng):
    image = rng.random((1, 32, 32))
    gradients = gradients_of(image)
    pairs = {(0, 0): gradients.across**2, (1, 1): gradients.down**2, (0, 1): gradients.across * gradients.down}
    tensor = np.zeros((*gradients.down.shape[1:], 2, 2))
    for (i, j), product in pairs.items():
        tensor[..., i, j] = tensor[..., j, i] = gaussian_filter(product[0], 2.5, truncate=3)
    assert corner_energy(image) == pytest.approx([np.linalg.eigvalsh(tensor)[..., 0].mean()])


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 20), st.booleans(), st.integers(-3, 3), st.integers(-3, 3))
def test_edges_ignore_gain_polarity_and_shift_and_corner_energy_follows_squared_gain(gain, inverted, down, across):
    image = np.zeros((1, 64, 64))
    image[0, 24:40, 24:40] = 0.2 + 0.8 * np.random.default_rng(2).random((16, 16))
    other = np.roll(gain * (1 - image if inverted else image), (down, across), (1, 2))
    assert edge_density(other) == pytest.approx(edge_density(image), rel=1e-6)
    assert contour_curvature(other) == pytest.approx(contour_curvature(image), rel=1e-6)
    assert corner_energy(other) == pytest.approx(gain**2 * corner_energy(image), rel=1e-6)


def test_scale_halves_curvature_and_doubles_the_length_of_an_edge(pictures):
    small, large = pictures.smooth_disc(10)[None], pictures.smooth_disc(20)[None]
    assert contour_curvature(small) / contour_curvature(large) == pytest.approx([2], rel=0.05)
    assert edge_density(large) / edge_density(small) == pytest.approx([2], rel=0.05)


def test_uniform_images_have_no_edges_and_no_curvature_at_all(pictures):
    images = np.stack([pictures.uniform(0.3), pictures.uniform(0)])
    assert edge_density(images).tolist() == [0, 0]
    assert np.isnan(contour_curvature(images)).all()
    assert corner_energy(images) == pytest.approx([0, 0], abs=1e-15)


def test_wrong_thresholds_and_tiny_images_are_refused(pictures):
    with pytest.raises(BadInput, match="a share of the largest gradient, 0 to below 1; came 2"):
        edge_density(pictures.disc(5)[None], threshold=2)
    with pytest.raises(BadInput, match="A gradient needs images of at least 16 x 16 pixels; came 12 x 12"):
        corner_energy(np.zeros((1, 12, 12)))
