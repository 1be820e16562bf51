"""What stands for all units of a stage: their median or mean, and how far few of them hold everything; with bootstraps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stratoscope.statistics.resample import percentile_interval
from stratoscope.types import Estimate, Floats, Integers

#: What stands for all properties together: the mean over them.
ALL = "all properties"
#: Share of the units that "few" means.
FEW = 0.1
#: Reduces (..., unit) to (...).
Statistic = Callable[[Floats], Floats]


def gini(values: Floats) -> Floats:
    """Gini index of `values` (..., unit) with what is below zero counted as zero; NaN where all are zero.

        G = Σ_i (2 i - n - 1) x_i / (n Σ_i x_i),   x sorted, i = 1 ... n

    0 where all units hold the same, 1 - 1/n where one unit holds everything.
    """
    ordered = np.sort(np.maximum(values, 0.0), axis=-1)
    n = ordered.shape[-1]
    total = ordered.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((ordered @ (2.0 * np.arange(1, n + 1) - n - 1)) / (n * total))


def top_share(values: Floats) -> Floats:
    """Share of the sum of `values` (..., unit) that the best tenth of the units hold, negative ones counted as zero.

    A tenth is rounded up, so that at least one unit is in it; NaN where all are zero.
    """
    positive = np.maximum(values, 0.0)
    n = positive.shape[-1]
    few = max(1, int(np.ceil(FEW * n)))
    best = np.partition(positive, n - few, axis=-1)[..., n - few :]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(best.sum(axis=-1) / positive.sum(axis=-1))


def median(values: Floats) -> Floats:
    """Median over units of `values` (..., unit)."""
    return np.asarray(np.median(values, axis=-1))


def mean(values: Floats) -> Floats:
    """Mean over units of `values` (..., unit)."""
    return np.asarray(np.mean(values, axis=-1))


#: By the names that the protocol uses.
STATISTICS: dict[str, Statistic] = {"median": median, "mean": mean, "gini": gini, "top-share": top_share}


@dataclass(frozen=True)
class Drawn:
    """A statistic of units, for every property and for their mean, with its bootstrap over units.

    Attributes
    ----------
    names : tuple of str
        The properties.
    value : array (property + 1,)
        The last is the mean over the properties that have a value.
    draws : array (draw, property + 1)
        The same for resampled units.
    n : int
        Units.
    """

    names: tuple[str, ...]
    value: Floats
    draws: Floats
    n: int

    def estimates(self, *, level: float, seed: int, method: str) -> dict[str, Estimate]:
        """Return an estimate for each property, and for all together."""
        return {
            name: percentile_interval(
                float(self.value[i]), self.draws[:, i], n=self.n, level=level, method=method, seed=seed
            )
            if np.isfinite(self.value[i]) and np.isfinite(self.draws[:, i]).all()
            else Estimate(float(self.value[i]), np.nan, np.nan, self.n, method=method, seed=seed)
            for i, name in enumerate((*self.names, ALL))
        }


def resampled(n_units: int, n_resamples: int, seed: int) -> Integers:
    """Return which units each resample holds (draw, unit), with replacement."""
    return np.random.default_rng(seed).integers(n_units, size=(n_resamples, n_units))


def drawn(names: tuple[str, ...], values: Floats, statistic: Statistic, draws: Integers) -> Drawn:
    """Return `statistic` of `values` (property, unit), the properties `names`, and of every resample of its units."""
    each = statistic(values)
    redrawn = np.stack([statistic(row[draws]) for row in values], axis=1)
    return Drawn(names, _with_mean(each), _with_mean(redrawn), values.shape[1])


def _with_mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        middle = np.where(known, values, 0.0).sum(axis=-1, keepdims=True) / np.where(count > 0, count, np.nan)
    return np.concatenate([values, middle], axis=-1)
