from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stratoscope.errors import BadInput, StageError
from stratoscope.summaries import PerStimulus, PerUnit
from stratoscope.testing.summary_laws import same_state


def central(values, axis):
    exact = values.astype(np.longdouble)
    deviations = exact - exact.mean(axis=axis, keepdims=True)
    return {f"m{p}": (deviations**p).sum(axis=axis).astype(float) for p in (2, 3, 4)}


def test_moments_are_those_of_the_whole_array(rng):
    responses = rng.gamma(0.5, size=(300, 11)).astype(np.float32)
    responses[responses < 0.1] = 0
    summary = PerUnit(11)
    for rows in np.array_split(rng.permutation(300), 7):
        summary.update(rows, torch.from_numpy(responses[rows]))
    state = summary.state()
    assert state["n"] == 300
    assert np.array_equal(state["active"], (responses > 0).sum(axis=0))
    assert np.array_equal(state["minimum"], responses.min(axis=0))
    assert np.array_equal(state["maximum"], responses.max(axis=0))
    np.testing.assert_allclose(state["mean"], responses.mean(axis=0, dtype=float), rtol=1e-14)
    for name, values in central(responses, 0).items():
        np.testing.assert_allclose(state[name], values, rtol=1e-12)


def test_a_large_offset_costs_no_digits(rng):
    responses = (rng.standard_normal((400, 5)) + 1e4).astype(np.float32)
    summary = PerUnit(5)
    for row in range(400):
        summary.update([row], responses[row : row + 1])
    state = summary.state()
    for name, values in central(responses, 0).items():
        np.testing.assert_allclose(state[name], values, rtol=1e-12, atol=1e-12 * 400)


def test_a_first_stimulus_far_away_costs_no_digits(rng):
    responses = rng.standard_normal((1000, 3))
    responses[0] = 1e7
    summary = PerUnit(3)
    for row in range(1000):
        summary.update([row], responses[row : row + 1])
    for name, values in central(responses, 0).items():
        np.testing.assert_allclose(summary.state()[name], values, rtol=1e-12)


def test_a_constant_unit_has_no_spread_at_all():
    summary = PerUnit(2)
    for rows in np.split(np.arange(50), [3, 20]):
        summary.update(rows, np.full((len(rows), 2), [0.1, 1e4 / 3]))
    state = summary.state()
    assert np.array_equal(state["mean"], [0.1, 1e4 / 3])
    assert not np.any([state["m2"], state["m3"], state["m4"]])


def test_values_that_are_not_finite_are_counted_and_spread_to_nan(rng):
    responses = rng.standard_normal((20, 4))
    responses[3, 1], responses[7, 1], responses[9, 2] = np.nan, np.inf, -np.inf
    summary = PerUnit(4)
    for rows in np.split(np.arange(20), [5, 8]):
        summary.update(rows, responses[rows])
    state = summary.state()
    assert np.array_equal(state["n_nonfinite"], [0, 2, 1, 0])
    for name in ("mean", "m2", "m3", "m4", "minimum", "maximum"):
        assert np.array_equal(np.isnan(state[name]), [False, True, True, False]), name


def test_an_empty_summary_says_so_with_nan():
    state = PerUnit(3).state()
    assert state["n"] == 0
    assert np.isnan(state["mean"]).all()
    assert np.isnan(state["minimum"]).all()


@pytest.mark.parametrize("threshold", [0.1, 0.0, -0.5])
def test_active_compares_in_double_precision(threshold):
    values = np.array([[0.1, -0.5, 0.0]], dtype=np.float32)
    summary = PerUnit(3, threshold=threshold)
    summary.update([0], values)
    assert np.array_equal(summary.state()["active"], (values.astype(float) > threshold)[0])


def test_more_than_255_rows_are_counted_right():
    summary = PerUnit(1)
    summary.update(np.arange(1000), np.ones((1000, 1)))
    assert summary.state()["active"] == 1000


def test_wide_stages_go_in_blocks(rng):
    responses = rng.standard_normal((6, 70_000)).astype(np.float32)
    unit, stimulus = PerUnit(70_000), PerStimulus(6)
    for rows in ([0, 1, 2, 3], [4, 5]):
        unit.update(rows, responses[rows])
        stimulus.update(rows, responses[rows])
    for axis, state in ((0, unit.state()), (1, stimulus.state())):
        for name, values in central(responses, axis).items():
            np.testing.assert_allclose(state[name], values, rtol=1e-11, atol=1e-11)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(12)), st.lists(st.integers(1, 11), max_size=5), st.integers(0, 12))
def test_any_partition_in_any_order_merged_anywhere_is_one_pass(order, cuts, split):
    responses = (np.random.default_rng(1).standard_normal((12, 3)) + 1e4).astype(np.float32)
    whole, first, second = PerUnit(3), PerUnit(3), PerUnit(3)
    whole.update(np.arange(12), responses)
    for i, rows in enumerate(np.split(np.array(order), sorted(cuts))):
        (first if i < split % 4 else second).update(rows, responses[rows])
    first.merge(second)
    same_state(whole.state(), first.state())


def test_refusals_are_sentences():
    summary = PerUnit(3)
    summary.update([0, 1], np.zeros((2, 3)))
    with pytest.raises(StageError, match=r"Stimulus 1 was answered twice, but each must come once.*choose one call"):
        summary.update([1], np.zeros((1, 3)))
    with pytest.raises(StageError, match="Stimulus 5 was answered twice"):
        summary.update([5, 5], np.zeros((2, 3)))
    with pytest.raises(BadInput, match=r"shape \(stimulus=1, unit=3\), not \(1, 4\)"):
        summary.update([2], np.zeros((1, 4)))
    with pytest.raises(BadInput, match="Row -1 is outside the stimulus set, whose rows go from 0"):
        summary.update([-1], np.zeros((1, 3)))
    with pytest.raises(BadInput, match="Rows must be integers"):
        summary.update([0.5], np.zeros((1, 3)))
    with pytest.raises(StageError, match="Stimulus 0 was seen by both summaries"):
        summary.merge(summary)
    with pytest.raises(BadInput, match="merges with another PerUnit only, not with PerStimulus"):
        summary.merge(PerStimulus(3))
    with pytest.raises(BadInput, match="different n_units cannot be merged: 3 and 4"):
        summary.merge(PerUnit(4))


@pytest.mark.parametrize("make", [lambda: PerUnit(200_000), lambda: PerStimulus(64)])
def test_a_batch_costs_no_memory_of_its_size(make):
    batch, summary = np.ones((32, 200_000), dtype=np.float32), make()
    summary.update(np.arange(32), batch)
    tracemalloc.start()
    summary.update(np.arange(32, 64), batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6, "the batch has 25.6 MB"
