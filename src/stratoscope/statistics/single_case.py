"""One case against a few others of its kind: the trained network beside untrained ones that differ by their seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.statistics.association import correlation
from stratoscope.statistics.comparison import Comparison, checked_level
from stratoscope.statistics.propagate import from_intervals, without_interval
from stratoscope.statistics.stage_values import ByStage, StageValues, stage_values
from stratoscope.types import Estimate, Floats
from stratoscope.words import number_of

_SUMMARIES = ("mean", "hump", "trend")


def case_against_models(
    one: ByStage,
    others: ByStage,
    *,
    summary: str = "mean",
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Test whether one hierarchy differs from others of which several models are there.

    With x the summary of the one, and y_1 ... y_n those of the models, of mean m and standard deviation s (n - 1):

        t = (x - m) / (s sqrt(1 + 1/n)),   n - 1 degrees of freedom

    It asks how often a further model would lie as far out as the one, so that few models are paid for and no pairing is
    needed. Where there is one model alone, both sides' intervals are carried over instead.

    Parameters
    ----------
    one, others : mapping, xarray.DataArray or StageValues
        Values by stage, one replicate and n replicates; the stages that both have are compared.
    summary : str
        ``mean`` over stages; ``hump``: height of the best inner stage above the higher of both ends; ``trend``: Kendall's
        tau-b along the stages.
    n_resamples, level, seed
        Draws from intervals where there is one model, level of the interval, seed of the draws.

    Returns
    -------
    Comparison
        Estimate is x - m in the units of the summary, with the interval of a further model's difference.

    Raises
    ------
    BadInput
        For several replicates in `one`, or no stage that both have.
    TooFew
        For fewer than three stages with ``hump``, or fewer than two with ``trend``.

    When it misleads
    ----------------
    It takes the models as draws from a Gaussian; with five of them nobody can look whether they are. It speaks about this
    one network, not about training in general: another trained network would be another case.

    References
    ----------
    Crawford & Howell 1998, doi:10.1076/clin.12.4.482.7241
    """
    checked_level(level)
    if summary not in _SUMMARIES:
        raise unknown_name("summary over stages", summary, _SUMMARIES)
    first, second, note = _common(stage_values(one), stage_values(others))
    if first.n_replicates != 1:
        raise BadInput(f"One case is compared with models, but {first.n_replicates} replicates of it came. Give one.")
    of = _summary(summary, first.n_stages)
    y = np.array([of(column) for column in second.values.T if not np.isnan(column).any()])
    if len(y) < 2:
        return _noted(_by_intervals(first, second, of, summary, n_resamples, level, seed), note)
    x, m, s = float(of(first.values[:, 0])), float(y.mean()), float(y.std(ddof=1))
    spread = s * np.sqrt(1 + 1 / len(y))
    half = float(stats.t.ppf((1 + level) / 2, len(y) - 1) * spread)
    p = float(2 * stats.t.sf(abs(x - m) / spread, len(y) - 1)) if spread > 0 else float("nan")
    said = f"{summary} over {number_of('stage', first.n_stages)}, one network less the mean of {number_of('model', len(y))}"
    low, high = (x - m - half, x - m + half) if spread > 0 else (float("nan"), float("nan"))
    told = (
        note
        if spread > 0
        else "; ".join(filter(None, (note, "the models do not differ, so there is no spread to judge by")))
    )
    estimate = Estimate(x - m, low, high, len(y), level, said, note=told)
    counted = {"stage": first.n_stages, second.over: len(y)}
    return Comparison(estimate, p, f"single case, t with {len(y) - 1} degrees of freedom", counted=counted)


