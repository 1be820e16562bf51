"""Participation ratio, its corrected form, and the eigenspectrum."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import eigenspectrum, participation_ratio, participation_ratio_corrected
from stratoscope.metrics.spectrum import centred_gram, squared_trace_and_square


def test_participation_ratio_is_that_of_the_covariance_eigenvalues(rng):
    responses = rng.standard_normal((60, 12)) * np.arange(1, 13)
    values = np.linalg.eigvalsh(np.cov(responses.T))
    assert participation_ratio(responses).value == pytest.approx(values.sum() ** 2 / (values**2).sum())
    np.testing.assert_allclose(eigenspectrum(responses)[:12], values[::-1] / values.sum(), atol=1e-12)
    assert eigenspectrum(responses)[12:].max() < 1e-12


def test_the_jackknife_in_closed_form_is_the_one_by_leaving_out(rng):
    responses = rng.standard_normal((25, 6))
    logs = np.log([participation_ratio(np.delete(responses, i, axis=0)).value for i in range(25)])
    deviation = np.sqrt(24 / 25 * ((logs - logs.mean()) ** 2).sum())
    estimate = participation_ratio(responses)
    half = np.log(estimate.high / estimate.low) / 2
    assert half == pytest.approx(2.0638985616 * deviation, rel=1e-6)  # t of 24 degrees of freedom


def test_the_interval_of_the_participation_ratio_covers_its_mean():
    runs = [
        participation_ratio(np.random.default_rng(s).standard_normal((80, 6)) * [3, 2, 2, 1, 1, 1]) for s in range(200)
    ]
    mean = np.mean([e.value for e in runs])
    assert 0.904 <= np.mean([e.low <= mean <= e.high for e in runs]) <= 0.996


def test_few_stimuli_bias_the_plain_ratio_and_not_the_corrected_one():
    plain, corrected = [], []
    for seed in range(200):
        responses = np.random.default_rng(seed).standard_normal((40, 30))
        plain.append(participation_ratio(responses).value)
        corrected.append(participation_ratio_corrected(responses).value)
    assert np.mean(plain) == pytest.approx(1 / (1 / 30 + 1 / 40), rel=0.05)
    assert np.mean(corrected) == pytest.approx(30, rel=0.05)


def test_numerator_and_denominator_are_averages_over_four_different_stimuli(rng):
    x = rng.standard_normal((6, 3)) + 5
    half = 0.5 * ((x[:, None] - x[None]) ** 2).sum(-1)
    trace, square, n = [], [], range(6)
    for i, j, k, m in ((i, j, k, m) for i in n for j in n for k in n for m in n if len({i, j, k, m}) == 4):
        trace.append(half[i, j] * half[k, m])
        square.append(((x[i] - x[j]) @ (x[k] - x[m])) ** 2 / 4)
    gram = centred_gram(x, "test", 4)
    found = squared_trace_and_square(np.diag(gram), gram.sum(axis=1), (gram**2).sum())
    np.testing.assert_allclose(found, [np.mean(trace), np.mean(square)], rtol=1e-10)


def test_leaving_out_blocks_in_closed_form_is_leaving_them_out(rng):
    responses = rng.standard_normal((60, 8)) * np.arange(1, 9)
    kept = [np.delete(responses, np.arange(b, 60, 12), axis=0) for b in range(12)]
    logs = np.log([participation_ratio_corrected(x).value for x in kept])
    deviation = np.sqrt(11 / 12 * ((logs - logs.mean()) ** 2).sum())
    estimate = participation_ratio_corrected(responses)
    half = np.log(estimate.high / estimate.low) / 2
    assert half == pytest.approx(2.2009851601 * deviation, rel=1e-6)  # t of 11 degrees of freedom


def test_a_line_has_one_dimension_and_an_orthogonal_cross_two():
    assert participation_ratio(np.outer(np.arange(9.0), [1, 2])).value == pytest.approx(1)
    assert participation_ratio([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).value == pytest.approx(2)


def test_stages_without_variance_and_too_few_stimuli_are_refused():
    with pytest.raises(
        TooFew, match=r"^eigenspectrum needs responses that differ between stimuli, but all 9 are equal"
    ):
        eigenspectrum(np.ones((9, 2)))
    with pytest.raises(TooFew, match=r"^participation_ratio needs at least 4 stimuli, but 3 came\.$"):
        participation_ratio(np.eye(3))
    with pytest.raises(TooFew, match=r"^participation_ratio_corrected needs at least 5 stimuli, but 4 came\.$"):
        participation_ratio_corrected(np.eye(4))
    with pytest.raises(BadInput, match=r"expects finite responses, but 1 of 16 values"):
        participation_ratio(np.diag([1.0, 2, 3, np.inf]))


def test_where_one_stimulus_alone_differs_there_is_no_interval():
    responses = np.ones((12, 3))
    responses[4] = 2.0
    estimate = participation_ratio(responses)
    assert estimate.value == pytest.approx(1)
    assert np.isnan(estimate.low)
    assert np.isnan(estimate.high)
