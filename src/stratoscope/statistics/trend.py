"""Trends along the stages: Kendall's tau over points, on medians, by permuting stages, within replicates; a slope.

Every function takes values that know their stage (`stage_values.ByStage`), and the index of a stage is its place in the
hierarchy, never a vector that a caller builds: the index cannot be laid along the wrong axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import TooFew, unknown_name
from stratoscope.statistics.comparison import Comparison, checked_alternative
from stratoscope.statistics.permutation import sign_flip_p
from stratoscope.statistics.stage_orders import concordance, permuted_orders
from stratoscope.statistics.stage_values import ByStage, StageValues, stage_values
from stratoscope.statistics.tau import mean_tau, replicate_taus, tau_of_medians, tau_of_points
from stratoscope.statistics.trend_interval import WITHIN, trend_interval
from stratoscope.types import Estimate, Floats
from stratoscope.words import number_of, plural


def kendall_points(
    data: ByStage, *, alternative: str = "two-sided", n_resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Kendall's tau-b between the index of the stage and the value, over all points (stage x replicate).

    Parameters
    ----------
    data : mapping, xarray.DataArray or StageValues
        Values by stage, see `stage_values`.
    alternative : str
        ``two-sided``, ``greater`` (rises) or ``less``.
    n_resamples : int
        Bootstrap resamples of the replicates, each whole, for the interval; 0 for none.
    level, seed
        Of that interval.

    Returns
    -------
    Comparison
        Estimate is tau-b, -1 to 1, NaN where all values are the same; the p-value is scipy's, corrected for ties.

    Raises
    ------
    TooFew
        For fewer than two stages with values.

    When it misleads
    ----------------
    The p-value takes every point as independent. Categories share the units of a stage, so stages that differ in
    anything at all, without order, give p-values near zero: with 1000 categories almost any profile is "significant".
    `permute_stages` asks about the order of stages itself. Replicates that differ a lot hide a trend that each has.

    References
    ----------
    Kendall 1945, doi:10.1093/biomet/33.3.239; used so by Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158
    """
    values = _checked(data)
    how: dict[str, Any] = {"n_resamples": n_resamples, "level": level, "seed": seed}
    found = stats.kendalltau(*values.points(), alternative=checked_alternative(alternative))
    estimate = trend_interval(values, tau_of_points, "Kendall tau-b over all points", **how)
    null = "asymptotic, points taken as independent"
    return Comparison(estimate, float(found.pvalue), null, alternative, _counted(values))


