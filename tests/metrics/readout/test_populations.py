"""Read-out of populations: against scikit-learn pair by pair, known answers, chance, sizes and bad input."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import SVC

from stratoscope.errors import BadInput, MissingExtra, TooFew, UnknownName
from stratoscope.metrics import arbitrary_groups, population_generalization, population_separability
from stratoscope.metrics.readout.folds import grouped_folds
from stratoscope.metrics.readout.one_against_one import pair_decisions, votes
from stratoscope.testing.object_views import object_views

BOTH = (population_separability, population_generalization)
WHOLE = {"sizes": ("all",), "n_resamplings": 1}


def test_machines_trained_in_one_call_are_those_trained_pair_by_pair(rng):
    x, codes = rng.standard_normal((60, 9)), np.repeat([0, 2, 5], 20)
    x[:, 0] += codes * 0.3
    fresh = rng.standard_normal((15, 9))
    decisions, pairs = pair_decisions(x @ x.T, fresh @ x.T, codes, 1.0)
    assert pairs.tolist() == [[0, 2], [0, 5], [2, 5]]
    for at, pair in enumerate(pairs):
        kept = np.isin(codes, pair)
        alone = SVC(C=1.0, kernel="linear").fit(x[kept], codes[kept])
        np.testing.assert_allclose(decisions[:, at], -alone.decision_function(fresh), atol=5e-3)
        two, known = pair_decisions(x[kept] @ x[kept].T, fresh @ x[kept].T, codes[kept], 1.0)
        assert known.tolist() == [pair.tolist()]
        np.testing.assert_allclose(two[:, 0], decisions[:, at], atol=5e-3)


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ({"decoder": "svm"}, lambda: SVC(C=1.0, kernel="linear")),
        ({"decoder": "svm", "penalty": 0.05, "pairs": [[0, 1]]}, lambda: SVC(C=0.05, kernel="linear")),
        ({"decoder": "ridge", "penalty": 3.0}, lambda: RidgeClassifier(alpha=3.0)),
        ({"decoder": "logistic", "penalty": 0.1}, lambda: LogisticRegression(C=0.1, max_iter=1000)),
    ],
)
def test_separability_of_all_units_is_that_of_scikit_learn_on_the_same_folds(rng, asked, model):
    responses, objects, view = object_views(rng, objects=3, views=10, units=20, of_object=0.3, noise=1.0)
    fold = grouped_folds(view, 5, np.random.default_rng((0, 0, 0)))
    found = population_separability(responses, objects, views=view, n_shuffles=0, seed=0, **WHOLE, **asked)
    for at, (a, b) in enumerate(found.pairs):
        rows = np.isin(objects, [a, b])
        right = 0
        for k in range(5):
            train, test = rows & (fold != k), rows & (fold == k)
            right += (model().fit(responses[train], objects[train]).predict(responses[test]) == objects[test]).sum()
        assert found.pair_accuracy[0, 0, at] == pytest.approx(right / rows.sum())


@pytest.mark.parametrize(
    "model",
    [
        lambda: SVC(C=1.0, kernel="linear"),
        lambda: SVC(C=0.01, kernel="linear"),
        lambda: RidgeClassifier(alpha=5.0),
        lambda: LogisticRegression(C=1.0),
    ],
)
def test_from_one_view_every_decoder_learns_the_plane_half_way(rng, model):
    responses, objects, view = object_views(rng, objects=2, views=5, units=12, of_object=0.6)
    found = population_generalization(responses, objects, view, n_shuffles=0, **WHOLE)
    rows = [np.flatnonzero(objects == name) for name in ("o0", "o1")]
    right = total = 0
    for i, j in product(*rows):
        test = np.setdiff1d(np.arange(10), [i, j])
        predicted = model().fit(responses[[i, j]], objects[[i, j]]).predict(responses[test])
        right, total = right + (predicted == objects[test]).sum(), total + len(test)
    assert found.accuracy.value[0] == pytest.approx(right / total)


def trials_of(rng, n_trials=6):
    responses, objects, view = object_views(rng, objects=2, views=4, units=30, of_object=2.0)
    return responses + 0.5 * rng.standard_normal((n_trials, *responses.shape)), objects, view


def test_machines_of_all_training_views_in_one_call_are_those_of_each(rng):
    trials, objects, view = trials_of(rng, 3)
    found = population_generalization(trials, objects, view, n_shuffles=0, **WHOLE)
    one_by_one = population_generalization(trials, objects, view, n_shuffles=0, penalty=(1.0, 1.0), **WHOLE)
    assert found.n == one_by_one.n == 24
    assert found.accuracy.value[0] == pytest.approx(one_by_one.accuracy.value[0], abs=0.02)


def test_copies_of_one_trial_read_as_one_response(rng):
    responses, objects, view = object_views(rng, objects=2, views=4, units=30, of_object=0.7)
    single = population_generalization(responses, objects, view, n_shuffles=0, **WHOLE)
    copies = np.tile(responses, (3, 1, 1))
    for decoder in ("svm", "ridge"):
        found = population_generalization(copies, objects, view, decoder=decoder, penalty=1e-3, n_shuffles=0, **WHOLE)
        assert found.accuracy.value[0] == pytest.approx(single.accuracy.value[0], abs=0.02)


def test_trials_are_drawn_for_every_unit_without_replacement(rng):
    trials, objects, view = trials_of(rng)
    trials[5, :, ::2] = np.nan
    for function in BOTH:
        for decoder in ("svm", "ridge"):
            asked = {"views": view, "sizes": (10,), "n_resamplings": 2, "decoder": decoder, "penalty": 1.0}
            found = function(trials, objects, n_vectors=4, **asked)
            assert found.n == 8 * 4
            assert found.accuracy.value[0] > 0.6
            assert function(trials, objects, **asked).n == 8 * 5
        with pytest.raises(TooFew, match="some unit has 5 trials of some stimulus, but n_vectors is 6"):
            function(trials, objects, views=view, n_vectors=6)


def test_object_codes_generalize_and_view_codes_are_separable_only_by_heart(rng):
    of_object = object_views(rng, units=100, of_object=1.0, of_view=0.2)
    of_view = object_views(rng, units=100, of_object=0.0, of_view=1.0)
    read = {}
    for name, (responses, objects, view) in (("object", of_object), ("view", of_view)):
        for function in BOTH:
            found = function(responses, objects, views=view, sizes=(48,), n_resamplings=5)
            read[name, function] = found.accuracy_above_chance.value[0]
    assert min(read["object", function] for function in BOTH) > 0.4
    assert max(abs(read["view", function]) for function in BOTH) < 0.1


def test_more_units_read_more_and_the_interval_is_over_resamplings(rng):
    responses, objects, view = object_views(rng, units=200, of_object=0.4, noise=1.0)
    for function in BOTH:
        found = function(responses, objects, views=view, sizes=(6, 96, "all"), n_resamplings=8)
        accuracy = found.accuracy
        assert accuracy.value[0] < accuracy.value[1] <= accuracy.value[2] + 0.02
        assert (accuracy.low[:2] <= accuracy.value[:2]).all()
        assert (accuracy.value[:2] <= accuracy.high[:2]).all()
        assert np.isnan(accuracy.low[2])
        assert "one population alone" in found.note
        assert found.pair_bits.shape == (3, 8, 6)
        np.testing.assert_allclose(
            found.bits_above_chance.value, (found.pair_bits - found.chance_pair_bits).mean(axis=(1, 2))
        )


def test_after_subtraction_chance_is_zero_where_no_unit_knows_the_object():
    for function in BOTH:
        above = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            responses, objects, view = object_views(rng, objects=3, units=30, of_object=0.0, noise=1.0)
            found = function(responses, objects, views=view, sizes=(12,), n_resamplings=3, seed=seed)
            above.append([found.bits_above_chance.value[0], found.accuracy_above_chance.value[0]])
        mean, error = np.mean(above, axis=0), np.std(above, axis=0, ddof=1) / np.sqrt(12)
        assert (np.abs(mean) < 3.5 * error).all()


def test_whole_views_as_folds_keep_chance_at_a_half_and_single_ones_do_not():
    """With the view's twin of the other object in the training set, a decoder is worse than guessing."""
    responses, objects, view = object_views(np.random.default_rng(1), units=100, of_object=0.0, noise=0.3)
    asked = {"views": view, "sizes": ("all",), "n_resamplings": 10, "decoder": "ridge", "penalty": 1.0}
    whole = population_separability(responses, objects, **asked)
    single = population_separability(responses, objects, folds="stratified", **asked)
    assert whole.chance_accuracy.value[0] == pytest.approx(0.5, abs=0.05)
    assert single.chance_accuracy.value[0] < 0.3
    assert "(views)" in whole.method
    assert "(stratified)" in single.method


