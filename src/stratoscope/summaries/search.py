"""One search for nearest neighbours: candidates from tiles of products, then measured, and copies of points put back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.summaries.bounds import Measures
from stratoscope.summaries.candidates import Candidates, Looked
from stratoscope.summaries.drawn import CHANCE, spread_of_draws
from stratoscope.summaries.duplicates import distinct_points, expand
from stratoscope.summaries.factors import Points
from stratoscope.summaries.pairs import Blocks
from stratoscope.summaries.products import Product
from stratoscope.summaries.settle import LOOSE, RELATIVE_ERROR, NeighbourTable, settle
from stratoscope.summaries.threads import in_threads
from stratoscope.summaries.tiles import AHEAD, Tile, multiply_rows
from stratoscope.types import Floats, Integers

#: Products of points searched again that are held at a time.
_WIDE = 1 << 23


@dataclass(frozen=True)
class Search:
    """A search for the nearest neighbours among distinct points.

    Attributes
    ----------
    blocks : function
        Yields the coordinates of all points.
    first : array (point,)
        For every point the first one with the same coordinates; only that one is searched for and found.
    k : int
        Neighbours wanted.
    exact : int, optional
        How many of them are not asked for loosely.
    """

    blocks: Blocks
    first: Integers
    k: int
    exact: int | None = None

    @property
    def rows(self) -> Integers:
        """The distinct points."""
        return distinct_points(self.first)

    @property
    def width(self) -> int:
        """Neighbours that every distinct point can have among the distinct points."""
        return min(self.k, len(self.rows) - 1)

    @property
    def n_exact(self) -> int:
        """Nearest to measure, however certain they are without: three, or as many as are asked for."""
        return min(self.width, 3 if self.exact is None else self.exact)

    @property
    def error(self) -> float:
        """Relative error allowed to the distances that need not be exact."""
        return RELATIVE_ERROR if self.exact is None else LOOSE

    def candidates(self, points: Points, product: Product, *, most: int | None = None) -> Candidates:
        """Return an empty collection of candidates, with what bounds the error of `product` on these points."""
        norm2 = np.full(len(self.first), np.inf)
        norm2[self.rows] = points.norm2[self.rows]
        # what single precision may lose to underflow, and double precision to nothing that matters
        floor = 1e-30 * float(points.norm2.mean()) + (points.n_units * 1e-36 if product.rounding != "float64" else 0)
        measures = Measures(
            points.size2,
            norm2,
            points.rest2,
            points.noise2,
            points.step,
            product.bound(points.width, points.n_units),
            product.output,
            floor,
            spread_of_draws(len(norm2), points.n_units) if product.drawn else 0.0,
            points.scale or 1.0,
        )
        few = max(4 * self.width, min(max(len(self.rows) // 64, 64), 256))
        return Candidates(measures, max(self.width, 1), few if most is None else most)

    def look(self, near: Candidates, tiles: Iterable[Tile], threads: int = 1) -> None:
        """Look for candidates in `tiles` of products, each in a thread of its own; they are taken in order."""

        def look_at(tile: Tile) -> Looked:
            found, rows = tile.products(), np.arange(tile.rows.start, tile.rows.stop)
            assert found.total is not None
            return near.look_at(rows, tile.cols, found.total, found.spread, both=tile.rows.start != tile.cols.start)

        for looked in in_threads(look_at, tiles, threads, ahead=AHEAD):
            near.take(looked)

    def table(self, near: Candidates, duplicates: str, product: str) -> NeighbourTable:
        """Measure the candidates, search again where there are too many or too few, then keep or merge copies of points."""
        if duplicates not in {"keep", "merge"}:
            raise BadInput(f"Duplicates are 'keep' or 'merge', not {duplicates!r}.")
        shape = (len(self.first), self.width)
        distance, index = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
        n_measured, n_wide, far_error = 0, 0, self.error
        if self.width:
            n_measured, far_error = self._settle(near, distance, index)
            wide = self.rows[np.isnan(distance[self.rows, 0])]  # given up, or without enough candidates
            n_wide = len(wide)
            for start in range(0, n_wide, max(1, _WIDE // len(self.first))):
                n_again, again = self._again(wide[start : start + max(1, _WIDE // len(self.first))], distance, index)
                n_measured, far_error = n_measured + n_again, max(far_error, again)
        rows, n_given = self.rows, len(self.first)
        distance, index = distance[rows], np.searchsorted(rows, index[rows])
        repeated = n_given - len(rows)
        if repeated and duplicates == "keep":
            distance, index = expand(distance, index, self.first, min(self.k, n_given - 1))
            rows = np.arange(n_given)
        chance = CHANCE if near.measures.spread else 0.0
        return NeighbourTable(
            distance, index, rows, len(rows), repeated, self.n_exact, far_error, product, n_measured, n_wide, chance
        )

    def _settle(self, near: Candidates, distance: Floats, index: Integers) -> tuple[int, float]:
        found = settle(near.found(), self.blocks, self.width, self.n_exact, self.error)
        distance[found.points], index[found.points] = found.distance, found.index
        return found.n_measured, found.far_error

    def _again(self, rows: Integers, distance: Floats, index: Integers) -> tuple[int, float]:
        """Search for the neighbours of the points `rows` in double precision, with as many candidates as it takes."""
        points, n_points = Points.of(len(self.first)), len(self.first)
        products = multiply_rows(self.blocks, rows, n_points, points)
        near = self.candidates(points, Product("numpy", "float64"), most=n_points)
        near.take(near.look_at(rows, slice(0, n_points), products, both=False))
        return self._settle(near, distance, index)
