"""The cross-validated read-out against plain scikit-learn, and what it refuses."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from stratoscope.errors import BadInput, MissingExtra, TooFew, UnknownName
from stratoscope.metrics import cross_validated_readout
from stratoscope.metrics.readout.decoders import Fitting, logistic
from stratoscope.metrics.readout.kernels import coordinates, train_centred
from stratoscope.metrics.readout.ridge import held_out, predicted_scores, targets
from stratoscope.summaries import Gram
from stratoscope.testing.metric_laws import check_metric


def folds_of(labels, n=5):
    return list(StratifiedKFold(n, shuffle=True, random_state=1).split(labels, labels))


def peer_confusion(model, responses, labels, folds):
    names, codes = np.unique(labels, return_inverse=True)
    confusion = np.zeros((len(names),) * 2, dtype=int)
    for train, test in folds:
        np.add.at(confusion, (codes[test], model().fit(responses[train], codes[train]).predict(responses[test])), 1)
    return confusion


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ({"decoder": "ridge", "penalty": 300.0}, lambda: RidgeClassifier(alpha=300.0)),
        ({"decoder": "ridge", "penalty": (1, 10, 100, 1000)}, lambda: RidgeClassifierCV(alphas=(1, 10, 100, 1000))),
        ({"decoder": "svm", "penalty": 0.003}, lambda: SVC(kernel="linear", C=0.003)),
        (
            {"decoder": "logistic", "penalty": 0.01, "tol": 1e-8, "max_iter": 5000},
            lambda: LogisticRegression(C=0.01, tol=1e-8, max_iter=5000),
        ),
    ],
)
def test_the_dual_form_is_the_primal_one_of_scikit_learn(clouds, asked, model):
    responses, labels = clouds
    folds = folds_of(labels)
    expected = peer_confusion(model, responses, labels, folds)
    assert 0.4 < np.trace(expected) / 90 < 0.95  # neither perfect nor chance: agreement means something
    for given in ({"gram": responses @ responses.T}, {"gram": None}):
        found = cross_validated_readout(
            responses if given["gram"] is None else None, labels, folds=folds, chance="none", **asked, **given
        )
        np.testing.assert_array_equal(found.confusion, expected)


def test_ridge_scores_of_held_out_folds_are_those_of_refits_to_eight_digits(clouds):
    responses, labels = clouds
    codes = np.unique(labels, return_inverse=True)[1]
    wanted = targets(codes[:, None], 3)
    folds = [test for _, test in folds_of(labels)]
    gram = responses @ responses.T
    scores, _ = held_out(gram, wanted, folds, (20.0,))
    for test in folds:
        train = np.setdiff1d(np.arange(90), test)
        expected = Ridge(alpha=20.0).fit(responses[train], wanted[train, :, 0]).predict(responses[test])
        np.testing.assert_allclose(scores[test, :, 0], expected, rtol=1e-8, atol=1e-8)
        direct, _ = predicted_scores(*train_centred(gram, train, test), wanted[train], (20.0,))
        np.testing.assert_allclose(direct[:, :, 0], expected, rtol=1e-8, atol=1e-8)


def test_leaving_one_out_in_closed_form_is_a_refit_for_every_stimulus(clouds):
    responses, labels = clouds
    asked = {"penalty": 300.0, "chance": "none"}
    found = cross_validated_readout(responses, labels, folds="leave-one-out", **asked)
    one_by_one = [(np.delete(np.arange(90), i), [i]) for i in range(90)]
    expected = peer_confusion(lambda: RidgeClassifier(alpha=300.0), responses, labels, one_by_one)
    np.testing.assert_array_equal(found.confusion, expected)
    chance = cross_validated_readout(responses, labels, folds="leave-one-out", penalty=300.0).chance
    assert 0.15 < chance.value < 0.45


def test_centring_with_the_test_stimuli_would_be_seen(clouds):
    """The broken version: products centred on all stimuli, as one would by habit, are not those of the training set."""
    responses, _ = clouds
    train, test = np.arange(60), np.arange(60, 90)
    learnt = responses[train] - responses[train].mean(axis=0)
    tested = responses[test] - responses[train].mean(axis=0)
    own, across = train_centred(responses @ responses.T, train, test)
    np.testing.assert_allclose(own, learnt @ learnt.T, atol=1e-9)
    np.testing.assert_allclose(across, tested @ learnt.T, atol=1e-9)
    leaky = responses - responses.mean(axis=0)
    assert np.abs(leaky[test] @ leaky[train].T - across).max() > 1


def test_a_test_stimulus_changes_nothing_for_the_others(clouds):
    responses, labels = clouds
    train, test = folds_of(labels)[0]
    moved = responses.copy()
    moved[test[1:]] *= 40
    for decoder in ("ridge", "svm", "logistic"):
        first, again = (
            cross_validated_readout(
                one, labels, decoder=decoder, folds=[(train, test[:1])], chance="none", scale="typical"
            ).confusion
            for one in (responses, moved)
        )
        np.testing.assert_array_equal(first, again)


def test_coordinates_have_the_products_of_the_responses(clouds):
    responses, _ = clouds
    own, across = train_centred(responses @ responses.T, np.arange(60), np.arange(60, 90))
    learnt, tested = coordinates(own, across)
    np.testing.assert_allclose(learnt @ learnt.T, own, atol=1e-8)
    np.testing.assert_allclose(tested @ learnt.T, across, atol=1e-8)


def test_logistic_weights_from_coordinates_predict_the_probabilities_of_the_primal_fit(clouds):
    responses, labels = clouds
    codes = np.unique(labels, return_inverse=True)[1]
    train, test = folds_of(labels)[0]
    learnt, tested = coordinates(*train_centred(responses @ responses.T, train, test))
    dual = LogisticRegression(C=0.1, tol=1e-10, max_iter=5000).fit(learnt, codes[train]).predict_proba(tested)
    primal = LogisticRegression(C=0.1, tol=1e-10, max_iter=5000).fit(responses[train], codes[train])
    np.testing.assert_allclose(dual, primal.predict_proba(responses[test]), atol=1e-5)


def test_the_primal_form_standardises_on_the_training_stimuli(clouds):
    responses, labels = clouds
    responses = responses * 10.0 ** np.linspace(-2, 2, 120)
    folds = folds_of(labels)
    expected = peer_confusion(
        lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), responses, labels, folds
    )
    asked = {"decoder": "logistic", "form": "primal", "standardise": True, "folds": folds, "chance": "none"}
    np.testing.assert_array_equal(cross_validated_readout(responses, labels, **asked).confusion, expected)


def test_penalties_are_chosen_among_those_given_from_the_training_stimuli(clouds):
    responses, labels = clouds
    for decoder in ("ridge", "logistic", "svm"):
        found = cross_validated_readout(
            responses, labels, decoder=decoder, penalty=(1e-6, 1e-3), chance="none", max_iter=3000
        )
        assert set(found.penalties) <= {1e-6, 1e-3}
        assert found.penalties.shape == (5,)


def test_ridge_without_a_penalty_and_a_typical_scale_do_not_depend_on_the_size_of_responses(clouds):
    responses, labels = clouds
    for asked in ({}, {"decoder": "svm", "scale": "typical"}, {"decoder": "ridge", "penalty": 0.3, "scale": "typical"}):
        first, again = (
            cross_validated_readout(factor * responses, labels, chance="none", **asked).confusion
            for factor in (1.0, 1000.0)
        )
        np.testing.assert_array_equal(first, again)


def test_accuracy_bits_and_chance_belong_to_the_confusion_matrix(clouds):
    responses, labels = clouds
    found = cross_validated_readout(responses, labels, n_shuffles=200)
    assert found.confusion.sum() == found.n == 90
    assert found.accuracy == np.trace(found.confusion) / 90
    assert found.low < found.accuracy < found.high
    assert found.chance.value == pytest.approx(1 / 3, abs=0.02)
    assert found.chance.low < 1 / 3 < found.chance.high
    assert found.p == 1 / 201
    assert 0 < found.chance_bits < 0.1 < found.bits
    assert found.bits_above_chance == found.bits - found.chance_bits
    np.testing.assert_allclose(found.accuracy_of_labels, np.diag(found.confusion) / 30)


def test_labels_that_say_nothing_are_at_chance_and_p_is_uniform():
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1], 20)
    runs = [
        cross_validated_readout(rng.standard_normal((40, 30)), labels, n_shuffles=19, penalty=10.0, seed=s)
        for s in range(100)
    ]
    above = np.array([run.accuracy - run.chance.value for run in runs])
    assert abs(above.mean()) < 3 * above.std() / 10
    assert 0.005 < np.mean([run.p <= 0.1 for run in runs]) < 0.2
    bits = np.array([run.bits_above_chance for run in runs])
    assert abs(bits.mean()) < 3 * bits.std() / 10


def test_stimuli_of_one_group_are_never_split(rng):
    frames = np.repeat(np.arange(20), 4)
    labels = np.repeat([0, 1], 40)
    film = np.repeat(rng.standard_normal((20, 50)), 4, axis=0) + 0.01 * rng.standard_normal((80, 50))
    split = cross_validated_readout(film, labels, chance="none")
    grouped = cross_validated_readout(film, labels, groups=frames, chance="none")
    assert split.accuracy == 1  # remembers the other frames of a film
    assert grouped.accuracy < 0.75


def test_any_order_of_stimuli_gives_the_same_where_ids_are_known(clouds):
    responses, labels = clouds
    ids = np.array([f"s{i:03d}" for i in range(90)])
    order = np.random.default_rng(2).permutation(90)
    for asked in ({"decoder": "ridge"}, {"decoder": "svm", "n_shuffles": 2}, {"folds": "interleaved"}):
        first = cross_validated_readout(responses, labels, ids=ids, **asked)
        again = cross_validated_readout(responses[order], labels[order], ids=ids[order], **asked)
        np.testing.assert_array_equal(first.confusion, again.confusion)
        assert first.chance.value == pytest.approx(again.chance.value)


def test_seeds_reproduce_and_differ(clouds):
    responses, labels = clouds
    first, again, other = (cross_validated_readout(responses, labels, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.confusion, again.confusion)
    assert first.chance == again.chance
    assert first.chance.value != other.chance.value


def labelled_stage(rng):
    labels = rng.permutation(np.repeat([*"abc"], 20))
    responses = np.maximum(rng.standard_normal((60, 30)) + (labels == "a")[:, None] * rng.random(30), 0)
    return responses, {"labels": labels, "ids": np.arange(60)}


def gram_state(responses, *, labels, ids, **_):
    summary = Gram(len(responses), responses.shape[1])
    summary.update(np.arange(len(responses)), responses)
    return summary.state() | {"labels": labels, "ids": ids}


def test_the_declared_metric_keeps_its_laws_and_is_the_same_through_a_run():
    check_metric(
        "cross_validated_readout",
        labelled_stage,
        make_state=gram_state,
        invariances=("units", "stimuli", "scale", "offset", "rotation"),
        per_row=("labels", "ids"),
    )


def test_no_convergence_is_a_note_and_no_warning(clouds):
    found = cross_validated_readout(*clouds, decoder="logistic", max_iter=1, chance="none")
    assert found.note == "did not converge in 1 iterations (5 of 5 folds)"


def test_responses_that_are_all_alike_are_read_out_at_chance():
    labels = np.repeat([0, 1], 10)
    for decoder in ("ridge", "svm", "logistic"):
        found = cross_validated_readout(np.ones((20, 3)), labels, decoder=decoder, chance="none")
        assert found.accuracy == 0.5
        assert found.bits == 0


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"labels": np.zeros(90)}, TooFew, "tells at least 2 labels apart, but every label is 0.0"),
        (
            {"labels": np.arange(80)},
            BadInput,
            r"One label for every stimulus was expected, 90 in all, but \(80,\) came",
        ),
        ({"labels": np.r_[np.nan, np.zeros(89)]}, BadInput, r"1 of 90 stimuli have no label \(NaN\)"),
        (
            {"labels": np.repeat([0, 1], [87, 3])},
            TooFew,
            r"at least 5 stimuli of every label, but 1 of 2 have fewer: '1'",
        ),
        ({"n_folds": 1}, BadInput, "at least 2 folds, but n_folds is 1"),
        ({"decoder": "ridg"}, UnknownName, "No decoder is called 'ridg'. Did you mean 'ridge'"),
        ({"folds": "stratify"}, UnknownName, "Did you mean 'stratified'"),
        ({"penalty": 0.0}, BadInput, r"Penalties are numbers above 0, but \[0.0\] came"),
        ({"penalty": "much"}, BadInput, "A penalty is a number, or several to choose from, but 'much' came"),
        ({"penalty": ()}, BadInput, "An empty list of penalties leaves nothing to choose from"),
        ({"folds": [([0, 1, 40], [1, 2])]}, BadInput, r"trains and tests on the same 1 stimuli \(first: row 1\)"),
        ({"folds": [([0, 1], [95])]}, BadInput, "Fold 0 is no pair of rows .* row 95 is not there"),
        ({"folds": [([0, 1], [40])]}, TooFew, "Fold 0 tests 'b' without any stimulus of it to train on"),
        ({"folds": [([], [40])]}, TooFew, "has 0 stimuli to train on and 1 to test on"),
        ({"folds": []}, TooFew, "at least one training and test set"),
        ({"folds": [3]}, BadInput, "Fold 0 is no pair of rows"),
        ({"groups": np.zeros(90)}, TooFew, "5 folds need at least 5 groups, but 1 came"),
        ({"ids": np.zeros(90)}, BadInput, "Each of the 90 stimuli has an id of its own, but 1 differ"),
        ({"form": "primal"}, BadInput, "The primal form is for decoder='logistic'"),
        ({"standardise": True}, BadInput, "Standardising units needs form='primal'"),
        ({"gram": np.ones((90, 3))}, BadInput, r"expects a square Gram matrix \(stimulus, stimulus\), but \(90, 3\)"),
        ({"gram": np.triu(np.ones((90, 90)))}, BadInput, "expects a symmetric Gram matrix"),
        ({"gram": np.full((90, 90), np.nan)}, BadInput, "expects finite inner products"),
        ({"responses": None}, BadInput, "needs responses .* or their Gram matrix, and neither came"),
        ({"max_iter": 0}, BadInput, "at least 1 iteration and a tolerance above 0"),
        ({"n_shuffles": -1}, BadInput, "The number of shuffles is 0 or more"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(clouds, change, error, sentence):
    responses, labels = clouds
    with pytest.raises(error, match=sentence):
        cross_validated_readout(**({"responses": responses, "labels": labels} | change))


def test_responses_with_nan_are_refused(clouds):
    responses, labels = clouds
    responses[3, 4] = np.nan
    with pytest.raises(BadInput, match="expects finite responses, but 1 of 10800 values are NaN"):
        cross_validated_readout(responses, labels)


def test_without_scikit_learn_the_extra_is_named_and_ridge_works(clouds, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'stratoscope[readout]'")):
        cross_validated_readout(*clouds, decoder="logistic")
    assert cross_validated_readout(*clouds).n == 90


def test_a_training_set_of_one_label_answers_with_it():
    fitting = Fitting("logistic", None)
    predicted, note = logistic(np.eye(4), np.eye(4), np.array([0, 0, 1, 1]), 1.0, fitting)
    assert predicted.tolist() == [0, 0, 1, 1]
    assert note == ""
