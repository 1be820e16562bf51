"""Which points could be the nearest: judged by products, each with a bound on how far it may be off.

For every point the search keeps its reach, a distance within which its nearest neighbours certainly are. A pair whose
distance could lie within the reach of one of its points is held; as the reach shrinks, what cannot be near is let go.
So the true neighbours are always among those held, and how many more are held says how good the products are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.bounds import Measures
from stratoscope.summaries.held import Near, Seen, ordered
from stratoscope.types import Floats, Integers

#: Pairs that are held before those beyond reach are let go.
_HELD = 1 << 20
#: Rows looked at together, which stay near the processor.
_GROUPS = 64


@dataclass(frozen=True)
class Looked:
    """Products of the points `rows` with the points `columns`, looked at on their own.

    Attributes
    ----------
    product, spread : array (row, column)
        As they came.
    half : array (row, column)
        Half the least squared distances of the rounded points, infinite between a point and itself.
    nearest, nearest_of_columns : array (row, k), (column, k)
        Half squared distances of rounded points that are of k different columns, or rows: near the smallest.
    """

    rows: Integers
    columns: Integers
    product: NDArray[Any]
    spread: NDArray[Any] | None
    half: NDArray[Any]
    nearest: Floats
    nearest_of_columns: Floats | None


class Candidates:
    """The pairs that could be among the `k` nearest of a point.

    Parameters
    ----------
    measures : Measures
        Norms and error bounds of all points.
    k : int
        Neighbours wanted.
    most : int, optional
        Candidates of one point beyond which it is given up, and named in `wide`.
    """

    def __init__(self, measures: Measures, k: int, most: int | None = None) -> None:
        self.measures, self.k = measures, k
        self.most = len(measures.norm2) if most is None else most
        self.reach = np.full(len(measures.norm2), np.inf)
        self.within = np.full((len(measures.norm2), k), np.inf)
        self.wide = np.zeros(len(measures.norm2), dtype=bool)
        self._held = Near(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.zeros(0))
        self._seen: list[Seen] = []
        self._count, self._room = 0, _HELD

    def look_at(
        self, rows: Integers, cols: slice, product: NDArray[Any], spread: NDArray[Any] | None = None, *, both: bool
    ) -> Looked:
        """Look at products (row, col) of the points `rows` and `cols`, with `both` for the columns as well.

        It changes nothing, so that several threads may look. A few rows at a time stay near the processor; the smallest of
        each of so many groups of rows are those of a column's groups.
        """
        groups, columns = max(4 * self.k, _GROUPS), np.arange(cols.start, cols.stop)
        norms = (self.measures.squares / 2).astype(product.dtype)
        half, nearest = np.empty_like(product), np.empty((len(rows), self.k), dtype=product.dtype)
        smallest = np.full((groups if both else 0, len(columns)), np.inf, dtype=product.dtype)
        for top in range(0, len(rows), groups):
            some = slice(top, min(top + groups, len(rows)))
            part = np.subtract(norms[cols], product[some], out=half[some])
            part += norms[rows[some], None]
            _leave_out(part, rows[some] - cols.start)
            error = self._returned(product[some], None if spread is None else spread[some])
            if error is not None:
                part += error
            nearest[some] = _smallest(part, self.k)
            if both:
                least = smallest[: len(part)]
                np.minimum(least, part, out=least)
            if error is not None:
                part -= np.multiply(error, 2, out=error)
        of_columns = np.partition(smallest, self.k - 1, axis=0)[: self.k].T if both else None
        return Looked(rows, columns, product, spread, half, nearest, of_columns)

    def take(self, looked: Looked) -> None:
        """Hold the pairs of what was looked at that could be near."""
        self._take(looked, looked.rows, looked.columns, looked.nearest, turned=False)
        if looked.nearest_of_columns is not None:
            self._take(looked, looked.columns, looked.rows, looked.nearest_of_columns, turned=True)
        if self._count > self._room:
            self._let_go()
            # what cannot be let go leaves room for half as much again: sorting it at every tile would take longest
            self._room = max(_HELD, 3 * self._count // 2)

    def found(self) -> Near:
        """Return all pairs that are held, ordered by point and greatest distance, in distances of the points themselves.

        Points in `wide` are left out.
        """
        self._let_go()
        held, scale = self._held, self.measures.scale
        return Near(held.point, held.other, held.low * scale, held.high * scale)

    def _returned(self, product: NDArray[Any], spread: NDArray[Any] | None) -> NDArray[Any] | None:
        """Return how far half squared distances may be off because products were rounded as they came back."""
        if not self.measures.output:
            return None
        error = np.abs(product) if spread is None else spread.copy()
        error *= product.dtype.type(self.measures.output * (1 + 1e-5))
        return np.asarray(error)

    def _take(self, looked: Looked, points: Integers, others: Integers, nearest: NDArray[Any], *, turned: bool) -> None:
        """Hold the pairs that could be near for `points`, the rows of what was looked at, or `turned` its columns."""
        dtype = looked.half.dtype
        bounds = self._among(points, others, dtype)
        self._shrink(points, nearest, bounds)
        limit = (self._limit(points, bounds, dtype) / 2).astype(dtype)
        near = looked.half <= (limit if turned else limit[:, None])
        self._hold(np.flatnonzero(near), looked, turned=turned)

    def _among(self, points: Integers, others: Integers, dtype: np.dtype[Any]) -> tuple[Floats, Floats, Floats]:
        """Return what bounds hold between `points` and any of `others`, of squared distances added up in `dtype`."""
        return self.measures.among(points, others, 8 * float(np.finfo(dtype).eps))

    def _shrink(self, points: Integers, nearest: NDArray[Any], bounds: tuple[Floats, Floats, Floats]) -> None:
        """Shrink the reach of `points` to the k-th of the greatest distances that are known of each."""
        slack, apart, shift = (one[:, None] for one in bounds)
        squared = 2 * nearest.astype(np.float64) + slack
        high = np.sqrt(np.maximum(squared, 0) + shift**2) + shift + apart
        known = np.partition(np.concatenate([self.within[points], high], axis=1), self.k - 1, axis=1)
        self.within[points] = known[:, : self.k]
        self.reach[points] = np.minimum(self.reach[points], known[:, self.k - 1])

    def _limit(self, points: Integers, bounds: tuple[Floats, Floats, Floats], dtype: np.dtype[Any]) -> Floats:
        """Return below which squared distance of rounded points, held in `dtype`, another could be near."""
        slack, apart, shift = bounds
        with np.errstate(invalid="ignore"):
            near = self.reach[points] + apart
            limit = (near * (near + 2 * shift) + slack) * (1 + 4 * float(np.finfo(dtype).eps))
        limit[self.wide[points] | ~np.isfinite(self.measures.norm2[points])] = -np.inf
        return np.asarray(np.fmin(limit, np.finfo(dtype).max))

    def _hold(self, flat: Integers, looked: Looked, *, turned: bool) -> None:
        """Hold the products at `flat` of what was looked at, `turned` for the columns."""
        at, to = np.divmod(flat, len(looked.columns))
        row, column = looked.rows[at].astype(np.int32), looked.columns[to].astype(np.int32)
        value = looked.product[at, to]
        size = np.abs(value) if looked.spread is None else looked.spread[at, to]
        self._seen.append(Seen(*((column, row) if turned else (row, column)), value, size))
        self._count += len(flat)
        counts = np.bincount(to if turned else at)
        if counts.max(initial=0) > self.most:
            self._give_up((looked.columns if turned else looked.rows)[np.flatnonzero(counts > self.most)])

    def _give_up(self, points: Integers) -> None:
        self.wide[points] = True
        self._held = self._held.take(~self.wide[self._held.point])
        self._seen = [seen.take(~self.wide[seen.point]) for seen in self._seen]
        self._count = len(self._held) + sum(map(len, self._seen))

    def _let_go(self) -> None:
        """Shrink the reach to the k-th of the greatest distances, and let go what lies beyond it."""
        seen, self._seen = self._seen, []
        everyone = np.arange(len(self.reach))
        double = np.dtype(np.float64)
        limit = self._limit(everyone, self._among(everyone, everyone, double), double)
        near = Near.joined([self._held, *(self._bounded(part, limit) for part in seen)])
        near = near.take(ordered(near.point, near.high))
        start = np.searchsorted(near.point, np.arange(len(self.reach) + 1, dtype=near.point.dtype))
        known = np.flatnonzero(np.diff(start) >= self.k)
        self.reach[known] = np.fmin(self.reach[known], near.high[start[known] + self.k - 1])
        self._held = near.take(near.low <= self.reach[near.point])
        self._count = len(self._held)
        counts = np.bincount(self._held.point)
        if counts.max(initial=0) > self.most:
            self._give_up(np.flatnonzero(counts > self.most))

    def _bounded(self, seen: Seen, limit: Floats) -> Near:
        """Return the bounds of what may still lie within reach: most of what came early is beyond it by now."""
        measures = self.measures
        squared = measures.squares[seen.point] + measures.squares[seen.other] - 2 * seen.product.astype(np.float64)
        squared -= 2 * (1 + 1e-5) * measures.output * seen.spread
        seen = seen.take(squared <= limit[seen.point])
        bounds = measures.interval(
            seen.point, seen.other, seen.product.astype(np.float64), seen.spread.astype(np.float64)
        )
        near = Near(seen.point, seen.other, *bounds)
        return near.take(near.low <= self.reach[near.point])


def _leave_out(half: NDArray[Any], own: Integers) -> None:
    """Make infinite what each row has in its column `own` (row,), where there is one."""
    inside = np.flatnonzero((own >= 0) & (own < half.shape[1]))
    half[inside, own[inside]] = np.inf


def _smallest(half: NDArray[Any], k: int) -> NDArray[Any]:
    """Return `k` entries of every row that are near the smallest, infinite where there are fewer.

    At little cost: the smallest entries of disjoint groups are different entries, so the smallest of those will do.
    """
    width = half.shape[1]
    if width < k:
        return np.pad(half, ((0, 0), (0, k - width)), constant_values=np.inf)
    size = width // max(4 * k, 2 * _GROUPS)  # longer runs are gone through faster
    if size > 1:
        groups = width // size
        half = half[:, : size * groups].reshape(-1, size, groups).min(axis=1)
    return np.asarray(np.partition(half, k - 1, axis=1)[:, :k])
