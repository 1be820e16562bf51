"""Sparseness at every stage against the accuracy of the read-out, category by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stratoscope.errors import StratoscopeError
from stratoscope.results import Row, StageResult, Values
from stratoscope.statistics.association import partial_correlation, pearson, spearman
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.intervals import median_interval
from stratoscope.studies.liu2020.protocol import PSI, Protocol
from stratoscope.studies.liu2020.readout import ReadOut
from stratoscope.types import Estimate, Floats, Stage

METRIC = "correlation_with_accuracy"
#: What is computed at every stage, as it stands in the table.
COEFFICIENTS = ("pearson", "spearman", "partial pearson given mean activation")


def with_readout(closed: Sequence[StageResult], stage: str, found: ReadOut, protocol: Protocol) -> list[StageResult]:
    """Add the accuracy to the read-out `stage`, and the correlation of PSI with it to every stage."""
    correlated = (_correlated(result, found, protocol) for result in closed)
    return [_read_out(result, found) if result.stage.name == stage else result for result in correlated]


def _read_out(result: StageResult, found: ReadOut) -> StageResult:
    arrays = {
        "readout_accuracy": Values(found.accuracy, ("category",)),
        "readout_confusion": Values(found.confusion, ("category", "predicted")),
    }
    note = "; ".join(found.notes)
    mean = Estimate(float(np.nanmean(found.accuracy)), np.nan, np.nan, found.n, note=note)
    rows = (
        _row(result, "readout_accuracy", mean, "mean over categories"),
        _row(result, "readout_accuracy", median_interval(found.accuracy), "median over categories"),
    )
    return replace(result, arrays={**result.arrays, **arrays}, rows=(*result.rows, *rows))


def _correlated(result: StageResult, found: ReadOut, protocol: Protocol) -> StageResult:
    if PSI not in result.arrays:
        return result
    psi, mean = (np.asarray(result.arrays[name].data, dtype=np.float64) for name in (PSI, "mean_activation"))
    whole = np.isfinite(psi) & np.isfinite(found.accuracy) & np.isfinite(mean)
    columns = psi[whole], found.accuracy[whole], mean[whole]
    compared = [_compared(name, *columns, protocol) for name in COEFFICIENTS]
    rows = tuple(_row(result, METRIC, one.estimate, name) for name, one in zip(COEFFICIENTS, compared, strict=True))
    p = Values(np.array([one.p for one in compared]), ("coefficient",), {"coefficients": list(COEFFICIENTS)})
    values = Values(np.array([one.estimate.value for one in compared]), ("coefficient",))
    return replace(result, arrays={**result.arrays, METRIC: values, f"{METRIC}.p": p}, rows=(*result.rows, *rows))


def _compared(name: str, psi: Floats, accuracy: Floats, mean: Floats, protocol: Protocol) -> Comparison:
    how: dict[str, Any] = {"n_resamples": protocol.n_resamples, "level": protocol.level, "seed": protocol.seed}
    try:
        if name.startswith("partial"):
            found = partial_correlation(psi, accuracy, mean, **how)
        else:
            found = (pearson if name == "pearson" else spearman)(psi, accuracy, **how)
    except StratoscopeError as error:
        nothing = Estimate(np.nan, np.nan, np.nan, len(psi), note=str(error))
        return Comparison(nothing, float("nan"), "not tested")
    if np.isnan(found.estimate.value):
        note = "PSI or accuracy is the same for all categories, so they have no correlation"
        return replace(found, estimate=replace(found.estimate, note=note))
    return found


def stepwise(closed: Sequence[StageResult], found: ReadOut, groups: Mapping[str, Sequence[Stage]]) -> dict[str, Any]:
    """Forward stepwise regression of accuracy on the PSI of the stages of each group, one after another.

    Each step takes the stage that raises adjusted R² most, and ends where none does; PSI and accuracy are z-scored over
    categories.

    Parameters
    ----------
    closed : sequence of StageResult
        With PSI by category.
    found : ReadOut
        With the accuracy by category.
    groups : mapping of str to sequence of Stage
        ``conv`` and ``fc``, as in the paper, or whatever is regressed together.

    Returns
    -------
    dict
        For every group the ``stages`` taken, in order, and ``adjusted_r2`` after each.

    When it misleads
    ----------------
    Adjusted R² does not know that the best of many stages was chosen: with as many stages as a tenth of the categories it
    finds something in noise. There is no p-value for that reason.
    """
    by_stage = {result.stage: np.asarray(result.arrays[PSI].data) for result in closed if PSI in result.arrays}
    told: dict[str, Any] = {}
    for group, stages in groups.items():
        used = [stage for stage in stages if stage in by_stage]
        if used:
            columns = np.column_stack([by_stage[stage] for stage in used])
            order, gains = forward_selection(columns, found.accuracy)
            told[group] = {"stages": [used[i].name for i in order], "adjusted_r2": gains}
    return told


def forward_selection(columns: Floats, y: Floats) -> tuple[list[int], list[float]]:
    """Return the columns of `columns` (category, predictor) taken one by one, and adjusted R² after each."""
    whole = np.isfinite(columns).all(axis=1) & np.isfinite(y)
    x, target = _z(columns[whole]), _z(y[whole])
    taken: list[int] = []
    gains: list[float] = []
    while len(taken) < min(x.shape[1], len(target) - 3):
        tries = {i: _adjusted_r2(x[:, [*taken, i]], target) for i in range(x.shape[1]) if i not in taken}
        best = max(tries, key=lambda i: tries[i])
        if tries[best] <= (gains[-1] if gains else 0.0) + 1e-12:
            break
        taken.append(best)
        gains.append(tries[best])
    return taken, gains


def _adjusted_r2(x: Floats, y: Floats) -> float:
    n, k = x.shape
    if not (y**2).sum():
        return 0.0
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(1 - (left @ left) / (y @ y) * (n - 1) / (n - k - 1))


def _z(values: Floats) -> Floats:
    deviation = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))


def _row(result: StageResult, metric: str, value: Estimate, item: str) -> Row:
    numbers = float(value.value), float(value.low), float(value.high)
    return Row.of(
        result.stage, metric, *numbers, n=value.n, item=item, lesion=result.lesion, seed=value.seed, note=value.note
    )
