"""A small recording whose every spike is known, and a random one."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.sources.recording import Presentations, Spikes, TrialCounts, Units


@pytest.fixture
def known():
    """Two sessions, three units; windows of 1 s from onsets at 1, 3, 5 s."""
    units = Units(("a", "b", "c"), ["V1", "V1", "IT"], ["s1", "s1", "s2"])
    shown = Presentations(
        ["cat", "dog", "cat", "dog", "cat"],
        [1.0, 3.0, 5.0, 1.0, 3.0],
        [2.0, 4.0, 6.0, 2.0, 4.0],
        session=["s1", "s1", "s1", "s2", "s2"],
    )
    times = (np.array([0.5, 1.0, 1.5, 2.0, 3.2, 5.9]), np.array([]), np.array([1.1, 1.2, 3.9]))
    return Spikes(times, units, shown)


@pytest.fixture
def random_spikes(rng):
    """Forty units in two areas and two sessions, 30 presentations each of 6 stimuli a session."""
    n, seconds = 40, 200.0
    units = Units([f"u{i}" for i in range(n)], np.repeat(["V1", "LL"], n // 2), np.arange(n) % 2)
    onset = np.concatenate([np.sort(rng.uniform(1, seconds - 2, 180)) for _ in range(2)])
    shown = Presentations(
        [f"im{k}" for k in rng.permuted(np.arange(360) % 6)], onset, onset + 0.25, session=np.repeat([0, 1], 180)
    )
    return Spikes(tuple(np.sort(rng.uniform(0, seconds, rng.integers(1, 3000))) for _ in range(n)), units, shown)


@pytest.fixture
def three_areas(rng):
    """Counts of three areas of 4 to 6 units, 20 stimuli with two categories, 3 to 5 trials."""
    stimulus = np.concatenate([np.repeat(np.arange(20), 3), np.arange(0, 20, 2), np.arange(0, 20, 2)])
    units = Units([f"n{i}" for i in range(15)], ["LM"] * 5 + ["V1"] * 6 + ["LL"] * 4)
    tuning = rng.gamma(2.0, 3.0, (20, 15))
    return TrialCounts(rng.poisson(tuning[stimulus]), units, Presentations([f"im{k:02d}" for k in stimulus]))
