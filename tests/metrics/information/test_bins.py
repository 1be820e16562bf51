"""Edges are values: equal responses share a bin, whatever the order of stimuli."""

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.metrics import information_table, unit_information
from stratoscope.metrics.information.bins import bin_codes


def sparse_units(rng, n=1000, units=200, silent=0.9):
    responses = rng.gamma(2.0, size=(n, units))
    return np.where(rng.random((n, units)) < silent, 0.0, responses).astype(np.float32)


@pytest.mark.parametrize("correction", ["panzeri-treves", "panzeri-treves-naive", "quadratic-extrapolation"])
def test_a_null_unit_with_many_zeros_reads_nothing_whether_stimuli_are_sorted_or_not(rng, correction):
    responses, classes = sparse_units(rng), np.repeat(np.arange(20), 50)
    in_order = unit_information(responses, classes, correction=correction)
    order = rng.permutation(1000)
    shuffled = unit_information(responses[order], classes[order], correction=correction)
    assert abs(in_order.mean()) < 0.01
    assert abs(shuffled.mean()) < 0.01
    if correction != "quadratic-extrapolation":  # that one draws its quarters
        np.testing.assert_array_equal(in_order, shuffled)


def test_ranks_that_split_ties_by_position_would_invent_bits(rng):
    """The broken way, which the rule above is for."""
    responses, classes = sparse_units(rng, units=5), np.repeat(np.arange(20), 50)
    ranks = np.argsort(np.argsort(responses, axis=0, kind="stable"), axis=0).astype(float)
    assert unit_information(ranks, classes).min() > 0.5
    assert abs(unit_information(responses, classes)).max() < 0.05


def test_zeros_get_a_bin_of_their_own_and_the_rest_is_split(rng):
    responses = sparse_units(rng, units=30)
    codes = bin_codes(responses, 3, binning="equipopulated", atom=True)
    assert ((codes == 0) == (responses == 0)).all()
    sizes = np.array([(codes == 1).sum(axis=0), (codes == 2).sum(axis=0)])
    assert np.ptp(sizes, axis=0).max() <= 1


def test_the_bin_of_zeros_keeps_what_quantiles_lose(rng):
    tuned = np.repeat([0, 1], 500)
    strength = np.where(tuned[:, None] == 1, 4.0, 1.0) * rng.gamma(3.0, size=(1000, 40))
    responses = np.where(rng.random((1000, 40)) < 0.75, 0.0, strength)
    kept, lost = (unit_information(responses, tuned, atom=atom).mean() for atom in (True, False))
    assert kept > 0.1
    assert lost < 0.02


def test_few_zeros_are_like_any_other_response():
    responses = np.arange(90.0)[:, None]
    codes = bin_codes(responses, 3, binning="equipopulated", atom=True)
    assert np.bincount(codes[:, 0]).tolist() == [30, 30, 30]


def test_an_edge_among_equal_responses_moves_to_their_nearer_end():
    counts = np.repeat([0.0, 1.0, 2.0], [30, 40, 30])[:, None]
    codes = bin_codes(counts, 3, binning="equipopulated", atom=False)
    np.testing.assert_array_equal(codes, counts)


@pytest.mark.parametrize("binning", ["equipopulated", "equal-width"])
@pytest.mark.parametrize("atom", [True, False])
def test_equal_responses_share_a_bin_and_bins_keep_the_order_of_values(rng, binning, atom):
    for levels in (1, 2, 3, 5, 40):
        responses = rng.integers(0, levels, (120, 50)).astype(np.float32)
        codes = bin_codes(responses, 4, binning=binning, atom=atom)
        for unit in range(50):
            order = np.argsort(responses[:, unit])
            value, code = responses[order, unit], codes[order, unit].astype(int)
            assert (np.diff(code) >= 0).all()
            assert (np.diff(code)[np.diff(value) == 0] == 0).all()
        assert codes.max() < 4


def test_equal_width_bins_cut_the_range():
    responses = np.array([[0.0, 1.0, 4.9, 5.1, 9.9, 10.0]]).T
    assert bin_codes(responses, 2, binning="equal-width", atom=False)[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    zeros = np.concatenate([np.zeros((6, 1)), responses])
    assert bin_codes(zeros, 3, binning="equal-width", atom=True)[7:, 0].tolist() == [1, 1, 1, 2, 2]


def test_bins_do_not_depend_on_gain_or_precision(rng):
    responses = np.maximum(rng.standard_normal((200, 30)), 0).astype(np.float32)
    codes = bin_codes(responses, 5, binning="equipopulated", atom=True)
    np.testing.assert_array_equal(bin_codes(responses * 8, 5, binning="equipopulated", atom=True), codes)
    np.testing.assert_array_equal(bin_codes(responses.astype(float), 5, binning="equipopulated", atom=True), codes)


def test_nan_is_refused_with_the_number_of_units(rng):
    responses = rng.random((50, 4))
    responses[3, 1] = np.nan
    responses[4, 2] = np.inf
    with pytest.raises(BadInput, match=r"finite values, but 2 of 4 units have values that are NaN or infinite\. Leave"):
        unit_information(responses, np.arange(50) % 2)


def test_a_table_counts_the_bins_that_occur(rng):
    responses = np.stack([np.zeros(60), np.arange(60) % 2, rng.random(60)], axis=1)
    table = information_table(responses, {"half": np.repeat([0, 1], 30)})
    assert table.response_bins.tolist() == [1, 2, 3]
    assert "1 of 3 units have one response to all stimuli, and 0 bits." in table.notes
    assert "1 of 3 units keep fewer than 3 bins: responses are equal." in table.notes
