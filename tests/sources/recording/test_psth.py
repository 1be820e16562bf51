import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.sources.recording import Presentations, Spikes, Units, count_spikes, latencies, psth


def stepping(rng, steps, *, rest=8.0, high=60.0, n=300, off=0.25):
    """Units whose rate steps from `rest` to `high` at a latency each and back at `off`, by Poisson spikes."""
    onset = 1.0 + 0.6 * np.arange(n)
    times = []
    for step in steps:
        back = rng.uniform(0, onset[-1] + 1, rng.poisson(rest * (onset[-1] + 1)))
        up = [rng.uniform(t + step, t + off, rng.poisson((high - rest) * (off - step))) for t in onset]
        times.append(np.sort(np.concatenate([back, *up])))
    shown = Presentations([f"s{k % 5}" for k in range(n)], onset, onset + 0.25)
    return Spikes(times, Units(range(len(steps)), "V1"), shown)


def test_every_bin_is_the_mean_count_of_its_window(random_spikes):
    found = psth(random_spikes, (-0.1, 0.2), bin=0.05)
    assert found.rate.shape == (40, 6)
    for k in range(6):
        counts = count_spikes(random_spikes, (found.edges[k], found.edges[k + 1])).counts
        np.testing.assert_allclose(found.rate[:, k], np.nanmean(counts, 0) / 0.05, atol=0.25)


def test_bins_of_one_window_hold_exactly_its_spikes(random_spikes):
    found = psth(random_spikes, (0, 0.25), bin=0.05)
    totals = np.nansum(count_spikes(random_spikes, (0, 0.25)).counts, 0)
    np.testing.assert_allclose((found.rate * 0.05).sum(1) * found.n, totals)


def test_histograms_by_stimulus_average_to_that_over_all(random_spikes):
    each = psth(random_spikes, bin=0.02, by_stimulus=True)
    both = psth(random_spikes, bin=0.02)
    weighted = np.nansum(each.rate * each.n[:, :, None], 0) / each.n.sum(0)[:, None]
    np.testing.assert_allclose(weighted, both.rate)
    np.testing.assert_array_equal(each.n.sum(0), both.n)


def test_presentations_a_unit_was_not_watched_in_do_not_count():
    shown = Presentations("aa", [1, 3], [2, 4])
    spikes = Spikes([[1.05, 3.05]], Units("p", "V1"), shown, ([[0, 2]],))
    found = psth(spikes, (0, 0.1), bin=0.1)
    assert found.n.tolist() == [1]
    np.testing.assert_allclose(found.rate, [[10.0]])


@pytest.mark.parametrize("bin", [0, -1, 1.0, np.nan, 1e-9])
def test_bins_must_fit_the_window(random_spikes, bin):
    with pytest.raises(BadInput, match="must fit 1 to"):
        psth(random_spikes, (0, 0.5), bin=bin)


def test_latencies_are_found_where_the_rate_steps(rng):
    steps = [0.035, 0.06, 0.085, 0.12]
    np.testing.assert_allclose(latencies(stepping(rng, steps)), steps, atol=0.008)


def test_a_unit_without_a_rise_has_no_latency(rng):
    down = stepping(rng, [0.05], rest=60.0, high=60.0)
    silent = Spikes([[]], Units("p", "V1"), down.presentations)
    assert np.isnan(latencies(silent)).all()
    with pytest.raises(BadInput, match="fraction of the peak must lie between 0 and 1"):
        latencies(silent, fraction=1.0)


def test_noise_before_the_response_does_not_make_it_early(rng):
    spikes = stepping(rng, [0.1], rest=2.0, high=40.0)
    early = np.sort(np.append(spikes.times[0], np.asarray(spikes.presentations.onset)[:120] + 0.015))
    found = latencies(Spikes([early], spikes.units, spikes.presentations))
    np.testing.assert_allclose(found, 0.1, atol=0.008)
