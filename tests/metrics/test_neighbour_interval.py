"""The printed interval of a dimension covers the mean of the estimate in about 95 % of samples."""

import numpy as np
import pytest

from stratoscope.metrics import gride, levina_bickel, two_nn
from stratoscope.metrics.neighbour_interval import influence_terms, influence_variance, log_interval

SEEDS = 200
#: Three standard deviations of a coverage of 95 % counted in 200 samples are 4.6 points.
LOWEST, HIGHEST = 0.904, 0.996


def covered(estimates):
    """Return the share of intervals that hold the mean of the estimates."""
    value, low, high = (np.array([getattr(e, end) for e in estimates]) for end in ("value", "low", "high"))
    mean = value.mean(axis=0)
    return ((low <= mean) & (mean <= high)).mean(axis=0)


@pytest.mark.parametrize("d", [2, 5, 10])
def test_two_nn_covers_its_mean(d):
    points = [np.random.default_rng(seed).random((250, d)) for seed in range(1000, 1000 + SEEDS)]
    for options in ({}, {"method": "ml"}):
        assert LOWEST <= covered([two_nn(x, **options) for x in points]) <= HIGHEST


def test_gride_covers_its_mean_on_a_gaussian():
    points = [np.random.default_rng(seed).standard_normal((250, 5)) for seed in range(2000, 2000 + SEEDS)]
    coverage = covered([gride(x, n1=(1, 4, 12)) for x in points])
    assert (coverage >= LOWEST).all()
    assert (coverage <= HIGHEST).all()


def test_levina_bickel_covers_its_mean():
    points = [np.random.default_rng(seed).standard_normal((250, 4)) for seed in range(3000, 3000 + SEEDS)]
    assert LOWEST <= covered([levina_bickel(x) for x in points]) <= HIGHEST


def test_the_interval_of_independent_contributions_would_not_cover():
    points = [np.random.default_rng(seed).random((250, 2)) for seed in range(1000, 1000 + SEEDS)]
    value = np.array([two_nn(x, method="ml").value for x in points])
    naive = np.abs(np.log(value / value.mean())) < 1.96 / np.sqrt(250)
    assert naive.mean() < 0.9


def test_points_without_common_neighbours_count_as_independent():
    psi = np.array([1.0, -1.0, 2.0, -2.0])
    nothing = np.zeros((4, 1))
    index = np.array([[1], [0], [3], [2]])
    assert influence_variance(psi, nothing, index, np.inf) == pytest.approx((psi @ psi) / 16)


def test_passed_on_influence_is_summed_over_those_who_have_the_point_as_neighbour():
    index = np.array([[1, 2], [2, 0], [3, 1], [0, 1]])
    weights = np.arange(1.0, 9).reshape(4, 2)
    dense = np.zeros((4, 4))
    dense[np.arange(4)[:, None], index] = weights
    own = np.array([1.0, -1, 2, -2])
    passed = dense.sum(axis=0) - dense.sum(axis=0).mean()
    expected = [own @ own, own @ passed, passed @ passed - (weights**2).sum()]
    np.testing.assert_allclose(influence_terms(own, weights, index), expected)


def test_the_interval_is_symmetric_in_the_logarithm():
    low, high = log_interval(10.0, 1.0)
    assert low * high == pytest.approx(100)
    assert np.log(high / low) == pytest.approx(2 * 1.96 * 0.1, rel=1e-4)
