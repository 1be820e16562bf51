"""What stands for all units of a stage: their median or mean, and how far few of them hold everything; with bootstraps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from stratoscope.statistics.resample import percentile_interval
from stratoscope.types import Estimate, Floats

#: What stands for all properties together: the mean over them.
ALL = "all properties"
#: Share of the units that "few" means.
FEW = 0.1
#: ``statistic(values, counts)``: values (unit,) ascending, and how often each counts (draw, unit); one number a draw.
Statistic = Callable[[Floats, Floats], Floats]


def gini(values: Floats, counts: Floats) -> Floats:
    """Gini index with what is below zero counted as zero; NaN where all are zero.

        G = Σ_i (2 i - n - 1) x_i / (n Σ_i x_i),   x sorted, i = 1 ... n

    0 where all units hold the same, 1 - 1/n where one unit holds everything.
    """
    positive, n = np.maximum(values, 0.0), counts.sum(axis=1)
    reached = np.cumsum(counts, axis=1)
    places = counts * (2.0 * reached - counts - n[:, None])  # the sum of 2 i - n - 1 over the places of each unit
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((places @ positive) / (n * (counts @ positive)))


def top_share(values: Floats, counts: Floats) -> Floats:
    """Share of the sum of the values that the best tenth of the units hold, negative ones counted as zero.

    A tenth is rounded up, so that at least one unit is in it; NaN where all are zero.
    """
    positive, n = np.maximum(values, 0.0), counts.sum(axis=1)
    few = np.maximum(1.0, np.ceil(FEW * n))
    best = np.clip(np.cumsum(counts, axis=1) - (n - few)[:, None], 0.0, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((best @ positive) / (counts @ positive))


def median(values: Floats, counts: Floats) -> Floats:
    """Median over units."""
    n, reached = counts.sum(axis=1), np.cumsum(counts, axis=1)
    lower, upper = np.floor((n + 1) / 2), np.floor((n + 2) / 2)
    ends = [values[np.count_nonzero(reached < rank[:, None], axis=1)] for rank in (lower, upper)]
    return np.asarray((ends[0] + ends[1]) / 2)


def mean(values: Floats, counts: Floats) -> Floats:
    """Mean over units."""
    return np.asarray((counts @ values) / counts.sum(axis=1))


#: By the names that the protocol uses.
STATISTICS: dict[str, Statistic] = {"median": median, "mean": mean, "gini": gini, "top-share": top_share}


def of_units(name: str, values: Any) -> float:
    """Return the statistic `name` of values (unit,), each unit counted once."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return float(STATISTICS[name](ordered, np.ones((1, len(ordered))))[0])


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


@lru_cache(maxsize=16)
def resampled(n_units: int, n_resamples: int, seed: int) -> Floats:
    """Return how often each unit is in each resample with replacement (draw, unit); the first counts each once.

    Stages and models have few different numbers of units, so draws are kept; the array is not to be written to.
    """
    drawn_units = np.random.default_rng(seed).multinomial(n_units, np.full(n_units, 1 / n_units), size=n_resamples)
    counts = np.concatenate([np.ones((1, n_units)), drawn_units.astype(np.float64)])
    counts.setflags(write=False)
    return counts


def drawn(names: tuple[str, ...], values: Floats, statistic: Statistic, counts: Floats) -> Drawn:
    """Return `statistic` of `values` (property, unit), the properties `names`, and of every resample of its units.

    One resample serves all properties. Values are sorted once and a resample says how often each counts, which is ten
    times as fast as sorting every resample.
    """
    found = []
    for row in values:
        order = np.argsort(row, kind="stable")
        found.append(statistic(np.asarray(row[order], dtype=np.float64), counts[:, order]))
    every = _with_mean(np.stack(found, axis=1))
    return Drawn(names, every[0], every[1:], values.shape[1])


def _with_mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        middle = np.where(known, values, 0.0).sum(axis=-1, keepdims=True) / np.where(count > 0, count, np.nan)
    return np.concatenate([values, middle], axis=-1)
