"""Correction for the number of tests: worked by hand, and what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.statistics.correct import benjamini_hochberg, bonferroni, correct, holm

P = np.array([0.01, 0.04, 0.03, 0.005, 0.8])


def test_corrections_are_those_worked_by_hand():
    assert bonferroni(P) == pytest.approx([0.05, 0.2, 0.15, 0.025, 1.0])
    assert holm(P) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.8])
    assert benjamini_hochberg(P) == pytest.approx([0.025, 0.05, 0.05, 0.025, 0.8])
    assert correct(P, "none") == pytest.approx(P)


@pytest.mark.parametrize("method", ["holm", "bonferroni", "benjamini-hochberg"])
def test_tests_that_were_not_made_stay_undefined_and_do_not_count(method):
    found = correct(np.insert(P, 2, np.nan), method)
    assert np.isnan(found[2])
    assert np.delete(found, 2) == pytest.approx(correct(P, method))
    assert np.isnan(correct([np.nan], method)).all()


def test_any_false_positive_is_held_at_five_percent_and_without_correction_is_not(rng):
    p = rng.uniform(size=(2000, 8))
    assert np.mean([holm(row).min() <= 0.05 for row in p]) == pytest.approx(0.05, abs=0.015)
    assert np.mean(p.min(axis=1) <= 0.05) > 0.25


def test_the_share_of_false_positives_is_held(rng):
    p = np.concatenate([rng.uniform(size=(500, 10)), rng.uniform(size=(500, 10)) * 1e-3], axis=1)
    positive = np.array([benjamini_hochberg(row) <= 0.1 for row in p])
    share = positive[:, :10].sum(axis=1) / np.maximum(positive.sum(axis=1), 1)
    assert share.mean() == pytest.approx(0.05, abs=0.01)  # 0.1 times the half that is nothing


def test_wrong_input_is_refused():
    with pytest.raises(BadInput, match="P-values lie between 0 and 1"):
        holm([1.2])
    with pytest.raises(UnknownName, match=r"No correction is called 'holms'\. Did you mean 'holm'"):
        correct(P, "holms")
