from __future__ import annotations

import numpy as np
import pytest
import torch

from stratoscope.errors import BadInput, UnknownName
from stratoscope.summaries import PerStimulus
from stratoscope.summaries.per_stimulus import FIELDS


def test_fields_are_those_of_the_whole_row(rng):
    responses = rng.standard_normal((9, 501)).astype(np.float32)
    summary = PerStimulus(9, fields=FIELDS, threshold=0.5)
    for rows in np.split(rng.permutation(9), [2, 5]):
        summary.update(rows, torch.from_numpy(responses[rows]))
    state, exact = summary.state(), responses.astype(float)
    expected = {
        "mean": exact.mean(axis=1),
        "sum": exact.sum(axis=1),
        "l1": np.abs(exact).sum(axis=1),
        "l2": (exact**2).sum(axis=1),
        "active": (exact > 0.5).sum(axis=1),
        "minimum": exact.min(axis=1),
        "maximum": exact.max(axis=1),
        **{f"m{p}": ((exact - exact.mean(axis=1)[:, None]) ** p).sum(axis=1) for p in (2, 3, 4)},
    }
    for name, values in expected.items():
        np.testing.assert_allclose(state[name], values, rtol=1e-11, atol=1e-12, err_msg=name)
    assert state["n_units"] == 501


def test_gini_has_its_known_values():
    responses = np.array([[1, 1, 1, 1], [0, 0, 0, 5], [0, 0, 0, 0], [1, -2, 3, 4]], dtype=np.float32)
    summary = PerStimulus(4, fields=["gini"])
    summary.update(np.arange(4), responses)
    np.testing.assert_allclose(summary.state()["gini"], [0, 0.75, np.nan, 0.25])


def test_stimuli_that_were_not_seen_are_nan():
    summary = PerStimulus(3)
    summary.update([1], np.ones((1, 4)))
    state = summary.state()
    assert np.array_equal(state["seen"], [False, True, False])
    assert np.array_equal(np.isnan(state["mean"]), [True, False, True])
    assert state["m2"][1] == 0


def test_a_row_with_nan_is_nan_and_counted(rng):
    responses = rng.standard_normal((4, 9)).astype(np.float32)
    responses[1, 3], responses[2, :2] = np.nan, np.inf
    summary = PerStimulus(4, fields=FIELDS)
    summary.update(np.arange(4), responses)
    state = summary.state()
    assert np.array_equal(state["n_nonfinite"], [0, 1, 2, 0])
    for name in FIELDS:
        assert np.array_equal(np.isnan(state[name]), [False, True, True, False]), name


def test_the_batch_does_not_change_a_bit_of_the_result(rng):
    responses = (rng.standard_normal((6, 100)) + 1e4).astype(np.float32)
    whole, single = PerStimulus(6), PerStimulus(6)
    whole.update(np.arange(6), responses)
    for row in range(6):
        single.update([row], responses[row : row + 1])
    for name, values in whole.state().items():
        assert np.array_equal(values, single.state()[name]), name


def test_only_what_was_asked_for_is_kept():
    summary = PerStimulus(2, fields=["mean", "l1"])
    summary.update([0, 1], np.array([[1.0, -1.0], [2.0, 2.0]]))
    assert set(summary.state()) == {"mean", "l1", "n_units", "n_nonfinite", "seen"}
    assert np.array_equal(summary.state()["l1"], [2, 4])


def test_refusals_are_sentences():
    with pytest.raises(UnknownName, match=r"No field of PerStimulus is called 'men'. Did you mean 'mean'"):
        PerStimulus(3, fields=["men"])
    summary = PerStimulus(3)
    with pytest.raises(BadInput, match=r"Responses have no units: the shape is \(stimulus, 0\)"):
        summary.update([0], np.zeros((1, 0)))
    summary.update([0], np.zeros((1, 4)))
    with pytest.raises(BadInput, match=r"shape \(stimulus=1, unit=4\), not \(1, 5\)"):
        summary.update([1], np.zeros((1, 5)))
    with pytest.raises(BadInput, match="Row 3 is outside the stimulus set, whose rows go from 0 to 2"):
        summary.update([3], np.zeros((1, 4)))
    other = PerStimulus(3)
    other.update([1], np.zeros((1, 5)))
    with pytest.raises(BadInput, match="different n_units cannot be merged: 4 and 5"):
        summary.merge(other)
