"""What the simulated rat is made of: sizes after Tafazoli et al. 2017, and tuning that changes along its areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stratoscope.errors import BadInput

PAPER = "after Tafazoli et al. 2017, doi:10.7554/eLife.22794"
#: Length of the counting window from the latency of a unit, of a stimulus, and of a stimulus with its blank, seconds.
WINDOW, ON, PERIOD = 0.15, 0.25, 0.5


@dataclass(frozen=True)
class AreaDesign:
    """One simulated area.

    Attributes
    ----------
    name : str
        Name of the area.
    n_units : int
        Number of units.
    n_trials : int
        Mean number of presentations of every stimulus; single stimuli have up to two more or fewer.
    luminance, objects, views : float
        Standard deviation over stimuli that each kind of tuning gives to the logarithm of the rate: to luminance in the
        receptive field, to the object whatever its view, and to single views. Median over units.
    field : float
        Median standard deviation of the Gaussian receptive fields, degrees.
    latency : float
        Median latency, seconds.
    mean_count : float
        Median over units of the mean count in the window.
    """

    name: str
    n_units: int
    n_trials: int
    luminance: float
    objects: float
    views: float
    field: float
    latency: float
    mean_count: float = 1.0

    def __post_init__(self) -> None:
        weights = (self.luminance, self.objects, self.views)
        if min(self.n_units, self.n_trials) < 1 or min(weights) < 0 or min(self.field, self.mean_count) <= 0:
            raise BadInput(
                f"An area has units, trials, a field and a mean count above 0 and weights of 0 and up: {self}."
            )
        if not 0 < self.latency <= ON - WINDOW / 2:
            raise BadInput(
                f"Area {self.name!r} has the latency {self.latency:g} s; latencies lie between 0 and 0.175 s."
            )


#: Information about luminance falls along these areas, information about objects rises; the rest is about even.
RAT_AREAS = (
    AreaDesign("V1", 228, 26, luminance=0.42, objects=0.10, views=0.20, field=15.0, latency=0.045),
    AreaDesign("LM", 131, 25, luminance=0.33, objects=0.14, views=0.18, field=18.0, latency=0.055),
    AreaDesign("LI", 260, 27, luminance=0.27, objects=0.19, views=0.15, field=24.0, latency=0.065),
    AreaDesign("LL", 152, 28, luminance=0.20, objects=0.25, views=0.12, field=30.0, latency=0.075),
)
_EVENED = ("luminance", "objects", "views", "field", "latency", "mean_count")


def rat_areas(*, effects: bool = True, size: float = 1.0, n_trials: int | None = None) -> tuple[AreaDesign, ...]:
    """Return the four areas.

    Parameters
    ----------
    effects : bool
        With False every area has the mean tuning, field, latency and rate of the four; numbers of units and trials stay.
    size : float
        Share of the units, 0 to 1, at least 8 an area, for small tests.
    n_trials : int, optional
        Mean number of trials in every area, in place of their own.
    """
    if not 0 < size <= 1:
        raise BadInput(f"The share of units lies above 0 and at most at 1, but {size!r} came.")
    areas = RAT_AREAS if effects else evened(RAT_AREAS)
    return tuple(
        replace(area, n_units=max(8, round(size * area.n_units)), n_trials=n_trials or area.n_trials) for area in areas
    )


def evened(areas: Sequence[AreaDesign]) -> tuple[AreaDesign, ...]:
    """Return the areas without any difference but in numbers of units and trials."""
    means = {name: sum(getattr(area, name) for area in areas) / len(areas) for name in _EVENED}
    return tuple(replace(area, **means) for area in areas)
