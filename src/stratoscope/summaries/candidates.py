"""Which points could be the nearest, judged by products with an error bound, and which of them truly are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.summaries.duplicates import distinct_points, expand
from stratoscope.summaries.pairs import Blocks, exact_squares
from stratoscope.types import Floats, Integers

#: Distances that are not measured by differences are certain to this relative error.
RELATIVE_ERROR = 1e-7
_TILE = 1 << 20
_PAIRS = 1 << 22
#: Pairs that could be near: point, other point, squared distance, whether that must be measured.
_Near: TypeAlias = tuple[Integers, Integers, Floats, NDArray[np.bool_]]


@dataclass(frozen=True)
class NeighbourTable:
    """The nearest neighbours of every point.

    Attributes
    ----------
    distance : array (point, neighbour) of float64
        Euclidean distances, ascending.
    index : array (point, neighbour) of int64
        Which points they are, numbered as `distance` is; among equal distances the lower index first.
    rows : array (point,) of int64
        Position of each point among those given; not all of them where duplicates were merged.
    n_points : int
        Number of points in the table.
    duplicates : int
        How many of the points given repeat the coordinates of an earlier one.
    n_exact : int
        So many nearest distances of each point were measured by differences in float64; the others are certain to
        `RELATIVE_ERROR`.
    """

    distance: Floats
    index: Integers
    rows: Integers
    n_points: int
    duplicates: int
    n_exact: int


@dataclass(frozen=True)
class Search:
    """A search for the nearest neighbours among distinct points.

    Attributes
    ----------
    norm2 : array (distinct point,)
        Squared norms of the centred points.
    blocks : function
        Yields the coordinates of the distinct points.
    first : array (point,)
        For every point given the first one with the same coordinates.
    k : int
        Neighbours wanted.
    bound : float
        Squared distances from products are off by at most ``bound (|x|^2 + |y|^2)``.
    """

    norm2: Floats
    blocks: Blocks
    first: Integers
    k: int
    bound: float

    @property
    def width(self) -> int:
        """Neighbours that every distinct point can have among the distinct points."""
        return min(self.k, len(self.norm2) - 1)

    @property
    def n_exact(self) -> int:
        """Nearest to measure: at least three, and as many as cost little beside the products."""
        return min(self.width, max(3, len(self.norm2) // 100))

    def table(self, strips: Iterable[tuple[int, Floats]], duplicates: str) -> NeighbourTable:
        """Search in `strips` of products ``(first row, array (row, point))``, then keep or merge copies of points."""
        if duplicates not in {"keep", "merge"}:
            raise BadInput(f"Duplicates are 'keep' or 'merge', not {duplicates!r}.")
        distance, index = self._nearest(strips)
        rows, n_given = distinct_points(self.first), len(self.first)
        repeated = n_given - len(rows)
        if repeated and duplicates == "keep":
            distance, index = expand(distance, index, self.first, min(self.k, n_given - 1))
            rows = np.arange(n_given)
        return NeighbourTable(distance, index, rows, len(rows), repeated, self.n_exact)

    def _nearest(self, strips: Iterable[tuple[int, Floats]]) -> tuple[Floats, Integers]:
        shape = len(self.norm2), self.width
        distance, index = np.empty(shape), np.empty(shape, dtype=np.int64)
        if self.width == 0:
            return distance, index
        for near in _batches(self._candidates(start, strip) for start, strip in strips):
            point, other, squared, measure = (np.concatenate(part) for part in zip(*near, strict=True))
            squared[measure] = exact_squares(self.blocks, point[measure], other[measure])
            order = np.lexsort((other, squared, point))
            found, starts = np.unique(point[order], return_index=True)
            kept = order[starts[:, None] + np.arange(self.width)]
            distance[found], index[found] = np.sqrt(np.maximum(squared[kept], 0)), other[kept]
        return distance, index

    def _candidates(self, start: int, strip: Floats) -> Iterator[_Near]:
        """Yield, a tile of rows at a time, all pairs that could be among the nearest.

        A pair must be measured where it could be among the nearest `n_exact`, or where the products do not know its
        distance well enough.
        """
        floor = 1e-30 * float(self.norm2.mean())  # what float32 products may lose to underflow
        height = max(1, _TILE // len(self.norm2))
        for top in range(0, len(strip), height):
            product = strip[top : top + height]
            points = np.arange(start + top, start + top + len(product))
            total = self.norm2[points, None] + self.norm2
            squared, error = total - 2 * product, self.bound * total + floor
            squared[np.arange(len(points)), points] = np.inf
            lowest, highest = squared - error, squared + error
            highest.partition((self.n_exact - 1, self.width - 1), axis=1)
            near = lowest <= highest[:, self.width - 1, None]
            nearest = (lowest <= highest[:, self.n_exact - 1, None])[near]
            doubtful = error[near] > 2 * RELATIVE_ERROR * lowest[near]
            point, other = np.nonzero(near)
            yield points[point], other, squared[near], nearest | doubtful


def _batches(parts: Iterable[Iterator[_Near]]) -> Iterator[list[_Near]]:
    """Gather tiles until they hold some millions of pairs, because measuring them costs a pass over the blocks."""
    held: list[_Near] = []
    for tiles in parts:
        for tile in tiles:
            held.append(tile)
            if sum(len(near[0]) for near in held) > _PAIRS:
                yield held
                held = []
    if held:
        yield held
