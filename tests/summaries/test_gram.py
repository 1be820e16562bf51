from __future__ import annotations

import numpy as np
import pytest
import torch

from stratoscope.errors import StageError, TooFew
from stratoscope.metrics import subset_in
from stratoscope.metrics.declare import METRICS
from stratoscope.summaries import Gram, gram, nearest_neighbours, settle


def play(summary, responses, rows):
    for batch in np.array_split(rows, 4):
        summary.update(batch, torch.from_numpy(responses[batch]))
    return summary.state()


@pytest.mark.parametrize("limit", [None, 0])
def test_products_and_neighbours_are_those_of_the_whole_array(rng, tmp_path, limit):
    responses = (rng.standard_normal((60, 900)) + 100).astype(np.float32)
    summary = Gram(80, 900, k=10, memory_limit=limit, folder=tmp_path)
    state = play(summary, responses, rng.permutation(60))
    centred = responses - responses.mean(axis=0, dtype=float)
    np.testing.assert_allclose(state["gram"], centred @ centred.T, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(state["mean"], responses.mean(axis=0, dtype=float), rtol=1e-14)
    table = nearest_neighbours(responses, 10)
    np.testing.assert_allclose(state["distances"], table.distance, rtol=1e-12)
    assert np.array_equal(state["neighbours"], table.index)
    assert np.array_equal(state["rows"], np.arange(60))
    assert state["n_units"] == 900
    assert state["product"] == "numpy float64"
    assert state["n_wide"] == 0
    summary.close()


def test_few_stimuli_have_all_others_as_neighbours(rng):
    state = play(Gram(9, 4), rng.standard_normal((9, 4)), np.arange(9))
    assert state["neighbours"].shape == (9, 8)
    assert all(set(row) == set(range(9)) - {i} for i, row in enumerate(state["neighbours"]))


def test_without_the_matrix_the_neighbours_are_the_same(rng):
    responses = rng.standard_normal((40, 30)).astype(np.float32)
    full = play(Gram(40, 30, k=5), responses, np.arange(40))
    lean = play(Gram(40, 30, k=5, neighbours_only=True), responses, np.arange(40))
    assert "gram" not in lean
    np.testing.assert_allclose(lean["distances"], full["distances"], rtol=1e-13)
    assert np.array_equal(lean["neighbours"], full["neighbours"])


def test_single_precision_products_keep_the_neighbours_exact(rng, monkeypatch):
    responses = rng.standard_normal((200, 50)).astype(np.float32)
    double = play(Gram(200, 50, k=3), responses, np.arange(200))
    monkeypatch.setattr(gram, "product_precision", lambda *_: "float32")
    single = play(Gram(200, 50, k=3), responses, np.arange(200))
    np.testing.assert_allclose(single["distances"], double["distances"], rtol=1e-13)
    np.testing.assert_allclose(single["gram"], double["gram"], atol=1e-4)


def test_a_stimulus_with_nan_is_left_out_of_all_others(rng):
    responses = rng.standard_normal((12, 6))
    responses[4, 2] = np.nan
    state = play(Gram(12, 6, k=3), responses, np.arange(12))
    left = np.delete(np.arange(12), 4)
    clean = play(Gram(12, 6, k=3), responses[left], np.arange(11))
    assert np.array_equal(state["n_nonfinite"], np.arange(12) == 4)
    assert np.isnan(state["gram"][4]).all()
    assert np.isnan(state["gram"][:, 4]).all()
    assert np.isnan(state["distances"][4]).all()
    assert np.array_equal(state["neighbours"][4], [-1, -1, -1])
    np.testing.assert_allclose(state["gram"][np.ix_(left, left)], clean["gram"], atol=1e-13)
    np.testing.assert_allclose(state["distances"][left], clean["distances"])
    np.testing.assert_allclose(state["mean"], clean["mean"])
    assert np.array_equal(state["neighbours"][left], left[clean["neighbours"]])


def test_duplicates_are_counted_kept_or_merged(rng):
    responses = rng.standard_normal((20, 6)).astype(np.float32)
    responses[15] = responses[2]
    kept = play(Gram(20, 6, k=4), responses, np.arange(20))
    assert kept["duplicates"] == 1
    assert kept["distances"][2, 0] == 0
    assert kept["neighbours"][2, 0] == 15
    merged = play(Gram(20, 6, k=4, duplicates="merge"), responses, np.arange(20))
    assert merged["duplicates"] == 1
    assert np.isnan(merged["distances"][15]).all()
    assert (merged["neighbours"] != 15).all()
    assert (merged["distances"][:15] > 0).all()
    np.testing.assert_allclose(merged["gram"], kept["gram"])


def test_a_dead_stage_is_all_duplicates():
    state = play(Gram(30, 8, k=3), np.zeros((30, 8), dtype=np.float32), np.arange(30))
    assert state["duplicates"] == 29
    assert not state["gram"].any()
    assert not state["distances"].any()


def test_refusals_are_sentences():
    summary = Gram(4, 2)
    with pytest.raises(TooFew, match="need at least 2 stimuli with finite responses, but 0 of the 0 seen are"):
        summary.state()
    summary.update([0, 1], np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(TooFew, match=r"but 1 of the 2 seen are. Play more stimuli, or look for NaN"):
        summary.state()
    with pytest.raises(StageError, match="Stimulus 1 was answered twice"):
        summary.update([1], np.zeros((1, 2)))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_neighbours_of_which_few_are_read_exactly_give_the_same_estimate(rng, monkeypatch, precision):
    monkeypatch.setattr(gram, "product_precision", lambda *_: precision)
    responses = (rng.random((300, 40)) + 5).astype(np.float32)
    every = play(Gram(300, 40, k=12), responses, np.arange(300))
    few = play(Gram(300, 40, k=12, exact=2), responses, np.arange(300))
    assert np.array_equal(few["distances"][:, :2], every["distances"][:, :2])
    assert np.array_equal(few["neighbours"][:, :2], every["neighbours"][:, :2])
    np.testing.assert_allclose(few["distances"], every["distances"], rtol=few["far_error"])
    assert (few["n_exact"], every["far_error"]) == (2, settle.RELATIVE_ERROR)
    assert settle.LOOSE <= few["far_error"] <= settle.LOOSEST
    whole, read = METRICS["two_nn"].through(every), METRICS["two_nn"].through(few)
    assert read.value == whole.value
    assert read.high == pytest.approx(whole.high, rel=1e-2)


def test_a_subset_takes_no_distance_that_is_not_exact(rng):
    responses = rng.random((200, 30))
    part = np.arange(0, 200, 2)
    exactly, loosely = (
        subset_in(play(Gram(200, 30, k=20, exact=exact), responses, np.arange(200)), part) for exact in (None, 2)
    )
    np.testing.assert_allclose(loosely["distances"], exactly["distances"], rtol=1e-9)
    assert np.array_equal(loosely["neighbours"], exactly["neighbours"])
