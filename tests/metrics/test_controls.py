"""Baselines: without structure, of the same size, without constant units, shuffled."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import (
    gride,
    population_sparseness,
    shuffled,
    size_matched,
    structureless,
    two_nn,
    without_constant_units,
)


@pytest.mark.parametrize(
    ("n_units", "expected"), [(64, 0.158), (128, 0.133), (256, 0.116), (512, 0.100), (1024, 0.090), (4096, 0.072)]
)
def test_noise_depends_on_the_number_of_units(n_units, expected, rng):
    medians = [np.median(population_sparseness(rng.standard_normal((250, n_units)))) for _ in range(4)]
    # the median of 1000 categories; its standard error is 1.25 x 0.04 / √1000 at 64 units and falls with size
    assert np.mean(medians) == pytest.approx(expected, abs=0.004)


def test_skewed_noise_hardly_depends_on_the_number_of_units(rng):
    values = [np.median(population_sparseness(rng.gamma(0.5, size=(1000, n)))) for n in (64, 2048)]
    np.testing.assert_allclose(values, [0.636, 0.621], atol=0.012)


def test_a_stage_of_independent_units_equals_its_structureless_baseline(rng):
    means = rng.gamma(0.5, size=(200, 100))
    baseline = structureless(means, n_resamples=40, seed=1)
    assert abs(baseline.value - np.median(population_sparseness(means))) < 0.01
    assert baseline.low <= baseline.value <= baseline.high
    assert baseline.n == 200


def test_a_stage_whose_units_respond_together_does_not(rng):
    means = 1e-3 * rng.random((11, 100))
    means[0, :90] += 1  # one category drives most units together, each other category a unit of its own
    means[np.arange(1, 11), np.arange(90, 100)] += 1
    assert np.median(population_sparseness(means)) - structureless(means).value > 0.05


def test_size_matched_subsets_read_what_stages_of_that_size_read(rng):
    noise = rng.standard_normal((300, 1024))
    matched = size_matched(noise, 64, seed=2)
    assert matched.value == pytest.approx(0.158, abs=0.006)
    whole = size_matched(noise, 1024)
    assert whole.low == pytest.approx(whole.high) == pytest.approx(np.median(population_sparseness(noise)))


def test_controls_hand_options_on_and_are_seeded(rng):
    means = rng.random((30, 40))
    raw = structureless(means, normalization="none", seed=5)
    assert raw.value != structureless(means, seed=5).value
    assert raw == structureless(means, normalization="none", seed=5)
    assert raw.value != structureless(means, normalization="none", seed=6).value


def test_without_constant_units_is_the_sparseness_of_the_others(rng):
    means = rng.random((10, 6))
    padded = np.column_stack([means, np.zeros((10, 3))])
    np.testing.assert_allclose(without_constant_units(padded), population_sparseness(means))
    with pytest.raises(TooFew, match=r"needs at least 2 units that vary over categories, but 1 of 4 do\."):
        without_constant_units(padded[:, 5:])


def test_shuffled_units_fill_more_dimensions_than_the_stage_does(rng):
    responses = rng.standard_normal((200, 2)) @ rng.standard_normal((2, 10))
    baseline = shuffled(responses, two_nn)
    assert two_nn(responses).value < 2.5
    assert baseline.value > 5
    assert baseline.low <= baseline.value <= baseline.high
    assert shuffled(responses, gride, n1=(1, 4)).value.shape == (2,)


def test_a_dead_stage_has_a_dead_baseline():
    assert structureless(np.zeros((5, 4))).value == 0
    raw = structureless(np.zeros((5, 4)), normalization="none")
    assert np.isnan(raw.value)
    assert raw.note == "No draw gave a number."


def test_impossible_subsets_are_refused():
    with pytest.raises(TooFew, match=r"^size_matched draws 9 units, but this stage has 4\.$"):
        size_matched(np.eye(4), 9)
    with pytest.raises(BadInput, match=r"^size_matched draws at least 2 units, but n_units=1 came\.$"):
        size_matched(np.eye(4), 1)
    with pytest.raises(BadInput, match=r"^n_resamples must be at least 2, but 1 came\.$"):
        structureless(np.eye(4), n_resamples=1)
