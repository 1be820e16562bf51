"""The interval of a trend: replicates resampled whole, or the stages' own intervals carried through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from stratoscope.statistics.comparison import checked_count, checked_level
from stratoscope.statistics.propagate import from_intervals, without_interval
from stratoscope.statistics.resample import bootstrap, percentile_interval
from stratoscope.statistics.stage_values import StageValues
from stratoscope.statistics.tau import LARGEST_PAIRED, mean_tau, replicate_taus, tau_of_points, taus_of_draws
from stratoscope.types import Estimate, Floats, Integers
from stratoscope.words import number_of

#: Name of the statistic of a trend within replicates.
WITHIN = "mean Kendall tau-b within replicates"


def trend_interval(
    values: StageValues,
    statistic: Callable[[StageValues], float],
    name: str,
    *,
    n_resamples: int,
    level: float,
    seed: int,
) -> Estimate:
    """Resample replicates where there are several, else draw from the stages' own intervals where they have them."""
    checked_level(level)
    if statistic is mean_tau and n_resamples:
        return _interval_within(values, n_resamples=n_resamples, level=level, seed=seed)
    several = values.n_replicates > 1
    if n_resamples and several:
        draws = _draws(values, statistic, checked_count(n_resamples, 2), np.random.default_rng(seed))
        said = f"{name}, percentile bootstrap over {number_of(values.over, values.n_replicates)}"
        n = values.n_replicates
        return percentile_interval(statistic(values), draws, n=n, level=level, method=said, seed=seed)
    if n_resamples and values.low is not None and values.high is not None:

        def of_row(row: Floats) -> float:
            return statistic(values.with_values(row[:, None]))

        ends = values.values[:, 0], values.low, values.high
        found, _ = from_intervals(*ends, of_row, n_resamples=n_resamples, level=level, seed=seed)
        return replace(found, method=f"{name}, {found.method}")
    return without_interval(statistic(values), values.n_replicates if several else values.n_stages, name)


def _interval_within(values: StageValues, *, n_resamples: int, level: float, seed: int) -> Estimate:
    """Resample the taus, which belong to one replicate each, instead of computing them again."""
    taus = replicate_taus(values)
    known = taus[~np.isnan(taus)]
    if len(known) < 2:
        return without_interval(mean_tau(values), len(known), WITHIN)
    found = bootstrap(known, over=values.over, n_resamples=n_resamples, level=level, seed=seed)
    return replace(found, method=f"{WITHIN}, {found.method.split(', ', 1)[1]}")


def _draws(
    values: StageValues, statistic: Callable[[StageValues], float], n_resamples: int, rng: np.random.Generator
) -> Floats:
    """Return the statistic of each resample of the replicates (draw,); tau over points is taken of all at once."""
    size = values.values.shape[1]
    if not values.paired:
        return np.array([statistic(_redrawn_unpaired(values, rng)) for _ in range(n_resamples)])
    drawn = [np.asarray(rng.integers(size, size=size), dtype=np.int64) for _ in range(n_resamples)]
    if statistic is tau_of_points and size <= LARGEST_PAIRED:
        return taus_of_draws(values, _times(drawn, size))
    return np.array([statistic(values.with_values(values.values[:, columns])) for columns in drawn])


def _times(drawn: list[Integers], size: int) -> Integers:
    return np.stack([np.bincount(columns, minlength=size) for columns in drawn])


def _redrawn_unpaired(values: StageValues, rng: np.random.Generator) -> StageValues:
    size = values.values.shape[1]
    rows = [row[~np.isnan(row)] for row in values.values]
    drawn = [np.pad(rng.choice(row, len(row)), (0, size - len(row)), constant_values=np.nan) for row in rows]
    return values.with_values(np.stack(drawn))
