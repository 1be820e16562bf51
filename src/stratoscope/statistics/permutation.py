"""Permutation tests: exact where all rearrangements can be counted, else sampled with the +1 rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput, unknown_name
from stratoscope.statistics.comparison import (
    Comparison,
    checked_alternative,
    checked_count,
    checked_pair,
    checked_sample,
)
from stratoscope.statistics.resample import STATISTICS, bootstrap, bootstrap_difference
from stratoscope.types import Floats

#: Up to so many rearrangements are counted one by one.
LARGEST_EXACT = 20_000
_BATCH_VALUES = 1_000_000
_NOUNS = {"independent": "exchanges", "samples": "sign flips", "pairings": "pairings"}


def p_value(observed: float, draws: Any, alternative: str = "two-sided", *, exact: bool = False) -> float:
    """P-value of `observed` among the statistics of rearranged data.

    ::

        p = (1 + number of draws at least as extreme) / (1 + number of draws)        sampled
        p = number at least as extreme / number                                      exact: all are there

    Two-sided is twice the smaller side, at most 1. Draws within 1e-12 of the observed count as equal to it.

    Parameters
    ----------
    observed : float
        Statistic of the data.
    draws : array (draw,)
        Statistics of rearranged data; with ``exact`` every rearrangement once, the data themselves included.
    alternative : str
        ``two-sided``, ``greater`` or ``less``.

    Returns
    -------
    float
        Above 0 and at most 1: a sampled p-value of 0 would claim more than was looked at.

    References
    ----------
    Phipson & Smyth 2010, doi:10.2202/1544-6115.1585
    """
    checked_alternative(alternative)
    numbers = np.asarray(draws, dtype=np.float64)
    if not len(numbers):
        raise BadInput("A permutation test needs at least one draw.")
    near = 1e-12 * max(1.0, abs(observed))
    added = 0 if exact else 1
    greater = (added + (numbers >= observed - near).sum()) / (added + len(numbers))
    less = (added + (numbers <= observed + near).sum()) / (added + len(numbers))
    return float({"greater": greater, "less": less, "two-sided": min(1.0, 2 * min(greater, less))}[alternative])


def two_sample(
    one: Any,
    other: Any,
    *,
    statistic: str = "mean",
    over: str = "value",
    alternative: str = "two-sided",
    n_resamples: int = 9999,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Test whether two independent samples differ, by exchanging their members.

    Parameters
    ----------
    one, other : array (n,), array (m,)
        Samples; the estimate is statistic(one) - statistic(other).
    statistic : str
        ``mean`` or ``median``.
    over : str
        What a member is, in the singular.
    alternative : str
        ``two-sided``, ``greater`` (one above other) or ``less``.
    n_resamples : int
        Draws where there are more than 20000 ways to exchange; the interval takes as many, at most 2000.
    level, seed
        Of the bootstrap interval, and of both resamplings.

    Returns
    -------
    Comparison
        Estimate in the units of the samples.

    Raises
    ------
    BadInput, TooFew
        For NaN, other shapes, or a sample of fewer than two.

    When it misleads
    ----------------
    The null is that both come from one distribution: samples of unequal spread and size are "different" by that, with
    equal means too. Units of one layer, and stimuli of one object, are not exchangeable one by one.
    """
    first, second = checked_sample(one, "two_sample"), checked_sample(other, "two_sample")
    middle = _middle(statistic)

    def difference(x: Floats, y: Floats, axis: int) -> Floats:
        return np.asarray(middle(x, axis=axis) - middle(y, axis=axis))

    drawn: dict[str, Any] = {"alternative": alternative, "n_resamples": n_resamples, "seed": seed}
    ways = math.comb(len(first) + len(second), len(first))
    p, null = _scipy((first, second), difference, "independent", ways, **drawn)
    interval = bootstrap_difference(first, second, statistic, over=over, **_interval(n_resamples, level, seed))
    counted = {over: len(first) + len(second)}
    return Comparison(interval, p, null, alternative, counted, _smallest(ways, n_resamples, alternative))


