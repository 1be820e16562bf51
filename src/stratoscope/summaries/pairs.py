"""The arithmetic between points, over blocks of their coordinates: squared norms, products, exact distances.

Everything here takes `Blocks`, a function that yields the points' coordinates in blocks (point, unit) and may be called
again for another pass, so a point may have more coordinates than memory could hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import BLOCK
from stratoscope.types import Floats, Integers

Blocks: TypeAlias = Callable[[], Iterable[NDArray[Any]]]

#: Coordinates multiplied at a time; the rounding bound of a product grows with it.
WIDTH = 1024
_WORD = {4: np.uint32, 8: np.uint64}


def slices_of(points: NDArray[Any], width: int = WIDTH) -> Blocks:
    """Make `Blocks` of an array (point, unit)."""
    return lambda: (points[:, i : i + width] for i in range(0, points.shape[1], width))


def chosen(blocks: Blocks, rows: Integers | None) -> Blocks:
    """Restrict `blocks` to the points `rows`; None keeps all."""
    return blocks if rows is None else lambda: (block[rows] for block in blocks())


def centred(blocks: Blocks) -> Iterator[Floats]:
    """Yield blocks in float64, at most `WIDTH` wide, with the mean of every coordinate taken away."""
    for block in blocks():
        for start in range(0, block.shape[1], WIDTH):
            piece = block[:, start : start + WIDTH].astype(np.float64)
            piece -= piece[0]  # first, so that the mean of a large common offset does not round
            piece -= piece.mean(axis=0)
            yield piece


def squared_norms(blocks: Blocks, n_points: int) -> Floats:
    """Return the squared distance of every point from the mean of all (point,)."""
    norm2 = np.zeros(n_points)
    for piece in centred(blocks):
        norm2 += np.einsum("pu,pu->p", piece, piece)
    return norm2


def typical_size(norm2: Floats, n_units: int) -> float:
    """Return the root mean square of centred coordinates, from squared norms; 1 where all points are the same."""
    mean = float(norm2.mean()) / max(n_units, 1) if len(norm2) else 0.0
    return float(np.sqrt(mean)) if mean > 0 else 1.0


def checksums(blocks: Blocks, n_points: int) -> tuple[NDArray[np.uint64], int]:
    """Return a number per point (point,) that is equal for equal coordinates, and how many coordinates there are."""
    checksum, n_units = np.zeros(n_points, dtype=np.uint64), 0
    rng = np.random.default_rng(0)
    for block in blocks():
        _add_checksum(checksum, block, rng)
        n_units += block.shape[1]
    return checksum, n_units


def _add_checksum(checksum: NDArray[np.uint64], block: NDArray[Any], rng: np.random.Generator) -> None:
    """Add the words of each row times random odd numbers, modulo 2^64, so that order and content both count."""
    if block.dtype.kind != "f" or block.dtype.itemsize not in _WORD:
        block = block.astype(np.float64)
    weights = rng.integers(0, 1 << 63, size=block.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    height = max(1, BLOCK // max(block.shape[1], 1))
    for start in range(0, len(block), height):
        words = (block[start : start + height] + 0).view(_WORD[block.dtype.itemsize])  # + 0 turns -0.0 into 0.0
        checksum[start : start + height] += (words * weights).sum(axis=1, dtype=np.uint64)


def gram(
    blocks: Blocks, n_points: int, *, precision: str = "float64", scale: float = 1.0, rows: slice | None = None
) -> Floats:
    """Return inner products of the centred points: blocks multiply in `precision`, add up in float64.

    Parameters
    ----------
    blocks : function
        Yields the coordinates (point, unit) in blocks.
    n_points : int
        Number of points.
    precision : {"float64", "float32"}
        Precision of the products within a block.
    scale : float
        Typical size of a coordinate; keeps float32 products of very small or very large responses in range.
    rows : slice, optional
        Points to multiply with all points; None for all, at half the price because the result is symmetric.

    Returns
    -------
    array (point or row, point) of float64
    """
    n_rows = n_points if rows is None else len(range(*rows.indices(n_points)))
    total = np.zeros((n_rows, n_points))
    for piece in centred(blocks):
        factor = piece if precision == "float64" else (piece / scale).astype(np.float32)
        total += factor @ factor.T if rows is None else factor[rows] @ factor.T
    return total if precision == "float64" else np.multiply(total, scale**2, out=total)


def relative_bound(precision: str, n_units: int) -> float:
    """Return g such that a computed squared distance is off by at most g (|x|^2 + |y|^2).

    A dot product of w terms in a precision of unit roundoff u is off by at most w u |x| |y|, whatever the order of its
    terms; blocks add one float64 rounding each, centring a few more. The factor 2 covers norms of the same precision.
    """
    width, n_blocks = min(WIDTH, max(n_units, 1)), n_units / WIDTH + 1
    product = (width + 4) * (2.0**-24 if precision == "float32" else 2.0**-53)
    return 2 * (product + (width + n_blocks + 8) * 2.0**-53)


def exact_squares(blocks: Blocks, first: Integers, second: Integers) -> Floats:
    """Return squared distances (pair,) of the points `first` and `second`, by differences in float64."""
    total = np.zeros(len(first))
    for block in blocks():
        step = max(1, BLOCK // max(block.shape[1], 1))
        for start in range(0, len(first), step):
            pair = slice(start, start + step)
            difference = block[first[pair]].astype(np.float64)
            difference -= block[second[pair]]
            total[pair] += np.einsum("pu,pu->p", difference, difference)
    return total


def same_content(blocks: Blocks, first: Integers, second: Integers) -> NDArray[np.bool_]:
    """Return whether the points `first` and `second` (pair,) agree in every coordinate."""
    same = np.ones(len(first), dtype=bool)
    for block in blocks():
        step = max(1, BLOCK // max(block.shape[1], 1))
        for start in range(0, len(first), step):
            pair = slice(start, start + step)
            same[pair] &= (block[first[pair]] == block[second[pair]]).all(axis=1)
    return same
