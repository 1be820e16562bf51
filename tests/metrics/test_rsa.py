from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr, spearmanr

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import noise_ceiling, rdm, rsa, split_half_ceiling


def some_rdms(rng, n=12, noise=0.3, count=2):
    points = rng.normal(size=(n, 5))
    return [squareform(pdist(points + noise * rng.normal(size=points.shape))) for _ in range(count)]


def test_rsa_is_the_correlation_that_scipy_finds_over_the_upper_triangle(rng):
    one, other = some_rdms(rng)
    upper = np.triu_indices(12, 1)
    assert rsa(one, other) == pytest.approx(spearmanr(one[upper], other[upper]).statistic, abs=1e-12)
    assert rsa(one, other, kind="pearson") == pytest.approx(pearsonr(one[upper], other[upper]).statistic, abs=1e-12)
    x, y = one[upper], other[upper]
    assert rsa(one, other, kind="cosine") == pytest.approx(x @ y / np.sqrt(x @ x * (y @ y)), abs=1e-12)


def test_ties_share_their_rank(rng):
    one = rdm(np.round(rng.normal(size=(10, 1))))
    other = rdm(np.round(rng.normal(size=(10, 1))))
    upper = np.triu_indices(10, 1)
    assert rsa(one, other) == pytest.approx(spearmanr(one[upper], other[upper]).statistic, abs=1e-12)


def test_a_matrix_without_spread_or_with_nan_has_no_similarity(rng):
    one, other = some_rdms(rng)
    flat = np.ones_like(one) - np.eye(len(one))
    assert np.isnan(rsa(one, flat))
    one[2, 5] = np.nan
    assert np.isnan(rsa(one, other))


def test_a_perfect_model_lies_between_the_bounds_of_the_ceiling(rng):
    points = rng.normal(size=(20, 5))
    true = squareform(pdist(points))
    subjects = [squareform(pdist(points + 0.8 * rng.normal(size=points.shape))) for _ in range(30)]
    lower, upper = noise_ceiling(subjects)
    found = np.mean([rsa(true, one) for one in subjects])
    assert lower - 0.02 < found < upper + 0.02
    assert upper - lower < 0.05


def test_subjects_without_noise_have_a_ceiling_of_one(rng):
    one = some_rdms(rng)[0]
    assert noise_ceiling([one, one, one]) == pytest.approx((1.0, 1.0))
    assert split_half_ceiling(one, one) == pytest.approx(1.0)


def test_the_ceiling_of_halves_is_the_similarity_of_the_whole_to_the_truth(rng):
    noise = rng.normal(size=(4, 2000))
    truth = rng.normal(size=2000)
    halves = truth + noise[:2]  # pairs with independent noise, as the formula takes it
    expected = np.corrcoef(halves.mean(axis=0), truth)[0, 1]
    square = [squareform(half[:1953] - halves.min()) for half in halves]
    assert split_half_ceiling(*square, kind="pearson") == pytest.approx(expected, abs=0.02)


def test_halves_that_do_not_agree_have_no_ceiling(rng):
    one = squareform(np.arange(66.0))
    assert np.isnan(split_half_ceiling(one, squareform(np.arange(66.0)[::-1])))


@pytest.mark.parametrize(
    ("first", "second", "error", "words"),
    [
        (np.zeros((3, 3)), np.zeros((3, 3)), TooFew, "needs at least 4 stimuli, but 3 came"),
        (np.zeros((5, 4)), np.zeros((5, 5)), BadInput, "square, (stimulus, stimulus), but one of shape (5, 4) came"),
        (np.zeros((5, 5)), np.zeros((6, 6)), BadInput, "over the same stimuli, but 5 and 6 came. Restrict both"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(first, second, error, words):
    with pytest.raises(error) as raised:
        rsa(first, second)
    assert words in str(raised.value)


def test_one_matrix_has_no_ceiling(rng):
    with pytest.raises(TooFew, match="at least 2 dissimilarity matrices of the same stage, but 1 came"):
        noise_ceiling(some_rdms(rng, count=1))
