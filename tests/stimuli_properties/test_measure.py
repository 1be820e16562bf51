from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from stratoscope.errors import BadInput, UnknownName, UnreadableStimulus
from stratoscope.stimuli import properties
from stratoscope.stimuli.properties import PROPERTIES, add_properties, measure, measure_properties
from stratoscope.types import Stimuli


@dataclass(frozen=True)
class Screen:
    field: float = 96.0
    projection: str = "angular"


def as_set(images, columns=None):
    return Stimuli("pictures", tuple(f"image{i}" for i in range(len(images))), images.__getitem__, columns or {})


@pytest.fixture
def arrays(pictures, rng):
    parts = [pictures.disc(rng.uniform(5, 15), *rng.uniform(25, 38, 2)) for _ in range(25)]
    return np.stack(parts).astype(np.float32) * rng.uniform(0.2, 1, (25, 64, 64)).astype(np.float32)


def test_every_property_is_measured_and_within_its_range(arrays):
    rf = np.ones((64, 64))
    found = measure_properties(as_set(arrays[:, None]), background=0.0, rf=rf, screen=Screen(), min_coverage=0)
    names = [name for name in found if not name.startswith("orientation_energy_")]
    assert [*names, "orientation_energy"] == pytest.approx([*names, "orientation_energy"])
    assert set(names) | {"orientation_energy"} == set(PROPERTIES)
    for name, values in found.items():
        low, high = PROPERTIES[name if name in PROPERTIES else "orientation_energy"].range
        assert values.shape == (25,)
        assert np.isfinite(values).all(), name
        assert (values >= low - 1e-9).all(), name
        assert (values <= high + 1e-9).all(), name


def test_blocks_and_workers_do_not_change_a_single_value(arrays, monkeypatch):
    stimuli = as_set(arrays[:, None])
    options = {"background": 0.0, "rf": np.ones((2, 64, 64)), "min_coverage": 0.02}
    whole = measure_properties(stimuli, workers=1, **options)
    monkeypatch.setattr(measure, "PIXELS", 3 * 64 * 64)
    blocks = measure_properties(stimuli, workers=3, **options)
    assert list(whole) == list(blocks)
    for name, values in whole.items():
        np.testing.assert_allclose(blocks[name], values, rtol=1e-12, err_msg=name)


def test_never_more_than_a_block_of_images_is_held(arrays, monkeypatch):
    monkeypatch.setattr(measure, "PIXELS", 4 * 64 * 64)
    sizes = []
    original = measure.Block
    monkeypatch.setattr(
        measure, "Block", lambda luminance, setup: (sizes.append(len(luminance)), original(luminance, setup))[1]
    )
    measure_properties(as_set(arrays[:, None]), ["mean_luminance"])
    assert sizes == [4] * 6 + [1]


def test_the_columns_are_what_the_functions_of_plain_arrays_give(arrays):
    found = measure_properties(as_set(arrays[:, None]), background=0.0, bands=6)
    images = arrays.astype(float)
    for name in ("mean_luminance", "rms_contrast", "pixel_entropy", "silhouette_area", "dominant_orientation"):
        np.testing.assert_allclose(found[name], getattr(properties, name)(images), err_msg=name)
    for name in ("spatial_frequency", "spectral_slope", "edge_density", "corner_energy", "contour_curvature"):
        np.testing.assert_allclose(found[name], getattr(properties, name)(images), err_msg=name)
    np.testing.assert_allclose(found["symmetry_up_down"], properties.symmetry(images, "up-down", background=0.0))
    np.testing.assert_allclose(found["orientation_energy_30"], properties.orientation_energy(images, bands=6)[1])
    assert "rf_luminance" not in found
    assert "centroid_azimuth" not in found


def test_rf_contrast_counts_conditions_over_the_whole_set(arrays, monkeypatch):
    monkeypatch.setattr(measure, "PIXELS", 5 * 64 * 64)
    rf = np.stack([np.ones((64, 64)), np.eye(64)])
    columns = measure_properties(as_set(arrays[:, None]), ["rf_contrast"], rf=rf, background=0.0, min_coverage=0)
    expected = properties.rf_contrast(arrays.astype(float), rf, min_coverage=0)
    assert list(columns) == ["rf_contrast_0", "rf_contrast_1"]
    np.testing.assert_allclose(columns["rf_contrast_1"], expected[1])
    few = measure_properties(
        as_set(arrays[:, None]), ["rf_contrast"], rf=rf, background=0.0, min_coverage=0, min_conditions=26
    )
    assert all(np.isnan(values).all() for values in few.values())


def test_rgb_images_and_arrays_of_one_or_three_channels_agree(rng):
    pixels = rng.integers(0, 256, (2, 20, 24, 3), dtype=np.uint8)
    images = as_set([Image.fromarray(image) for image in pixels])
    arrays = as_set(np.moveaxis(pixels, -1, 1).astype(np.float32) / np.float32(255))
    a, b = measure_properties(images), measure_properties(arrays)
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-4, err_msg=name)


