"""Products of points with points, in square tiles of the upper triangle, from points that come in blocks of units.

Half of all products suffice, because the other half is the same. Tiles are multiplied in sets whose sums fit into a
few hundred MiB; every set costs one pass over the blocks, unless the rounded points themselves fit, which are then kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.pairs import Blocks, add_checksum
from stratoscope.summaries.products import Product, Rounded
from stratoscope.types import Floats, Integers

#: Points along one side of a tile; its sums stay near the processor.
TILE = 1280
#: Bytes of the sums of one set of tiles, and of rounded points that are kept instead of read again.
SUMS, KEPT = 256 << 20, 512 << 20
#: Coordinates multiplied at a time; the rounding bound of a product grows with it.
DEPTH = 4096
_SAMPLE = 64


@dataclass
class Points:
    """What one pass over the blocks says of every point, in units of `scale` from a centre near the mean.

    Attributes
    ----------
    size2, norm2, rest2 : array (point,)
        Squared norms before rounding, after it, and of what it took away for certain.
    noise2, step : array (point,)
        Squared norms of what rounding added at random, and its largest step; 0 where nothing was drawn.
    checksum : array (point,)
        Equal for equal coordinates.
    n_units : int
        Number of coordinates.
    width : int
        Most coordinates that were multiplied at a time.
    scale : float
        A power of two near the size of a coordinate, that products of float32 stay in range; 0 before the first block.
    """

    size2: Floats
    norm2: Floats
    rest2: Floats
    noise2: Floats
    step: Floats
    checksum: NDArray[np.uint64]
    n_units: int = 0
    width: int = 1
    scale: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    @classmethod
    def of(cls, n_points: int) -> Points:
        """Make the record of `n_points` points before the first block."""
        size2, norm2, rest2, noise2, step = np.zeros((5, n_points))
        return cls(size2, norm2, rest2, noise2, step, np.zeros(n_points, dtype=np.uint64))

    @property
    def in_range(self) -> bool:
        """Whether products of single precision can hold the points; where not, products of double precision must."""
        largest, mean = float(self.norm2.max(initial=0)), float(self.norm2.mean()) / max(self.n_units, 1)
        return bool(np.isfinite(largest) and largest < 1e36 and (mean > 1e-14 or largest == 0))


@dataclass
class Tile:
    """Products of the points `rows` with the points `cols`, added up over blocks of units.

    Attributes
    ----------
    rows, cols : slice
        Which points.
    total : array (row, col)
        Their products.
    spread : array (row, col) or None
        Sum of the magnitudes of rounded products. None where products are not rounded, or where there was one
        block only, so that the magnitude is that of `total`.
    """

    rows: slice
    cols: slice
    total: NDArray[Any]
    spread: NDArray[Any] | None = None


def plan_tiles(n_points: int, size: int | None = None) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of tiles that hold every pair of points once, strip by strip; on the diagonal, smaller tiles.

    A tile on the diagonal holds its pairs twice, so it is cut into two smaller ones and the square between them, and
    these again: half of what is multiplied in vain is saved each time, until tiles get too small to multiply fast.
    """
    size = size or TILE
    cuts = [slice(start, min(start + size, n_points)) for start in range(0, n_points, size)]
    for i, rows in enumerate(cuts):
        yield from _on_diagonal(rows, max(size // 4, 1))
        for cols in cuts[i + 1 :]:
            yield rows, cols


def _on_diagonal(rows: slice, smallest: int) -> Iterator[tuple[slice, slice]]:
    height = rows.stop - rows.start
    if height <= smallest:
        yield rows, rows
        return
    middle = rows.start + -(-height // 2)
    first, second = slice(rows.start, middle), slice(middle, rows.stop)
    yield from _on_diagonal(first, smallest)
    yield from _on_diagonal(second, smallest)
    yield first, second  # last: nearest points often stand near each other, and each has a reach by now


def multiply(blocks: Blocks, n_points: int, n_units: int, product: Product, points: Points) -> Iterator[list[Tile]]:
    """Yield the products of all pairs of points in sets of tiles; `points` is complete when the first set comes.

    Parameters
    ----------
    blocks : function
        Yields the coordinates (point, unit) in blocks, and is called once a pass.
    n_points, n_units : int
        Size of all blocks together.
    product : Product
        How to round and multiply.
    points : Points
        Filled during the first pass.
    """
    plan, entry = list(plan_tiles(n_points)), product.dtype.itemsize * (2 if product.output else 1)
    factors = _Factors(blocks, product, points)
    sets = list(_sets(plan, SUMS // entry))
    if (len(sets) > 1 or n_units <= DEPTH) and n_points * n_units * product.factor_bytes <= KEPT:
        factors.keep(n_points, n_units)
        sets = [[tile] for tile in plan]  # each is looked at while it is near the processor
    for now in sets:
        tiles: list[Tile] = []
        for factor in factors:
            if not tiles:
                tiles = [Tile(rows, cols, product.multiply(factor[rows], factor[cols])) for rows, cols in now]
                continue
            for tile in tiles:
                if product.output and tile.spread is None:
                    tile.spread = np.abs(tile.total)
                product.add(tile.total, tile.spread, factor[tile.rows], factor[tile.cols])
        yield tiles


def _sets(plan: list[tuple[slice, slice]], most: int) -> Iterator[list[tuple[slice, slice]]]:
    """Cut `plan` into sets of tiles of at most `most` products together; a larger tile makes a set of its own."""
    now: list[tuple[slice, slice]] = []
    count = 0
    for rows, cols in plan:
        area = (rows.stop - rows.start) * (cols.stop - cols.start)
        if now and count + area > most:
            yield now
            now, count = [], 0
        now.append((rows, cols))
        count += area
    if now:
        yield now


def multiply_rows(blocks: Blocks, rows: Integers, n_points: int, points: Points) -> Floats:
    """Return products in double precision (row, point) of the points `rows` with all points."""
    total = np.zeros((len(rows), n_points))
    for factor in _Factors(blocks, Product("numpy", "float64"), points):
        total += factor[rows] @ factor.T
    return total


class _Factors:
    """The rounded points in blocks of units: made anew in every pass, or kept."""

    def __init__(self, blocks: Blocks, product: Product, points: Points) -> None:
        self.blocks, self.product, self.points = blocks, product, points
        self.kept: list[Any] | None = None
        self.passed = False

    def keep(self, n_points: int, n_units: int) -> None:
        """Round all points now, and hold them in pieces that are as deep as can be."""
        pieces: list[Any] = []
        whole, start = None, 0
        for factor in self:
            width = factor.shape[1]
            if self.product.drawn or width == n_units:  # each with steps of its own, or all in one
                pieces.append(factor)
                continue
            whole = self._room(n_points, n_units) if whole is None else whole
            whole[:, start : start + width] = factor
            start += width
        if whole is not None:
            pieces = [whole[:, start : start + DEPTH] for start in range(0, n_units, DEPTH)]
            self.points.width = max(self.points.width, min(DEPTH, n_units))
        self.kept = pieces

    def _room(self, n_points: int, n_units: int) -> Any:
        if self.product.library == "numpy":
            return np.empty((n_points, n_units), dtype=self.product.dtype)
        import torch

        dtype = getattr(torch, self.product.rounding)
        return torch.empty((n_points, n_units), dtype=dtype, device=self.product.device)

    def __iter__(self) -> Iterator[Any]:
        return self._read() if self.kept is None else iter(self.kept)

    def _read(self) -> Iterator[Any]:
        seed = 0  # the same draws in every pass
        for block in self.blocks():
            for start in range(0, block.shape[1], DEPTH):
                piece = block[:, start : start + DEPTH]
                rounded = self.product.factor(piece, self._centring(piece), seed)
                seed += 1
                if not self.passed:
                    self._note(piece, rounded)
                yield rounded.factor
        self.passed = True

    def _note(self, piece: NDArray[Any], rounded: Rounded) -> None:
        points = self.points
        points.size2 += rounded.size2
        points.norm2 += rounded.norm2
        points.rest2 += rounded.rest2
        points.noise2 += rounded.noise2
        np.maximum(points.step, rounded.step, out=points.step)
        add_checksum(points.checksum, piece, points.rng)
        points.n_units += piece.shape[1]
        points.width = max(points.width, piece.shape[1])

    def _centring(self, piece: NDArray[Any]) -> Centring:
        """Find a centre near the mean: any one will do, and near the mean products round least."""
        exact = piece.dtype if piece.dtype == np.float32 else np.dtype(np.float64)
        sample = piece[:: max(1, len(piece) // _SAMPLE)].astype(np.float64)
        centre = sample[0] + (sample - sample[0]).mean(axis=0)
        if self.product.rounding == "float64":
            return Centring(centre, 1.0, np.dtype(np.float64), np.dtype(np.float64))
        centre = centre.astype(exact)
        if not self.points.scale:
            self.points.scale = power_of_two(float(np.sqrt(np.square(sample - centre).mean())))
        return Centring(centre, self.points.scale, exact, np.dtype(np.float32))


@dataclass(frozen=True)
class Centring:
    """Takes `centre` (unit,) away from points and divides them by `scale`, in precision `exact`; returns `dtype`.

    The difference of two numbers of single precision is right to single precision, also where both are large.
    """

    centre: NDArray[Any]
    scale: float
    exact: np.dtype[Any]
    dtype: np.dtype[Any]

    def __call__(self, points: NDArray[Any]) -> NDArray[Any]:
        """Return centred `points` (point, unit)."""
        with np.errstate(over="ignore"):  # what single precision cannot hold is seen in the norms
            centred = np.subtract(points, self.centre, dtype=self.exact)
            if self.scale != 1:
                centred *= 1 / self.scale
            return np.asarray(centred.astype(self.dtype, copy=False))


def power_of_two(size: float) -> float:
    """Return the power of two next to `size`; 1 for sizes that float32 holds well, or that say nothing."""
    if not np.isfinite(size) or size == 0 or 1e-6 < size < 1e6:
        return 1.0
    return float(2.0 ** np.round(np.log2(size)))