def test_arbitrary_groups_of_views_are_near_chance(rng):
    responses, objects, _ = object_views(rng, objects=2, views=20, units=150, of_object=1.0, of_view=0.3)
    asked = {"sizes": (96,), "n_resamplings": 4, "n_shuffles": 0}
    true = population_separability(responses, objects, **asked).accuracy.value[0]
    control = [
        population_separability(responses, arbitrary_groups(objects, seed=s), **asked).accuracy.value[0]
        for s in range(6)
    ]
    assert true > 0.95
    assert np.mean(control) == pytest.approx(0.5, abs=0.1)
    groups = arbitrary_groups(objects)
    assert np.bincount(np.unique(groups, return_inverse=True)[1]).tolist() == [20, 20]
    assert all((groups[objects == name] == "A").sum() == 10 for name in ("o0", "o1"))
    with pytest.raises(TooFew, match="The views of a cannot be split in two, as it has one"):
        arbitrary_groups(["a", "b", "b"])


def test_the_gram_matrix_of_all_units_gives_the_same_as_the_responses(stage):
    responses, objects, view = stage
    order = np.random.default_rng(4).permutation(len(objects))
    gram = (responses + 3) @ (responses + 3).T
    for function in BOTH:
        full = function(responses, objects, views=view, **WHOLE)
        dual = function(None, objects[order], views=view[order], gram=gram[np.ix_(order, order)], **WHOLE)
        np.testing.assert_allclose(full.pair_bits, dual.pair_bits, atol=1e-9)
        np.testing.assert_allclose(full.chance_pair_bits, dual.chance_pair_bits, atol=1e-9)


