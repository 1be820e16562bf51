"""From spikes to counts: how often every unit fired within a window of every presentation."""

from __future__ import annotations

from dataclasses import dataclass
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
    aligned: bool = False,
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
    aligned : bool
        Give the repeats with one number of a stimulus, in all sessions, one row. Of many sessions the table is then no
        longer than of one; units of different sessions share rows, but no noise.

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
    begin, end = _edges(spikes, window)
    way = _Way(begin, end, _delays(latency, spikes), _baseline(baseline), baseline_per == "unit", rate)
    shown, place = spikes.presentations.aligned() if aligned else (spikes.presentations, np.arange(len(begin)))
    counts = np.full((len(shown), len(spikes.units)), np.nan)
    rows_of = rows_by_session(spikes)
    for unit, session in enumerate(spikes.units.session.tolist()):
        rows = rows_of[session]
        counts[place[rows], unit] = _of_unit(spikes, unit, rows, way)
    words = _words(window, latency is not None, baseline, baseline_per, rate)
    return TrialCounts(counts, spikes.units, shown, words)


@dataclass(frozen=True)
class _Way:
    """How presentations are counted: windows (presentation,), delays (unit,), baseline, and what is divided by."""

    begin: Floats
    end: Floats
    delays: Floats
    baseline: Window | None
    baseline_per_unit: bool
    rate: bool


def _of_unit(spikes: Spikes, unit: int, rows: Integers, way: _Way) -> Floats:
    """Count one unit in the presentations in `rows`."""
    begin, end = way.begin[rows], way.end[rows]
    counts = _found(spikes, unit, begin + way.delays[unit], end + way.delays[unit])
    if way.baseline is not None:
        onset = onsets(spikes)[0][rows]
        before = _found(spikes, unit, onset + way.baseline[0], onset + way.baseline[1])
        if way.baseline_per_unit:
            before = before[np.isfinite(before)].mean() if np.isfinite(before).any() else np.full(len(rows), np.nan)
        counts = counts - (end - begin) * before / (way.baseline[1] - way.baseline[0])
    return counts / (end - begin) if way.rate else counts


def _found(spikes: Spikes, unit: int, begin: Floats, end: Floats) -> Floats:
    """Count the spikes of a unit in windows; NaN where it was not watched throughout."""
    train = spikes.times[unit]
    found = np.searchsorted(train, end) - np.searchsorted(train, begin)
    return np.where(watched(spikes, unit, begin, end), found.astype(np.float64), np.nan)


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


def _baseline(window: Window | None) -> Window | None:
    return None if window is None else checked_window(window, "baseline")


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
