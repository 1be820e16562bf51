import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.sources.recording import (
    Presentations,
    TrialCounts,
    Units,
    noise_correlations,
    pseudo_population,
    shuffle_trials,
)


@pytest.fixture
def two_sessions(rng):
    """Two sessions of three units with shared noise each; 40 trials of 5 stimuli in one, 30 in the other."""
    tuning = rng.normal(size=(5, 6))
    stimulus = np.concatenate([np.repeat(np.arange(5), 40), np.repeat(np.arange(5), 30)])
    session = np.repeat(["x", "y"], [200, 150])
    table = tuning[stimulus] + rng.normal(size=(350, 1)) + 0.5 * rng.normal(size=(350, 6))
    table[:200, 3:], table[200:, :3] = np.nan, np.nan
    units = Units("abcdef", ["V1", "LM"] * 3, np.repeat(["x", "y"], 3))
    return TrialCounts(table, units, Presentations(stimulus, session=session))


def between(correlations):
    """Mean correlation within and between the two sessions."""
    within = correlations[:3, :3][np.triu_indices(3, 1)].mean()
    return within, correlations[:3, 3:].mean()


def test_a_pseudo_population_keeps_noise_correlations_within_sessions(two_sessions):
    together = pseudo_population(two_sessions)
    assert together.counts.shape == (150, 6)
    assert np.isfinite(together.counts).all()
    assert (together.n_trials() == 30).all()
    within, across = between(noise_correlations(together))
    assert within > 0.7
    assert abs(across) < 0.1
    assert together.units.columns["recorded_in"].tolist() == ["x"] * 3 + ["y"] * 3


def test_a_pseudo_population_can_destroy_them(two_sessions):
    within, across = between(noise_correlations(pseudo_population(two_sessions, correlations="destroyed")))
    assert abs(within) < 0.1
    assert abs(across) < 0.1


def test_every_trial_is_drawn_once_and_from_its_stimulus(two_sessions):
    together = pseudo_population(two_sessions, trials=30, seed=5)
    for unit, code in ((0, 1), (4, 3)):
        drawn = together.counts[together.presentations.codes == code, unit]
        own = two_sessions.counts[two_sessions.presentations.codes == code, unit]
        assert len(set(drawn)) == 30
        assert set(drawn) <= set(own)


def test_shuffling_trials_destroys_correlations_and_nothing_else(two_sessions):
    shuffled = shuffle_trials(two_sessions)
    np.testing.assert_allclose(shuffled.mean(), two_sessions.mean())
    np.testing.assert_array_equal(np.isnan(shuffled.counts), np.isnan(two_sessions.counts))
    codes = two_sessions.presentations.codes
    for code in range(5):
        np.testing.assert_array_equal(
            np.sort(shuffled.counts[codes == code], 0), np.sort(two_sessions.counts[codes == code], 0)
        )
    assert between(noise_correlations(two_sessions))[0] > 0.7
    assert abs(between(noise_correlations(shuffled))[0]) < 0.1


def test_noise_correlations_are_those_of_the_residuals(rng):
    table = rng.normal(size=(60, 4))
    counts = TrialCounts(table, Units("abcd", "V1"), Presentations(np.arange(60) % 3))
    residuals = table - counts.mean()[counts.presentations.codes]
    np.testing.assert_allclose(noise_correlations(counts), np.corrcoef(residuals.T))


def test_units_that_never_met_or_do_not_vary_have_no_noise_correlation(two_sessions):
    assert np.isnan(noise_correlations(two_sessions)[:3, 3:]).all()
    still = TrialCounts(np.ones((6, 2)), Units("ab", "V1"), Presentations(np.arange(6) % 2))
    assert np.isnan(noise_correlations(still)).all()


def test_a_stimulus_without_trials_is_named_with_its_unit(two_sessions):
    with pytest.raises(
        TooFew, match=r"Stimulus '0' has 30 trials with unit 'd' \(row 3 .* session 'y'\) and 31 are needed"
    ):
        pseudo_population(two_sessions, trials=31)
    lost = two_sessions.take_presentations(np.arange(350) < 320)
    with pytest.raises(TooFew, match=r"Stimulus '4' has 0 trials with unit 'd'"):
        pseudo_population(lost)
    with pytest.raises(BadInput, match="trials is 0"):
        pseudo_population(two_sessions, trials=0)
    with pytest.raises(UnknownName, match="destroyed"):
        pseudo_population(two_sessions, correlations="destroy")
