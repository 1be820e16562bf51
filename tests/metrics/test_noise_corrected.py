"""Squared distances and dimensions without the bias of noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoscope.errors import TooFew
from stratoscope.metrics import gride, participation_ratio_corrected
from stratoscope.metrics.noise_corrected import noise_corrected, signal_gride
from stratoscope.metrics.signal_participation_ratio import signal_participation_ratio
from stratoscope.metrics.trials import trial_means
from stratoscope.testing.latent_population import latent_population


def squared(points: np.ndarray) -> np.ndarray:
    return ((points[:, None] - points[None]) ** 2).sum(axis=2)


@given(st.integers(0, 10_000))
def test_corrected_distances_are_the_mean_over_all_pairs_of_different_trials(seed):
    counts = np.random.default_rng(seed).poisson(2.0, (4, 3, 5)).astype(float)
    found = noise_corrected(counts).squared
    for i, j in ((0, 1), (1, 2)):
        pairs = [
            (counts[a, i] - counts[c, j]) @ (counts[b, i] - counts[d, j])
            for a in range(4) for b in range(4) if a != b
            for c in range(4) for d in range(4) if c != d
        ]  # fmt: skip
        assert found[i, j] == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("kind", ["poisson", "correlated", "ragged"])
def test_corrected_distances_have_no_bias_and_raw_ones_have(kind):
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 4, (12, 30))
    draws, raw = [], []
    for _ in range(150):
        counts = rng.poisson(np.broadcast_to(truth, (8, 12, 30))).astype(float)
        if kind == "correlated":
            counts += rng.gamma(2, 1, (8, 12, 1))  # a gain all units share in a trial
        if kind == "ragged":
            counts[-4:, ::2] = np.nan
            counts[:2, 1::2, ::3] = np.nan
        draws.append(noise_corrected(counts).squared)
        raw.append(squared(trial_means(counts)))
    off = ~np.eye(12, dtype=bool)
    error = np.mean(draws, axis=0)[off] - squared(truth)[off]
    # pairs share stimuli, so the noise of the mean error is that of 12 stimuli rather than 66 pairs
    assert abs(error.mean()) < 4 * np.std(np.mean([d[off] for d in draws], axis=1), ddof=1) / np.sqrt(150)
    assert np.mean(raw, axis=0)[off].mean() - squared(truth)[off].mean() > 10


def test_noise_is_the_spread_of_distances_between_stimuli_that_are_answered_alike():
    rng = np.random.default_rng(1)
    counts = rng.poisson(2.0, (20, 200, 50)).astype(float)
    found = noise_corrected(counts)
    pairs = np.triu_indices(200, 1)
    assert found.noise == pytest.approx(found.squared[pairs].std(), rel=0.1)


def test_distances_have_the_variance_that_noise_and_growth_say():
    rng = np.random.default_rng(2)
    truth = 50 + np.concatenate([np.zeros((1, 40)), rng.normal(0, 0.5, (30, 40)), rng.normal(0, 2, (30, 40))])
    draws = [noise_corrected(truth + rng.normal(0, 1.5, (8, *truth.shape))) for _ in range(200)]
    spread = np.var([draw.squared[0, 1:] for draw in draws], axis=0, ddof=1)
    far = squared(truth)[0, 1:]
    said = np.mean([draw.noise for draw in draws]) ** 2 + np.mean([draw.growth for draw in draws]) * far
    assert spread.mean() == pytest.approx(said.mean(), rel=0.15)
    assert np.polyfit(far, spread, 1)[0] == pytest.approx(np.mean([draw.growth for draw in draws]), rel=0.3)


def test_what_noise_takes_from_a_dimension_is_what_lost_says():
    read, clean, said = [], [], []
    for seed in range(12):
        one = latent_population(5, n_stimuli=150, n_units=100, mean_count=0.5, seed=seed)
        corrected = noise_corrected(one.counts)
        read.append(signal_gride(one.counts, n1=(8,), margin=-np.inf).value[0])
        clean.append(gride(one.rates, n1=(8,)).value[0])
        said.append(corrected.lost(8, read[-1]))
    lost = 1 - np.mean(read) / np.mean(clean)
    assert lost == pytest.approx(np.mean(said), abs=0.035)
    assert lost > 0.02


@pytest.mark.parametrize(("dimension", "n_units", "mean_count"), [(2, 228, 0.7), (5, 131, 1.5), (10, 131, 1.5)])
def test_above_the_noise_signal_gride_reads_what_noiseless_responses_read(dimension, n_units, mean_count):
    away, raw_away = [], []
    for seed in range(4):
        one = latent_population(dimension, n_units=n_units, mean_count=mean_count, seed=seed)
        found = signal_gride(one.counts, n1=(4, 16, 32))
        clean = gride(one.rates, n1=(4, 16, 32)).value
        there = np.isfinite(found.value)
        assert there[-1]
        away.append(np.abs(found.value / clean - 1)[there].max())
        raw_away.append(np.abs(gride(trial_means(one.counts), n1=(4, 16, 32)).value / clean - 1)[there].max())
    assert np.mean(away) < 0.1
    assert np.mean(raw_away) > 1.3 * np.mean(away)


def test_scales_within_the_noise_have_no_number_and_a_note():
    one = latent_population(2, mean_count=0.5, seed=3)
    found = signal_gride(one.counts, n1=(1, 2, 32))
    assert np.isnan(found.value[:2]).all()
    assert "n1 = 1, 2: below the noise" in found.note
    assert found.low[2] < found.value[2] < found.high[2]


def test_pure_noise_has_no_dimension():
    noise = np.random.default_rng(0).poisson(1.5, (26, 100, 60)).astype(float)
    found = signal_gride(noise, n1=(1, 4, 16))
    assert np.isnan(found.value).all()


def test_signal_participation_ratio_is_that_of_noiseless_responses():
    found, clean, raw = [], [], []
    for seed in range(8):
        one = latent_population(5, n_units=60, n_trials=10, mean_count=0.5, seed=seed)
        found.append(signal_participation_ratio(one.counts).value)
        clean.append(participation_ratio_corrected(one.rates).value)
        raw.append(participation_ratio_corrected(trial_means(one.counts)).value)
    assert np.mean(found) == pytest.approx(np.mean(clean), rel=0.03)
    assert np.mean(raw) > 1.5 * np.mean(clean)


def test_signal_participation_ratio_of_noise_is_nan_or_unbounded_and_says_so():
    notes = []
    for seed in range(6):
        noise = np.random.default_rng(seed).poisson(1.5, (10, 40, 60)).astype(float)
        found = signal_participation_ratio(noise)
        notes.append(found.note)
        assert np.isnan(found.low)
    assert "no signal stands out from the noise" in notes


def test_one_trial_is_too_few_to_know_the_noise():
    with pytest.raises(TooFew, match="at least 2 trials"):
        noise_corrected(np.ones((1, 10, 10)))
    with pytest.raises(TooFew, match="at least 5 stimuli, but 4 came"):
        signal_participation_ratio(np.ones((3, 4, 10)))
