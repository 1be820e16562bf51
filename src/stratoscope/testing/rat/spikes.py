"""Spikes of the simulated rat in time: every count becomes that many spikes in its window, others fall around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from stratoscope.testing.rat.design import ON, PERIOD, WINDOW
from stratoscope.testing.rat.simulate import RatArea, SimulatedRat
from stratoscope.types import Floats, Integers

#: Seconds before the first stimulus of a session.
LEAD = 1.0
#: After the latency the rate falls from its peak by `FALL` with this time constant, seconds, to a plateau.
TIME_CONSTANT, FALL = 0.04, 0.7


@dataclass(frozen=True)
class Session:
    """What one area was shown, in random order, and when it fired.

    Attributes
    ----------
    area : str
        Name of the area; each was recorded in a session of its own.
    stimulus, trial : array (presentation,)
        Row of the stimulus in the scenes, and its repeat: ``counts[trial, stimulus]`` are the counts.
    onset : array (presentation,)
        Seconds; the stimulus is on for 250 ms, and a blank of 250 ms follows.
    times : tuple of array (spike,)
        Sorted spike times of each unit, seconds.
    """

    area: str
    stimulus: Integers
    trial: Integers
    onset: Floats
    times: tuple[Floats, ...]


def rat_sessions(rat: SimulatedRat) -> tuple[Session, ...]:
    """Return a session for each area, the same for the same rat.

    The spikes in the 150 ms from a unit's latency are as many as its count says. Within the response, which lasts from the
    latency for 250 ms, evoked spikes have a transient and a plateau; spontaneous ones fall anywhere.
    """
    return tuple(_session(area, np.random.default_rng((rat.seed, 7, at))) for at, area in enumerate(rat.areas))


def _session(area: RatArea, rng: np.random.Generator) -> Session:
    trial, stimulus = np.nonzero(np.isfinite(area.counts[:, :, 0]))
    order = rng.permutation(len(trial))
    trial, stimulus = trial[order], stimulus[order]
    onset: Floats = LEAD + PERIOD * np.arange(len(order), dtype=np.float64)
    times = tuple(_trains(area, trial, stimulus, onset, rng))
    return Session(area.name, stimulus, trial, onset, times)


def _trains(
    area: RatArea, trial: Integers, stimulus: Integers, onset: Floats, rng: np.random.Generator
) -> Iterator[Floats]:
    tuning = area.tuning
    late = _evoked_share(WINDOW, ON)
    for unit, latency in enumerate(tuning.latency):
        spontaneous = tuning.spontaneous[unit]
        evoked = tuning.expected[stimulus, unit] - spontaneous * WINDOW
        counted = area.counts[trial, stimulus, unit].astype(np.int64)
        parts = [
            _in_window(counted, evoked / (evoked + spontaneous * WINDOW), rng),
            _drawn(rng.poisson(evoked * late), lambda n: _response_times(n, WINDOW, ON, rng)),
            _drawn(
                rng.poisson(spontaneous * (PERIOD - WINDOW), len(onset)),
                lambda n: rng.uniform(WINDOW - PERIOD, 0.0, n),
            ),
        ]
        train = np.concatenate([onset[at] + latency + after for at, after in parts])
        yield np.sort(train)


def _in_window(counted: Integers, share: Floats, rng: np.random.Generator) -> tuple[Integers, Floats]:
    """Place the counted spikes within the window: evoked with probability `share`, else spontaneous."""
    at = np.repeat(np.arange(len(counted)), counted)
    evoked = rng.random(len(at)) < share[at]
    after = rng.uniform(0.0, WINDOW, len(at))
    after[evoked] = _response_times(int(evoked.sum()), 0.0, WINDOW, rng)
    return at, after


def _drawn(counted: Integers, times: Callable[[int], Floats]) -> tuple[Integers, Floats]:
    at = np.repeat(np.arange(len(counted)), counted)
    return at, times(len(at))


def _cumulative(after: Floats | float) -> Floats:
    """Return the integral of the shape of the response from its latency to `after` seconds later."""
    t = np.asarray(after, dtype=np.float64)
    return np.asarray((1 - FALL) * t + FALL * TIME_CONSTANT * (1 - np.exp(-t / TIME_CONSTANT)))


def _evoked_share(begin: float, end: float) -> float:
    """Return expected evoked spikes from `begin` to `end` after the latency, for each in the window."""
    return float((_cumulative(end) - _cumulative(begin)) / _cumulative(WINDOW))


def _response_times(n: int, begin: float, end: float, rng: np.random.Generator) -> Floats:
    """Draw `n` times after the latency from the shape of the response, by its inverse on a fine grid."""
    grid = np.linspace(begin, end, 501)
    heights = _cumulative(grid)
    return np.asarray(np.interp(rng.uniform(heights[0], heights[-1], n), heights, grid))
