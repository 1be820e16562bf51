"""Which points could be the nearest: judged by products, each with a bound on how far it may be off.

For every point the search keeps its reach, a distance within which its nearest neighbours certainly are. A pair whose
distance could lie within the reach of one of its points is held; as the reach shrinks, what cannot be near is let go.
So the true neighbours are always among those held, and how many more are held says how good the products are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.bounds import Measures
from stratoscope.types import Floats, Integers

_STRIP = 1280
_HELD = 1 << 21
_GROUPS = 64


@dataclass(frozen=True)
class Pairs:
    """Pairs of points, `point` and `other` (pair,), and what is known of each."""

    point: NDArray[np.int32]
    other: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.point)

    def take(self, chosen: NDArray[Any]) -> Self:
        """Return the pairs `chosen`, in that order."""
        return type(self)(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Put `parts` behind each other."""
        return (
            parts[0]
            if len(parts) == 1
            else cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))
        )


@dataclass(frozen=True)
class Seen(Pairs):
    """Pairs that seemed near when they came: the `product`, and the sum of the magnitudes of its parts (pair,)."""

    product: NDArray[Any]
    spread: NDArray[Any]


@dataclass(frozen=True)
class Near(Pairs):
    """Pairs that could be near: between which distances, `low` and `high`, theirs lies (pair,)."""

    low: Floats
    high: Floats

    @property
    def middle(self) -> Floats:
        """Squared distances (pair,) in the middle of what is possible."""
        return (self.low**2 + self.high**2) / 2


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
        self.wide = np.zeros(len(measures.norm2), dtype=bool)
        self._held = Near(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.zeros(0))
        self._seen: list[Seen] = []
        self._count, self._room = 0, _HELD

    def take(
        self,
        rows: Integers,
        cols: slice,
        product: NDArray[Any],
        spread: NDArray[Any] | None = None,
        *,
        both: bool = True,
    ) -> None:
        """Look at products (row, col) of the points `rows` and `cols`: for the rows, and with `both` for the columns."""
        height = max(_STRIP, 4 * self.k)
        for top in range(0, len(rows), height):
            part = slice(top, top + height)
            self._strip(rows[part], cols, product[part], None if spread is None else spread[part], both)
        if self._count > self._room:
            self._let_go()
            # what cannot be let go leaves room for half as much again: sorting it at every tile would take longest
            self._room = max(_HELD, 3 * self._count // 2)

    def found(self) -> Near:
        """Return all pairs that are held, ordered by point and greatest distance; points in `wide` are left out."""
        self._let_go()
        return self._held

    def _strip(self, rows: Integers, cols: slice, product: NDArray[Any], spread: Any, both: bool) -> None:
        squared = self._squared(rows, cols, product)
        error = self._returned(product, spread)
        columns = np.arange(cols.start, cols.stop)
        if error is not None:
            squared += error
        nearest = _smallest(squared, self.k)
        nearest_of_columns = _smallest(squared, self.k, columns=True) if both else None
        if error is not None:
            squared -= np.multiply(error, 2, out=error)
        limit = self._limit(rows, columns, nearest, squared.dtype)
        self._hold(np.flatnonzero(squared <= limit[:, None]), rows, columns, product, spread, turned=False)
        if nearest_of_columns is not None:
            limit = self._limit(columns, rows, nearest_of_columns, squared.dtype)
            self._hold(np.flatnonzero(squared <= limit), rows, columns, product, spread, turned=True)

    def _returned(self, product: NDArray[Any], spread: NDArray[Any] | None) -> NDArray[Any] | None:
        """Return how far squared distances may be off because products were rounded as they came back."""
        if not self.measures.output:
            return None
        share = product.dtype.type(2 * self.measures.output * (1 + 1e-5))
        error: NDArray[Any] = np.abs(product) if spread is None else spread * share
        if spread is None:
            error *= share
        return error

    def _squared(self, rows: Integers, cols: slice, product: NDArray[Any]) -> NDArray[Any]:
        """Return squared distances of the rounded points, infinite between a point and itself."""
        norm2 = self.measures.squares.astype(product.dtype)
        squared: NDArray[Any] = np.multiply(product, -2)
        squared += norm2[cols]
        squared += norm2[rows, None]
        own = rows - cols.start
        inside = np.flatnonzero((own >= 0) & (own < squared.shape[1]))
        squared[inside, own[inside]] = np.inf
        return squared

    def _limit(self, points: Integers, others: Integers, nearest: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return below which squared distance of rounded points another could be near; shrinks the reach of `points`."""
        norm2, eps = self.measures.norm2, float(np.finfo(dtype).eps)
        slack, apart, shift = self.measures.among(points, others, 8 * eps)
        with np.errstate(invalid="ignore"):  # infinite for points that are excluded
            reach = np.sqrt(np.maximum(nearest + slack, 0) + shift**2) + shift + apart
            self.reach[points] = np.fmin(self.reach[points], reach)
            near = self.reach[points] + apart
            limit = (near * (near + 2 * shift) + slack) * (1 + 4 * eps)
        limit[self.wide[points] | ~np.isfinite(norm2[points])] = -np.inf
        return np.asarray(np.fmin(limit, np.finfo(dtype).max).astype(dtype))

    def _hold(
        self, flat: Integers, rows: Integers, columns: Integers, product: NDArray[Any], spread: Any, *, turned: bool
    ) -> None:
        at, to = np.divmod(flat, len(columns))
        point, other = (columns[to], rows[at]) if turned else (rows[at], columns[to])
        value = product[at, to]
        size = np.abs(value) if spread is None else spread[at, to]
        self._seen.append(Seen(point.astype(np.int32), other.astype(np.int32), value, size))
        self._count += len(point)
        counts = np.bincount(to if turned else at)
        if counts.max(initial=0) > self.most:
            self._give_up((columns if turned else rows)[np.flatnonzero(counts > self.most)])

    def _give_up(self, points: Integers) -> None:
        self.wide[points] = True
        self._held = self._held.take(~self.wide[self._held.point])
        self._seen = [seen.take(~self.wide[seen.point]) for seen in self._seen]
        self._count = len(self._held) + sum(map(len, self._seen))

    def _let_go(self) -> None:
        """Shrink the reach to the k-th of the greatest distances, and let go what lies beyond it."""
        seen, self._seen = self._seen, []
        everyone = np.arange(len(self.reach))
        limit = self._limit(everyone, everyone, np.full(len(everyone), np.inf), np.dtype(np.float64))
        near = Near.joined([self._held, *(self._bounded(part, limit) for part in seen)])
        near = near.take(_ordered(near))
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


def _ordered(near: Near) -> Integers:
    """Return the order by point and greatest distance; two sorts of one key each are faster than one of two."""
    by_high = np.argsort(near.high)
    point = near.point[by_high]
    narrow = np.uint16 if point.max(initial=0) < 1 << 16 else np.uint32  # short integers are sorted by counting
    return by_high[np.argsort(point.astype(narrow), kind="stable")]


def _smallest(squared: NDArray[Any], k: int, *, columns: bool = False) -> Floats:
    """Return a value for every row (or column) that at least `k` of its entries do not exceed.

    It is near the k-th smallest, at little cost: the smallest entries of disjoint groups are different entries, so the
    k-th smallest of those will do.
    """
    across = 0 if columns else 1
    width = squared.shape[across]
    if width < k:
        return np.full(squared.shape[1 - across], np.inf)
    size = width // max(4 * k, _GROUPS)
    if size > 1:
        groups = width // size
        if columns:
            squared = squared[: size * groups].reshape(size, groups, -1).min(axis=0)
        else:
            squared = squared[:, : size * groups].reshape(-1, size, groups).min(axis=1)
    return np.asarray(np.partition(squared, k - 1, axis=across).take(k - 1, axis=across).astype(np.float64))