def kendall_medians(
    data: ByStage, *, alternative: str = "two-sided", n_resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Kendall's tau-b between the index of the stage and the median of its replicates.

    Parameters and errors as in `kendall_points`.

    Returns
    -------
    Comparison
        The p-value is exact; with ties it is that of `permute_stages`.

    When it misleads
    ----------------
    Few stages bound the p-value from below (``.smallest_p``): 0.083 for four, 0.017 for five.
    """
    values = _checked(data)
    how: dict[str, Any] = {"n_resamples": n_resamples, "level": level, "seed": seed}
    medians = values.medians
    estimate = trend_interval(values, tau_of_medians, "Kendall tau-b on medians of stages", **how)
    if len(set(medians)) < len(medians):
        p, null, ways = permuted_orders(_concordance_of_medians(values), alternative, 9999, seed)
    else:
        checked_alternative(alternative)
        ways = math.factorial(values.n_stages)
        p = float(stats.kendalltau(range(values.n_stages), medians, method="exact", alternative=alternative).pvalue)
        null = f"exact, all orders of {number_of('stage', values.n_stages)}"
    return Comparison(estimate, p, null, alternative, _counted(values), _smallest(ways, alternative))


def permute_stages(
    data: ByStage,
    *,
    statistic: str = "points",
    alternative: str = "two-sided",
    n_permutations: int = 9999,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Test a trend by putting the stages, each with all its values, into every other order.

    Parameters
    ----------
    data, alternative, n_resamples, level, seed
        As in `kendall_points`.
    statistic : str
        ``points`` (tau-b over all points), ``medians`` (tau-b on medians) or ``within`` (pairs of stages compared within
        each replicate, summed over replicates).
    n_permutations : int
        Orders drawn where there are more than 8 stages; up to 8 all are counted.

    Returns
    -------
    Comparison
        Estimate is the tau-b of the statistic (for ``within`` the mean over replicates).

    When it misleads
    ----------------
    The null is that the order of the stages says nothing; n is the number of stages, however many categories there
    are. Few stages bound the p-value from below (``.smallest_p``). Neighbouring stages resemble each other in any
    network, so a slow drift up or down appears more often than the p-value says.
    """
    values = _checked(data)
    how: dict[str, Any] = {"n_resamples": n_resamples, "level": level, "seed": seed}
    if statistic not in _STATISTICS:
        raise unknown_name("statistic of a trend", statistic, _STATISTICS)
    of_order, of_values, name = _STATISTICS[statistic]
    p, null, ways = permuted_orders(of_order(values), alternative, n_permutations, seed)
    estimate = trend_interval(values, of_values, name, **how)
    return Comparison(estimate, p, null, alternative, _counted(values), _smallest(ways, alternative))


def within_replicates(
    data: ByStage,
    *,
    test: str = "sign-flip",
    alternative: str = "two-sided",
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Tau-b along the stages within each replicate, then a test over replicates of their mean against zero.

    Parameters
    ----------
    data, alternative, n_resamples, level, seed
        As in `kendall_points`.
    test : str
        ``sign-flip`` (exact up to 14 replicates) or ``wilcoxon`` (signed ranks, by scipy).

    Returns
    -------
    Comparison
        Estimate is the mean tau over replicates, with its bootstrap interval. Replicates whose values are all the
        same, or with fewer than two, are left out and counted in ``.dropped``.

    Raises
    ------
    TooFew
        For fewer than two replicates with a tau.

    When it misleads
    ----------------
    It says whether these stages, as they are, rise for most replicates. It generalises over categories (or models),
    not over stages: a property of one stage that all categories share counts once for each of them. Stages that differ
    without any order, by the same for all categories, come out as a trend up or down nearly always (92 % of draws with
    60 categories); `permute_stages` does not fall for them (4 %).
    """
    values = _checked(data)
    how: dict[str, Any] = {"n_resamples": n_resamples, "level": level, "seed": seed}
    taus = replicate_taus(values)
    known = taus[~np.isnan(taus)]
    if len(known) < 2:
        raise TooFew(
            f"A trend within replicates needs at least 2 with a trend, but {len(known)} of {len(taus)} "
            f"{plural(values.over)} have one."
        )
    if test == "wilcoxon":
        checked_alternative(alternative)
        p = float(stats.wilcoxon(known, alternative=alternative).pvalue) if known.any() else 1.0
        null = "Wilcoxon signed ranks"
    elif test == "sign-flip":
        p, null = sign_flip_p(known, alternative=alternative, seed=seed)
    else:
        raise unknown_name("test within replicates", test, ("sign-flip", "wilcoxon"))
    estimate = trend_interval(values, mean_tau, WITHIN, **how)
    lost = len(taus) - len(known)
    dropped = {f"{values.over} without a trend": lost} if lost else {}
    estimate = replace(estimate, n=len(known), dropped={**estimate.dropped, **dropped})
    counted = {**_counted(values), values.over: len(known)}
    return Comparison(
        estimate, p, null, alternative, counted, _smallest(2 ** len(known) if len(known) <= 14 else 10_000, alternative)
    )


def theil_sen(
    data: ByStage,
    *,
    depth: Mapping[str, float] | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Theil-Sen slope of the medians of stages: the median of the slopes between all pairs of stages.

    Parameters
    ----------
    data, n_resamples, level, seed
        As in `kendall_points`.
    depth : mapping of str to float, optional
        Position of each stage; by default its index, and the slope is per stage.

    Returns
    -------
    Estimate
        In the units of the values per stage, or per unit of depth. The interval resamples replicates.

    When it misleads
    ----------------
    It is one line through a profile that may rise and fall.

    References
    ----------
    Sen 1968, doi:10.1080/01621459.1968.10480934
    """
    values = _checked(data)
    how: dict[str, Any] = {"n_resamples": n_resamples, "level": level, "seed": seed}
    missing = [] if depth is None else [name for name in values.stages if name not in depth]
    if missing:
        raise unknown_name("depth", missing[0], depth or {})
    x = np.array([float(i) if depth is None else depth[name] for i, name in enumerate(values.stages)])

    def slope(part: StageValues) -> float:
        return float(stats.theilslopes(part.medians, x).slope)

    return trend_interval(values, slope, "Theil-Sen slope of medians of stages", **how)


def _checked(data: ByStage) -> StageValues:
    values = stage_values(data)
    if values.n_stages < 2:
        raise TooFew(f"A trend needs at least 2 stages, but {number_of('stage', values.n_stages)} came.")
    _ = values.medians  # refuses a stage without any value
    return values


def _counted(values: StageValues) -> dict[str, int]:
    return {"stage": values.n_stages, **({values.over: values.n_replicates} if values.n_replicates > 1 else {})}


def _smallest(ways: int, alternative: str) -> float:
    return min(1.0, (2 if alternative == "two-sided" else 1) / ways)


def _concordance_of_medians(values: StageValues) -> Floats:
    return concordance(values.with_values(values.medians[:, None]))


_STATISTICS: dict[str, tuple[Callable[[StageValues], Floats], Callable[[StageValues], float], str]] = {
    "points": (concordance, tau_of_points, "Kendall tau-b over all points"),
    "medians": (_concordance_of_medians, tau_of_medians, "Kendall tau-b on medians of stages"),
    "within": (lambda values: concordance(values, within=True), mean_tau, WITHIN),
}
