"""Calibrated TwoNN, simplex skewness, correlation dimension, and how far estimators disagree."""

import json
from importlib.resources import files

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import (
    correlation_dimension,
    dimension_disagreement,
    ess,
    gride,
    levina_bickel,
    two_nn,
    two_nn_calibrated,
)
from stratoscope.metrics.calibration import expected_two_nn, sizes
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.ess import _expected_skewness
from stratoscope.summaries import Gram


def sphere(d, n, rng):
    x = rng.standard_normal((n, d + 1))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def state_of(responses, **options):
    summary = Gram(len(responses), responses.shape[1], **options)
    summary.update(np.arange(len(responses)), responses)
    return summary.state()


@pytest.mark.parametrize("d", [2, 7, 25, 70])
@pytest.mark.parametrize("n", [80, 700])
def test_calibration_undoes_what_two_nn_misses(n, d):
    rngs = [np.random.default_rng([n, d, seed]) for seed in range(30 if n < 100 else 6)]
    for reference, make in (("cube", lambda rng: rng.random((n, d))), ("sphere", lambda rng: sphere(d, n, rng))):
        values = [two_nn_calibrated(make(rng), reference=reference).value for rng in rngs]
        # between the sizes and dimensions of the table; the mean varies by 1.2 / √(n seeds), in high d twice that
        assert np.median(values) == pytest.approx(d, rel=0.12)


def test_calibration_leaves_low_dimension_alone_and_reads_borders_for_spheres(rng):
    points = rng.random((1000, 1))
    assert two_nn_calibrated(points).value == pytest.approx(two_nn(points).value, rel=0.03)
    ball = sphere(20, 500, rng)
    assert two_nn_calibrated(ball).value > two_nn_calibrated(ball, reference="sphere").value


def test_the_calibrated_value_keeps_interval_scale_and_what_two_nn_reads(rng):
    points = rng.random((300, 20))
    calibrated, plain = two_nn_calibrated(points), two_nn(points)
    assert calibrated.low < calibrated.value < calibrated.high
    assert calibrated.low > plain.low
    assert calibrated.scale == plain.scale
    assert calibrated.note == f"two_nn itself reads {plain.value:.4g}"


def test_nothing_is_extrapolated(rng, monkeypatch):
    assert sizes() == (50, 5000)
    with pytest.raises(TooFew, match=r"^two_nn_calibrated needs at least 50 distinct stimuli, but 49 came\.$"):
        two_nn_calibrated(rng.random((49, 3)))
    beyond = two_nn_calibrated(rng.standard_normal((60, 20000)))
    assert np.isnan(beyond.value)
    assert "beyond what a cube of dimension 500 reads, where the table ends" in beyond.note
    monkeypatch.setattr("stratoscope.metrics.calibration.sizes", lambda: (50, 200))
    many = two_nn_calibrated(rng.random((300, 3)))
    assert np.isnan(many.value)
    assert many.note.endswith("the table ends at 200 points; take that many stimuli")


def test_an_upper_end_beyond_the_table_is_said(rng):
    found = two_nn_calibrated(rng.standard_normal((60, 300)) @ np.diag(np.linspace(0.9, 1.1, 300)))
    assert np.isfinite(found.value)
    assert np.isnan(found.high)
    assert "the upper end of the interval is beyond what a cube of dimension 500 reads" in found.note


def test_the_table_rises_with_dimension_at_every_number_of_points():
    kept = json.loads((files("stratoscope.metrics") / "two_nn_calibration.json").read_text())
    assert set(kept) == {"points", "dimensions", "cube", "sphere"}
    for reference in ("cube", "sphere"):
        for n in (50, 63, 380, sizes()[1]):
            dimension, read = expected_two_nn(n, reference)
            assert (np.diff(read) > 0).all()
            assert read[0] == dimension[0] == 0
            assert (read[5:] < dimension[5:]).all()
            assert read[1] == pytest.approx(1, abs=0.05)


def test_uneven_sampling_fools_the_calibration_as_the_docstring_says(rng):
    uneven = rng.exponential(size=(1000, 10)) ** 2
    assert two_nn_calibrated(uneven).value < 9


@pytest.mark.parametrize("d", [1, 2, 5, 10, 30])
def test_simplex_skewness_reads_flat_manifolds_also_of_high_dimension(d, rng):
    flat = rng.random((300, d)) @ np.linalg.qr(rng.standard_normal((d + 3, d)))[0].T
    assert ess(flat, k=40).value == pytest.approx(d, rel=0.1)  # borders: 5 to 7 % low


def test_simplex_skewness_is_known_for_two_and_three_dimensions():
    expected = _expected_skewness()
    assert expected[0] == 0
    assert expected[1] == pytest.approx(2 / np.pi)  # mean |sin| of a uniform angle
    assert expected[2] == pytest.approx(np.pi / 4)
    ten = np.random.default_rng(0).standard_normal((2, 20000, 10))
    first, second = ten / np.linalg.norm(ten, axis=2, keepdims=True)
    sine = np.sqrt(1 - (first * second).sum(axis=1) ** 2)
    assert expected[9] == pytest.approx(sine.mean(), rel=0.002)
    assert (np.diff(expected) > 0).all()
    assert expected[-1] < 1


