"""Carry the intervals of single numbers over to what is computed from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput
from stratoscope.statistics.comparison import checked_count
from stratoscope.statistics.resample import percentile_interval
from stratoscope.types import Estimate, Floats
from stratoscope.words import number_of


def from_intervals(
    value: Any,
    low: Any,
    high: Any,
    statistic: Callable[[Floats], Any],
    *,
    over: str = "stage",
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    vectorized: bool = False,
) -> tuple[Estimate, float]:
    """Carry the intervals of several numbers over to a statistic of them.

    Every number is drawn from a Gaussian on each side of its value whose width its 95 % interval gives, all independently.

    Parameters
    ----------
    value, low, high : array (n,)
        Numbers with the ends of their 95 % intervals.
    statistic : callable
        ``statistic(values)``, values (n,).
    vectorized : bool
        Whether `statistic` also takes values (draw, n) and gives one number a draw, which is far faster.

    Returns
    -------
    Estimate
    float
        Two-sided p of zero: twice the smaller share of draws on one side of it, by the +1 rule.

    When it misleads
    ----------------
    Intervals of the same stimuli at several stages are not independent; a statistic of their differences is then less
    uncertain than this says, one of their sum more. It knows nothing of biases that all stages share.
    """
    middle, bottom, top = (np.asarray(part, dtype=np.float64) for part in (value, low, high))
    if not np.isfinite([middle, bottom, top]).all() or (bottom > middle).any() or (middle > top).any():
        raise BadInput("Every number needs an interval that holds it; leave out those that have none.")
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((checked_count(n_resamples, 2), len(middle)))
    width = np.where(z < 0, middle - bottom, top - middle) / stats.norm.ppf(0.975)
    drawn = middle + z * width
    draws = np.asarray(statistic(drawn)) if vectorized else np.array([statistic(row) for row in drawn])
    said = f"drawn from the intervals of {number_of(over, len(middle))}"
    found = percentile_interval(statistic(middle), draws, n=len(middle), level=level, method=said, seed=seed)
    sides = (1 + (draws <= 0).sum(), 1 + (draws >= 0).sum())
    return found, float(min(1.0, 2 * min(sides) / (1 + n_resamples)))


def without_interval(value: float, n: int, method: str) -> Estimate:
    """Return an estimate whose interval is not known."""
    return Estimate(float(value), float("nan"), float("nan"), n, method=method)
