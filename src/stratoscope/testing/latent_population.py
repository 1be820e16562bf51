"""Simulated Poisson neurons tuned to a few latent variables: a population whose dimension is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.types import Floats


@dataclass(frozen=True)
class LatentPopulation:
    """A simulated population.

    Attributes
    ----------
    rates : array (stimulus, unit)
        Expected counts, the truth.
    counts : array (trial, stimulus, unit)
        Poisson counts.
    dimension : int
        Number of latent variables.
    """

    rates: Floats
    counts: Floats
    dimension: int


def latent_population(
    dimension: int,
    *,
    n_stimuli: int = 230,
    n_units: int = 150,
    n_trials: int = 26,
    mean_count: float = 1.5,
    modulation: float = 0.6,
    seed: int = 0,
) -> LatentPopulation:
    """Simulate units with rectified linear tuning to latent variables that are uniform over stimuli.

        λ = c max(0, 1 + m w·z),   z uniform in a cube, of variance 1; w Gaussian, of variance 1/d

    with modulation m and with c such that the mean over stimuli and units is `mean_count`.

    Parameters
    ----------
    dimension : int
        Number d of latent variables.
    n_stimuli, n_units, n_trials : int
        Sizes; those of Tafazoli et al. 2017 (doi:10.7554/eLife.22794) are about 230, 131 to 260 and 26.
    mean_count : float
        Mean count in the window of one trial.
    modulation : float
        Depth m of the tuning: standard deviation of a unit's rate over stimuli, over its rate in the middle.
    seed : int
        Seed of everything.

    Raises
    ------
    BadInput
        For sizes below one, or a mean count or slope not above zero.
    """
    sizes = {"dimension": dimension, "n_stimuli": n_stimuli, "n_units": n_units, "n_trials": n_trials}
    wrong = {name: size for name, size in sizes.items() if size < 1}
    if wrong or not (mean_count > 0 and modulation > 0):
        raise BadInput(
            f"A simulated population has sizes of 1 and up and a mean count and modulation above 0, but {wrong or ''} "
            f"mean_count={mean_count!r}, modulation={modulation!r} came. Give larger numbers."
        )
    rng = np.random.default_rng(seed)
    latents = rng.uniform(-np.sqrt(3), np.sqrt(3), (n_stimuli, dimension))
    drive = latents @ rng.standard_normal((dimension, n_units)) / np.sqrt(dimension)
    tuned = np.maximum(1 + modulation * drive, 0.0)
    rates = tuned * (mean_count / tuned.mean())
    counts = rng.poisson(np.broadcast_to(rates, (n_trials, *rates.shape))).astype(np.float64)
    return LatentPopulation(rates, counts, dimension)
