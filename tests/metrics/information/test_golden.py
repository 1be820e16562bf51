"""Numbers that are known: from the literature's formulae, from channels, and from an independent count."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from stratoscope.metrics import information_table, unit_information
from stratoscope.metrics.information.bias import bayes_count, panzeri_treves_bias
from stratoscope.metrics.information.bins import bin_codes
from stratoscope.metrics.information.entropies import n_log_n, plug_in


def counts_of(rows):
    """Turn rows of one value bin each into counts (response bin, value bin, unit)."""
    return np.array(rows).T[:, :, None]


FOUR_STIMULI = [[6, 2, 1], [1, 5, 3], [0, 2, 7], [3, 3, 3]]
FEW_TRIALS = [[3, 1, 1, 0, 0, 0, 0, 0], [0, 2, 1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1, 1]]


def test_plug_in_and_naive_bias_of_four_stimuli_with_three_responses():
    counts = counts_of(FOUR_STIMULI)
    bits, bias = plug_in(counts, n_log_n(36)), panzeri_treves_bias(counts, bayes=False)
    assert bits == pytest.approx([0.340240279875], abs=1e-12)
    assert bias == pytest.approx([0.100187155617], abs=1e-12)
    assert bits - bias == pytest.approx([0.240053124257], abs=1e-12)


def test_with_few_trials_the_counting_rule_dominates_the_bias():
    counts = counts_of(FEW_TRIALS)
    assert plug_in(counts, n_log_n(15)) == pytest.approx([1.001303], abs=5e-7)
    assert panzeri_treves_bias(counts, bayes=False) == pytest.approx([0.096180], abs=5e-7)
    assert panzeri_treves_bias(counts, bayes=True) == pytest.approx([0.528988], abs=5e-7)


@pytest.mark.parametrize(
    ("counts", "relevant"),
    [
        ([3, 1, 1, 0, 0, 0, 0, 0], 5),
        ([10, 0, 0], 1),
        ([1, 9, 0], 3),
        ([2, 2, 1, 0], 4),
        ([5, 4, 3, 2, 1, 0, 0, 0], 6),
        ([4, 4, 4], 3),
    ],
)
def test_bayes_counts(counts, relevant):
    assert bayes_count(np.array(counts)[:, None], np.array([len(counts)])) == [relevant]


def test_bayes_counts_of_many_distributions_are_those_of_each(rng):
    counts = rng.poisson(1.0, size=(6, 300)) + (np.arange(6)[:, None] == 0)
    support = rng.integers(1, 7, size=300)
    support = np.maximum(support, (counts > 0).sum(axis=0))
    one_by_one = [bayes_count(counts[:, [i]], support[[i]])[0] for i in range(300)]
    np.testing.assert_array_equal(bayes_count(counts, support), one_by_one)
    assert len(set(one_by_one)) > 3


@pytest.mark.parametrize("value_bins", [2, 5, 23])
@pytest.mark.parametrize("response_bins", [2, 3, 8])
def test_plug_in_is_what_scikit_learn_counts_in_the_same_bins(rng, response_bins, value_bins):
    responses = np.maximum(rng.standard_normal((400, 12)), -0.3).astype(np.float32)
    values = rng.standard_normal(400)
    bits = unit_information(responses, values, response_bins=response_bins, value_bins=value_bins, correction="none")
    codes = bin_codes(responses, response_bins, binning="equipopulated", atom=True)
    cut = bin_codes(values[:, None], value_bins, binning="equipopulated", atom=False)[:, 0]
    expected = [mutual_info_score(codes[:, unit], cut) / np.log(2) for unit in range(12)]
    np.testing.assert_allclose(bits, expected, atol=1e-12)


def gaussian_channel(rng, rho, n, units):
    values, noise = rng.standard_normal((2, n, units))  # a channel of its own for every unit
    return rho * values + np.sqrt(1 - rho**2) * noise, values


def binned_gaussian_information(rho, bins):
    """Integrate the information of a Gaussian channel in equipopulated bins, from the distribution alone."""
    from scipy.stats import multivariate_normal, norm

    edges = np.clip(norm.ppf(np.arange(bins + 1) / bins), -9, 9)
    joint = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    below = np.array([[joint.cdf([a, b]) for b in edges] for a in edges])
    cell = np.diff(np.diff(below, axis=0), axis=1)
    return np.sum(cell * np.log2(np.maximum(cell, 1e-300) * bins**2))


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_a_gaussian_channel_in_bins_reads_what_its_distribution_says(rng, rho):
    responses, values = gaussian_channel(rng, rho, 3000, 60)
    bits = unit_information(responses, values, response_bins=4, value_bins=4)
    assert bits.mean() == pytest.approx(binned_gaussian_information(rho, 4), abs=0.008)


@pytest.mark.parametrize("correction", ["panzeri-treves", "quadratic-extrapolation", "shuffle"])
def test_a_symmetric_channel_reads_its_information(rng, correction):
    sent = np.repeat(np.arange(4), 200)
    wrong = rng.random((800, 200)) < 0.3
    got = np.where(wrong, (sent[:, None] + rng.integers(1, 4, (800, 200))) % 4, sent[:, None])
    bits = unit_information(got.astype(float), sent, response_bins=4, correction=correction)
    known = 2 + 0.7 * np.log2(0.7) + 0.3 * np.log2(0.1)
    assert bits.mean() == pytest.approx(known, abs=0.012)


@pytest.mark.parametrize("correction", ["panzeri-treves", "panzeri-treves-naive", "quadratic-extrapolation", "shuffle"])
@pytest.mark.parametrize("value_bins", [10, 23])
def test_independent_variables_read_nothing_at_380_stimuli(rng, correction, value_bins):
    responses, values = rng.standard_normal((380, 300)), rng.standard_normal(380)
    options = {"response_bins": 3, "value_bins": value_bins}
    plugin = unit_information(responses, values, correction="none", **options)
    bits = unit_information(responses, values, correction=correction, **options)
    assert plugin.mean() > 0.03
    # quarters of 95 stimuli are too few for 69 cells: the extrapolation takes 0.009 to 0.011 bit too much off
    assert abs(bits.mean()) < (0.015 if (correction, value_bins) == ("quadratic-extrapolation", 23) else 0.01)


def test_miller_madow_is_panzeri_treves_with_naive_counts(rng):
    """Three entropies, each with (occupied bins - 1) / (2 n ln 2) added, give the same number."""
    responses, values = rng.integers(0, 5, (60, 40)).astype(float), rng.integers(0, 6, 60)
    options = {"response_bins": 5, "value_bins": 6}
    naive = unit_information(responses, values, correction="panzeri-treves-naive", **options)
    np.testing.assert_array_equal(unit_information(responses, values, correction="miller-madow", **options), naive)
    plugin = unit_information(responses, values, correction="none", **options)
    codes = bin_codes(responses, 5, binning="equipopulated", atom=True)
    used = [
        len(set(codes[:, u])) + len(set(values)) - len({*zip(codes[:, u], values, strict=True)}) - 1 for u in range(40)
    ]
    np.testing.assert_allclose(naive, plugin + np.array(used) / (2 * 60 * np.log(2)), atol=1e-12)


def test_the_null_of_a_permutation_test_is_uniform_where_there_is_nothing(rng):
    responses, values = rng.standard_normal((120, 400)), rng.standard_normal(120)
    table = information_table(responses, {"x": values}, n_shuffles=99)
    assert (table.p <= 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert abs(table.z.mean()) < 0.15
    assert table.null_mean.mean() == pytest.approx(table.plugin.mean(), abs=0.004)
