from __future__ import annotations

import re

import numpy as np
import pytest

from stratoscope.errors import BadInput, MissingExtra, TooFew, UnknownName
from stratoscope.metrics.readout.folds import place_in_label
from stratoscope.results import StageResult, Values
from stratoscope.studies.liu2020.performance import forward_selection, stepwise
from stratoscope.studies.liu2020.protocol import PSI
from stratoscope.studies.liu2020.readout import ReadOut, Readout, read_out
from stratoscope.types import Stage

NAMES = ["a", "b", "c"]


@pytest.fixture
def clouds(rng):
    codes = np.repeat(np.arange(3), 20)
    centres = rng.normal(size=(3, 6)) * 1.2
    return centres[codes] + rng.normal(size=(60, 6)), codes


def test_interleaved_halves_are_those_of_the_published_code(clouds):
    from sklearn.linear_model import LogisticRegression

    responses, codes = clouds
    halves = responses.reshape(30, 2, 6)
    labels = codes.reshape(30, 2)
    total = np.zeros((3, 3))
    for train, test in ((0, 1), (1, 0)):
        model = LogisticRegression(max_iter=10_000).fit(halves[:, train], labels[:, train])
        np.add.at(total, (labels[:, test], model.predict(halves[:, test])), 1)
    found = read_out(responses, codes, NAMES, Readout())
    np.testing.assert_array_equal(found.confusion, total)
    np.testing.assert_allclose(found.accuracy, np.diag(total) / total.sum(axis=1))


def test_interleaving_follows_the_order_within_each_category_whatever_lies_between():
    assert place_in_label(np.array([1, 0, 1, 1, 0])).tolist() == [0, 0, 1, 2, 1]


def test_every_stimulus_is_tested_once_with_either_kind_of_folds(clouds):
    for folds in ("interleaved", "stratified"):
        found = read_out(*clouds, NAMES, Readout(folds=folds, n_folds=5), seed=3)
        assert found.confusion.sum() == 60
        assert found.n == 60


def test_stratified_folds_depend_on_the_seed_alone(clouds):
    asked = Readout(folds="stratified", n_folds=4)
    first, again = (read_out(*clouds, NAMES, asked, seed=1).confusion for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_separate_clouds_are_read_out_perfectly_and_noise_at_chance(rng):
    codes = np.repeat(np.arange(3), 40)
    apart = np.eye(3)[codes] * 50 + rng.normal(size=(120, 3))
    assert read_out(apart, codes, NAMES, Readout()).accuracy.min() == 1
    noise = read_out(rng.normal(size=(120, 3)), codes, NAMES, Readout())
    assert noise.accuracy.mean() == pytest.approx(1 / 3, abs=0.15)


def test_standardising_undoes_the_scale_of_units(clouds):
    responses, codes = clouds
    scaled = responses * 10.0 ** np.arange(-3, 3)
    asked = Readout(standardise=True)
    np.testing.assert_array_equal(
        read_out(scaled, codes, NAMES, asked).confusion, read_out(responses, codes, NAMES, asked).confusion
    )


def test_constant_units_are_counted_in_a_note(clouds):
    responses, codes = clouds
    responses[:, :2] = 4.0
    assert read_out(responses, codes, NAMES, Readout()).notes == ("2 of 6 units are constant and say nothing",)
    silent = read_out(np.zeros((60, 6)), codes, NAMES, Readout())
    assert silent.accuracy.sum() == 1
    assert silent.notes == ("6 of 6 units are constant and say nothing",)


def test_no_convergence_is_a_note_and_no_warning(clouds):
    found = read_out(*clouds, NAMES, Readout(max_iter=1))
    assert found.notes == ("the read-out did not converge in 1 iterations; give more, or standardise",)


def test_too_few_stimuli_for_the_folds_are_refused(clouds):
    responses, codes = clouds
    with pytest.raises(TooFew, match=r"at least 30 stimuli of every category, but 3 of 3 have fewer: 'a' \(20\)"):
        read_out(responses, codes, NAMES, Readout(n_folds=30))


def test_wrong_read_outs_are_refused():
    with pytest.raises(UnknownName, match="No way to make folds is called 'interleave'. Did you mean 'interleaved'"):
        Readout(folds="interleave")
    with pytest.raises(BadInput, match="at least 2 folds, a penalty above 0 and 1 iteration, but n_folds is 1"):
        Readout(n_folds=1)


def test_without_scikit_learn_the_extra_is_named(clouds, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'stratoscope[readout]'")):
        read_out(*clouds, NAMES, Readout())


def test_forward_selection_takes_the_predictors_that_are_there(rng):
    columns = rng.normal(size=(200, 5))
    y = 3 * columns[:, 2] + columns[:, 4] + 0.5 * rng.normal(size=200)
    taken, gains = forward_selection(columns, y)
    assert taken[:2] == [2, 4]
    assert gains[1] > 0.9
    assert gains == sorted(gains)


def test_forward_selection_of_a_constant_takes_nothing(rng):
    assert forward_selection(rng.normal(size=(50, 3)), np.ones(50)) == ([], [])


def test_adjusted_r2_is_that_of_ordinary_least_squares(rng):
    x, noise = rng.normal(size=(2, 30))
    y = x + noise
    r2 = np.corrcoef(x, y)[0, 1] ** 2
    assert forward_selection(x[:, None], y)[1] == [pytest.approx(1 - (1 - r2) * 29 / 28)]


def test_groups_are_regressed_apart(rng):
    stages = [Stage(name, 0.5, "relu", (4,), "channel", 4) for name in ("one", "two")]
    psi = rng.random((2, 20))
    closed = [StageResult(stage, {PSI: Values(row, ("category",))}) for stage, row in zip(stages, psi, strict=True)]
    found = ReadOut(psi[1] * 0.5, np.zeros((20, 20), dtype=int), 40)
    told = stepwise(closed, found, {"conv": stages[:1], "fc": stages[1:]})
    assert told["fc"]["stages"] == ["two"]
    assert told["fc"]["adjusted_r2"] == [pytest.approx(1.0)]
