"""Dissimilarity matrices and CKA."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import cka, cka_matrix, cka_of_grams, rdm, similarity
from stratoscope.metrics.spectrum import unbiased_hsic


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "correlation", "cosine"])
def test_distances_are_those_of_scipy(distance, rng):
    responses = rng.standard_normal((30, 9)) + 2
    np.testing.assert_allclose(rdm(responses, distance=distance), cdist(responses, responses, distance), atol=1e-6)


def test_a_stimulus_without_response_has_no_angle():
    assert np.isnan(rdm([[0.0, 0, 0], [1, 2, 3], [3, 2, 1]], distance="cosine")[0]).all()


def test_wrong_distances_are_answered_with_a_sentence():
    with pytest.raises(UnknownName, match=r"No distance is called 'euclid'\. Did you mean 'euclidean'"):
        rdm(np.eye(3), distance="euclid")
    with pytest.raises(TooFew, match=r"^rdm needs at least 2 stimuli, but 1 came\.$"):
        rdm([[1.0, 2.0]])


def test_cka_is_one_up_to_rotation_scale_and_offset_and_equals_its_feature_form(rng):
    a, b = rng.standard_normal((40, 6)), rng.standard_normal((40, 9))
    turned = 3 * a @ np.linalg.qr(rng.standard_normal((6, 6)))[0] + 5
    assert cka(a, turned) == pytest.approx(1)
    assert cka(a, turned, debiased=True) == pytest.approx(1)
    x, y = a - a.mean(0), b - b.mean(0)
    feature = np.sum((x.T @ y) ** 2) / np.sqrt(np.sum((x.T @ x) ** 2) * np.sum((y.T @ y) ** 2))
    assert cka(a, b) == pytest.approx(feature)
    assert cka_of_grams(a @ a.T, b @ b.T) == pytest.approx(feature)


def test_debiased_cka_of_unrelated_stages_is_zero_on_average():
    pairs = [(np.random.default_rng([s, 0]), np.random.default_rng([s, 1])) for s in range(100)]
    stages = [(a.standard_normal((30, 100)), b.standard_normal((30, 100))) for a, b in pairs]
    plain = np.array([cka(a, b) for a, b in stages])
    debiased = np.array([cka(a, b, debiased=True) for a, b in stages])
    assert plain.mean() > 0.7
    assert abs(debiased.mean()) < 4 * debiased.std() / 10


def test_the_matrix_between_stages_holds_every_pair(rng):
    stages = {name: rng.standard_normal((20, 5)) for name in "abc"}
    names, matrix = cka_matrix({name: x @ x.T for name, x in stages.items()})
    assert names == ("a", "b", "c")
    assert matrix[0, 2] == matrix[2, 0] == pytest.approx(cka(stages["a"], stages["c"]))
    np.testing.assert_allclose(np.diag(matrix), 1)


def _by_hand(a, b, *, debiased):
    """The definitions on whole matrices: Kornblith et al. 2019, and Song et al. 2012 by traces."""
    n = len(a)
    centre = np.eye(n) - 1 / n

    def hsic(x, y):
        if not debiased:
            return np.trace(centre @ x @ centre @ y)
        x, y, one = x - np.diag(np.diag(x)), y - np.diag(np.diag(y)), np.ones(n)
        pairs = one @ x @ one * (one @ y @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ x @ y @ one)
        return (np.trace(x @ y) + pairs) / (n * (n - 3))

    return hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b))


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("at_once", [1, 200, 1 << 22])
def test_all_pairs_come_from_one_product_whatever_number_of_rows_it_takes(rng, monkeypatch, debiased, at_once):
    monkeypatch.setattr(similarity, "_AT_ONCE", at_once)
    shared = rng.standard_normal((30, 4))
    stages = [np.hstack([shared, rng.standard_normal((30, 3))]) + 5 for _ in range(4)]
    grams = {f"s{place}": one @ one.T for place, one in enumerate(stages)}
    _, matrix = cka_matrix(grams, debiased=debiased)
    expected = [[_by_hand(a, b, debiased=debiased) for b in grams.values()] for a in grams.values()]
    np.testing.assert_allclose(matrix, expected, rtol=1e-9)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-14)


def test_without_bias_a_stage_of_noise_has_no_similarity_where_its_own_is_not_above_zero():
    """The root of two numbers below zero is one above it, and means nothing."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        grams = {name: (x := rng.standard_normal((5, 200))) @ x.T for name in "ab"}
        own = np.array(
            [unbiased_hsic(*[one - one.mean(0) - one.mean(1)[:, None] + one.mean()] * 2) for one in grams.values()]
        )
        _, matrix = cka_matrix(grams, debiased=True)
        assert np.isnan(matrix[0, 1]) == (own <= 0).any()
        assert np.isnan(np.diag(matrix)).tolist() == (own <= 0).tolist()


def test_inner_products_that_are_not_finite_are_counted_over_the_whole_matrix(monkeypatch):
    monkeypatch.setattr(similarity, "_AT_ONCE", 1)
    spoilt = np.eye(6)
    spoilt[2, 4] = spoilt[5, 5] = np.nan
    with pytest.raises(BadInput, match=r"cka expects finite inner products, but 2 of 36 values are NaN or infinite"):
        cka_of_grams(np.eye(6), spoilt)


def test_a_stage_without_variance_has_no_similarity(rng):
    assert np.isnan(cka(np.ones((9, 2)), rng.random((9, 3))))


def test_stages_of_different_stimuli_are_refused():
    with pytest.raises(BadInput, match=r"The two stages must answer the same stimuli, but 4 and 5 came\."):
        cka(np.eye(4), np.eye(5))
    with pytest.raises(BadInput, match=r"cka expects square Gram matrices \(stimulus, stimulus\), but \(4, 3\) came\."):
        cka_of_grams(np.ones((4, 3)), np.eye(4))
    with pytest.raises(TooFew, match=r"cka needs at least 4 stimuli, but 3 came\."):
        cka_of_grams(np.eye(3), np.eye(3))
