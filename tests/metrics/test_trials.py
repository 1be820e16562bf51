"""Ragged trials: absent repeats are absent, never zero."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.surrogates import thinned, untuned_surrogate
from stratoscope.metrics.trials import (
    checked_trials,
    equal_trials,
    shuffled_trials,
    trial_means,
    trial_numbers,
    trial_split_noise,
    variance_of_means,
)


def ragged(own: bool = False, n: int = 11) -> np.ndarray:
    """Counts (trial, stimulus, unit): stimuli miss trials of all units, or (`own`) units miss trials of their own."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(3.0, (n, 40, 6)).astype(float)
    counts[-3:, ::2] = np.nan
    if own:
        counts[:2, 1::2, 1] = np.nan
    return counts


@pytest.mark.parametrize("own", [False, True])
def test_means_and_their_variance_are_over_the_trials_that_are_there(own):
    counts = ragged(own)
    mean, variance = trial_means(counts), variance_of_means(counts)
    for stimulus, unit in ((0, 0), (1, 1), (39, 5)):
        there = counts[:, stimulus, unit][np.isfinite(counts[:, stimulus, unit])]
        assert mean[stimulus, unit] == pytest.approx(there.mean())
        assert variance[stimulus, unit] == pytest.approx(there.var(ddof=1) / len(there))


@pytest.mark.parametrize("own", [False, True])
def test_equal_trials_are_trials_that_were_there(own):
    counts = ragged(own)
    fewest = trial_numbers(counts).min()
    drawn = equal_trials(counts, fewest, np.random.default_rng(0))
    assert np.isfinite(drawn).all()
    for stimulus in range(40):
        for unit in range(6):
            there = counts[:, stimulus, unit][np.isfinite(counts[:, stimulus, unit])].tolist()
            for value in drawn[:, stimulus, unit]:
                there.remove(value)  # without replacement


def test_units_draw_the_same_trials_so_that_noise_correlations_stay():
    shared = np.random.default_rng(0).normal(10, 1, (9, 30, 1)) * np.ones(4)
    drawn = equal_trials(shared, 5, np.random.default_rng(1))
    assert np.ptp(drawn, axis=2).max() == 0
    broken = np.random.default_rng(1).permuted(shared, axis=0)[:5]  # each unit for itself
    assert np.ptp(broken, axis=2).max() > 0


def test_absent_trials_come_last_when_trials_are_shuffled():
    mixed = shuffled_trials(ragged(own=True), np.random.default_rng(2))
    absent = np.isnan(mixed).astype(int)
    assert (np.diff(absent, axis=0) >= 0).all()


@pytest.mark.parametrize("n", [10, 11])
def test_split_noise_has_the_variance_of_the_means_and_nothing_of_the_signal(n):
    rng = np.random.default_rng(3)
    counts = 50 + 20 * rng.normal(size=(1, 3000, 4)) + 3 * rng.normal(size=(n, 3000, 4))
    noise = trial_split_noise(counts, rng)
    assert noise.var() == pytest.approx(variance_of_means(counts).mean(), rel=0.05)
    assert abs(np.corrcoef(noise[:, 0], trial_means(counts)[:, 0])[0, 1]) < 0.06


def test_split_noise_keeps_noise_correlations():
    rng = np.random.default_rng(4)
    counts = 20 + rng.normal(size=(12, 2000, 1)) + 0.5 * rng.normal(size=(12, 2000, 2))
    assert np.corrcoef(trial_split_noise(counts, rng).T)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_what_is_wrong_with_counts_is_said_in_a_sentence():
    with pytest.raises(BadInput, match=r"shape \(trial, stimulus, unit\).*but \(3, 4\) came"):
        checked_trials(np.ones((3, 4)), "this")
    with pytest.raises(BadInput, match="1 of 24 are negative or infinite"):
        checked_trials(np.r_[-1, np.ones(23)].reshape(2, 3, 4), "this")
    lonely = np.ones((2, 3, 4))
    lonely[1, 2, 3] = np.nan
    with pytest.raises(TooFew, match="at least 2 trials of every stimulus, but stimulus 2 of unit 3 has 1"):
        checked_trials(lonely, "this")
    with pytest.raises(TooFew, match="9 trials were asked for, but some stimulus has 8"):
        equal_trials(ragged(), 9, np.random.default_rng(0))


def test_thinning_makes_the_rate_that_was_asked_for_and_stays_poisson():
    rng = np.random.default_rng(6)
    rates = rng.uniform(1, 6, (20, 5))
    counts = rng.poisson(np.broadcast_to(rates, (4000, 20, 5))).astype(float)
    counts[3000:, 4] = np.nan
    thin = thinned(counts, trial_means(counts).mean() / 3, rng)
    assert np.array_equal(np.isnan(thin), np.isnan(counts))
    np.testing.assert_allclose(trial_means(thin), rates / 3, rtol=0.1)
    fano = np.nanvar(thin, axis=0) / trial_means(thin)
    assert fano.mean() == pytest.approx(1, abs=0.02)
    scaled = counts / 3  # the broken way: dividing keeps the noise of the faster area
    assert (np.nanvar(scaled, axis=0) / trial_means(scaled)).mean() < 0.5


def test_thinning_refuses_means_and_rates():
    counts = np.full((3, 4, 2), 1.5)
    with pytest.raises(BadInput, match="whole numbers, but fractions came"):
        thinned(counts, 1.0, np.random.default_rng(0))
    with pytest.raises(BadInput, match=r"mean count, which is 2, but 3 was asked for"):
        thinned(np.full((3, 4, 2), 2.0), 3.0, np.random.default_rng(0))


def test_untuned_surrogate_keeps_rates_and_trials_and_loses_tuning():
    rng = np.random.default_rng(7)
    rates = np.exp(rng.normal(1, 1, (60, 3)))
    counts = rng.poisson(np.broadcast_to(rates, (200, 60, 3))).astype(float)
    counts[150:, ::3] = np.nan
    fake = untuned_surrogate(counts, rng)
    assert np.array_equal(np.isnan(fake), np.isnan(counts))
    np.testing.assert_allclose(trial_means(fake).mean(axis=0), trial_means(counts).mean(axis=0), rtol=0.02)
    assert trial_means(fake).std(axis=0).max() < 0.1 * trial_means(counts).std(axis=0).min()
