"""How the simulated units answer bars that drift over a grid, for receptive field maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratoscope.testing.rat.simulate import RatArea
from stratoscope.types import Floats

#: The grid of Tafazoli et al. 2017: 6 x 11 cells of 10 degrees.
AZIMUTHS, ELEVATIONS = np.arange(-50.0, 51.0, 10.0), np.arange(25.0, -26.0, -10.0)
ORIENTATIONS = (0.0, 45.0, 90.0, 135.0)


@dataclass(frozen=True)
class BarResponses:
    """Responses to drifting bars: counts (presentation, unit), and what was shown (presentation,)."""

    counts: Floats
    azimuth: Floats
    elevation: Floats
    orientation: Floats


def bar_responses(area: RatArea, *, n_trials: int = 10, gain: float = 4.0, seed: int = 0) -> BarResponses:
    """Simulate Poisson counts to bars in every cell of the grid, in four orientations.

    Parameters
    ----------
    area : RatArea
        The units.
    n_trials : int
        Sweeps of each cell and orientation.
    gain : float
        Mean count at the centre of a receptive field, times the mean count of the unit.
    seed : int
        Seed of the counts.
    """
    up, across, angle, _ = (
        one.ravel() for one in np.meshgrid(ELEVATIONS, AZIMUTHS, ORIENTATIONS, np.arange(n_trials), indexing="ij")
    )
    tuning = area.tuning
    away = ((across[:, None] - tuning.centre[:, 0]) / tuning.sigma[:, 0]) ** 2
    away = away + ((up[:, None] - tuning.centre[:, 1]) / tuning.sigma[:, 1]) ** 2
    rate = tuning.expected.mean(axis=0) * gain * np.exp(-away / 2) + tuning.spontaneous * 0.15
    return BarResponses(np.random.default_rng(seed).poisson(rate).astype(np.float64), across, up, angle)
