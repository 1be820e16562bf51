"""Objects read out of macaque IT (7 objects at 3 positions, 132 units), within and across positions."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.metrics import (
    cross_validated_readout,
    population_generalization,
    splits_across_views,
    unit_generalization,
    unit_separability,
)

pytestmark = pytest.mark.realdata


@pytest.fixture
def counts(data):
    """Spike counts 100 to 500 ms after onset, (trial, object, position, unit)."""
    packed = np.load(data / "neural" / "macaque_it_zhang_desimone_7objects" / "zd7_it132_spikes_1ms.npz")
    spikes = np.unpackbits(packed["spikes_packed"], axis=-1)[..., 600:1000]
    return spikes.sum(-1).astype(float)[..., :19].transpose(3, 1, 2, 0)


def test_seven_objects_are_read_out_within_and_across_positions(counts):
    n_trials, n_objects, n_positions, n_units = counts.shape
    flat = np.sqrt(counts).reshape(-1, n_units)
    _, objects, positions = (
        grid.ravel() for grid in np.meshgrid(*map(range, (n_trials, n_objects, n_positions)), indexing="ij")
    )
    within = [
        cross_validated_readout(flat[positions == p], objects[positions == p], chance="none").accuracy for p in range(3)
    ]
    assert 0.85 < min(within) < max(within) < 0.97
    splits = splits_across_views(objects, {"position": positions}, "by-distance", along="position")
    across = [cross_validated_readout(flat, objects, folds=[one], chance="none").accuracy for one in splits]
    assert len(across) == 6
    assert 0.58 < min(across) < max(across) < 0.91
    chance = cross_validated_readout(flat, objects, folds=splits, within=positions, n_shuffles=50).chance
    assert chance.value == pytest.approx(1 / 7, abs=0.01)


def test_units_and_populations_tolerate_position(counts):
    n_trials, n_objects, n_positions, n_units = counts.shape
    trials = counts.reshape(n_trials, -1, n_units)
    objects, positions = np.repeat(np.arange(n_objects), n_positions), np.tile(np.arange(n_positions), n_objects)
    separable = unit_separability(trials, objects, views=positions)
    general = unit_generalization(trials, objects, positions, n_draws=None)
    for found in (separable, general):
        above = found.bits_above_chance
        assert np.mean(above) > 5 * np.std(above - np.mean(above)) / np.sqrt(n_units) > 0
    assert np.median(separable.accuracy) > np.median(general.accuracy) > 0.53
    pairs = [[0, 1], [2, 3], [4, 5]]
    asked = {"sizes": (6, 48), "n_resamplings": 3, "pairs": pairs, "n_vectors": 8}
    found = population_generalization(trials, objects, positions, **asked)
    assert 0.55 < found.accuracy.value[0] < found.accuracy.value[1]
