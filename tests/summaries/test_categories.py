from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.summaries import Categories


def test_means_are_those_of_each_category(rng):
    codes = rng.integers(-1, 4, size=60)
    responses = (rng.standard_normal((60, 5)) + 1e4).astype(np.float32)
    summary = Categories(codes, ["a", "b", "c", "d", "never"], 5)
    for rows in np.split(rng.permutation(60), [1, 20, 33]):
        summary.update(rows, responses[rows])
    state = summary.state()
    for code in range(4):
        members = responses[codes == code].astype(np.longdouble)
        assert state["count"][code] == len(members)
        np.testing.assert_allclose(state["mean"][code], members.mean(axis=0).astype(float), rtol=1e-15)
    assert np.isnan(state["mean"][4]).all()
    assert state["unlabelled"] == (codes < 0).sum()
    assert state["n"] == (codes >= 0).sum()
    assert list(state["names"]) == ["a", "b", "c", "d", "never"]


def test_a_nan_stays_in_its_category_and_unit(rng):
    responses = rng.standard_normal((8, 3))
    responses[1, 2] = np.nan
    summary = Categories(np.arange(8) % 2, ["even", "odd"], 3)
    summary.update(np.arange(8), responses)
    state = summary.state()
    assert np.array_equal(state["n_nonfinite"], [0, 1])
    assert np.array_equal(np.isnan(state["mean"]), [[False] * 3, [False, False, True]])


def test_stimuli_without_a_category_alone_leave_no_mean():
    summary = Categories([-1, -1], ["a"], 2)
    summary.update([0, 1], np.ones((2, 2)))
    assert np.isnan(summary.state()["mean"]).all()


def test_refusals_are_sentences():
    with pytest.raises(BadInput, match=r"Category codes must be integers of shape \(stimulus,\), not <U1"):
        Categories(["a", "b"], ["a", "b"], 2)
    with pytest.raises(BadInput, match="Category code 2 has no name: 2 names were given, for codes 0 to 1"):
        Categories([0, 2], ["a", "b"], 2)
    with pytest.raises(BadInput, match="different codes cannot be merged"):
        Categories([0, 1], ["a", "b"], 2).merge(Categories([0, 0], ["a", "b"], 2))
