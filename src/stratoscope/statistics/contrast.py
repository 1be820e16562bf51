"""Two hierarchies side by side, such as intact and lesioned: difference of levels, difference of trends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.permutation import sign_flip, two_sample
from stratoscope.statistics.propagate import from_intervals, without_interval
from stratoscope.statistics.stage_values import ByStage, StageValues, stage_values
from stratoscope.statistics.tau import replicate_taus
from stratoscope.statistics.trend import kendall_medians, within_replicates
from stratoscope.types import Floats
from stratoscope.words import number_of


def level_difference(one: ByStage, other: ByStage, *, level: float = 0.95, seed: int = 0, **options: Any) -> Comparison:
    """Difference of two hierarchies in the mean over their common stages, replicate by replicate.

    Parameters
    ----------
    one, other : mapping, xarray.DataArray or StageValues
        Values by stage, see `stage_values`; the estimate is one - other. Replicates that are the same in both (categories)
        are compared pair by pair with `sign_flip`; a single hierarchy against several seeds of a lesion by the
        differences to it; independent samples with `two_sample`; one number a stage in each by their intervals.
    level, seed, **options
        Of the test it comes to.

    Returns
    -------
    Comparison
        Estimate in the units of the values.

    Raises
    ------
    BadInput
        For hierarchies whose stages differ: choose the common ones first.

    When it misleads
    ----------------
    A single intact network against ten permuted copies of it says how this network differs from its own permutations;
    it is no sample of networks.
    """
    first, second = _common(one, other)
    if first.n_replicates == 1 and second.n_replicates == 1:
        return _by_intervals(
            first, second, lambda row: float(row.mean()), "difference of levels", level=level, seed=seed
        )
    found = _compare(_means(first), _means(second), first, second, level=level, seed=seed, **options)
    return _named(found, "difference of levels", first)


def trend_difference(one: ByStage, other: ByStage, *, level: float = 0.95, seed: int = 0, **options: Any) -> Comparison:
    """Difference of the trends of two hierarchies: Kendall's tau-b along stages of each replicate, one - other.

    Parameters, pairing and limits as in `level_difference`. Estimate is a difference of taus, -2 to 2.
    """
    first, second = _common(one, other)
    if first.n_replicates == 1 and second.n_replicates == 1:
        return _by_intervals(first, second, _tau_of, "difference of trends", level=level, seed=seed)
    taus = replicate_taus(first), replicate_taus(second)
    return _named(_compare(*taus, first, second, level=level, seed=seed, **options), "difference of trends", first)


def abolished_trend(one: ByStage, other: ByStage, *, level: float = 0.95, seed: int = 0, **options: Any) -> Comparison:
    """Test that a trend is there in one hierarchy, is smaller in the other, and is not there in the other.

    The first two must both hold, so p is the larger of the p-values of the trend in `one` and of `trend_difference`. The
    third is no test, since absence cannot be shown by a missing star: where the interval of the trend that remains in
    `other` still lies beyond zero on the same side, the comparison is ``.blocked`` (weakened, not abolished).

    Parameters and limits as in `trend_difference`. The interval of the remaining trend is in the note.
    """
    first, second = _common(one, other)
    difference = trend_difference(first, second, level=level, seed=seed, **options)
    here, left = _trend(first, level, seed), _trend(second, level, seed)
    sign = np.sign(here.estimate.value)
    remains = min(sign * left.estimate.low, sign * left.estimate.high) > 0
    told = f"tau {_ends(here)} in the first, {_ends(left)} in the second"
    return replace(
        difference,
        estimate=replace(difference.estimate, note=told),
        p=float(np.maximum(here.p, difference.p)),
        null=f"larger of two: trend in the first ({here.null}), difference ({difference.null})",
        smallest_p=max(here.smallest_p, difference.smallest_p),
        blocked=f"the trend is weaker and still there: {told}" if remains else "",
    )


def _trend(values: StageValues, level: float, seed: int) -> Comparison:
    test = within_replicates if values.paired and values.n_replicates > 1 else kendall_medians
    return test(values, level=level, seed=seed)


def _ends(found: Comparison) -> str:
    estimate = found.estimate
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _common(one: ByStage, other: ByStage) -> tuple[StageValues, StageValues]:
    first, second = stage_values(one), stage_values(other)
    if first.stages != second.stages:
        raise BadInput(
            f"Two hierarchies are compared stage by stage, but one has {', '.join(first.stages)} and the other "
            f"{', '.join(second.stages)}. Choose the stages they share."
        )
    return first, second


def _same_replicates(first: StageValues, second: StageValues) -> bool:
    same = first.over == second.over and first.values.shape == second.values.shape
    return same and first.paired and second.paired and first.replicates == second.replicates and first.over != "seed"


def _compare(one: Floats, other: Floats, first: StageValues, second: StageValues, **options: Any) -> Comparison:
    """Choose the test that fits the replicates: paired, against one, or independent."""
    over = second.over if len(one) == 1 else first.over
    if _same_replicates(first, second) and len(one) > 1:
        differences = one - other
        return _dropping(differences, over, options)
    if len(one) == 1 or len(other) == 1:
        return _dropping(one - other, over, options)
    return two_sample(one[~np.isnan(one)], other[~np.isnan(other)], over=over, **options)


def _dropping(differences: Floats, over: str, options: dict[str, Any]) -> Comparison:
    known = differences[~np.isnan(differences)]
    found = sign_flip(known, over=over, **options)
    lost = len(differences) - len(known)
    if not lost:
        return found
    return replace(found, estimate=replace(found.estimate, dropped={f"{over} without a value": lost}))


def _by_intervals(
    first: StageValues, second: StageValues, statistic: Callable[[Floats], float], name: str, *, level: float, seed: int
) -> Comparison:
    """Compare one number a stage in each by the intervals of both."""
    n, counted = first.n_stages, {"stage": first.n_stages}

    def difference(row: Floats) -> float:
        return statistic(row[:n]) - statistic(row[n:])

    both = np.concatenate([first.values[:, 0], second.values[:, 0]])
    if first.low is None or first.high is None or second.low is None or second.high is None:
        estimate = without_interval(difference(both), n, name)
        return Comparison(estimate, float("nan"), "none: one number a stage and no interval", counted=counted)
    low, high = np.concatenate([first.low, second.low]), np.concatenate([first.high, second.high])
    found, p = from_intervals(both, low, high, difference, level=level, seed=seed)
    estimate = replace(found, n=n, method=f"{name}, intervals of {number_of('stage', n)} taken as Gaussian")
    return Comparison(estimate, p, "draws from the intervals of the stages", counted=counted)


def _named(found: Comparison, name: str, first: StageValues) -> Comparison:
    method = f"{name}, {found.estimate.method}"
    counted = {"stage": first.n_stages, **found.counted}
    return replace(found, estimate=replace(found.estimate, method=method), counted=counted)


def _means(values: StageValues) -> Floats:
    """Mean over stages of each replicate (replicate,); of unpaired ones, all points of all stages."""
    if not values.paired:
        return values.values[~np.isnan(values.values)] if values.n_stages == 1 else _refuse(values)
    return np.asarray(values.values.mean(axis=0))


def _refuse(values: StageValues) -> Floats:
    raise BadInput(
        f"The {values.over} of several stages are not the same, so they have no mean over stages. Choose one stage."
    )


def _tau_of(row: Floats) -> float:
    return float(replicate_taus(stage_values({str(i): value for i, value in enumerate(row)}))[0])
