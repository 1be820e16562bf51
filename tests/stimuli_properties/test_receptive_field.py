import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties import luminosity_ratio, matched_pairs, rf_contrast, rf_coverage, rf_luminance


def gaussian(row, column, sigma, side=64):
    r, c = np.mgrid[:side, :side]
    return np.exp(-((r - row) ** 2 + (c - column) ** 2) / (2 * sigma**2))


def test_a_delta_sees_one_pixel(rng):
    images = rng.random((5, 8, 9))
    delta = np.zeros((8, 9))
    delta[3, 4] = 17.0
    np.testing.assert_allclose(rf_luminance(images, delta), 100 * images[:, 3, 4])


def test_a_box_sees_its_mean_and_many_maps_are_rows(pictures, rng):
    images = rng.random((5, 64, 64))
    boxes = np.stack([pictures.box(10, 20, 8, 4), pictures.box(0, 0, 64, 64)])
    expected = [images[:, 10:18, 20:24].mean(axis=(1, 2)), images.mean(axis=(1, 2))]
    np.testing.assert_allclose(rf_luminance(images, boxes), 100 * np.stack(expected))


def test_a_gaussian_at_an_edge_sees_half_of_the_light(pictures):
    images = np.stack([pictures.half(), pictures.uniform(1), pictures.uniform(0.25), pictures.uniform(0)])
    assert rf_luminance(images, gaussian(31.5, 31.5, 5)) == pytest.approx([50, 100, 25, 0])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1), st.floats(0.1, 50), st.integers(-8, 8))
def test_rf_luminance_follows_gain_and_ignores_the_scale_of_the_map_and_joint_shifts(gain, scale, shift):
    image = np.random.default_rng(3).random((1, 64, 64))
    rf = gaussian(30, 34, 4)
    moved = np.roll(gain * image, shift, 2)
    assert rf_luminance(moved, np.roll(scale * rf, shift, 1)) == pytest.approx(gain * rf_luminance(image, rf))


def test_coverage_is_the_share_of_the_field_under_the_silhouette(pictures):
    images = np.stack([pictures.half(), pictures.uniform(0), pictures.uniform(1), pictures.box(20, 0, 5, 64)])
    assert rf_coverage(images, pictures.box(20, 22, 10, 20)) == pytest.approx([0.5, 0, 1, 0.5])
    half_height = 10 * np.sqrt(2 * np.log(2))  # where a Gaussian of width 10 has fallen to half
    inside = rf_coverage(pictures.disc(8)[None], gaussian(31.5, 31.5, 10), inside=0.4988)
    assert inside == pytest.approx([pictures.disc(8).sum() / pictures.disc(half_height).sum()])


def test_rf_contrast_of_a_box_is_the_spread_of_luminance_inside(pictures):
    images = np.stack([pictures.half(), pictures.uniform(1), 0.5 * pictures.half(), pictures.wave(0, 8)])
    found = rf_contrast(images, pictures.box(0, 0, 64, 64), min_conditions=1)
    assert found == pytest.approx([0.5, 0, 0.25, 0.5 / np.sqrt(2)], abs=1e-12)


def test_rf_contrast_of_a_graded_map_is_that_of_the_weighted_values(rng):
    images, rf = rng.random((4, 6, 7)), rng.random((6, 7))
    weights = rf / rf.max()
    here = weights > 0.3
    by_hand = [np.std([w * v for w, v in zip(weights[here], image[here], strict=True)]) for image in images]
    found = rf_contrast(images, rf, inside=0.3, min_conditions=1, background=0.0, tolerance=0)
    np.testing.assert_allclose(found, by_hand)


def test_conditions_that_hardly_cover_the_field_and_neurons_with_few_conditions_have_no_contrast(pictures):
    field = pictures.box(0, 0, 10, 10)
    images = np.stack([pictures.box(0, 0, 1, width) for width in (9, 10)] + [pictures.uniform(1)] * 22)
    found = rf_contrast(images, np.stack([field, pictures.box(50, 50, 4, 4)]))
    assert np.isnan(found[0, 0])  # 9 % of the field
    assert np.isfinite(found[0, 1:]).all()  # 10 % and more, 23 conditions
    assert np.isnan(found[1]).all()  # 22 conditions only
    assert np.isfinite(rf_contrast(images, field, min_coverage=0.09)).all()


def test_luminosity_ratio_compares_means_over_views():
    values, objects = [1.0, 3.0, 1.0, 1.0, 0.0, 0.0], ["b", "b", "a", "a", "c", "d"]
    ratio = luminosity_ratio(values, objects)
    assert ratio[:2, :2].tolist() == [[1, 0.5], [0.5, 1]]
    assert ratio[0, 2] == 0
    assert np.isnan(ratio[2, 3])
    assert luminosity_ratio(np.stack([values, values]), objects).shape == (2, 4, 4)


def test_pairs_are_kept_above_the_threshold_only():
    names, pairs = matched_pairs([1.0, 0.95, 0.9, 0.5], ["a", "b", "c", "d"], threshold=0.9)
    assert [tuple(names[pair]) for pair in pairs] == [("a", "b"), ("b", "c")]
    assert len(matched_pairs([1.0, 0.5], ["a", "b"])[1]) == 0


@pytest.mark.parametrize(
    ("rf", "message"),
    [
        (np.ones((8, 8)), r"\(row, column\) = \(4, 4\), alone .* came the shape \(8, 8\)\. Resample"),
        (np.ones(4), r"came the shape \(4,\)"),
        (np.stack([np.ones((4, 4)), np.zeros((4, 4))]), r"1 of 2 receptive field maps hold .* \(first: neuron 1\)"),
        (np.full((4, 4), np.nan), "1 of 1 receptive field maps hold NaN"),
        (np.eye(4) - 0.5, "1 of 1 receptive field maps hold NaN, negative"),
    ],
)
def test_maps_that_are_no_receptive_field_are_refused(rf, message):
    with pytest.raises(BadInput, match=message):
        rf_luminance(np.zeros((1, 4, 4)), rf)


def test_wrong_arguments_are_refused_in_words():
    image, ones = np.full((1, 4, 4), 2.0), np.ones((4, 4))
    with pytest.raises(BadInput, match=r"Pixels are brighter \(2\) than white \(1\)"):
        rf_luminance(image, ones)
    with pytest.raises(BadInput, match=r"a level from 0 to below 1; came 1\.5"):
        rf_coverage(image, ones, inside=1.5)
    with pytest.raises(BadInput, match=r"are of one length; came \(2,\) and \(3,\)"):
        luminosity_ratio([1, 2], ["a", "b", "c"])
    with pytest.raises(BadInput, match="RF luminance is 0 and up, without NaN"):
        luminosity_ratio([1, np.nan], ["a", "b"])
    with pytest.raises(BadInput, match=r"one neuron at a time, values \(stimulus,\); came \(2, 2\)"):
        matched_pairs(np.ones((2, 2)), ["a", "b"])
    with pytest.raises(BadInput, match="lies between 0 and 1; came 90"):
        matched_pairs([1, 2], ["a", "b"], threshold=90)
