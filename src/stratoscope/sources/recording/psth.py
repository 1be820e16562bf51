"""Firing rates around the onset of the stimulus, and the latencies read from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.sources.recording.counting import Window, checked_window, onsets, rows_by_session, watched
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.types import Floats, Integers

#: Most time bins a histogram may have; more is a mistake in the width of a bin.
MOST_BINS = 100_000


@dataclass(frozen=True)
class Psth:
    """Peristimulus time histograms.

    Attributes
    ----------
    rate : array (unit, bin), or (stimulus, unit, bin)
        Mean firing rate in spikes per second; NaN where a unit has no presentation.
    edges : array (bin + 1,)
        Edges of the bins, in seconds after onset.
    n : array (unit,), or (stimulus, unit)
        Presentations each histogram is the mean of.
    """

    rate: Floats
    edges: Floats
    n: Integers

    @property
    def centres(self) -> Floats:
        """Centre of every bin, (bin,)."""
        return np.asarray((self.edges[1:] + self.edges[:-1]) / 2)


def psth(spikes: Spikes, window: Window = (-0.1, 0.4), *, bin: float = 0.01, by_stimulus: bool = False) -> Psth:
    """Return the firing rate of every unit around the onset of the stimulus.

    Parameters
    ----------
    spikes : Spikes
        Sorted spike times and presentations.
    window : (float, float)
        Begin and end in seconds after onset; cut to whole bins.
    bin : float
        Width of a bin in seconds.
    by_stimulus : bool
        A histogram for each stimulus, in the order of ``spikes.presentations.stimuli``, instead of one over all.

    Returns
    -------
    Psth

    Raises
    ------
    BadInput
        A window shorter than a bin, or with too many of them.

    Notes
    -----
    Each spike within the window is looked at once: O(spikes in windows), whatever the number of bins.

    When it misleads: over all stimuli a unit that answers few of them looks weak and late.
    """
    edges = _bins(window, bin)
    codes = spikes.presentations.codes if by_stimulus else np.zeros(len(spikes.presentations), dtype=np.int64)
    n_codes = len(spikes.presentations.stimuli) if by_stimulus else 1
    rate = np.full((n_codes, len(spikes.units), len(edges) - 1), np.nan)
    n = np.zeros((n_codes, len(spikes.units)), dtype=np.int64)
    rows_of, onset = rows_by_session(spikes), onsets(spikes)[0]
    for unit, train in enumerate(spikes.times):
        rows = rows_of[str(spikes.units.session[unit])]
        rows = rows[watched(spikes, unit, onset[rows] + edges[0], onset[rows] + edges[-1])]
        n[:, unit] = np.bincount(codes[rows], minlength=n_codes)
        counts = _histogram(train, onset[rows], codes[rows], edges, n_codes)
        rate[:, unit] = counts / np.where(n[:, unit] > 0, n[:, unit], np.nan)[:, None] / bin
    return Psth(rate, edges, n) if by_stimulus else Psth(rate[0], edges, n[0])


def latencies(
    spikes: Spikes,
    *,
    window: Window = (0.0, 0.3),
    baseline: Window = (-0.1, 0.0),
    fraction: float = 0.2,
    bin: float = 0.01,
) -> Floats:
    """Return when the response of every unit first rises towards its peak, in seconds after onset.

    Parameters
    ----------
    spikes : Spikes
        Sorted spike times and presentations.
    window : (float, float)
        Where the peak is looked for.
    baseline : (float, float)
        Where there is no response yet.
    fraction : float
        Part of the height of the peak above the baseline that marks the latency: 0.2 after Tafazoli et al. (2017),
        doi:10.7554/eLife.22794.
    bin : float
        Width of the bins of the histogram, in seconds; the latency is interpolated between their centres.

    Returns
    -------
    array (unit,)
        NaN for a unit that nowhere in the window rises above its baseline, or fires there from the first bin on.

    Raises
    ------
    BadInput
        A fraction not between 0 and 1, or windows that hold no bin.

    Notes
    -----
    The histogram is that over all stimuli. From its peak one walks back to the last bin below ``baseline + fraction x
    (peak - baseline)``, because the first bin above it may be noise long before the response.

    When it misleads: every histogram has a largest bin. The latency of a unit that does not respond is noise: choose
    responsive units first. A unit that is suppressed has none. Wide bins make latencies early by up to half a bin.
    """
    if not 0 < fraction < 1:
        raise BadInput(
            f"The fraction of the peak must lie between 0 and 1; it is {fraction}. Tafazoli et al. took 0.2."
        )
    begin, end = _bins(baseline, bin)[[0, -1]]
    after = psth(spikes, window, bin=bin)
    before = psth(spikes, (begin, end), bin=bin).rate.mean(1)
    return np.array([_rise(rate, rest, after.centres, fraction) for rate, rest in zip(after.rate, before, strict=True)])


def _rise(rate: Floats, rest: float, centres: Floats, fraction: float) -> float:
    """Walk back from the peak to where `rate` was last below the threshold."""
    if not np.isfinite(rate).all() or rate.max() <= rest:
        return float("nan")
    peak, threshold = int(rate.argmax()), rest + fraction * (rate.max() - rest)
    below = np.flatnonzero(rate[:peak] < threshold)
    if not len(below):
        return float("nan")
    last = int(below[-1])
    return float(np.interp(threshold, rate[last : last + 2], centres[last : last + 2]))


def _histogram(train: Floats, onset: Floats, codes: Integers, edges: Floats, n_codes: int) -> Floats:
    """Count the spikes of one unit by stimulus and bin, (code, bin)."""
    first, last = np.searchsorted(train, onset + edges[0]), np.searchsorted(train, onset + edges[-1])
    found = last - first
    places = np.repeat(first - (np.cumsum(found) - found), found) + np.arange(found.sum())
    n_bins, width = len(edges) - 1, edges[1] - edges[0]
    bins = np.floor((train[places] - np.repeat(onset, found) - edges[0]) / width).astype(np.int64)
    flat = np.repeat(codes, found) * n_bins + np.clip(bins, 0, n_bins - 1)
    return np.bincount(flat, minlength=n_codes * n_bins).reshape(n_codes, n_bins).astype(np.float64)


def _bins(window: Window, bin: float) -> Floats:
    begin, end = checked_window(window, "window")
    n = int(np.floor((end - begin) / bin + 1e-9)) if np.isfinite(bin) and bin > 0 else 0
    if not 1 <= n <= MOST_BINS:
        raise BadInput(
            f"Bins of {bin:g} s must fit 1 to {MOST_BINS} times into the window from {begin:g} to {end:g} s. Give for "
            "example bin=0.01."
        )
    return np.asarray(begin + bin * np.arange(n + 1), dtype=np.float64)
