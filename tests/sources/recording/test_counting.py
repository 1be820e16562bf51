import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from stratoscope.errors import BadInput, UnknownName
from stratoscope.sources.recording import Presentations, Spikes, Units, count_spikes


def slowly(spikes, begin, end):
    """Count by comparing every spike with every window."""
    onset, session = spikes.presentations.onset, spikes.presentations.session
    counts = np.full((len(onset), len(spikes.units)), np.nan)
    for p, u in np.ndindex(counts.shape):
        if session[p] == spikes.units.session[u]:
            t = spikes.times[u] - onset[p]
            counts[p, u] = np.sum((t >= begin) & (t < end))
    return counts


def test_the_begin_of_a_window_belongs_to_it_and_the_end_does_not(known):
    nan = np.nan
    expected = [[2, 0, nan], [1, 0, nan], [1, 0, nan], [nan, nan, 2], [nan, nan, 1]]
    np.testing.assert_array_equal(count_spikes(known).counts, expected)
    np.testing.assert_array_equal(count_spikes(known, (0, 1)).counts, expected)


def test_counts_agree_with_comparing_every_spike(random_spikes):
    np.testing.assert_array_equal(count_spikes(random_spikes, (0.05, 0.2)).counts, slowly(random_spikes, 0.05, 0.2))


def test_a_law_splitting_a_window_splits_the_counts(random_spikes):
    whole = count_spikes(random_spikes, (-0.1, 0.3)).counts
    parts = count_spikes(random_spikes, (-0.1, 0.1)).counts + count_spikes(random_spikes, (0.1, 0.3)).counts
    np.testing.assert_array_equal(whole, parts)


def test_a_latency_puts_off_the_window_of_its_unit(random_spikes):
    late = np.linspace(0, 0.1, 40)
    counts = count_spikes(random_spikes, (0, 0.15), latency=late)
    for unit in (0, 17, 39):
        alone = count_spikes(random_spikes.take_units([unit]), (late[unit], late[unit] + 0.15))
        np.testing.assert_array_equal(counts.counts[:, unit], alone.counts[:, 0])
    assert counts.counted == "spikes from 0 to 0.15 s after the latency of the unit"


def test_the_order_of_presentations_does_not_matter(random_spikes, rng):
    turned = rng.permutation(len(random_spikes.presentations))
    again = Spikes(random_spikes.times, random_spikes.units, random_spikes.presentations.take(turned))
    np.testing.assert_array_equal(count_spikes(random_spikes).counts[turned], count_spikes(again).counts)


def test_a_baseline_is_subtracted_at_its_rate(known):
    minus = count_spikes(known, baseline=(-0.5, 0))  # spikes of a: one at 0.5 of 3 x 0.5 s before the onsets
    np.testing.assert_allclose(minus.counts[:3, 0], np.array([2, 1, 1]) - 1 / 1.5)
    each = count_spikes(known, baseline=(-0.5, 0), baseline_per="presentation")
    np.testing.assert_allclose(each.counts[:3, 0], [2 - 2, 1, 1])
    assert "minus the baseline from -0.5 to 0 s of each presentation" in each.counted


def test_a_unit_that_was_not_watched_has_no_count(known):
    watched = Spikes(known.times, known.units, known.presentations, ([[0, 3.5], [4.5, 6]], None, []))
    with pytest.raises(BadInput, match="Unit 'c' .* has no count in any presentation"):
        count_spikes(watched)
    np.testing.assert_array_equal(count_spikes(watched.take_units([0])).counts[:3, 0], [2, np.nan, 1])


@pytest.mark.parametrize("window", [(0.2, 0.1), (0, np.inf), (np.nan, 1)])
def test_a_window_must_end_after_it_begins(known, window):
    with pytest.raises(BadInput, match="The window must be two finite times"):
        count_spikes(known, window)


def test_latencies_must_be_known_for_every_unit(known):
    with pytest.raises(BadInput, match=r"Unit 'b' \(row 1 of the table of units\) has no latency"):
        count_spikes(known, (0, 0.15), latency=[0.05, np.nan, 0.05])
    with pytest.raises(BadInput, match="one for each of the 3 units"):
        count_spikes(known, (0, 0.15), latency=[0.05])


def test_a_wrong_baseline_is_refused(known):
    with pytest.raises(UnknownName, match="'presentation'"):
        count_spikes(known, baseline=(-0.5, 0), baseline_per="presentations")
    with pytest.raises(BadInput, match="The baseline must be"):
        count_spikes(known, baseline=(0, -0.5))


def test_a_unit_that_never_fired_counts_zero():
    spikes = Spikes([[]], Units("p", "V1"), Presentations(["a"], [0], [1]))
    assert count_spikes(spikes).counts.tolist() == [[0.0]]


def test_rates_are_counts_by_the_length_of_the_window(random_spikes):
    counts, rates = (count_spikes(random_spikes, (0, 0.2), baseline=(-0.1, 0), rate=rate) for rate in (False, True))
    np.testing.assert_allclose(rates.counts, counts.counts / 0.2)
    assert rates.counted.startswith("spikes a second from 0 to 0.2 s")


@settings(max_examples=60, deadline=None)
@given(
    trains=some.lists(some.lists(some.integers(0, 40), max_size=12), min_size=1, max_size=3),
    onsets=some.lists(some.integers(0, 40), min_size=1, max_size=6),
    begin=some.integers(-8, 8),
    length=some.integers(1, 8),
)
def test_any_spikes_and_windows_count_as_by_hand_ties_with_edges_among_them(trains, onsets, begin, length):
    eighths = [np.sort(train) / 8 for train in trains]
    onset = np.array(onsets) / 8
    spikes = Spikes(eighths, Units(range(len(trains)), "V1"), Presentations(["a"] * len(onsets), onset, onset + 1))
    window = (begin / 8, (begin + length) / 8)
    np.testing.assert_array_equal(count_spikes(spikes, window).counts, slowly(spikes, *window))


def test_aligned_repeats_of_sessions_share_rows_and_lose_nothing(random_spikes):
    apart = count_spikes(random_spikes, (0, 0.2), baseline=(-0.1, 0), baseline_per="presentation", rate=True)
    together = count_spikes(
        random_spikes, (0, 0.2), baseline=(-0.1, 0), baseline_per="presentation", rate=True, aligned=True
    )
    assert len(together.presentations) < 0.6 * len(apart.presentations)
    order = [together.stimuli.index(id_) for id_ in apart.stimuli]
    np.testing.assert_array_equal(together.n_trials()[order], apart.n_trials())
    np.testing.assert_allclose(together.mean()[order], apart.mean())
    np.testing.assert_array_equal(np.isfinite(together.counts).sum(), np.isfinite(apart.counts).sum())


def test_a_law_aligning_one_session_only_sorts_it(random_spikes):
    one = random_spikes.take_units(random_spikes.units.session == "0")
    own = Spikes(one.times, one.units, one.presentations.take(np.arange(180)))
    counts, sorted_ = count_spikes(own), count_spikes(own, aligned=True)
    order = np.lexsort((np.asarray(own.presentations.trial), own.presentations.codes))
    np.testing.assert_array_equal(counts.counts[order], sorted_.counts)
    assert sorted_.presentations.stimulus.tolist() == own.presentations.stimulus[order].tolist()
