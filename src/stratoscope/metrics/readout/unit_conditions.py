"""Responses of some units to every object in every view, and what a threshold learnt on two of them says of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.readout.threshold import threshold
from stratoscope.metrics.readout.unit_design import Layout, called_first, confusion_of
from stratoscope.types import Floats, Integers

#: Thresholds that are compared with all responses at once: the mask of one such step stays in the cache.
STEP = 1_500_000


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
        for i, chosen in self._steps(weights, len(of_first) + len(of_second)):
            limit, sign = self.thresholds(first[i], second[chosen])
            own = self._own_above(second[chosen], limit)
            weight, left = weights[i, chosen], tests_second - self.counts[second[chosen]]
            above = _above(of_first, limit) - _above(self._stacked(first[i : i + 1]), limit)
            total = np.broadcast_to(tests_first - self.counts[first[i]], left.shape)
            called = called_first(above, total, sign), called_first(_above(of_second, limit) - own, left, sign)
            result += confusion_of(*((weight @ one, weight @ n) for one, n in zip(called, (total, left), strict=True)))
        return result

    def transfer(self, learnt: tuple[int, int], tested: tuple[Integers, Integers]) -> Floats:
        """Learn one condition of each object, be tested on `tested` of each; return confusion matrices (unit, 2, 2)."""
        limit, sign = self.thresholds(learnt[0], np.array([learnt[1]]))
        parts = []
        for conditions in tested:
            total = self.counts[conditions].sum(axis=0)
            parts.append((called_first(_above(self._stacked(conditions), limit)[0], total, sign[0]), total))
        return confusion_of(*parts)

    def thresholds(self, i: int, chosen: Integers) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return thresholds between condition `i` and each of `chosen` (chosen, unit), and 1 where i has the larger mean."""
        mean, others = self.mean[i], self.mean[chosen]
        sign = np.sign(mean - others)
        if self.single:
            return (mean + others) / 2, sign
        return threshold((np.broadcast_to(mean, others.shape), others), (self.variance[i], self.variance[chosen])), sign

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

    def _steps(self, weights: Floats, n_rows: int) -> Iterator[tuple[int, Integers]]:
        width = max(1, STEP // (n_rows * self.rows.shape[1]))
        for i, row in enumerate(weights):
            wanted = np.flatnonzero(row)
            for start in range(0, len(wanted), width):
                yield i, wanted[start : start + width]


def _above(rows: NDArray[Any], limits: NDArray[Any]) -> NDArray[np.float32]:
    """Count the rows above each threshold (threshold, unit); one threshold at a time compares the fastest."""
    mask = np.empty(rows.shape, dtype=bool)
    counts = np.empty(limits.shape, dtype=np.uint8 if len(rows) < 256 else np.int32)
    for limit, count in zip(limits, counts, strict=True):
        np.greater(rows, limit, out=mask)
        np.add.reduce(mask.view(np.uint8), axis=0, dtype=count.dtype, out=count)
    return counts.astype(np.float32)
