"""A simulated rat: four areas that answer rendered objects with Poisson counts, and the truth about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stratoscope.errors import unknown_name
from stratoscope.testing.rat.design import AreaDesign, rat_areas
from stratoscope.testing.rat.scenes import Scenes, rat_scenes
from stratoscope.testing.rat.tuning import Tuning, tuned_units
from stratoscope.types import Floats, Integers


@dataclass(frozen=True)
class RatArea:
    """One simulated area.

    Attributes
    ----------
    design : AreaDesign
        What it was made from.
    tuning : Tuning
        The truth: receptive fields, latencies, luminance in the field, expected counts.
    counts : array (trial, stimulus, unit)
        Poisson counts in the 150 ms from the latency of each unit; NaN where a stimulus was shown less often.
    """

    design: AreaDesign
    tuning: Tuning
    counts: Floats

    @property
    def name(self) -> str:
        """Name of the area."""
        return self.design.name

    @property
    def n_trials(self) -> Integers:
        """How often every stimulus was shown (stimulus,)."""
        return np.asarray(np.isfinite(self.counts[:, :, 0]).sum(axis=0), dtype=np.int64)


@dataclass(frozen=True)
class SimulatedRat:
    """A simulated recording, never a real one.

    Attributes
    ----------
    scenes : Scenes
        What was shown.
    areas : tuple of RatArea
        In the order of the hierarchy, first V1.
    seed : int
        Seed of everything.
    effects : bool
        Whether the areas differ in tuning.
    """

    scenes: Scenes
    areas: tuple[RatArea, ...]
    seed: int
    effects: bool

    @property
    def name(self) -> str:
        """Say that this was simulated, wherever a name is printed."""
        return f"simulated rat, seed {self.seed}{'' if self.effects else ', no effects'}"

    @property
    def counts(self) -> Mapping[str, Floats]:
        """Counts (trial, stimulus, unit) by area."""
        return {area.name: area.counts for area in self.areas}

    def area(self, name: str) -> RatArea:
        """Return one area by name."""
        for area in self.areas:
            if area.name == name:
                return area
        raise unknown_name("area", name, [area.name for area in self.areas])


def simulate_rat(
    *,
    effects: bool = True,
    size: float = 1.0,
    n_trials: int | None = None,
    areas: Sequence[AreaDesign] | None = None,
    scenes: Scenes | None = None,
    seed: int = 0,
) -> SimulatedRat:
    """Simulate a recording with the numbers of units and trials of Tafazoli et al. 2017.

    Four areas V1, LM, LI and LL with 228, 131, 260 and 152 units and about 26, 25, 27 and 28 trials of 380 stimuli (10 objects
    in 38 views). Along them tuning to luminance gets weaker, tuning to objects stronger, receptive fields larger, and
    latencies longer.

    Parameters
    ----------
    effects : bool
        With False nothing differs between areas but their numbers of units and trials, so that nothing should be found.
    size : float
        Share of the units to simulate.
    n_trials : int, optional
        Mean number of trials of every stimulus in all areas, in place of their own.
    areas : sequence of AreaDesign, optional
        Other areas than these, to which `effects`, `size` and `n_trials` do not apply.
    scenes : Scenes, optional
        What `rat_scenes` rendered, so as not to render it again.
    seed : int
        Seed of everything.

    References
    ----------
    Tafazoli, Safaai, De Franceschi et al. 2017, doi:10.7554/eLife.22794: sizes and stimuli. How units are tuned is made up,
    so that information in the areas changes about as much as in the paper.
    """
    scenes = scenes or rat_scenes()
    designs = tuple(areas) if areas is not None else rat_areas(effects=effects, size=size, n_trials=n_trials)
    made = tuple(_area(design, scenes, np.random.default_rng((seed, at))) for at, design in enumerate(designs))
    return SimulatedRat(scenes, made, seed, effects)


def _area(design: AreaDesign, scenes: Scenes, rng: np.random.Generator) -> RatArea:
    tuning = tuned_units(design, scenes, rng)
    shown = design.n_trials + np.clip(np.rint(rng.standard_normal(len(scenes.ids))), -2, 2)
    shown = np.maximum(shown, 2).astype(np.int64)
    counts = rng.poisson(np.broadcast_to(tuning.expected, (shown.max(), *tuning.expected.shape))).astype(np.float64)
    counts[np.arange(shown.max())[:, None] >= shown] = np.nan
    return RatArea(design, tuning, counts)
