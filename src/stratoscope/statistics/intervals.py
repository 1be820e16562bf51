"""Intervals that need no resampling."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from stratoscope.types import Estimate, Floats


def median_interval(values: Floats, *, level: float = 0.95) -> Estimate:
    """Return the median of `values` with its distribution-free interval between order statistics.

    The interval runs from the j-th smallest to the j-th largest value, with j the largest rank whose binomial
    coverage is at least `level`: P(j <= B <= n - j), B ~ Binomial(n, 1/2).

    Parameters
    ----------
    values : (n,) array
        Values; NaN are left out and counted in ``.dropped``.
    level : float
        Coverage aimed at, 0 to 1.

    Returns
    -------
    Estimate
        ``.value`` is the median (NaN for no values); the ends are NaN for fewer than 6 values, where no pair of order
        statistics reaches 95 %.

    When it misleads
    ----------------
    It treats the values as independent draws. Units of one layer, and categories that share images or features, are
    not, and then the interval is too narrow.

    References
    ----------
    Conover 1999, *Practical Nonparametric Statistics*, section 3.2.

    Examples
    --------
    >>> estimate = median_interval(np.arange(1.0, 101.0))
    >>> estimate.value, estimate.low, estimate.high
    (50.5, 40.0, 61.0)
    """
    kept = np.asarray(values, dtype=np.float64)
    missing = int(np.isnan(kept).sum())
    kept = np.sort(kept[~np.isnan(kept)])
    n = len(kept)
    rank = int(binom.ppf((1 - level) / 2, n, 0.5)) if n else 0
    low, high = (kept[rank - 1], kept[n - rank]) if rank else (np.nan, np.nan)
    return Estimate(
        value=float(np.median(kept)) if n else float("nan"),
        low=float(low),
        high=float(high),
        n=n,
        level=level,
        method="median, interval between order statistics",
        dropped={"undefined": missing} if missing else {},
    )