def test_weights_and_encoding_reach_the_pixels():
    red = as_set([Image.new("RGB", (16, 16), (255, 0, 0)), Image.new("RGB", (16, 16), (118, 118, 118))])
    linear = measure_properties(red, ["mean_luminance"], weights="rec601")["mean_luminance"]
    assert linear == pytest.approx([0.299, 118 / 255])
    light = measure_properties(red, ["mean_luminance"], encoding="srgb")["mean_luminance"]
    assert light == pytest.approx([0.2126, 0.1812], abs=1e-4)


def test_resizing_keeps_the_mean_luminance_and_brings_shapes_together(rng):
    images = [rng.random((1, 40, 30)).astype(np.float32), rng.random((1, 17, 50)).astype(np.float32)]
    with pytest.raises(BadInput, match=r"'image0' and 'image1' have different shapes, .* \(40, 30\) and \(17, 50\)"):
        measure_properties(as_set(images))
    found = measure_properties(as_set(images), ["mean_luminance"], size=(20, 16))["mean_luminance"]
    assert found == pytest.approx([image.mean() for image in images], rel=1e-6)
    by_twos = measure.resized(np.arange(16.0).reshape(4, 4), (2, 2))
    assert by_twos.tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_columns_are_added_and_never_overwritten(arrays):
    stimuli = as_set(arrays[:, None], {"category": np.repeat("disc", 25), "mean_luminance": np.zeros(25)})
    more = add_properties(stimuli, ["rms_contrast"])
    assert list(more.columns) == ["category", "mean_luminance", "rms_contrast"]
    assert more.ids == stimuli.ids
    with pytest.raises(BadInput, match=r"'pictures' already has the column 'mean_luminance'\. Give prefix="):
        add_properties(stimuli, ["mean_luminance"])
    assert "measured_mean_luminance" in add_properties(stimuli, ["mean_luminance"], prefix="measured_").columns


def test_the_catalogue_says_what_each_property_is():
    assert len(PROPERTIES) == 26
    for name in PROPERTIES:
        one = PROPERTIES[name]
        assert one.name == name
        assert one.definition
        assert one.unit
        assert one.paper
        assert one.range[0] < one.range[1]


def test_an_unknown_property_offers_the_nearest(arrays):
    with pytest.raises(UnknownName, match=r"No image property is called 'rms_contrst'\. Did you mean 'rms_contrast'"):
        measure_properties(as_set(arrays[:, None]), ["rms_contrst"])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rf_luminance", {}, r"'rf_luminance' needs rf=, the receptive field map"),
        ("rf_contrast", {"rf": np.ones((64, 64))}, "'rf_contrast' needs background=, the luminance"),
        ("centroid_azimuth", {}, "'centroid_azimuth' needs background=.* and screen=, which says where"),
        ("rf_luminance", {"rf": np.ones((6, 11))}, r"\(row, column\) = \(64, 64\).* came the shape \(6, 11\)"),
        ("mean_luminance", {"size": 0}, "A size is a number of pixels, or of rows and columns, from 1 up; came 0"),
        ("mean_luminance", {"workers": 0}, "at least one worker; came 0"),
        ("orientation_energy", {"bands": 12}, "4 to 8 bands; came 12"),
    ],
)
def test_what_is_missing_or_wrong_is_said(arrays, name, options, message):
    with pytest.raises(BadInput, match=message):
        measure_properties(as_set(arrays[:, None]), [name], **options)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((1, 20, 20), np.nan, np.float32), "Stimulus 'image1' cannot be measured. 1 of 1 images hold NaN"),
        (np.full((1, 20, 20), -1, np.float32), "Stimulus 'image1' cannot be measured. Luminance cannot be negative"),
        (np.full((1, 20, 20), 7, np.float32), "Stimulus 'image1' cannot be measured. Floats run from 0 to 1; .* is 7"),
        (np.zeros((2, 20, 20), np.float32), r"\(channel, row, column\), 1 or 3 channels; came \(2, 20, 20\)"),
    ],
)
def test_a_stimulus_that_cannot_be_measured_is_named(image, message):
    with pytest.raises(BadInput, match=message):
        measure_properties(as_set([np.zeros((1, 20, 20), np.float32), image]), ["mean_luminance"])


def test_unreadable_stimuli_and_empty_sets_are_refused():
    def load(row):
        raise UnreadableStimulus(f"Stimulus {row} is damaged.")

    with pytest.raises(UnreadableStimulus, match="damaged"):
        measure_properties(Stimuli("broken", ("a",), load))
    with pytest.raises(BadInput, match="The set 'empty' has no stimuli to measure"):
        measure_properties(Stimuli("empty", (), load))
