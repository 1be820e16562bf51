"""The law every product keeps: the true distance of two points lies where the product says it does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.bounds import Measures
from stratoscope.summaries.factors import Points
from stratoscope.summaries.pairs import Blocks, exact_squares, slices_of
from stratoscope.summaries.products import Product
from stratoscope.summaries.search import Search
from stratoscope.summaries.tiles import multiply


def check_product(product: Product, *, n_points: int = 40, n_units: int = 900, seed: int = 0) -> None:
    """Check that a product never promises more than it holds.

    The law: for every pair of points the distance measured by differences in double precision lies between the least
    and the greatest distance that the product's bounds allow. It is asked of points that are hard for products: spread
    evenly, at a large offset, tight pairs far from the centre, units of very different size, all coordinates alike in
    sign, all coordinates to be rounded alike, and few units.

    Parameters
    ----------
    product : Product
        The product to check.
    n_points, n_units : int
        Size of the sets of points.
    seed : int
        Seed of the points.

    Raises
    ------
    AssertionError
        A distance lies outside; the message names the product and the points.

    Examples
    --------
    >>> check_product(Product("numpy", "float32"))
    """
    for kind, points in hard_points(n_points, n_units, seed).items():
        i, j = np.triu_indices(len(points), 1)
        for width in (points.shape[1], max(1, points.shape[1] // 3)):
            blocks = slices_of(points, width)
            true = np.sqrt(exact_squares(blocks, i, j))
            low, high = intervals(product, blocks, (len(points), points.shape[1]))
            slack = 1e-12 * true  # the roundings of measuring
            outside = (true < low[i, j] - slack) | (true > high[i, j] + slack)
            assert not outside.any(), (
                f"{product.name} breaks the law 'the true distance lies within the bounds' on {kind}, {width} units at a "
                f"time: {outside.sum()} of {len(true)} distances lie outside."
            )


def hard_points(n_points: int, n_units: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Return sets of points (point, unit) that are hard for products, by what they are."""
    rng = np.random.default_rng(seed)
    even = rng.standard_normal((n_points, n_units))
    pairs = np.repeat(even[: n_points // 2], 2, axis=0)
    alike = np.linspace(0, 1, n_points)[:, None] * np.ones(n_units)
    alike[:, 0] = 127 * (-1.0) ** np.arange(n_points)  # the whole numbers of a byte reach just that far
    sets = {
        "evenly spread points": even,
        "points at an offset of 1e4": even + 1e4,
        "tight pairs": pairs + 1e-4 * even[: len(pairs)],
        "units of very different size": even * 10.0 ** rng.uniform(-6, 6, n_units),
        "points on a line, all coordinates alike": np.linspace(1, 3, n_points)[:, None] * np.full(n_units, 1 / 3),
        "points whose coordinates all lie alike between two whole numbers": alike,
        "points of three units": even[:, :3],
    }
    return {kind: points.astype(np.float32) for kind, points in sets.items()}


def intervals(
    product: Product, blocks: Blocks, shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest distance (point, point) that `product` allows, on the upper triangle."""
    points, everything = Points.of(shape[0]), np.arange(shape[0])
    low, high = np.zeros((2, shape[0], shape[0]))
    for tile in (tile for tiles in multiply(blocks, shape[0], shape[1], product, points) for tile in tiles):
        measures: Measures = Search(blocks, everything, 1).candidates(points, product).measures
        i, j = np.meshgrid(everything[tile.rows], everything[tile.cols], indexing="ij")
        found = tile.products()
        assert found.total is not None
        total = found.total.astype(np.float64)
        spread = np.abs(total) if found.spread is None else found.spread.astype(np.float64)
        bounds = measures.interval(i, j, total, spread)
        low[tile.rows, tile.cols], high[tile.rows, tile.cols] = (points.scale or 1.0) * np.array(bounds)
    return low, high
