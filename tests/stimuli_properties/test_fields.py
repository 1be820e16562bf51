"""Properties of images within the fields of many units."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.properties import corner_energy, field_property, rf_contrast, rf_luminance


@pytest.fixture
def fields(rng):
    soft = rng.random((3, 12, 10))
    box = np.zeros((1, 12, 10))
    box[0, 2:6, 3:9] = 1
    return np.concatenate([soft, box])


def test_luminance_and_contrast_are_those_of_one_neuron_at_a_time(fields, rng):
    images = rng.random((7, 12, 10, 3))
    np.testing.assert_allclose(field_property(images, fields), rf_luminance(images, fields).T, rtol=1e-12)
    for inside in (0.0, 0.5):
        expected = rf_contrast(images, fields, inside=inside, min_coverage=0, min_conditions=0).T
        np.testing.assert_allclose(field_property(images, fields, "contrast", inside=inside), expected, rtol=1e-7)


def test_within_a_box_they_are_mean_and_standard_deviation(fields, rng):
    images = rng.random((5, 12, 10))
    inner = images[:, 2:6, 3:9]
    np.testing.assert_allclose(field_property(images, fields[3:])[:, 0], 100 * inner.mean(axis=(1, 2)))
    np.testing.assert_allclose(field_property(images, fields[3:], "contrast")[:, 0], inner.std(axis=(1, 2)))


def test_any_map_can_be_weighted(fields, rng):
    images = rng.random((5, 12, 10))
    cubes = field_property(images, fields, lambda luminance: luminance**3)
    weights = fields / fields.sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(cubes, np.einsum("sij,uij->su", images**3, weights))


def test_edge_energy_is_where_the_edge_is(fields):
    image = np.zeros((1, 40, 40))
    image[:, :, 20:] = 1
    near, far = np.zeros((2, 40, 40))
    near[10:30, 17:23], far[10:30, :6] = 1, 1
    energy = field_property(image, np.stack([near, far]), "edge_energy")[0]
    assert energy[0] > 0.01
    assert energy[1] == pytest.approx(0, abs=1e-12)
    ramp = np.tile(np.arange(40) / 100, (1, 40, 1))
    middle = np.zeros((1, 40, 40))
    middle[0, 10:30, 10:30] = 1
    assert field_property(ramp, middle, "edge_energy") == pytest.approx(1e-4)


def test_corner_energy_is_where_the_corner_is_and_its_mean_is_that_of_the_image():
    square = np.zeros((1, 60, 60))
    square[0, 20:40, 20:40] = 1
    at_corner, at_edge, everywhere = np.zeros((60, 60)), np.zeros((60, 60)), np.ones((60, 60))
    at_corner[17:23, 17:23] = at_edge[17:23, 27:33] = 1
    found = field_property(square, np.stack([at_corner, at_edge, everywhere]), "corner_energy")[0]
    assert found[0] > 20 * abs(found[1])
    inner = 50 * 50 / 60**2  # `corner_energy` leaves 5 pixels along the border out, where there is nothing
    assert found[2] == pytest.approx(float(corner_energy(square)[0]) * inner, rel=1e-6)


def test_a_unit_that_sees_nothing_has_no_value(fields, rng):
    images, blind = rng.random((4, 12, 10)), np.concatenate([fields, np.zeros((1, 12, 10))])
    for feature in ("luminance", "contrast", "edge_energy"):
        values = field_property(images, blind, feature)
        assert np.isnan(values[:, 4]).all()
        np.testing.assert_allclose(values[:, :4], field_property(images, fields, feature))
    assert np.isnan(field_property(images, np.zeros((2, 12, 10)))).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"feature": "luminence"}, UnknownName, r"Did you mean 'luminance'"),
        ({"fields": np.ones((12, 10))}, BadInput, r"^Fields have the shape \(unit, row, column\); came \(12, 10\)"),
        ({"fields": np.ones((1, 10, 12))}, BadInput, r"covers the pixels of the images, \(row, column\) = \(12, 10\)"),
        ({"fields": -np.ones((1, 12, 10))}, BadInput, r"hold NaN, negative or only zero values"),
        ({"fields": np.full((1, 12, 10), np.nan)}, BadInput, r"hold NaN, negative or only zero values"),
        ({"feature": "contrast", "inside": 1}, BadInput, r"^Inside the field is where its share of the maximum"),
        ({"feature": lambda luminance: luminance.mean()}, BadInput, r"same shape, \(2, 12, 10\), but \(\) came"),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(options, error, message, rng):
    with pytest.raises(error, match=message):
        field_property(rng.random((2, 12, 10)), **({"fields": np.ones((1, 12, 10))} | options))


def test_light_brighter_than_white_is_refused(fields):
    with pytest.raises(BadInput, match=r"^Pixels are brighter \(2\) than white \(1\)\. Divide by the value of white\."):
        field_property(np.full((2, 12, 10), 2.0), fields)
