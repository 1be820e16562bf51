"""A simulated rat: spikes of four visual areas with known tuning, for tests, the demo and the documentation."""

from stratoscope.testing.rat.design import RAT_AREAS, AreaDesign, rat_areas
from stratoscope.testing.rat.scenes import Scenes, rat_scenes
from stratoscope.testing.rat.simulate import RatArea, SimulatedRat, simulate_rat

__all__ = ["RAT_AREAS", "AreaDesign", "RatArea", "Scenes", "SimulatedRat", "rat_areas", "rat_scenes", "simulate_rat"]
