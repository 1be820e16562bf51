"""Decimation over all subsets at once equals the average over subsets that are drawn."""

from itertools import combinations

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import two_nn, two_nn_decimation, two_nn_decimation_expected
from stratoscope.metrics.expected_decimation import _at_size, _ties_before, chances
from stratoscope.metrics.neighbourhoods import neighbourhoods_of


def two_nearest(points):
    between = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(between, np.inf)
    return np.sort(between, axis=1)[:, :2].T


def expected(points, size):
    near = neighbourhoods_of(points, len(points) - 1, "test", fewest=3)
    return _at_size(near, np.log(near.distance), _ties_before(near.distance), size)


@pytest.mark.parametrize("size", [3, 4, 6, 8])
def test_it_is_exactly_the_mean_over_every_subset_there_is(size, rng):
    points = rng.random((8, 3))
    logs, radii = [], []
    for subset in combinations(range(8), size):
        inner, outer = two_nearest(points[list(subset)])
        logs.append(np.log(outer / inner).mean())
        radii.append((inner + outer).mean() / 2)
    d, _, scale = expected(points, size)
    assert d == pytest.approx(1 / np.mean(logs), rel=1e-10)
    assert scale == pytest.approx(np.mean(radii), rel=1e-10)


def test_pairs_that_tie_are_left_out_as_two_nn_does(rng):
    lattice = np.stack(np.meshgrid(np.arange(3.0), np.arange(2.0)), axis=-1).reshape(-1, 2)
    points = np.vstack([lattice, rng.random((3, 2)) + 5])
    logs, used = 0.0, 0
    for subset in combinations(range(9), 5):
        inner, outer = two_nearest(points[list(subset)])
        different = outer > inner
        logs, used = logs + np.log(outer / inner)[different].sum(), used + different.sum()
    assert expected(points, 5)[0] == pytest.approx(used / logs, rel=1e-6)


@pytest.mark.parametrize(("n", "size"), [(20, 20), (20, 7), (400, 25), (5000, 156)])
def test_chances_add_up_to_one(n, size):
    first, pair = chances(n, size)
    assert first.sum() == pytest.approx(1, rel=1e-9)
    assert (np.arange(n - 1) * pair).sum() == pytest.approx(1, rel=1e-9)


def test_the_whole_set_is_two_nn_by_maximum_likelihood_with_an_interval_as_long(rng):
    points = rng.random((300, 4))
    one, whole = two_nn_decimation_expected(points, divisors=(1,)), two_nn(points, method="ml")
    for end in ("value", "scale"):
        assert getattr(one, end) == pytest.approx(getattr(whole, end), rel=1e-9)
    # by influence here, by random halves there
    assert np.log(one.high / one.low) == pytest.approx(np.log(whole.high / whole.low), rel=0.25)


def test_random_subsets_scatter_about_it_more_than_it_scatters_itself():
    drawn, ours = [], []
    for seed in range(12):
        points = np.random.default_rng(seed).random((240, 3))
        drawn.append(two_nn_decimation(points, divisors=(4,), method="ml", seed=seed).value[0])
        ours.append(two_nn_decimation_expected(points, divisors=(4,)).value[0])
    # a mean of 12 estimates whose deviation is 0.19; ml on 60 points reads 1/60 high, the expectation does not
    assert np.mean(drawn) == pytest.approx(np.mean(ours), abs=0.25)
    assert np.var(ours) < 0.5 * np.var(drawn)


def test_intervals_hold_the_mean_of_the_estimator():
    found = [two_nn_decimation_expected(np.random.default_rng(s).random((200, 3)), divisors=(1, 4)) for s in range(40)]
    mean = np.mean([estimate.value for estimate in found], axis=0)
    inside = np.mean([(e.low <= mean) & (mean <= e.high) for e in found], axis=0)
    assert (inside > 0.82).all()  # 95 % of 40 is 38 ± 1.4
    widths = np.mean([np.log(e.high / e.low) for e in found], axis=0) / 3.92
    assert (widths < 1.4 * np.std([np.log(e.value) for e in found], axis=0)).all()


def test_too_few_and_wrong_divisors_are_answered_with_a_sentence(rng):
    with pytest.raises(
        TooFew, match=r"^two_nn_decimation_expected needs at least 160 distinct stimuli, but 50 came\.$"
    ):
        two_nn_decimation_expected(rng.random((50, 3)), divisors=(8,))
    with pytest.raises(BadInput, match=r"^divisors must be whole numbers from 1 up, but \(0,\) came\.$"):
        two_nn_decimation_expected(rng.random((50, 3)), divisors=(0,))
    with pytest.raises(TooFew, match=r"needs at least 20 distinct stimuli, but 1 came \(39 exact duplicates were"):
        two_nn_decimation_expected(np.zeros((40, 7)))
