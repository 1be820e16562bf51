"""The points of a search as factors of products: read in blocks of units, centred, rounded, and kept where they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.duplicates import checksum_weights, checksums
from stratoscope.summaries.pairs import Blocks
from stratoscope.summaries.products import Product
from stratoscope.summaries.rounding import Rounded
from stratoscope.types import Floats

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


class Factors:
    """The rounded points in blocks of units: made anew in every pass, or kept."""

    def __init__(self, blocks: Blocks, product: Product, points: Points) -> None:
        self.blocks, self.product, self.points = blocks, product, points
        self.kept: list[Any] | None = None
        self.passed = False

    def keep(self, n_points: int, n_units: int) -> list[Any]:
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
        return pieces

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
                rounded = self.product.factor(piece, self._reader(piece), seed)
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
        points.n_units += piece.shape[1]
        points.width = max(points.width, piece.shape[1])

    def _reader(self, piece: NDArray[Any]) -> Reader:
        """Find a centre near the mean: any one will do, and near the mean products round least."""
        double = self.product.rounding == "float64"
        exact = np.dtype(np.float32 if piece.dtype == np.float32 and not double else np.float64)
        sample = piece[:: max(1, len(piece) // _SAMPLE)].astype(np.float64)
        centre = (sample[0] + (sample - sample[0]).mean(axis=0)).astype(exact)
        if not (double or self.points.scale):
            self.points.scale = power_of_two(float(np.sqrt(np.square(sample - centre).mean())))
        scale = 1.0 if double else self.points.scale
        weights = None if self.passed else checksum_weights(piece, self.points.rng)
        return Reader(piece, centre, scale, exact, self.product.dtype, weights, self.points.checksum)


@dataclass(frozen=True)
class Reader:
    """Reads some rows of `piece` (point, unit), once for all that is asked of them.

    It takes `centre` (unit,) away and divides by `scale`, in precision `exact`, and returns `dtype`. The difference of two
    numbers of single precision is right to single precision, also where both are large. With `weights` the checksums of the
    rows are added to `checksum` (point,).
    """

    piece: NDArray[Any]
    centre: NDArray[Any]
    scale: float
    exact: np.dtype[Any]
    dtype: np.dtype[Any]
    weights: NDArray[np.uint64] | None
    checksum: NDArray[np.uint64]

    def __call__(self, rows: slice) -> NDArray[Any]:
        """Return the centred points `rows` (point, unit)."""
        points = self.piece[rows]
        if self.weights is not None:
            self.checksum[rows] += checksums(points, self.weights)
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
