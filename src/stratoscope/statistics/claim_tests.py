"""The statistics a claim can name, each a function of what the claim read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.registry import Registry
from stratoscope.statistics import association, contrast, peak, single_case, stage_correlation, trend
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.stage_values import StageValues
from stratoscope.words import number_of


@dataclass(frozen=True)
class ClaimTest:
    """A test that claims can name.

    Attributes
    ----------
    function : callable
        ``function(reads, [compared], [covariates=...], level=..., seed=..., **options)`` of `StageValues`.
    quantity : str
        What its estimate is, in words.
    compares : bool
        Whether it needs a second reading.
    """

    function: Callable[..., Comparison]
    quantity: str
    compares: bool = False


CLAIM_TESTS: Registry[ClaimTest] = Registry("test of a claim", group="stratoscope.claim_tests")


def last_against_first(values: StageValues, *, level: float, seed: int, **options: Any) -> Comparison:
    """Test whether the last stage differs from the first: `level_difference` of the two."""
    if values.n_stages < 2:
        raise TooFew(f"The last stage is compared with the first, but {number_of('stage', values.n_stages)} came.")
    last, first = _stage(values, -1), _stage(values, 0)
    found = contrast.level_difference(last, first, level=level, seed=seed, **options)
    return replace(found, counted={**found.counted, "stage": 2})


def correlation(
    reads: StageValues, compared: StageValues, *, covariates: tuple[StageValues, ...] = (), **options: Any
) -> Comparison:
    """Correlate two quantities over what both have (categories), holding covariates constant where there are any."""
    columns, over, lost = _matched(reads, compared, *covariates)
    x, y, *held = columns
    if held:
        found = association.partial_correlation(x, y, np.column_stack(held), over=over, **options)
    else:
        found = association.correlation(x, y, over=over, **options)
    return _dropping(found, over, lost)


def correlation_trend(reads: StageValues, compared: StageValues, **options: Any) -> Comparison:
    """Trend along the stages of `reads` of the correlation with `compared`, which has one stage."""
    if compared.n_stages != 1:
        raise BadInput(f"A correlation trend compares with one stage, but {', '.join(compared.stages)} came.")
    names = _shared(reads, compared)
    lost = len(reads.replicates) - len(names)
    found = stage_correlation.correlation_trend(_pick(reads, names), _pick(compared, names).values[0], **options)
    return _dropping(found, reads.over, lost)


def correlation_difference(reads: StageValues, compared: StageValues, **options: Any) -> Comparison:
    """Correlation with `compared` at the last stage of `reads`, minus that at its first."""
    if reads.n_stages < 2:
        raise TooFew("A difference of correlations needs two stages to read.")
    (x, other, y), over, lost = _matched(_stage(reads, -1), _stage(reads, 0), compared)
    return _dropping(association.correlation_difference(x, other, y, over=over, **options), over, lost)


def level_difference(reads: StageValues, compared: StageValues, **options: Any) -> Comparison:
    """Compare levels at the stages that both have, see `contrast.level_difference`."""
    return _at_common_stages(contrast.level_difference, reads, compared, options)


def trend_difference(reads: StageValues, compared: StageValues, **options: Any) -> Comparison:
    """Compare trends over the stages that both have, see `contrast.trend_difference`."""
    return _at_common_stages(contrast.trend_difference, reads, compared, options)


def abolished_trend(reads: StageValues, compared: StageValues, **options: Any) -> Comparison:
    """Test whether a trend is gone, over the stages that both have, see `contrast.abolished_trend`."""
    return _at_common_stages(contrast.abolished_trend, reads, compared, options)


def _at_common_stages(
    function: Callable[..., Comparison], reads: StageValues, compared: StageValues, options: dict[str, Any]
) -> Comparison:
    """Leave out stages that only one side has, and say which."""
    shared = [name for name in reads.stages if name in compared.stages]
    if not shared:
        raise BadInput(
            f"The two have no stage in common: {', '.join(reads.stages)} against {', '.join(compared.stages)}."
        )
    found = function(reads.at(shared), compared.at(shared), **options)
    left = [name for name in dict.fromkeys((*reads.stages, *compared.stages)) if name not in shared]
    if not left:
        return found
    note = "; ".join(part for part in (found.estimate.note, f"only one side has: {', '.join(left)}") if part)
    return replace(found, estimate=replace(found.estimate, note=note))


def _stage(values: StageValues, at: int) -> StageValues:
    return replace(values.at([values.stages[at]]), stages=("one stage",))


def _matched(*parts: StageValues) -> tuple[list[Any], str, int]:
    """Return a column of each part, for the replicates that all have; their kind; and how many were lost."""
    for part in parts:
        if part.n_stages != 1:
            raise BadInput(f"A correlation reads one stage of each quantity, but {', '.join(part.stages)} came.")
    names = _shared(*parts)
    columns = np.stack([_pick(part, names).values[0] for part in parts])
    whole = ~np.isnan(columns).any(axis=0)
    lost = max(len(part.replicates) for part in parts) - int(whole.sum())
    return list(columns[:, whole]), parts[0].over, lost


def _shared(*parts: StageValues) -> list[str]:
    if any(not part.replicates or part.over != parts[0].over for part in parts):
        raise BadInput(
            "Quantities are correlated over what both have by name, such as categories, but these are over "
            f"{', '.join(part.over for part in parts)}, not all of them named."
        )
    return [name for name in parts[0].replicates if all(name in part.replicates for part in parts)]


def _pick(values: StageValues, names: list[str]) -> StageValues:
    return values.take(np.array([values.replicates.index(name) for name in names], dtype=np.int64))


def _dropping(found: Comparison, over: str, lost: int) -> Comparison:
    return replace(found, estimate=replace(found.estimate, dropped={f"{over} unmatched": lost})) if lost else found


for _name, _test in {
    "kendall_points": ClaimTest(trend.kendall_points, "tau-b between stage and value over all points"),
    "kendall_medians": ClaimTest(trend.kendall_medians, "tau-b between stage and median"),
    "permute_stages": ClaimTest(trend.permute_stages, "tau-b between stage and value"),
    "within_replicates": ClaimTest(trend.within_replicates, "mean tau-b along stages within each replicate"),
    "rise_then_fall": ClaimTest(peak.rise_then_fall, "height of the best inner stage above both ends"),
    "last_against_first": ClaimTest(last_against_first, "last stage minus first"),
    "level_difference": ClaimTest(level_difference, "difference of levels", compares=True),
    "trend_difference": ClaimTest(trend_difference, "difference of tau-b", compares=True),
    "abolished_trend": ClaimTest(abolished_trend, "tau-b lost", compares=True),
    "case_against_models": ClaimTest(single_case.case_against_models, "one network less others", compares=True),
    "correlation_over_stages": ClaimTest(single_case.correlation_over_stages, "correlation over stages", compares=True),
    "correlation": ClaimTest(correlation, "correlation", compares=True),
    "correlation_trend": ClaimTest(correlation_trend, "tau between stage and correlation", compares=True),
    "correlation_difference": ClaimTest(correlation_difference, "last correlation minus first", compares=True),
}.items():
    CLAIM_TESTS.add(_name, _test)
