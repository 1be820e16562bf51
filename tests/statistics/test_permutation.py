"""Permutation tests: enumerated by hand, false positives, power, and the +1 rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.statistics.permutation import correlation_p, p_value, paired, sign_flip, two_sample


def test_a_sampled_p_is_never_zero_and_an_exact_one_counts():
    assert p_value(5.0, np.zeros(99), "greater") == pytest.approx(0.01)
    assert p_value(5.0, [1.0, 2.0, 3.0, 5.0], "greater", exact=True) == 0.25
    assert p_value(5.0, [1.0, 2.0, 3.0, 5.0], exact=True) == 0.5
    assert p_value(0.0, np.zeros(9)) == 1.0
    with pytest.raises(BadInput, match="at least one draw"):
        p_value(0.0, [])


def test_signs_are_flipped_exactly():
    d = np.array([0.3, 1.2, -0.1, 0.8, 0.5])
    every = [np.mean(d * signs) for signs in itertools.product((1, -1), repeat=5)]
    found = sign_flip(d, alternative="greater", n_resamples=50)
    assert found.p == pytest.approx(np.mean(np.array(every) >= d.mean() - 1e-12))
    assert found.null == "exact, all 32 sign flips"
    assert found.smallest_p == pytest.approx(1 / 32)
    assert sign_flip(d, n_resamples=50).smallest_p == pytest.approx(2 / 32)


def test_members_are_exchanged_exactly():
    a, b = np.array([3.0, 4.0, 5.5]), np.array([1.0, 2.0, 2.5, 3.5])
    both = np.concatenate([a, b])
    picks = [np.isin(np.arange(7), pick) for pick in itertools.combinations(range(7), 3)]
    every = np.array([both[pick].mean() - both[~pick].mean() for pick in picks])
    found = two_sample(a, b, alternative="greater", n_resamples=50)
    assert found.p == pytest.approx(np.mean(every >= a.mean() - b.mean() - 1e-12))
    assert found.estimate.value == pytest.approx(a.mean() - b.mean())
    assert found.counted == {"value": 7}


def test_pairings_are_permuted_exactly():
    x, y = np.array([1.0, 2.0, 3.5, 4.0, 7.0]), np.array([2.0, 1.0, 3.0, 5.0, 4.0])
    every = np.array([np.corrcoef(x, np.array(order))[0, 1] for order in itertools.permutations(y)])
    expected = np.mean(every >= np.corrcoef(x, y)[0, 1] - 1e-12)
    assert correlation_p(x, y, alternative="greater") == (pytest.approx(expected), "exact, all 120 pairings")


def _none(rng):
    yield "sign_flip", lambda: sign_flip(rng.laplace(size=10), n_resamples=20).p
    yield "two_sample", lambda: two_sample(rng.normal(size=6), rng.normal(size=6), n_resamples=20).p
    yield "correlation", lambda: correlation_p(rng.normal(size=7), rng.exponential(size=7))[0]
    yield "sampled", lambda: two_sample(rng.normal(size=15), rng.normal(size=15), statistic="median", n_resamples=199).p


@pytest.mark.parametrize("index", range(4))
def test_false_positives_are_five_percent_at_most_where_nothing_is_there(index, rng):
    _, draw = list(_none(rng))[index]
    p = np.array([draw() for _ in range(200)])
    assert np.mean(p <= 0.05) == pytest.approx(0.045, abs=0.045)
    assert 0.35 < np.mean(p <= 0.5) < 0.57  # below a half where draws tie, most of all for medians


def test_what_is_there_is_found(rng):
    assert np.mean([sign_flip(rng.normal(1.5, 1, 10), n_resamples=20).p <= 0.05 for _ in range(30)]) > 0.8
    found = [two_sample(rng.normal(3, 1, 6), rng.normal(0, 1, 6), n_resamples=20).p for _ in range(30)]
    assert np.mean(np.array(found) <= 0.05) > 0.8
    x = rng.normal(size=40)
    assert correlation_p(x, x + rng.normal(size=40), n_resamples=499)[0] == pytest.approx(2 / 500)
    assert correlation_p(x, -(x**3), kind="spearman", n_resamples=499)[0] == pytest.approx(2 / 500)


def test_pairing_matters(rng):
    base = 10 * rng.normal(size=12)
    assert paired(base + 1 + 0.1 * rng.normal(size=12), base, over="category", n_resamples=20).p < 0.01
    assert two_sample(base + 1, base, n_resamples=999).p > 0.3


def test_sampled_tests_agree_with_student(rng):
    a, b = rng.normal(0.4, 1, 60), rng.normal(0, 1, 60)
    found = two_sample(a, b, n_resamples=4999)
    assert found.p == pytest.approx(stats.ttest_ind(a, b).pvalue, abs=0.02)
    assert found.null == "4999 random exchanges, seed 0"


def test_wrong_input_is_refused():
    with pytest.raises(BadInput, match=r"holds 1 values of 3 that are NaN or infinite\. Leave them out first"):
        sign_flip([1.0, np.nan, 2.0])
    with pytest.raises(TooFew, match="two_sample needs at least 2 values, but 1 came"):
        two_sample([1.0], [1.0, 2.0])
    with pytest.raises(BadInput, match="paired expects values in pairs, but 2 and 3 came"):
        paired([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(BadInput, match=r"one value each, shape \(n,\), but the shape \(2, 2\) came"):
        sign_flip(np.zeros((2, 2)))
    with pytest.raises(UnknownName, match="No statistic is called 'mode'"):
        sign_flip([1.0, 2.0], statistic="mode")
