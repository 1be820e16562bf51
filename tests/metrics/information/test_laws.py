"""What holds for any responses and any property."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stratoscope.metrics import information_table, unit_information
from stratoscope.metrics.information.bias import panzeri_treves_bias, relevant_bins
from stratoscope.metrics.information.entropies import n_log_n, plug_in

N = 24
RESPONSES = arrays(np.float64, (N, 4), elements=st.sampled_from([-1.5, 0.0, 0.25, 1.0, 1e6]))
CLASSES = arrays(np.int64, N, elements=st.integers(0, 3))
COUNTS = arrays(np.int64, (4, 3, 5), elements=st.integers(0, 9))
quick = settings(max_examples=40, deadline=None)


@quick
@given(RESPONSES, CLASSES)
def test_plug_in_lies_between_nothing_and_the_entropy_of_either(responses, classes):
    bits = unit_information(responses, classes, correction="none")
    assert (bits >= -1e-12).all()
    p = np.bincount(classes) / N
    entropy = -np.sum(p[p > 0] * np.log2(p[p > 0]))
    assert (bits <= min(entropy, np.log2(3)) + 1e-12).all()


@quick
@given(RESPONSES, CLASSES, st.permutations(range(N)))
def test_the_order_of_stimuli_changes_no_bit(responses, classes, order):
    order = np.array(order)
    for correction in ("none", "panzeri-treves"):
        first = unit_information(responses, classes, correction=correction)
        np.testing.assert_array_equal(unit_information(responses[order], classes[order], correction=correction), first)


@quick
@given(RESPONSES, CLASSES)
def test_names_of_values_do_not_matter(responses, classes):
    bits = unit_information(responses, classes)
    np.testing.assert_allclose(unit_information(responses, 3 - classes), bits, atol=1e-12)
    np.testing.assert_array_equal(unit_information(responses, np.array([*"abcd"])[classes]), bits)


@quick
@given(RESPONSES, CLASSES)
def test_p_is_a_permutation_p_and_a_still_unit_has_1(responses, classes):
    responses[:, 0] = 2.0
    table = information_table(responses, {"class": classes}, n_shuffles=4)
    assert np.isin(table.p, np.arange(1, 6) / 5).all()
    assert table.p[0, 0] == 1
    assert table.plugin[0, 0] == 0


@quick
@given(COUNTS)
def test_relevant_bins_lie_between_those_that_occur_and_all(counts):
    support = (counts.sum(axis=1) > 0).sum(axis=0)
    naive = relevant_bins(counts, support, bayes=False)
    bayes = relevant_bins(counts, support, bayes=True)
    assert (bayes >= naive).all()
    assert (bayes <= support).all()
    assert (panzeri_treves_bias(counts) >= panzeri_treves_bias(counts, bayes=False)).all()


@quick
@given(COUNTS)
def test_information_is_symmetric_in_response_and_value(counts):
    table = n_log_n(int(counts.sum(axis=(0, 1)).max()))
    np.testing.assert_array_equal(plug_in(counts, table), plug_in(counts.transpose(1, 0, 2), table))
