"""From spikes to counts: how often every unit fired within a window of every presentation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.types import Floats, Integers

#: Seconds, from the onset of the stimulus.
Window = tuple[float, float]
BASELINE_PER = ("unit", "presentation")


def count_spikes(
    spikes: Spikes,
    window: Window | None = None,
    *,
    latency: Any = None,
    baseline: Window | None = None,
    baseline_per: Literal["unit", "presentation"] = "unit",
    rate: bool = False,
) -> TrialCounts:
    """Count the spikes of every unit in every presentation of its session.

    Parameters
    ----------
    spikes : Spikes
        Sorted spike times and presentations.
    window : (float, float), optional
        Begin and end of the counting window in seconds after onset; the begin belongs to it, the end does not. By
        default from the onset to the offset of each presentation.
    latency : array (unit,), optional
        Seconds by which the window of each unit is put off, as `latencies` finds them: with ``window=(0, 0.15)`` the
        150 ms from the latency of the unit, after Tafazoli et al. (2017), doi:10.7554/eLife.22794.
    baseline : (float, float), optional
        Window, in seconds after onset, whose rate times the length of the counting window is subtracted. It lies where
        the stimulus has no effect yet, such as ``(-0.1, 0)``, and is not put off by `latency`.
    baseline_per : {'unit', 'presentation'}
        Whether the baseline of a unit is its mean over all presentations, or that of the presentation itself.
    rate : bool
        Divide by the length of the window: spikes per second.

    Returns
    -------
    TrialCounts
        Counts (presentation, unit); NaN in other sessions, and where the unit was not watched throughout.

    Raises
    ------
    BadInput
        A window that does not end after it begins, a latency that is not finite.

    Notes
    -----
    Two binary searches a unit and presentation in its sorted spikes: O(units x presentations x log spikes).

    When it misleads: a fixed window favours areas with short latencies, one from the latency units whose latency is
    certain. A baseline per presentation adds the noise of the baseline to every trial, and counts below zero, of which
    sparseness and binned information make something else than of counts.
    """
    if baseline_per not in BASELINE_PER:
        raise unknown_name("way to take a baseline", baseline_per, BASELINE_PER)
    delays = _delays(latency, spikes)
    begin, end = _edges(spikes, window)
    counts = _count(spikes, begin, end, delays)
    if baseline is not None:
        counts = counts - _expected(spikes, checked_window(baseline, "baseline"), end - begin, baseline_per)
    if rate:
        counts = counts / (end - begin)[:, None]
    words = _words(window, latency is not None, baseline, baseline_per, rate)
    return TrialCounts(counts, spikes.units, spikes.presentations, words)


def rows_by_session(spikes: Spikes) -> dict[str, Integers]:
    """Return the rows of the table of presentations that belong to each session."""
    session = spikes.presentations.session
    return {name: np.flatnonzero(session == name) for name in dict.fromkeys(session.tolist())}


def watched(spikes: Spikes, unit: int, begin: Floats, end: Floats) -> Any:
    """Say for each window from `begin` to `end` whether `unit` was watched throughout."""
    intervals = None if spikes.observed is None else spikes.observed[unit]
    if intervals is None:
        return np.ones(len(begin), dtype=bool)
    if not len(intervals):
        return np.zeros(len(begin), dtype=bool)
    inside = np.searchsorted(intervals[:, 0], begin, side="right") - 1
    return (inside >= 0) & (end <= intervals[np.maximum(inside, 0), 1])


def onsets(spikes: Spikes) -> tuple[Floats, Floats]:
    """Return onsets and offsets (presentation,), which spikes always have."""
    return np.asarray(spikes.presentations.onset), np.asarray(spikes.presentations.offset)


def _count(spikes: Spikes, begin: Floats, end: Floats, delays: Floats) -> Floats:
    """Count in windows from `begin` to `end` (presentation,), put off by `delays` (unit,)."""
    counts = np.full((len(begin), len(spikes.units)), np.nan)
    rows_of = rows_by_session(spikes)
    for unit, train in enumerate(spikes.times):
        rows = rows_of[str(spikes.units.session[unit])]
        first, last = begin[rows] + delays[unit], end[rows] + delays[unit]
        found = np.searchsorted(train, last) - np.searchsorted(train, first)
        counts[rows, unit] = np.where(watched(spikes, unit, first, last), found, np.nan)
    return counts


def _expected(spikes: Spikes, baseline: Window, length: Floats, per: str) -> Floats:
    """Return the counts that the baseline rate makes in windows of `length` (presentation,)."""
    onset, _ = onsets(spikes)
    counts = _count(spikes, onset + baseline[0], onset + baseline[1], np.zeros(len(spikes.units)))
    rate = counts / (baseline[1] - baseline[0])
    if per == "unit":
        there = np.isfinite(rate)
        rate = np.where(there, rate, 0.0).sum(0) / np.where(there.any(0), there.sum(0), np.nan)
    return np.asarray(length[:, None] * rate)


def _edges(spikes: Spikes, window: Window | None) -> tuple[Floats, Floats]:
    onset, offset = onsets(spikes)
    if window is None:
        return onset, offset
    begin, end = checked_window(window, "window")
    return onset + begin, onset + end


def checked_window(window: Window, name: str) -> Window:
    """Return begin and end of a window, refused unless they are finite and in order."""
    begin, end = (float(edge) for edge in window)
    if not (np.isfinite([begin, end]).all() and begin < end):
        raise BadInput(
            f"The {name} must be two finite times in seconds after onset, the first before the second; it is "
            f"({begin:g}, {end:g}). Give for example (0, 0.15)."
        )
    return begin, end


def _delays(latency: Any, spikes: Spikes) -> Floats:
    n = len(spikes.units)
    if latency is None:
        return np.zeros(n)
    delays = np.asarray(latency, dtype=np.float64)
    if delays.shape != (n,):
        raise BadInput(f"Latencies must be one for each of the {n} units; their shape is {delays.shape}.")
    lost = np.flatnonzero(~np.isfinite(delays))
    if len(lost):
        raise BadInput(
            f"Unit {spikes.units.ids[lost[0]]!r} (row {lost[0]} of the table of units) has no latency, and so do "
            f"{len(lost) - 1} other units: none is found where nothing rises after onset. Leave these units out with "
            "take_units(np.isfinite(latency)), or count in a fixed window."
        )
    return delays


def _words(window: Window | None, late: bool, baseline: Window | None, per: str, rate: bool) -> str:
    where = "from onset to offset" if window is None else f"from {window[0]:g} to {window[1]:g} s"
    after = " after the latency of the unit" if late else "" if window is None else " after onset"
    minus = "" if baseline is None else f", minus the baseline from {baseline[0]:g} to {baseline[1]:g} s of each {per}"
    return f"spikes{' a second' if rate else ''} {where}{after}{minus}"
