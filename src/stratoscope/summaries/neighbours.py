"""Nearest neighbours of points, exact where estimators of dimension live: among the nearest.

Distances from products, |x|^2 + |y|^2 - 2 x.y, cancel for near neighbours. So products of centred points only propose
candidates, with a bound on their error that says how many could be the nearest; those are then measured by
differences in float64. Where a coarse product leaves too much open for a point, that point is searched again in double
precision; where even that says nothing, all others are measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.summaries.blocks import all_finite
from stratoscope.summaries.bounds import Measures
from stratoscope.summaries.candidates import Candidates, Looked
from stratoscope.summaries.choice import choose_product
from stratoscope.summaries.drawn import CHANCE, spread_of_draws
from stratoscope.summaries.duplicates import distinct_points, expand, first_identical
from stratoscope.summaries.factors import Points
from stratoscope.summaries.inner_products import InnerProducts
from stratoscope.summaries.pairs import Blocks, chosen, slices_of
from stratoscope.summaries.products import Product
from stratoscope.summaries.settle import (
    LOOSE,
    NEARLY,
    RELATIVE_ERROR,
    NeighbourTable,
    allowed,
    groups_of,
    must_be_exact,
    settle,
    uncertain,
    worth,
)
from stratoscope.summaries.threads import in_threads
from stratoscope.summaries.tiles import Sum, Tile, multiply, multiply_rows, plan_tiles
from stratoscope.types import Floats, Integers

_WIDE = 1 << 23
#: Tiles for each thread that may be looked at before they are taken: tiles on the diagonal are smaller than others.
_AHEAD = 4
#: Most points on which a coarse product is tried.
_TRIED = 320
#: How many more pairs it leaves open among all points than among those, for each.
_MORE = 2.0


def nearest_neighbours(
    points: Any, k: int = 2, *, exact: int | None = None, duplicates: str = "keep", product: str | None = None
) -> NeighbourTable:
    """Return the `k` nearest neighbours of every point by Euclidean distance.

    Parameters
    ----------
    points : array (point, unit)
        Any real dtype; float32 is read as it is and measured in float64.
    k : int
        Neighbours of every point.
    exact : int, optional
        Where only the nearest `exact` are read by an estimate, and those beyond by its interval: distances beyond need
        be right to `settle.LOOSE` only, or to a share of what is between the others (`settle.allowed`), which saves time.
    duplicates : {"keep", "merge"}
        Keep points with equal coordinates, as neighbours at distance 0, or merge them into one point.
    product : str, optional
        What proposes the candidates: ``numpy float64``, ``numpy float32``, ``torch float32``, ``torch bfloat16``, these
        of torch with ``cuda`` behind, or ``torch int8``, whose bounds hold but for a chance of 1e-12. By default the environment variable STRATOSCOPE_PRODUCT, else the fastest
        for this search as measured in this process. Which one it is changes the time and not the neighbours.

    Returns
    -------
    NeighbourTable
        The nearest `exact`, by default three, are exact to float64 rounding, the others to `far_error`: `settle.RELATIVE_ERROR`, or
        `settle.LOOSE` or more with `exact`. Merging may leave fewer than `k` neighbours.

    Raises
    ------
    BadInput
        Points that are not (point, unit), or hold NaN or infinity.
    TooFew
        No more than `k` points.
    UnknownName
        A product that this machine does not have.
    """
    array = np.asarray(points)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise BadInput(f"Points must be real numbers of shape (point, unit), not {array.dtype} of shape {array.shape}.")
    if not 1 <= k < len(array):
        raise TooFew(
            f"{k} neighbours of every point need at least 1 neighbour and {k + 1} points, but {len(array)} points came. "
            "Ask for fewer neighbours or give more points."
        )
    if array.dtype.kind == "f" and not all_finite(array):
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise BadInput(f"{len(bad)} points hold NaN or infinity, the first at row {bad[0]}. Leave them out first.")
    blocks = slices_of(array)
    return nearest_from_blocks(
        blocks, len(array), array.shape[1], k, exact=exact, duplicates=duplicates, product=product
    )


def nearest_from_blocks(
    blocks: Blocks,
    n_points: int,
    n_units: int,
    k: int,
    *,
    exact: int | None = None,
    duplicates: str = "keep",
    product: str | None = None,
) -> NeighbourTable:
    """Return the nearest neighbours of points that come in blocks of units; holds some tiles of products only.

    Parameters are those of `nearest_neighbours`, with points as `blocks`, a function that yields arrays
    (point, unit) and is called once for every pass.
    """
    taken = choose_product(
        n_points,
        n_units,
        k,
        exact,
        asked=product,
        trial=lambda coarse: trial(coarse, blocks, n_points, n_units, k, exact),
    )
    points = Points.of(n_points)
    sets = multiply(blocks, n_points, n_units, taken, points)
    tiles = next(sets)
    if taken.rounding != "float64" and not points.in_range:
        double = "numpy float64"
        return nearest_from_blocks(blocks, n_points, n_units, k, exact=exact, duplicates=duplicates, product=double)
    search = Search(blocks, first_identical(blocks, points.checksum), k, exact)
    near = search.candidates(points, taken)
    while tiles:
        search.look(near, tiles, taken.threads)
        tiles = next(sets, [])
    return search.table(near, duplicates, taken.name)


def trial(product: Product, blocks: Blocks, n_points: int, n_units: int, k: int, exact: int | None = None) -> float:
    """Return about how many pairs a point `product` leaves to be measured, from how many it leaves among some hundred.

    Among all points neighbours stand closer together and more pairs are left open; each costs some sorting, too.
    Infinite for points that its products cannot hold.
    """
    n_tried = min(_TRIED, max(n_points // 4, 3))  # of few points in many units a trial must cost less than the search
    sample = np.sort(np.random.default_rng(0).permutation(n_points)[:n_tried])
    some, points = chosen(blocks, sample), Points.of(len(sample))
    search = Search(some, np.arange(len(sample)), k, exact)
    tiles = [tile for tiles in multiply(some, len(sample), n_units, product, points) for tile in tiles]
    if not points.in_range:  # its products say nothing, and a search would find that out in the same way
        return np.inf
    near = search.candidates(points, product, most=len(sample))
    search.look(near, tiles)
    held = near.found()
    _, start, group = groups_of(held)
    exactly = must_be_exact(held, start, group, search.n_exact, search.error)
    error = allowed(held.middle[exactly], group[exactly], search.n_exact, search.error)
    loosely = uncertain(held, error) & ~exactly
    share = _MORE / len(sample)
    return worth(share * float(exactly.sum()), search.n_exact) + NEARLY * share * float(loosely.sum())


def nearest_from_gram(
    inner: InnerProducts, blocks: Blocks, k: int, *, exact: int | None = None, duplicates: str = "keep"
) -> NeighbourTable:
    """Return the nearest neighbours from inner products that are there already.

    Parameters
    ----------
    inner : InnerProducts
        Products, norms and checksums of the points.
    blocks : function
        Yields the coordinates of the points, to measure the candidates.
    k, exact, duplicates
        As in `nearest_neighbours`; `k` is at most the number of points less one.
    """
    search = Search(blocks, first_identical(blocks, inner.points.checksum), k, exact)
    product = Product("numpy", inner.precision)
    near = search.candidates(inner.points, product)
    products = inner.products
    tiles = (Tile(a, b, partial(Sum, products[a, b])) for a, b in plan_tiles(len(products)))
    search.look(near, tiles, product.threads)
    return search.table(near, duplicates, product.name)


def product_precision(n_points: int, k: int) -> str:
    """Choose the precision of a Gram matrix: float32 where all `k` are measured afterwards and that is cheaper."""
    return "float32" if n_points > 100 * k else "float64"


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
        )
        few = max(4 * self.width, min(max(len(self.rows) // 64, 64), 256))
        return Candidates(measures, max(self.width, 1), few if most is None else most)

    def look(self, near: Candidates, tiles: Iterable[Tile], threads: int = 1) -> None:
        """Look for candidates in `tiles` of products, each in a thread of its own; they are taken in order."""

        def look_at(tile: Tile) -> Looked:
            found, rows = tile.products(), np.arange(tile.rows.start, tile.rows.stop)
            assert found.total is not None
            return near.look_at(rows, tile.cols, found.total, found.spread, both=tile.rows.start != tile.cols.start)

        for looked in in_threads(look_at, tiles, threads, ahead=_AHEAD):
            near.take(looked)

    def table(self, near: Candidates, duplicates: str, product: str) -> NeighbourTable:
        """Measure the candidates, search again where there are too many, then keep or merge copies of points."""
        if duplicates not in {"keep", "merge"}:
            raise BadInput(f"Duplicates are 'keep' or 'merge', not {duplicates!r}.")
        distance, index = (
            np.empty((len(self.first), self.width)),
            np.zeros((len(self.first), self.width), dtype=np.int64),
        )
        n_measured, n_wide, far_error = 0, 0, self.error
        if self.width:
            n_measured, far_error = self._settle(near, distance, index)
            wide = np.flatnonzero(near.wide)
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
