import numpy as np
import pytest
from scipy import stats

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.sources.recording import (
    Presentations,
    TrialCounts,
    Units,
    count_spikes,
    informative_units,
    responsive_units,
)


def trials(rng, rates, n):
    """Poisson counts of units with `rates` (stimulus, unit), `n` trials a stimulus, in random order."""
    rates = np.asarray(rates, dtype=float)
    order = rng.permutation(np.repeat(np.arange(len(rates)), n))
    return TrialCounts(rng.poisson(rates[order]), Units(range(rates.shape[1]), "V1"), Presentations(order))


def bits(responses, values):
    """Plug-in information in the response itself."""
    out = []
    for r in responses.T:
        table = np.histogram2d(r, values, (np.arange(r.max() + 2), np.arange(values.max() + 2)))[0] / len(r)
        outer = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
        out.append(np.sum(table[table > 0] * np.log2(table[table > 0] / outer[table > 0])))
    return np.array(out)


def test_units_that_rise_or_fall_for_one_stimulus_pass_and_others_do_not(rng):
    rates = np.full((20, 3), 5.0)
    rates[7, 0], rates[7, 1] = 12.0, 0.5
    evoked = trials(rng, rates, 15)
    rest = TrialCounts(rng.poisson(5.0, evoked.counts.shape), evoked.units, evoked.presentations)
    found = responsive_units(evoked, rest)
    assert found.keep.tolist() == [True, True, False]
    assert evoked.take_units(found.keep).units.ids == ("0", "1")


def test_the_test_is_students_t_against_all_baselines(rng):
    evoked = trials(rng, np.full((4, 1), 3.0), 6)
    evoked.counts[2] = np.nan
    rest = TrialCounts(rng.poisson(3.0, evoked.counts.shape), evoked.units, evoked.presentations)
    each = [
        stats.ttest_ind(evoked.counts[evoked.presentations.codes == k, 0], rest.counts[:, 0], nan_policy="omit").pvalue
        for k in range(4)
    ]
    np.testing.assert_allclose(responsive_units(evoked, rest).p, [min(1, 4 * min(each))])


def test_few_units_without_a_response_pass(rng):
    evoked = trials(rng, np.full((38, 2000), 4.0), 26)
    rest = TrialCounts(rng.poisson(4.0, evoked.counts.shape), evoked.units, evoked.presentations)
    assert 0.02 < responsive_units(evoked, rest).keep.mean() < 0.08


def test_a_unit_that_never_fires_does_not_pass(rng):
    evoked = trials(rng, np.zeros((3, 2)), 4)
    found = responsive_units(evoked, evoked)
    assert not found.keep.any()
    assert found.p.tolist() == [1.0, 1.0]


def test_single_presentations_cannot_be_tested(rng):
    evoked = trials(rng, np.ones((3, 2)), 1)
    with pytest.raises(TooFew, match="two trials of any stimulus"):
        responsive_units(evoked, evoked)
    with pytest.raises(BadInput, match="tables differ"):
        responsive_units(evoked, evoked.take_units([0]))


def test_counts_in_two_windows_of_spikes_can_be_tested(random_spikes):
    evoked = count_spikes(random_spikes, (0.05, 0.2))
    rest = count_spikes(random_spikes, (-0.15, 0))
    found = responsive_units(evoked, rest)
    assert found.p.shape == (40,)
    assert found.keep.mean() < 0.3


def test_informative_units_pass_and_others_do_not(rng):
    rates = np.full((4, 4), 4.0)
    rates[:, 0], rates[:, 1] = [1, 4, 8, 16], [8, 4, 4, 2]
    counts = trials(rng, rates, 40)
    found = informative_units(counts, bits, permutations=60, seed=3)
    assert found.keep[:2].all()
    assert (found.p[:2] == 1 / 61).all()
    np.testing.assert_allclose(found.statistic, bits(counts.counts, counts.presentations.codes))


def test_the_permutation_test_keeps_its_level(rng):
    found = informative_units(trials(rng, np.full((4, 250), 2.0), 10), bits, permutations=39)
    assert 0.02 < found.keep.mean() < 0.08


def test_units_of_two_sessions_are_tested_on_their_own_presentations(rng):
    counts = trials(rng, [[1, 1], [9, 9]], 30)
    counts.counts[::2, 0] = np.nan
    counts.counts[1::2, 1] = np.nan
    found = informative_units(counts, bits, permutations=30)
    assert found.keep.all()
    rows = np.arange(1, 60, 2)
    np.testing.assert_allclose(found.statistic[0], bits(counts.counts[rows, :1], counts.presentations.codes[rows])[0])


def test_too_few_permutations_and_strange_functions_are_refused(rng):
    counts = trials(rng, np.ones((2, 30)), 5)
    with pytest.raises(BadInput, match=r"With 100 permutations p is at least 0.297.*at least 600"):
        informative_units(counts, bits, correction="bonferroni")
    with pytest.raises(BadInput, match="one finite number for each of 30 units"):
        informative_units(counts, lambda r, v: 1.0)
    with pytest.raises(UnknownName, match="bonferroni"):
        informative_units(counts, bits, correction="bonferoni")