def correlation_over_stages(
    one: ByStage, other: ByStage, *, kind: str = "spearman", n_resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Correlation over the stages of two quantities that have one number a stage, with a permutation p-value.

    Parameters
    ----------
    one, other : mapping, xarray.DataArray or StageValues
        One number a stage each; stages that both have are used.
    kind, n_resamples, level, seed
        As in `stratoscope.statistics.association.correlation`.

    Returns
    -------
    Comparison
        Estimate is the correlation, -1 to 1.

    Raises
    ------
    TooFew
        For fewer than four stages.

    When it misleads
    ----------------
    The stages of a network are few and not independent: any two quantities that drift along them go together. Read it as
    a description.
    """
    first, second, note = _common(stage_values(one), stage_values(other))
    for values in (first, second):
        if values.n_replicates != 1:
            raise BadInput(f"A correlation over stages needs one number a stage, but {values.n_replicates} came.")
    options: dict[str, Any] = {"n_resamples": n_resamples, "level": level, "seed": seed}
    x, y = first.values[:, 0], second.values[:, 0]
    if len(x) < 4:
        raise TooFew(f"A correlation over stages needs at least 4 of them, but {number_of('stage', len(x))} came.")
    return _noted(correlation(x, y, kind=kind, test="permutation", over="stage", **options), note)


def _common(first: StageValues, second: StageValues) -> tuple[StageValues, StageValues, str]:
    """Return both at the stages where both have every value, and say what was left out."""
    shared = [name for name in first.stages if name in second.stages]
    if not shared:
        raise BadInput(
            f"The two have no stage in common: {', '.join(first.stages)} against {', '.join(second.stages)}."
        )
    one, other = first.at(shared), second.at(shared)
    whole = [bool(np.isfinite([*a, *b]).all()) for a, b in zip(one.values, other.values, strict=True)]
    kept = [name for name, known in zip(shared, whole, strict=True) if known]
    if not kept:
        raise TooFew("There is no stage at which both have a value.")
    left = [name for name in dict.fromkeys((*first.stages, *second.stages)) if name not in kept]
    return one.at(kept), other.at(kept), f"left out, as one side has no value: {', '.join(left)}" if left else ""


def _summary(name: str, n_stages: int) -> Callable[[Floats], Any]:
    """Return a function of values (..., stage), one number for each row."""
    if n_stages < {"mean": 1, "hump": 3, "trend": 2}[name]:
        raise TooFew(f"The {name} over stages needs more of them, but {number_of('stage', n_stages)} came.")
    if name == "mean":
        return lambda rows: rows.mean(axis=-1)
    if name == "trend":
        places = np.arange(n_stages)
        return lambda rows: np.apply_along_axis(lambda row: float(stats.kendalltau(places, row).statistic), -1, rows)
    return lambda rows: rows[..., 1:-1].max(axis=-1) - np.maximum(rows[..., 0], rows[..., -1])


def _by_intervals(
    first: StageValues,
    second: StageValues,
    of: Callable[[Floats], Any],
    summary: str,
    n_resamples: int,
    level: float,
    seed: int,
) -> Comparison:
    n = first.n_stages

    def difference(rows: Floats) -> Any:
        return of(rows[..., :n]) - of(rows[..., n:])

    both = np.concatenate([first.values[:, 0], second.values[:, 0]])
    counted = {"stage": n, "model": 1}
    said = f"{summary} over {number_of('stage', n)}, one network less another"
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Comparison(
            without_interval(difference(both), n, said), float("nan"), "none: no interval", counted=counted
        )
    low, high = np.concatenate([first.low, second.low]), np.concatenate([first.high, second.high])
    found, p = from_intervals(
        both, low, high, difference, n_resamples=n_resamples, level=level, seed=seed, vectorized=True
    )
    estimate = replace(found, n=n, method=f"{said}, {found.method}")
    return Comparison(estimate, p, "draws from the intervals of the stages", counted=counted)


def _noted(found: Comparison, note: str) -> Comparison:
    if not note:
        return found
    said = "; ".join(part for part in (found.estimate.note, note) if part)
    return replace(found, estimate=replace(found.estimate, note=said))