def test_simplex_skewness_is_best_where_distances_read_low(rng):
    points = sphere(40, 300, rng)
    assert ess(points, k=60).value == pytest.approx(40, rel=0.06)
    assert two_nn(points).value < 30


def test_ess_reads_high_on_what_is_curved_within_a_neighbourhood(rng):
    angle = rng.uniform(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert ess(circle, k=100).value > 1.5
    assert ess(circle, k=10).value < 1.15


@pytest.mark.parametrize("d", [2, 5])
def test_correlation_dimension_reads_cubes_and_spheres_of_low_dimension(d, rng):
    assert correlation_dimension(rng.random((400, d))).value == pytest.approx(d, rel=0.2)
    assert correlation_dimension(sphere(d, 400, rng)).value == pytest.approx(d, rel=0.1)


def test_correlation_dimension_reads_uneven_density_low(rng):
    uneven = rng.exponential(size=(300, 5)) ** 2
    assert correlation_dimension(uneven).value < 0.8 * two_nn(uneven).value


@pytest.mark.parametrize("estimator", [lambda x: ess(x, k=20), correlation_dimension])
def test_jackknife_intervals_hold_the_mean_of_the_estimator_and_are_wider_than_they_need_be(estimator):
    found = [estimator(np.random.default_rng(seed).random((150, 3))) for seed in range(40)]
    mean = np.mean([estimate.value for estimate in found])
    assert np.mean([e.low <= mean <= e.high for e in found]) > 0.9
    widths = np.mean([np.log(e.high / e.low) for e in found]) / (2 * 2.262)
    assert 1 < widths / np.std([np.log(e.value) for e in found]) < 2


def test_a_jackknife_without_spare_neighbours_has_no_ends(rng):
    points = rng.random((25, 3))
    assert np.isnan(ess(points, k=24).low)
    assert np.isnan(correlation_dimension(points, k2=23).high)


def test_ess_through_a_run_that_kept_few_neighbours_is_the_same_with_its_interval(rng):
    points = rng.random((90, 3))
    through, plain = METRICS["ess"].through(state_of(points, k=5), k=20), ess(points, k=20)
    assert (through.value, through.low) == pytest.approx((plain.value, plain.low), rel=1e-9)


@pytest.mark.parametrize("estimator", [two_nn_calibrated, lambda x: ess(x, k=20), correlation_dimension])
def test_exact_duplicates_never_move_the_number(estimator, rng):
    points = rng.random((200, 4))
    again = points[rng.integers(0, 200, 60)]
    alone, mixed = estimator(points), estimator(rng.permutation(np.vstack([points, again])))
    assert mixed.value == pytest.approx(alone.value, rel=1e-9)
    assert mixed.dropped["duplicates"] == 60


def test_estimators_agree_on_a_surface_and_not_in_high_dimension(rng):
    surface, high = (dimension_disagreement(rng.random((150, d))) for d in (2, 30))
    assert 1 <= surface.low <= surface.value < 1.15
    assert surface.low == 1
    assert high.low > 1.3
    for name in ("two_nn ", "gride n1=2 ", "levina_bickel k=10 ", "correlation_dimension ", "ess k=100 "):
        assert name in surface.note


def test_an_estimator_that_has_too_few_stimuli_is_left_out_and_named(rng):
    few = dimension_disagreement(rng.random((60, 3)))
    assert "ess k=100 left out: ess needs at least 101 distinct stimuli, but 60 came." in few.note
    parts = [two_nn(x := rng.random((60, 3))), gride(x, n1=(2,)), levina_bickel(x), correlation_dimension(x)]
    values = [float(np.ravel(part.value)[0]) for part in parts]
    assert dimension_disagreement(x).value == pytest.approx(max(values) / min(values))
    assert few.method.startswith("largest over smallest of 4 estimators")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: two_nn_calibrated(x, reference="cubes"), UnknownName, r"Did you mean 'cube'"),
        (lambda x: ess(x, k=2), BadInput, r"^k must be a number of neighbours, a whole number from 3 up, but 2 came"),
        (lambda x: ess(x, k=3.5), BadInput, r"from 3 up, but 3\.5 came"),
        (ess, TooFew, r"^ess needs at least 101 distinct stimuli, but 50 came\.$"),
        (lambda x: correlation_dimension(x, k1=5, k2=5), BadInput, r"1 <= k1 < k2, but 5 and 5 came"),
        (lambda x: correlation_dimension(x, k2=80), TooFew, r"needs at least 82 distinct stimuli, but 50 came"),
        (lambda x: dimension_disagreement(0 * x), TooFew, r"^dimension_disagreement needs two estimators that give a"),
        (lambda x: ess(0 * x), TooFew, r"^ess needs at least 101 distinct stimuli, but 1 came \(49 exact duplicates"),
        (lambda x: correlation_dimension(0 * x), TooFew, r"but 1 came \(49 exact duplicates were merged\)"),
        (lambda x: two_nn_calibrated(0 * x), TooFew, r"but 1 came \(49 exact duplicates were merged\)"),
        (
            lambda x: correlation_dimension(np.eye(50)),
            TooFew,
            r"needs two radii, but the median distances to neighbours 10 and 20 are both 1\.41421",
        ),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng.random((50, 3)))
