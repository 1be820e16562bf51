"""How normalised activations are distributed at a stage, and how long the tail is (supplement of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from stratoscope.metrics.normalization import normalized
from stratoscope.types import Floats

#: Edges of the published histogram. They end at 0.99, so that the largest activation of each category is left out.
EDGES = np.arange(0, 1, 0.01)
#: Most activations a distribution is fitted to; more are drawn from with a seed.
MOST = 20_000


@dataclass(frozen=True)
class Fit:
    """Norm and Weibull fitted to the same numbers.

    Attributes
    ----------
    norm, weibull : float
        Negative log-likelihood per number under each; the smaller fits better.
    shape : float
        Shape k of the Weibull; below 1 its density falls from the start, a long tail.
    n : int
        Numbers that were fitted.
    """

    norm: float
    weibull: float
    shape: float
    n: int


@dataclass(frozen=True)
class Distribution:
    """Distribution of the activations of a stage.

    Attributes
    ----------
    density : array (bin,)
        Mean over categories of the density in each of the 99 bins of width 0.01 from 0.
    published : Fit
        To the 99 heights of `density` as if they were samples, location and scale free.
    values : Fit
        To the activations themselves that are above 0, location 0.
    """

    density: Floats
    published: Fit
    values: Fit


def distribution(category_means: Floats, *, normalization: str = "liu2020", seed: int = 0) -> Distribution:
    """Describe the distribution of the normalised mean responses X[c, u] at a stage.

    Parameters
    ----------
    category_means : array (category, unit)
        Mean responses.
    normalization : str
        As in `stratoscope.metrics.population_sparseness`.
    seed : int
        Seed of the draw where there are more than `MOST` activations.

    Returns
    -------
    Distribution

    When it misleads
    ----------------
    The published fit takes the heights of a histogram for samples of the activations; it says how unequal the heights are.
    With free location and k below 1 the Weibull likelihood grows without bound towards the smallest sample, so that
    k is where the search stopped. The fit to the activations has neither fault; it leaves out the smallest unit of each
    category, whose activation is 0 by construction.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158, supplementary figure 1.
    """
    rows = normalized(category_means, normalization, "zero", 0.0, "categories")
    density = np.mean([_density(row) for row in rows], axis=0)
    positive = rows[rows > 0]
    if len(positive) > MOST:
        positive = np.random.default_rng(seed).choice(positive, MOST, replace=False)
    return Distribution(density, fit(density), fit(positive, location=0.0))


def fit(samples: Floats, *, location: float | None = None) -> Fit:
    """Fit norm and Weibull to `samples` (n,), the Weibull with a fixed `location` or a free one; NaN for no spread."""
    if len(samples) < 3 or np.ptp(samples) <= 1e-9 * np.abs(samples).max():
        return Fit(np.nan, np.nan, np.nan, len(samples))
    fixed = {} if location is None else {"floc": location}
    with np.errstate(all="ignore"):
        weibull = stats.weibull_min.fit(samples, **fixed)
        gauss = stats.norm.fit(samples)
        likelihoods = stats.norm.logpdf(samples, *gauss), stats.weibull_min.logpdf(samples, *weibull)
    norm, other = (float(-np.mean(one)) for one in likelihoods)
    return Fit(norm, other, float(weibull[0]), len(samples))


def _density(row: Floats) -> Floats:
    counts = np.histogram(row, EDGES)[0]
    inside = counts.sum()
    return np.asarray(counts / (inside * 0.01) if inside else np.zeros(len(counts)), dtype=np.float64)
