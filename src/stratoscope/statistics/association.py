"""How two quantities go together over categories: correlation, partial correlation, and differences of the two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.statistics.comparison import (
    Comparison,
    checked_alternative,
    checked_pair,
)
from stratoscope.statistics.permutation import correlation_p
from stratoscope.statistics.resample import bootstrap
from stratoscope.types import Estimate, Floats
from stratoscope.words import number_of

KINDS = ("pearson", "spearman")


def correlation(
    x: Any,
    y: Any,
    *,
    kind: str = "pearson",
    test: str = "analytic",
    over: str = "category",
    alternative: str = "two-sided",
    method: str = "percentile",
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Correlation of paired values, with its bootstrap interval.

    Parameters
    ----------
    x, y : array (n,)
        Paired values, finite.
    kind : str
        ``pearson``, or ``spearman`` (of ranks).
    test : str
        ``analytic`` (Student's t, by scipy) or ``permutation`` (exact up to 7 pairs).
    over : str
        What a pair is, in the singular.
    alternative : str
        ``two-sided``, ``greater`` or ``less``.
    method, n_resamples, level, seed
        Of the bootstrap over pairs, see `resample.bootstrap`.

    Returns
    -------
    Comparison
        Estimate is the correlation, -1 to 1; NaN with p NaN where one side is constant.

    Raises
    ------
    TooFew
        For fewer than four pairs.

    When it misleads
    ----------------
    One far point makes a Pearson correlation; look at both kinds. With 10 categories only correlations above 0.63 differ
    from zero at 5 %.
    """
    first, second = checked_pair(x, y, "A correlation", 4)
    checked_kind(kind)
    checked_alternative(alternative)
    options = {"over": over, "method": method, "n_resamples": n_resamples, "level": level, "seed": seed}
    estimate = bootstrapped((first, second), lambda a, b: r_of(a, b, kind), f"{kind} correlation", options)
    if np.isnan(estimate.value):
        return Comparison(estimate, float("nan"), "none: one side is constant", alternative, {over: len(first)})
    if test == "permutation":
        p, null = correlation_p(first, second, kind=kind, alternative=alternative, seed=seed)
    elif test == "analytic":
        function = stats.pearsonr if kind == "pearson" else stats.spearmanr
        p, null = float(function(first, second, alternative=alternative).pvalue), "Student's t"
    else:
        raise unknown_name("test of a correlation", test, ("analytic", "permutation"))
    return Comparison(estimate, p, null, alternative, {over: len(first)})


def pearson(x: Any, y: Any, **options: Any) -> Comparison:
    """Pearson correlation: `correlation` with ``kind="pearson"``."""
    return correlation(x, y, kind="pearson", **options)


def spearman(x: Any, y: Any, **options: Any) -> Comparison:
    """Spearman correlation: `correlation` with ``kind="spearman"``."""
    return correlation(x, y, kind="spearman", **options)


