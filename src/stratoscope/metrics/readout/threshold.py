"""One threshold between the responses of one unit to two objects."""

from __future__ import annotations

import numpy as np

from stratoscope.types import Floats

#: Smallest variance, as a fraction of the squared distance of the means: a unit that never varies for one object.
FLOOR = 1e-9


def threshold(means: tuple[Floats, Floats], variances: tuple[Floats, Floats]) -> Floats:
    """Response at which two Gaussians are equally likely, between their means where there is such a one.

    With means m and variances v of the smaller (0) and larger (1) mean, the log ratio of the densities at r is

        log √(v0 / v1) + (r - m0)² / (2 v0) - (r - m1)² / (2 v1) = 0

    and of its two roots the one between the means is taken, or else the one nearer to their midpoint. Equal variances
    give the midpoint; a mean without variance gives that mean itself, but for a hair.

    Parameters
    ----------
    means, variances : two arrays of one shape
        Of the responses to either object, in any order.

    Returns
    -------
    array
        Threshold; NaN where the means are equal, as no response then speaks for either object.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794.
    """
    swapped = means[0] > means[1]
    low, high = np.where(swapped, means[1], means[0]), np.where(swapped, means[0], means[1])
    apart = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        # in units of the distance of the means, from the lower one: m0 = 0, m1 = 1
        v0 = np.maximum(np.where(swapped, variances[1], variances[0]) / apart**2, FLOOR)
        v1 = np.maximum(np.where(swapped, variances[0], variances[1]) / apart**2, FLOOR)
        root = _root(v0, v1)
    return np.asarray(np.where(apart > 0, low + root * apart, np.nan))


def _root(v0: Floats, v1: Floats) -> Floats:
    """Solve (v1 - v0) r² + 2 v0 r - v0 (1 + v1 log(v1 / v0)) = 0 for the root between 0 and 1, else nearest to 1/2.

    Both roots are written as quotients without cancellation: q / a and c / q.
    """
    a, b = v1 - v0, 2 * v0
    c = -v0 * (1 + v1 * np.log(v1 / v0))
    q = -0.5 * (b + np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0)))
    first, second = c / q, np.where(a == 0, np.inf, q / np.where(a == 0, 1.0, a))
    inside = (second >= 0) & (second <= 1) & ~((first >= 0) & (first <= 1))
    outside = ~((first >= 0) & (first <= 1)) & (np.abs(second - 0.5) < np.abs(first - 0.5))
    return np.where(inside | outside, second, first)
