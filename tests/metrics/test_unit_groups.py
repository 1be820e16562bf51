"""What is kept of groups of units gives the dissimilarities of any units drawn, as resampling the responses does."""

from __future__ import annotations

import numpy as np
import pytest

import stratoscope as st
from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import rdm, unit_groups
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.group_sums import UnitGroups, group_halves
from stratoscope.metrics.similarity import DISTANCES
from stratoscope.metrics.unit_groups import bytes_kept
from stratoscope.summaries import Spool, UnitBlocks
from stratoscope.testing.metric_laws import check_metric

N = 24


def responses(rng, units, n=N):
    return rng.gamma(0.7, size=(n, units)) + 5 * rng.random(units)


def dealt(units, n_groups, seed=0):
    return np.random.default_rng(seed).permutation(units) % n_groups


def brute_force(array, group, weights, distance):
    """The matrix of units that are truly drawn, each as often as its group."""
    centred = array - array.mean(axis=0)
    drawn = np.repeat(np.arange(array.shape[1]), np.asarray(weights)[group])
    return rdm(centred[:, drawn], distance=distance)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(("units", "n_groups"), [(40, 16), (300, 6)])
def test_any_groups_drawn_give_the_matrix_of_their_units(rng, units, n_groups, distance):
    array = responses(rng, units)
    groups = UnitGroups.of(unit_groups(array, n_groups=n_groups), N)
    assert groups.single == (units == 40)
    group = np.arange(units) if groups.single else dealt(units, n_groups)
    halves = group_halves(len(groups), rng).astype(int)
    for weights in (halves, rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)))):
        expected = brute_force(array, group, weights, distance)
        found = groups.distances(weights, distance)
        np.testing.assert_allclose(found, expected, atol=2e-4 if distance == "sqeuclidean" else 2e-5)


def test_all_groups_together_are_the_stage(rng):
    for units in (30, 400):
        array = responses(rng, units)
        groups = UnitGroups.of(unit_groups(array, n_groups=8), N)
        np.testing.assert_allclose(groups.distances(np.ones(len(groups))), rdm(array), atol=2e-5)


def test_fewer_stimuli_are_rows_and_columns_of_the_same_matrix(rng):
    array, rows = responses(rng, 200), np.array([5, 1, 17, 9])
    groups = UnitGroups.of(unit_groups(array, n_groups=5), N)
    weights = [1, 0, 2, 1, 0]
    whole = groups.distances(weights, "correlation")
    np.testing.assert_allclose(groups.take(rows).distances(weights, "correlation"), whole[np.ix_(rows, rows)])
    np.testing.assert_allclose(groups.take(rows).take(np.array([2, 0])).rows, [17, 5])


def test_without_the_sums_of_stimuli_the_correlation_would_be_another(rng):
    array = responses(rng, 200) * np.linspace(0.2, 3, N)[:, None]
    groups = UnitGroups.of(unit_groups(array, n_groups=5), N)
    correlation, cosine = (groups.distances(np.ones(5), one) for one in ("correlation", "cosine"))
    assert np.abs(correlation - cosine).max() > 0.01


def test_through_a_spool_it_is_what_it_is_from_the_array(rng):
    array = responses(rng, 700).astype(np.float32)
    summary = UnitBlocks(Spool(N, 700, panel_units=256))
    for rows in np.array_split(rng.permutation(N), 5):
        summary.update(rows, array[rows])
    found = METRICS["unit_groups"].through(summary.state(), n_groups=7, seed=3)
    expected = unit_groups(array, n_groups=7, seed=3)
    assert found.shape == (7, (N + 1) * (N + 2) // 2)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-2)


def test_it_keeps_the_laws_of_metrics():
    check_metric("unit_groups", lambda rng: (responses(rng, 300), {}), invariances=("offset",), rtol=1e-4, fewest=2)


def test_it_keeps_the_responses_as_long_as_they_take_less_room():
    most = 4 * 25 * 26 // 2 // N
    for units, shape in ((most, (most, N)), (most + 1, (4, 325))):
        kept = unit_groups(np.ones((N, units)), n_groups=4)
        assert kept.shape == shape
        assert kept.nbytes == bytes_kept(N, units, 4)


def test_units_are_dealt_by_the_seed_and_evenly(rng):
    array = responses(rng, 403)
    one, same, other = (unit_groups(array, n_groups=6, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert sorted(one[:, -1].tolist()) == [67.0] * 5 + [68.0]


def test_what_cannot_be_kept_is_refused(rng):
    with pytest.raises(BadInput, match="deals units into at least 4 groups, as fewer have no spread.*n_groups is 3"):
        unit_groups(responses(rng, 50), n_groups=3)
    with pytest.raises(TooFew, match="unit_groups needs at least 2 stimuli, but 1 came"):
        unit_groups(np.ones((1, 5)))
    with pytest.raises(BadInput, match="keeps sums in single precision, and products of these responses do not fit"):
        unit_groups(1e25 * responses(rng, 500))
    with pytest.raises(BadInput, match="has 24 or 325 values a group for 24 stimuli, but an array of shape"):
        UnitGroups.of(np.ones((4, 300)), N)


def test_a_run_gives_correlations_of_unit_centred_responses_whole_and_in_groups(rng):
    array = {"narrow": responses(rng, 20), "wide": responses(rng, 500)}
    source = st.Arrays(array, ids=[str(row) for row in range(N)], name="network")
    asked = ["rdm:distance='correlation',centre='units'", "unit_groups:n_groups=8"]
    results = st.profile(source, source.stimuli(), metrics=asked, progress=False)
    for name, one in array.items():
        expected = rdm(one, distance="correlation", centre="units")
        np.testing.assert_allclose(results[name]["rdm"], expected, atol=1e-9)
        groups = UnitGroups.of(results[name]["unit_groups"], N)
        np.testing.assert_allclose(groups.distances(np.ones(len(groups)), "correlation"), expected, atol=1e-5)


def test_the_budget_of_a_run_counts_what_is_kept(rng):
    source = st.Arrays({"wide": responses(rng, 5000, 100)}, ids=[str(row) for row in range(100)], name="network")
    with pytest.raises(BadInput, match="needs at least 9.4 MB of memory"):  # 8 of them to read a spool of 2 MB
        st.profile(source, source.stimuli(), metrics=["unit_groups"], budget="500kB", progress=False)
