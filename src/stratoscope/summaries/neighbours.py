"""Nearest neighbours of points, exact where estimators of dimension live: among the nearest.

Distances from products, |x|^2 + |y|^2 - 2 x.y, cancel for near neighbours. So products of centred points only propose
candidates, with a bound on their error that says how many could be the nearest; those are then measured by
differences in float64. Where a coarse product leaves too much open for a point, that point is searched again in double
precision; where even that says nothing, all others are measured.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.summaries.blocks import all_finite
from stratoscope.summaries.choice import choose_product
from stratoscope.summaries.duplicates import first_identical
from stratoscope.summaries.factors import Points
from stratoscope.summaries.inner_products import InnerProducts
from stratoscope.summaries.pairs import Blocks, chosen, slices_of
from stratoscope.summaries.products import Product
from stratoscope.summaries.search import Search
from stratoscope.summaries.settle import (
    NEARLY,
    NeighbourTable,
    allowed,
    groups_of,
    must_be_exact,
    uncertain,
    with_enough,
    worth,
)
from stratoscope.summaries.tiles import Sum, Tile, multiply, plan_tiles

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
        be right to `settle.LOOSE` only, or to a share of what is between the others (`settle.allowed`): it saves time.
    duplicates : {"keep", "merge"}
        Keep points with equal coordinates, as neighbours at distance 0, or merge them into one point.
    product : str, optional
        What proposes the candidates: ``numpy float64``, ``numpy float32``, ``torch float32``, ``torch bfloat16``, these
        of torch with ``cuda`` behind, or ``torch int8``, whose bounds hold but for a chance of 1e-12. By default the
        environment variable STRATOSCOPE_PRODUCT, else the fastest for this search as measured in this process. Which one
        it is changes the time and not the neighbours.

    Returns
    -------
    NeighbourTable
        The nearest `exact`, by default three, are exact to float64 rounding, the others to `far_error`:
        `settle.RELATIVE_ERROR`, or `settle.LOOSE` or more with `exact`. Merging may leave fewer than `k` neighbours.

    Raises
    ------
    BadInput
        Points that are not (point, unit), or hold NaN or infinity, or whose squared distances overflow double precision.
    TooFew
        No more than `k` points, or points without units.
    UnknownName
        A product that this machine does not have.
    """
    array = np.asarray(points)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise BadInput(f"Points must be real numbers of shape (point, unit), not {array.dtype} of shape {array.shape}.")
    if not array.shape[1]:
        raise TooFew(
            f"Points have coordinates by which they are near each other, but points of shape {array.shape} came."
        )
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
    beyond = int(np.count_nonzero(~np.isfinite(points.norm2)))
    if beyond:
        raise BadInput(
            f"Squares of the coordinates of {beyond} points lie beyond double precision, so their distances cannot be told. "
            "Divide all coordinates by the same number, such as the largest of them."
        )
    search = Search(blocks, first_identical(blocks, points.checksum), k, exact)
    near = search.candidates(points, taken)
    while tiles:
        search.look(near, tiles, taken.threads)
        tiles = []  # their sums make room for the next
        tiles = next(sets, [])
    return search.table(near, duplicates, taken.name)


def trial(product: Product, blocks: Blocks, n_points: int, n_units: int, k: int, exact: int | None = None) -> float:
    """Return about how many pairs a point `product` leaves to be measured, from how many it leaves among some hundred.

    Pairs measured in single precision count for as many in double as take as long.
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
    search.look(near, tiles, product.threads)
    held = with_enough(near.found(), search.width)
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
