"""How a quantity goes with another one at each stage, and whether more so along the stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput
from stratoscope.statistics.association import bootstrapped, checked_kind, r_of
from stratoscope.statistics.comparison import Comparison, checked_sample
from stratoscope.statistics.stage_values import ByStage, StageValues, stage_values
from stratoscope.statistics.trend import kendall_medians
from stratoscope.types import Estimate, Floats


def correlation_per_stage(data: ByStage, y: Any, *, kind: str = "pearson", **options: Any) -> Estimate:
    """Correlation of each stage's values with one value a replicate.

    Parameters
    ----------
    data : mapping, xarray.DataArray or StageValues
        Values by stage and replicate, the replicates paired.
    y : array (replicate,)
        Such as the accuracy of each category.
    kind, **options
        As in `correlation`; replicates are resampled together at all stages.

    Returns
    -------
    Estimate
        ``.value``, ``.low`` and ``.high`` (stage,).
    """
    values, shared = _stages_with(data, y)
    options = {"over": values.over, **options}
    name = f"{kind} correlation at each stage"
    return bootstrapped((values.values.T, shared), _along(checked_kind(kind)), name, options)


def correlation_trend(
    data: ByStage, y: Any, *, kind: str = "pearson", n_resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Kendall's tau between the index of the stage and its correlation with y, as in `correlation_per_stage`.

    Returns
    -------
    Comparison
        Estimate is tau, with an interval over replicates; the p-value is exact over the orders of the stages.

    When it misleads
    ----------------
    The correlations at the stages share their categories, so they go up and down together; the interval knows that, the
    p-value, whose n is the number of stages, does not.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158
    """
    values, shared = _stages_with(data, y)
    along = _along(checked_kind(kind))
    index = np.arange(values.n_stages)

    def tau(rows: Floats, other: Floats) -> float:
        return float(stats.kendalltau(index, along(rows, other)).statistic)

    found = along(values.values.T, shared)
    if np.isnan(found).any():
        raise BadInput("A stage or y is constant over the replicates, so it has no correlation. Leave that stage out.")
    of_stages = kendall_medians(dict(zip(values.stages, found, strict=True)), seed=seed)
    options = {"over": values.over, "n_resamples": n_resamples, "level": level, "seed": seed}
    estimate = bootstrapped((values.values.T, shared), tau, f"Kendall tau of {kind} correlations", options)
    counted = {"stage": values.n_stages, values.over: len(shared)}
    return replace(of_stages, estimate=estimate, counted=counted)


def _stages_with(data: ByStage, y: Any) -> tuple[StageValues, Floats]:
    values, shared = stage_values(data), np.asarray(y, dtype=np.float64)
    if not values.paired or shared.shape != values.values.shape[1:]:
        raise BadInput(
            f"A correlation at each stage needs one value for each of the {values.values.shape[1]} replicates, the same "
            f"at every stage, but {shared.shape} came."
        )
    whole = ~np.isnan(values.values).any(axis=0) & ~np.isnan(shared)
    kept = values.take(np.flatnonzero(whole))
    checked_sample(shared[whole], "A correlation at each stage", 4)
    return kept, shared[whole]


def _along(kind: str) -> Callable[[Floats, Floats], Floats]:
    return lambda rows, other: np.array([r_of(column, other, kind) for column in rows.T])
