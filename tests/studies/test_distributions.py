from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stratoscope.studies.liu2020.distributions import EDGES, distribution, fit


def test_the_shape_of_weibull_samples_is_found(rng):
    for shape in (0.6, 1.0, 2.5):
        samples = rng.weibull(shape, 4000)
        found = fit(samples, location=0.0)
        assert found.shape == pytest.approx(shape, rel=0.05)
        assert found.n == 4000


def test_the_better_law_has_the_smaller_negative_log_likelihood(rng):
    long_tail, bell = fit(rng.weibull(0.6, 2000), location=0.0), fit(rng.normal(10, 1, 2000))
    assert long_tail.weibull < long_tail.norm
    assert bell.norm < bell.weibull


def test_likelihoods_are_those_of_scipy(rng):
    samples = rng.gamma(2.0, size=500)
    found = fit(samples, location=0.0)
    assert found.norm == pytest.approx(-stats.norm.logpdf(samples, samples.mean(), samples.std()).mean())


def test_the_density_has_99_bins_that_leave_the_largest_activation_out(rng):
    found = distribution(rng.gamma(0.5, size=(20, 300)))
    assert found.density.shape == (99,)
    assert found.density.sum() * 0.01 == pytest.approx(1)
    assert EDGES[-1] == pytest.approx(0.99)


def test_as_published_the_99_heights_are_fitted_and_else_the_activations(rng):
    found = distribution(rng.gamma(0.5, size=(20, 300)), seed=1)
    assert found.published.n == 99
    assert 20 * 298 <= found.values.n <= 20 * 299
    assert found.published.shape != pytest.approx(found.values.shape, rel=0.01)


def test_a_large_stage_is_fitted_to_a_seeded_draw(rng):
    means = rng.gamma(0.5, size=(100, 400))
    first, again, other = (distribution(means, seed=seed).values for seed in (1, 1, 2))
    assert first == again
    assert first.n == 20_000
    assert other.shape == pytest.approx(first.shape, rel=0.05)


def test_a_dead_stage_has_no_fit():
    found = distribution(np.zeros((5, 30)))
    assert np.isnan(found.values.shape)
    assert found.values.n == 0
    assert found.density.sum() * 0.01 == pytest.approx(1)


def test_equal_numbers_have_no_fit():
    assert np.isnan(fit(np.ones(50)).weibull)