def partial_correlation(
    x: Any,
    y: Any,
    covariates: Any,
    *,
    kind: str = "pearson",
    over: str = "category",
    alternative: str = "two-sided",
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Correlation of what is left of x and y after a linear fit on covariates.

    ::

        t = r sqrt(df / (1 - r²)),   df = n - 2 - k

    Parameters
    ----------
    x, y : array (n,)
        Paired values.
    covariates : array (n,) or (n, k)
        What is held constant, such as the mean activation of each category; ``kind="spearman"`` ranks all of them.
    kind, over, alternative, n_resamples, level, seed
        As in `correlation`. The fit is made anew in every resample.

    Returns
    -------
    Comparison
        Estimate -1 to 1; NaN where the covariates leave nothing of x or y.

    Raises
    ------
    TooFew
        For fewer than k + 4 pairs.

    When it misleads
    ----------------
    It takes away the linear part alone, and only of what was measured, with its noise. A covariate that x or y causes
    is not a confound, and holding it constant can make a correlation from none.
    """
    first, second = checked_pair(x, y, "A partial correlation", 4)
    held = _covariates(covariates, len(first))
    df = len(first) - 2 - held.shape[1]
    if df < 2:
        raise TooFew(
            f"A partial correlation with {number_of('covariate', held.shape[1])} needs at least {held.shape[1] + 4} pairs, "
            f"but {len(first)} came."
        )
    checked_kind(kind)
    checked_alternative(alternative)
    options = {"over": over, "n_resamples": n_resamples, "level": level, "seed": seed}
    name = f"partial {kind} correlation given {number_of('covariate', held.shape[1])}"
    estimate = bootstrapped((first, second, held), lambda a, b, c: _partial_r(a, b, c, kind), name, options)
    t = estimate.value * np.sqrt(df / max(1 - estimate.value**2, 1e-300))
    tails = {"two-sided": 2 * stats.t.sf(abs(t), df), "greater": stats.t.sf(t, df), "less": stats.t.cdf(t, df)}
    return Comparison(estimate, float(tails[alternative]), f"Student's t, {df} df", alternative, {over: len(first)})


def correlation_difference(
    x: Any,
    other: Any,
    y: Any,
    *,
    kind: str = "pearson",
    over: str = "category",
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Difference of two correlations that share y: r(x, y) - r(other, y), over the same n pairs.

    The p-value is Williams' t with n - 3 degrees of freedom (on ranks for ``spearman``); the interval is a bootstrap.

    Parameters
    ----------
    x, other, y : array (n,)
        Triples of values, such as sparseness at two stages and accuracy, by category.
    kind, over, n_resamples, level, seed
        As in `correlation`.

    Returns
    -------
    Comparison
        Estimate -2 to 2, two-sided p.

    When it misleads
    ----------------
    Two correlations of which one is significant and the other is not do not differ by that; this is the test of it. It
    assumes roughly Gaussian values; believe the interval where the two disagree.

    References
    ----------
    Williams 1959; Steiger 1980, doi:10.1037/0033-2909.87.2.245
    """
    first, shared = checked_pair(x, y, "A difference of correlations", 5)
    second, _ = checked_pair(other, y, "A difference of correlations", 5)
    checked_kind(kind)
    options = {"over": over, "n_resamples": n_resamples, "level": level, "seed": seed}
    data = (first, second, shared)
    name = f"difference of {kind} correlations"
    estimate = bootstrapped(data, lambda a, b, c: r_of(a, c, kind) - r_of(b, c, kind), name, options)
    r = r_of(first, shared, kind), r_of(second, shared, kind), r_of(first, second, kind)
    p = 2 * stats.t.sf(abs(williams_t(*r, len(first))), len(first) - 3)
    return Comparison(estimate, float(p), f"Williams' t, {len(first) - 3} df", counted={over: len(first)})


def williams_t(r12: float, r13: float, r23: float, n: int) -> float:
    """Williams' t, n - 3 degrees of freedom, of r12 - r13 where r23 is the correlation of the two that differ."""
    determinant = 1 - r12**2 - r13**2 - r23**2 + 2 * r12 * r13 * r23
    mean = (r12 + r13) / 2
    spread = 2 * (n - 1) / (n - 3) * determinant + mean**2 * (1 - r23) ** 3
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((r12 - r13) * np.sqrt(np.float64((n - 1) * (1 + r23)) / spread))


def r_of(x: Floats, y: Floats, kind: str) -> float:
    """Correlation of two vectors, NaN where one is constant."""
    if kind == "spearman":
        x, y = stats.rankdata(x), stats.rankdata(y)
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    floor = 1e-14 * len(x) * max(np.abs(x).max(), 1e-300) * max(np.abs(y).max(), 1e-300)
    return float(np.clip(x @ y / size, -1, 1)) if size > floor and np.ptp(x) > 0 and np.ptp(y) > 0 else float("nan")


def _partial_r(x: Floats, y: Floats, held: Floats, kind: str) -> float:
    if kind == "spearman":
        x, y, held = stats.rankdata(x), stats.rankdata(y), stats.rankdata(held, axis=0)
    design = np.column_stack([np.ones(len(x)), held])
    both = np.column_stack([x, y])
    left = both - design @ np.linalg.lstsq(design, both, rcond=None)[0]
    if (np.abs(left).max(axis=0) <= 1e-10 * np.abs(both - both.mean(axis=0)).max(axis=0)).any():
        return float("nan")
    return r_of(left[:, 0], left[:, 1], "pearson")


def _covariates(covariates: Any, n: int) -> Floats:
    held = np.asarray(covariates, dtype=np.float64)
    held = held[:, None] if held.ndim == 1 else held
    if held.ndim != 2 or len(held) != n or not np.isfinite(held).all():
        raise BadInput(f"Covariates have the shape (n={n},) or (n={n}, covariate) and are finite; {held.shape} came.")
    return held


def checked_kind(kind: str) -> str:
    """Return the kind of correlation, or refuse it with the nearest names."""
    if kind not in KINDS:
        raise unknown_name("correlation", kind, KINDS)
    return kind


def bootstrapped(data: tuple[Floats, ...], statistic: Callable[..., Any], name: str, options: Any) -> Estimate:
    """Return the bootstrap estimate of a correlation under its own name."""
    found = bootstrap(data, statistic, **options)
    return replace(found, method=f"{name}, {found.method.split(', ', 1)[1]}")
