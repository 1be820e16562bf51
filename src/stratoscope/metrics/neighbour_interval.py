"""Interval of a dimension estimated from neighbour distances, when neighbourhoods share points.

An estimate from neighbour distances is, to first order, a mean of contributions psi_m of the points. The points share
neighbours, so the contributions are not independent, and the interval of the likelihood, which takes them so, is too
short. What point p does to the estimate is its own contribution and what it does to those it is a neighbour of,

    s_p = sum of w[m, r] over the points m that have p as neighbour of rank r,

with w[m, r] the change of psi_m expected from the presence of that neighbour: taking away a neighbour moves every
one behind it one rank nearer, and the logarithm of a distance of rank j is expected to step by 1 / (d j) (the Rényi
spacings of neighbour distances). The variance of the estimate over samples is then

    V = (1/n²) [ (1 + delta / n1) sum psi² + cross sum psi s + passed (sum s² - sum w²) ]

The last bracket leaves out the pairs of a point with itself, which sum psi² already holds. The jackknife, which would
have delta = 0, cross = 2, passed = 1 and sum s² in full, overestimates two- to fourfold, because a rank statistic is not
smooth; the constants were fitted once by simulation, on other point sets than those the coverage was then judged on.
Decision record 0052 has both. It serves estimates that read all ranks; those that read a few have `halves`, which
nothing was fitted for.
"""

from __future__ import annotations

import numpy as np

from stratoscope.types import Floats, Integers

#: Share of the own variance that expected steps miss, at n1 = 1; it falls as 1 / n1.
DELTA = 0.25
#: Weight of the products of own and passed-on influence.
CROSS = 1.45
#: Weight of the products of influences passed on by different points.
PASSED = 1.6
#: The variance is never taken below this share of that of independent contributions.
LOWEST = 0.5


def influence_variance(psi: Floats, weights: Floats, index: Integers, first_rank: float) -> float:
    """Return the variance of mean(psi) over samples.

    Parameters
    ----------
    psi : array (point,)
        Contribution of every point to the estimate; NaN for points that were dropped.
    weights : array (point, rank)
        Change of psi expected from the presence of the neighbour at each rank.
    index : array (point, rank)
        Which point that neighbour is.
    first_rank : float
        Rank of the nearest neighbour the estimate reads.
    """
    used = np.isfinite(psi)
    own = np.where(used, psi - psi[used].mean(), 0.0)
    given = np.where(used[:, None], weights, 0.0)
    alone, cross, passed = influence_terms(own, given, index)
    variance = (1 + DELTA / first_rank) * alone + CROSS * cross + PASSED * max(passed, 0.0)
    return float(max(variance, LOWEST * alone) / used.sum() ** 2)


def influence_terms(own: Floats, given: Floats, index: Integers) -> tuple[float, float, float]:
    """Return the three sums: psi², psi s, and s² without the pairs of a point with itself."""
    passed = np.bincount(index.ravel(), weights=given.ravel(), minlength=len(own)).astype(np.float64)
    passed -= passed.mean()
    return float(own @ own), float(own @ passed), float(passed @ passed - (given**2).sum())


def log_interval(
    value: Floats | float, deviation: Floats | float, z: float = 1.959963984540054
) -> tuple[Floats, Floats]:
    """Return the ends of a 95 % interval that is symmetric in the logarithm."""
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.exp(z * np.asarray(deviation) / np.asarray(value))
    return np.asarray(value) / spread, np.asarray(value) * spread