def test_any_order_of_stimuli_gives_the_same_and_seeds_reproduce(stage):
    responses, objects, view = stage
    order = np.random.default_rng(4).permutation(len(objects))
    asked = {"sizes": (6, 12), "n_resamplings": 3}
    for function in BOTH:
        first = function(responses, objects, views=view, **asked)
        again = function(responses[order], objects[order], views=view[order], **asked)
        other = function(responses, objects, views=view, seed=1, **asked)
        np.testing.assert_array_equal(first.pair_bits, again.pair_bits)
        np.testing.assert_array_equal(first.chance_pair_bits, again.chance_pair_bits)
        assert (first.pair_bits != other.pair_bits).any()


def test_silent_populations_are_a_coin(stage):
    responses, objects, view = stage
    for function in BOTH:
        for decoder in ("svm", "ridge"):
            found = function(
                np.zeros_like(responses), objects, views=view, decoder=decoder, sizes=(6,), n_resamplings=1
            )
            assert found.accuracy.value[0] == found.chance_accuracy.value[0] == 0.5
            assert found.bits.value[0] == 0


def test_sizes_beyond_the_units_are_nan_with_a_note(stage):
    responses, objects, view = stage
    for function in BOTH:
        found = function(responses, objects, views=view, sizes=(6, 96), n_resamplings=2)
        assert np.isnan(found.accuracy.value).tolist() == [False, True]
        assert "too few units (40) for populations of 96" in found.note


