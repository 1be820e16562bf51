"""Receptive fields from recordings: maps, fits, and luminance in them."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.receptive_field_fit import fit_fields, gaussian
from stratoscope.metrics.receptive_field_maps import FieldMaps, bar_maps, sparse_noise_maps

X, Y = np.arange(-50.0, 51, 10), np.arange(25.0, -26, -10)


def bump(x=10.0, y=-5.0, sx=14.0, sy=9.0, height=3.0, floor=0.5):
    return gaussian(np.array([x, y, sx, sy, height, floor]), X, Y)


def test_the_fit_finds_the_gaussian_that_was_put_in():
    truth = np.array([[10, -5, 14, 9, 3, 0.5], [-30, 15, 8, 20, 0.2, -0.1], [0, 0, 25, 12, 40, 0]])
    fits = fit_fields(FieldMaps(np.stack([gaussian(p, X, Y) for p in truth]), X, Y))
    found = np.stack([fits.azimuth, fits.elevation, fits.sigma_x, fits.sigma_y, fits.amplitude, fits.offset], axis=1)
    np.testing.assert_allclose(found, truth, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(fits.r2, 1, atol=1e-6)
    np.testing.assert_allclose(fits.size, (truth[:, 2] + truth[:, 3]) / 2, rtol=2e-3)


def test_r2_is_the_share_of_variance_and_decides():
    rng = np.random.default_rng(0)
    clear, noisy = bump() + 0.1 * rng.normal(size=(6, 11)), bump(height=0.3) + rng.normal(size=(6, 11))
    fits = fit_fields(FieldMaps(np.stack([clear, noisy]), X, Y))
    assert fits.accepted.tolist() == [True, False]
    rest = clear - gaussian(
        np.array([getattr(fits, n)[0] for n in ("azimuth", "elevation", "sigma_x", "sigma_y", "amplitude", "offset")]),
        X,
        Y,
    )
    assert fits.r2[0] == pytest.approx(1 - (rest**2).sum() / ((clear - clear.mean()) ** 2).sum())
    assert fit_fields(FieldMaps(np.stack([clear, noisy]), X, Y), smallest_r2=0.0).accepted.all()


def test_flat_maps_and_maps_of_noise_are_not_accepted():
    rng = np.random.default_rng(1)
    fits = fit_fields(FieldMaps(np.concatenate([np.full((1, 6, 11), 2.0), rng.poisson(3, (40, 6, 11))]), X, Y))
    assert np.isnan(fits.r2[0])
    assert not fits.accepted[0]
    assert fits.accepted.mean() < 0.1


def test_bar_maps_average_trials_within_orientations_first():
    counts, places = [], []
    for y in Y:
        for x in X:
            for angle, times in ((0, 1), (45, 3)):  # unequal numbers of trials
                counts += [[x + 100 + angle, y + 100]] * times
                places += [(x, y, angle)] * times
    x, y, angle = np.array(places).T
    maps = bar_maps(np.array(counts), x, y, angle, baseline=[2.0, 0.0])
    np.testing.assert_allclose(maps.maps[0], np.broadcast_to(X + 100 + 22.5 - 2, (6, 11)))
    np.testing.assert_allclose(maps.maps[1], np.broadcast_to(Y[:, None] + 100, (6, 11)))
    assert maps.azimuth.tolist() == X.tolist()
    assert maps.elevation.tolist() == Y.tolist()


def test_order_of_presentations_does_not_matter_to_a_map():
    rng = np.random.default_rng(2)
    x, y, angle = (one.ravel() for one in np.meshgrid(X, Y, [0.0, 90.0], indexing="ij"))
    counts = rng.poisson(3, (len(x), 2)).astype(float)
    order = rng.permutation(len(x))
    one, other = bar_maps(counts, x, y, angle), bar_maps(counts[order], x[order], y[order], angle[order])
    np.testing.assert_allclose(one.maps, other.maps)


@pytest.mark.parametrize(("polarity", "sign"), [("on", 1), ("off", -1)])
def test_reverse_correlation_finds_on_and_off_fields_apart(polarity, sign):
    rng = np.random.default_rng(3)
    frames = rng.choice([-1, 0, 1], p=[0.04, 0.92, 0.04], size=(12_000, 6, 11))
    shape = bump(floor=0.0, height=1.0)
    drive = (np.maximum(sign * frames, 0) * shape).sum(axis=(1, 2))
    counts = rng.poisson(0.2 + 2 * drive)[:, None]
    found = sparse_noise_maps(counts, frames, X, Y, polarity=polarity).maps[0]
    assert np.corrcoef(found.ravel(), shape.ravel())[0, 1] > 0.98
    assert found.max() == pytest.approx(2 * shape.max(), rel=0.15)
    wrong = sparse_noise_maps(counts, frames, X, Y, polarity={"on": "off", "off": "on"}[polarity]).maps[0]
    assert abs(wrong).max() < 0.4


def test_maps_on_pixels_are_interpolated_and_never_negative():
    maps = FieldMaps(np.stack([bump(floor=0.0), bump(floor=-0.2)]), X, Y)
    same = maps.on_pixels(X, Y)
    np.testing.assert_allclose(same[0], bump(floor=0.0))
    assert same[1].min() == 0
    fine = maps.on_pixels(np.arange(-60.0, 61, 2), np.arange(40.0, -41, -2))
    assert fine.shape == (2, 41, 61)
    assert fine[0][:, 0].max() == 0  # outside the grid
    turned = FieldMaps(maps.maps[:, ::-1, ::-1], X[::-1], Y[::-1]).on_pixels(X, Y)
    np.testing.assert_allclose(turned, same)


def test_what_is_no_map_is_refused_in_a_sentence():
    with pytest.raises(BadInput, match=r"came maps \(6, 11\)"):
        FieldMaps(bump(), X, Y)
    with pytest.raises(BadInput, match="azimuth of a map rises or falls throughout"):
        FieldMaps(bump()[None], np.r_[X[1:], X[0]], Y)
    with pytest.raises(BadInput, match="1 of 66 values are NaN"):
        FieldMaps(np.where(bump() == bump().max(), np.nan, bump())[None], X, Y)
    with pytest.raises(BadInput, match=r"1 of 2 receptive fields are nowhere above zero .*first: unit 1"):
        FieldMaps(np.stack([bump(), -bump()]), X, Y).on_pixels(X, Y)
    with pytest.raises(
        BadInput, match="1 of 4 cells of the grid have no presentation; the first is orientation 0 at azimuth 10"
    ):
        bar_maps(np.ones((3, 1)), [0, 0, 10], [5, -5, 5], [0, 0, 0])
    with pytest.raises(BadInput, match="needs a finite azimuth for each of 3 presentations"):
        bar_maps(np.ones((3, 1)), [0, np.nan, 10], [5, -5, 5], [0, 0, 0])
    with pytest.raises(TooFew, match="66 places are never lit"):
        sparse_noise_maps(np.ones((5, 1)), np.zeros((5, 6, 11)), X, Y)
    with pytest.raises(BadInput, match="frames .* for 4 responses"):
        sparse_noise_maps(np.ones((4, 1)), np.zeros((5, 6, 11)), X, Y)
    with pytest.raises(BadInput, match="smallest R² of a fit lies between 0 and 1"):
        fit_fields(FieldMaps(bump()[None], X, Y), smallest_r2=1.5)
