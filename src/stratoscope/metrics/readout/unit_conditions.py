"""Responses of some units to every object in every view, and what a threshold learnt on two of them says of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.readout.threshold import threshold
from stratoscope.metrics.readout.unit_design import Layout, called_first, confusion_of
from stratoscope.types import Floats, Integers

#: Numbers of thresholds, times responses, that are looked at in one step.
STEP = 1 << 24
#: Comparisons of responses with thresholds at a time.
MASK = 1 << 17


class Conditions:
    """One condition is one object in one view, with one row a trial; conditions are numbered as in the layout.

    Parameters
    ----------
    rows : array (row, unit)
        Responses sorted as `layout` says; NaN where a trial is absent.
    layout : Layout
    """

    def __init__(self, rows: NDArray[Any], layout: Layout) -> None:
        self.rows, self.starts = rows, layout.starts
        sizes, first = np.diff(layout.starts), layout.starts[:-1]
        self.single = len(sizes) == len(rows)
        if self.single:
            self.mean, self.counts = rows, np.ones((len(sizes), 1), dtype=np.int64)
            return
        self.counts = np.add.reduceat(np.isfinite(rows), first, axis=0, dtype=np.int64)
        self.mean = np.add.reduceat(np.nan_to_num(rows), first, axis=0) / self.counts
        squares = np.nan_to_num(rows - np.repeat(self.mean, sizes, axis=0)) ** 2
        self.variance = np.add.reduceat(squares, first, axis=0) / np.maximum(self.counts - 1, 1)

    def draws(self, first: Integers, second: Integers, weights: Floats) -> Floats:
        """Learn condition i of `first` and j of `second`, be tested on all others of both; return (unit, 2, 2).

        Confusion matrices are summed with `weights` (i, j).
        """
        of_first, of_second = self._stacked(first), self._stacked(second)
        tests_first, tests_second = self.counts[first].sum(axis=0), self.counts[second].sum(axis=0)
        result = np.zeros((self.rows.shape[1], 2, 2))
        for i, j in self._steps(weights, len(of_first) + len(of_second)):
            limit, sign = self.thresholds(first[i], second[j])
            left = tests_first - self.counts[first[i]], tests_second - self.counts[second[j]]
            called = (
                called_first(_above(rows, limit) - self._own_above(own, limit), total, sign)
                for rows, own, total in zip((of_first, of_second), (first[i], second[j]), left, strict=True)
            )
            weight = weights[i, j]
            result += confusion_of(*((weight @ one, weight @ n) for one, n in zip(called, left, strict=True)))
        return result

    def transfer(self, learnt: tuple[int, int], tested: tuple[Integers, Integers]) -> Floats:
        """Learn one condition of each object, be tested on `tested` of each; return confusion matrices (unit, 2, 2)."""
        limit, sign = self.thresholds(np.array(learnt[:1]), np.array(learnt[1:]))
        parts = []
        for conditions in tested:
            total = self.counts[conditions].sum(axis=0)
            parts.append((called_first(_above(self._stacked(conditions), limit)[0], total, sign[0]), total))
        return confusion_of(*parts)

    def thresholds(self, first: Integers, second: Integers) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return thresholds between each of two conditions (draw, unit), and 1 where the first has the larger mean."""
        mean, others = self.mean[first], self.mean[second]
        sign = np.sign(mean - others)
        if self.single:
            return (mean + others) / 2, sign
        return threshold((mean, others), (self.variance[first], self.variance[second])), sign

    def _own_above(self, conditions: Integers, limits: NDArray[Any]) -> NDArray[Any]:
        """Count the rows of each condition above the threshold that was learnt with it (condition, unit)."""
        if self.single:
            return np.asarray(self.rows[conditions] > limits, dtype=np.float32)
        own = (self._stacked(conditions[j : j + 1]) for j in range(len(conditions)))
        return np.stack([_above(rows, one[None])[0] for rows, one in zip(own, limits, strict=True)])

    def _stacked(self, conditions: Integers) -> NDArray[Any]:
        """Return the rows of some conditions, without a copy where they follow each other."""
        if (np.diff(conditions) == 1).all():
            return self.rows[self.starts[conditions[0]] : self.starts[conditions[-1] + 1]]
        return np.concatenate([self.rows[self.starts[one] : self.starts[one + 1]] for one in conditions])

    def _steps(self, weights: Floats, n_rows: int) -> Iterator[tuple[Integers, Integers]]:
        """Yield the combinations that have a weight, some at a time."""
        firsts, seconds = np.nonzero(weights)
        width = max(1, STEP // (n_rows * self.rows.shape[1]))
        for start in range(0, len(firsts), width):
            yield firsts[start : start + width], seconds[start : start + width]


def _above(rows: NDArray[Any], limits: NDArray[Any]) -> NDArray[np.float32]:
    """Count the rows above each threshold (threshold, unit), some thresholds at a time so that the mask stays in the cache."""
    counts = np.empty(limits.shape, dtype=np.uint8 if len(rows) < 256 else np.int32)
    width = max(1, MASK // rows.size)
    for start in range(0, len(limits), width):
        some = slice(start, start + width)
        mask = rows[None] > limits[some, None]
        np.add.reduce(mask.view(np.uint8), axis=1, dtype=counts.dtype, out=counts[some])
    return counts.astype(np.float32)