def test_pairs_by_luminance_and_along_an_axis(stage):
    responses, objects, view = stage
    luminance = np.array([1.0, 0.95, 0.5, 0.2]).repeat(8)
    for function in BOTH:
        asked = {"views": view, "sizes": (6,), "n_resamplings": 2}
        chosen = function(responses, objects, luminance=luminance, **asked)
        named = function(responses, objects, pairs=[["o1", "o0"]], **asked)
        assert chosen.pairs.tolist() == [["o0", "o1"]]
        np.testing.assert_array_equal(chosen.pair_bits, named.pair_bits)
    plane = {"side": view % 2, "size": view // 2}
    along = population_generalization(responses, objects, plane, axis="size", sizes=(24,), n_resamplings=2)
    assert "along size" in along.method
    assert along.accuracy.value[0] > 0.5


def test_votes_give_half_for_what_is_undecided():
    assert votes(np.array([1.0, -1.0, 1e-12]), 1.0).tolist() == [1, 0, 0.5]


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"objects": ["one"] * 32}, TooFew, "every object is one"),
        ({"sizes": (96,)}, TooFew, "needs at least 96 units, but there are 40"),
        ({"sizes": (0,)}, BadInput, "whole numbers from 1, or 'all'; came 0"),
        ({"sizes": ("most",)}, BadInput, "whole numbers from 1, or 'all'; came 'most'"),
        ({"responses": None}, BadInput, "or a Gram matrix, and neither came"),
        ({"responses": None, "gram": np.eye(32)}, BadInput, "draws units from responses, and only a Gram matrix came"),
        ({"gram": np.eye(31)}, BadInput, r"responses and a Gram matrix of \[31, 32\] stimuli"),
        ({"responses": np.ones(32)}, BadInput, r"shape \(stimulus, unit\) or \(trial, stimulus, unit\), but \(32,\)"),
        ({"decoder": "lda"}, UnknownName, "No decoder is called 'lda'"),
        ({"pairs": []}, TooFew, "No pair of the 4 objects passes"),
        (
            {"pairs": np.ones((40, 4, 4), dtype=bool)},
            BadInput,
            "Pairs that differ from unit to unit make no population",
        ),
        ({"luminance": np.repeat([1, 0.5, 0.2, 0.1], 8)}, TooFew, "passes a luminosity ratio of 0.8"),
        ({"views": np.arange(32)}, BadInput, "no view shows two objects|have one"),
        ({"n_resamplings": 0}, BadInput, "At least 1 resampling"),
        ({"n_shuffles": -1}, BadInput, "no negative number of shuffles"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(stage, function, change, error, sentence):
    responses, objects, view = stage
    with pytest.raises(error, match=sentence):
        function(**({"responses": responses, "objects": objects, "views": view, "sizes": (6,)} | change))


def test_further_bad_input(stage):
    responses, objects, view = stage
    with pytest.raises(TooFew, match="with 9 folds needs at least 9 responses to every object, but 'o0' has 8"):
        population_separability(responses, objects, n_folds=9)
    with pytest.raises(BadInput, match="at least 2 folds, but n_folds is 1"):
        population_separability(responses, objects, n_folds=1)
    with pytest.raises(TooFew, match="at least 2 views of every object"):
        population_generalization(responses, objects, np.zeros(32), sizes=(6,))
    with pytest.raises(BadInput, match=r"each object once in each view, but 16 of 32 stimuli repeat one\. Put repeats"):
        population_generalization(responses, objects, view // 2, sizes=(6,))
    responses[3, 3] = np.nan
    for function in BOTH:
        with pytest.raises(BadInput, match="expects finite responses, but 1 of 1280"):
            function(responses, objects, views=view)
        with pytest.raises(TooFew, match="unit 3 has none of stimulus 3"):
            function(responses[None], objects, views=view)


def test_without_scikit_learn_the_extra_is_named(stage, monkeypatch):
    responses, objects, view = stage
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(MissingExtra, match="needs scikit-learn"):
        population_separability(responses, objects, views=view)
    assert population_generalization(responses, objects, view, sizes=(6,), n_resamplings=1).n == 32