def sign_flip(
    differences: Any,
    *,
    statistic: str = "mean",
    over: str = "pair",
    alternative: str = "two-sided",
    n_resamples: int = 9999,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Test whether paired differences centre on zero, by flipping their signs.

    Parameters
    ----------
    differences : array (n,)
        One difference a pair.
    statistic, over, alternative, n_resamples, level, seed
        As in `two_sample`; all 2^n flips are counted for n up to 14.

    Returns
    -------
    Comparison
        Estimate is the mean or median difference.

    When it misleads
    ----------------
    The null is that differences are symmetric around zero. With 5 pairs or fewer a two-sided p cannot go below 0.06.
    """
    sample = checked_sample(differences, "sign_flip")
    ways = 2 ** len(sample)
    p, null = sign_flip_p(sample, statistic, alternative=alternative, n_resamples=n_resamples, seed=seed)
    interval = bootstrap(sample, statistic, over=over, **_interval(n_resamples, level, seed))
    return Comparison(interval, p, null, alternative, {over: len(sample)}, _smallest(ways, n_resamples, alternative))


def sign_flip_p(
    differences: Any,
    statistic: str = "mean",
    *,
    alternative: str = "two-sided",
    n_resamples: int = 9999,
    seed: int = 0,
) -> tuple[float, str]:
    """Return the p-value of `sign_flip` alone, and how it was made."""
    sample = checked_sample(differences, "sign_flip", 1)
    middle, ways = _middle(statistic), 2 ** len(sample)
    drawn: dict[str, Any] = {"alternative": alternative, "n_resamples": n_resamples, "seed": seed}
    return _scipy((sample,), middle, "samples", ways, **drawn)


def paired(one: Any, other: Any, **options: Any) -> Comparison:
    """Test whether two paired samples differ: `sign_flip` of one - other, with its options and limits."""
    first, second = checked_pair(one, other, "paired")
    return sign_flip(first - second, **options)


def correlation_p(
    x: Any, y: Any, *, kind: str = "pearson", alternative: str = "two-sided", n_resamples: int = 9999, seed: int = 0
) -> tuple[float, str]:
    """Return the p-value of a correlation by permuting the pairing, and how it was made.

    Parameters
    ----------
    x, y : array (n,)
        Paired values; ``kind="spearman"`` takes their ranks.
    """
    first, second = checked_pair(x, y, "correlation_p", 3)
    if kind == "spearman":
        first, second = stats.rankdata(first), stats.rankdata(second)
    centred = second - second.mean()

    def covariance(values: Floats, axis: int) -> Floats:
        return np.asarray((values * centred).sum(axis=axis))

    drawn: dict[str, Any] = {"alternative": alternative, "n_resamples": n_resamples, "seed": seed}
    ways = math.factorial(len(first))
    return _scipy((first,), covariance, "pairings", ways, **drawn)


def _scipy(
    data: tuple[Floats, ...],
    statistic: Callable[..., Any],
    kind: str,
    ways: int,
    *,
    alternative: str,
    n_resamples: int,
    seed: int,
) -> tuple[float, str]:
    """Let scipy rearrange `data`, all `ways` where they can be counted; return p and how it was made."""
    checked_alternative(alternative)
    checked_count(n_resamples)
    exact = ways <= LARGEST_EXACT
    found = stats.permutation_test(
        data,
        statistic,
        permutation_type=kind,
        vectorized=True,
        n_resamples=np.inf if exact else n_resamples,
        batch=max(1, _BATCH_VALUES // sum(map(len, data))),
        alternative=alternative,
        random_state=np.random.default_rng(seed),
    )
    noun = _NOUNS[kind]
    return float(found.pvalue), f"exact, all {ways} {noun}" if exact else f"{n_resamples} random {noun}, seed {seed}"


def _middle(statistic: str) -> Callable[..., Any]:
    if statistic not in STATISTICS:
        raise unknown_name("statistic", statistic, STATISTICS)
    return STATISTICS[statistic]


def _interval(n_resamples: int, level: float, seed: int) -> dict[str, Any]:
    return {"n_resamples": max(2, min(n_resamples, 2000)), "level": level, "seed": seed}


def _smallest(ways: int, n_resamples: int, alternative: str) -> float:
    sides = 2 if alternative == "two-sided" else 1
    return min(1.0, sides / (ways if ways <= LARGEST_EXACT else n_resamples + 1))
