import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.sources.recording import Presentations, TrialCounts, Units, half_means, split_half


def noisy(rng, n_units=30, n_stimuli=300, n_trials=8, noise=2.0):
    """Unit-variance signals under white noise; the true reliability of a mean of k trials is 1 / (1 + noise^2 / k)."""
    signal = rng.normal(size=(n_stimuli, n_units))
    stimulus = np.repeat(np.arange(n_stimuli), n_trials)
    table = signal[stimulus] + noise * rng.normal(size=(len(stimulus), n_units))
    return TrialCounts(table, Units(range(n_units), "V1"), Presentations(stimulus)), signal


@pytest.mark.parametrize("halves", ["random", "odd-even", "first-last"])
def test_reliability_and_ceiling_are_those_of_the_model(rng, halves):
    counts, signal = noisy(rng)
    found = split_half(counts, halves=halves, splits=10)
    np.testing.assert_allclose(found.half.mean(), 1 / (1 + 4 / 4), atol=0.02)
    np.testing.assert_allclose(found.full.mean(), 1 / (1 + 4 / 8), atol=0.02)
    best = [np.corrcoef(signal[:, u], counts.mean()[:, u])[0, 1] for u in range(30)]
    np.testing.assert_allclose(found.ceiling.mean(), np.mean(best), atol=0.01)


def test_random_halves_are_disjoint_complete_and_equally_large(rng):
    counts, _ = noisy(rng, n_units=3, n_stimuli=20, n_trials=6)
    first, second = half_means(counts, seed=4)
    np.testing.assert_allclose((first + second) / 2, counts.mean())


def test_trials_that_are_missing_are_in_neither_half(rng):
    counts, _ = noisy(rng, n_units=4, n_stimuli=50, n_trials=5, noise=0.0)
    counts.counts[rng.random(counts.counts.shape) < 0.2] = np.nan
    for mean in half_means(counts):
        there = np.isfinite(mean)
        np.testing.assert_allclose(mean[there], counts.mean()[there])
    np.testing.assert_allclose(split_half(counts, splits=3).half, 1.0)


def test_drifts_lower_first_against_last_only(rng):
    counts, _ = noisy(rng, noise=0.3)
    late = np.asarray(counts.presentations.trial)[:, None] >= 4
    remapped = np.where(late, 0.5 * counts.counts[:, ::-1], counts.counts)
    drifting = TrialCounts(remapped, counts.units, counts.presentations)
    assert abs(split_half(drifting, halves="first-last").half.mean()) < 0.1
    assert split_half(drifting, halves="odd-even").half.min() > 0.8


def test_a_unit_that_does_not_vary_has_no_reliability_and_noise_has_none_to_speak_of(rng):
    counts, _ = noisy(rng, n_units=2)
    counts.counts[:, 0] = 1.0
    counts.counts[:, 1] = rng.normal(size=len(counts.counts))
    found = split_half(counts, splits=20)
    assert np.isnan(found.half[0])
    assert abs(found.half[1]) < 0.2


def test_seeds_repeat_and_say_so(rng):
    counts, _ = noisy(rng, n_units=2)
    a, b, c = (split_half(counts, splits=2, seed=seed) for seed in (1, 1, 2))
    assert a.half.tolist() == b.half.tolist() != c.half.tolist()
    assert (a.seed, a.splits, split_half(counts, halves="odd-even").seed) == (1, 2, None)
    assert np.isnan(split_half(counts, halves="odd-even").spread).all()


def test_too_few_stimuli_trials_or_splits_are_refused(rng):
    single, _ = noisy(rng, n_trials=1)
    with pytest.raises(TooFew, match=r"Unit '0' \(row 0 .* has 0 stimuli with a trial in both halves"):
        split_half(single)
    with pytest.raises(BadInput, match="at least one split"):
        split_half(single, splits=0)
    with pytest.raises(UnknownName, match="odd-even"):
        split_half(single, halves="even-odd")
