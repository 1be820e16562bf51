"""Points with the same coordinates: found by content, and put back into a table of neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import few_rows
from stratoscope.summaries.pairs import Blocks, same_content
from stratoscope.types import Floats, Integers


def checksum_weights(block: NDArray[Any], rng: np.random.Generator) -> NDArray[np.uint64]:
    """Draw an odd number for every word of a row of `block` (point, unit)."""
    n_words = block.shape[1] * _as_floats(block[:0]).itemsize // _word(_as_floats(block[:0])).itemsize
    return np.asarray(rng.integers(0, 1 << 63, size=n_words, dtype=np.uint64) * np.uint64(2) + np.uint64(1))


def checksums(rows: NDArray[Any], weights: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return of each of `rows` (point, unit) a number that is equal for equal coordinates.

    It is the sum of the words of the row times `weights`, modulo 2^64, so that order and content both count.
    """
    rows = _as_floats(rows)
    words = np.add(rows, 0, order="C").view(_word(rows))  # + 0 turns -0.0 into 0.0
    return np.asarray(np.einsum("ij,j->i", words.astype(np.uint64, copy=False), weights))


def add_checksum(checksum: NDArray[np.uint64], block: NDArray[Any], rng: np.random.Generator) -> None:
    """Add to `checksum` (point,) those of `block` (point, unit), with weights from `rng`."""
    weights = checksum_weights(block, rng)
    for rows in few_rows(len(block), block.shape[1]):
        checksum[rows] += checksums(block[rows], weights)


def _as_floats(block: NDArray[Any]) -> NDArray[Any]:
    return block if block.dtype in {np.dtype(np.float32), np.dtype(np.float64)} else block.astype(np.float64)


def _word(block: NDArray[Any]) -> np.dtype[Any]:
    """Return of how many bits the words of a row are: two float32 make one word where they can, as multiplying is dear."""
    return np.dtype(np.uint64 if block.itemsize * block.shape[1] % 8 == 0 else np.uint32)


def first_identical(blocks: Blocks, checksum: NDArray[np.uint64]) -> Integers:
    """Return for every point (point,) the lowest index of a point with the same coordinates, often its own.

    Equal checksums only propose; the coordinates themselves decide.
    """
    first = np.arange(len(checksum))
    pending = first
    while pending.size:
        _, where, group = np.unique(checksum[pending], return_index=True, return_inverse=True)
        proposed = pending[where][group]
        again = np.flatnonzero(proposed != pending)
        same = same_content(blocks, pending[again], proposed[again]) if again.size else np.zeros(0, dtype=bool)
        first[pending[again[same]]] = proposed[again[same]]
        pending = pending[again[~same]]  # another content with the same checksum: look among those alone
    return first


def distinct_points(first: Integers) -> Integers:
    """Return the points that repeat no earlier one, from what `first_identical` says."""
    return np.flatnonzero(first == np.arange(len(first)))


def expand(distance: Floats, index: Integers, first: Integers, k: int) -> tuple[Floats, Integers]:
    """Return the `k` nearest among all points, from the table of the distinct ones.

    Parameters
    ----------
    distance, index : array (distinct point, neighbour)
        Neighbours among the distinct points, `index` counting distinct points.
    first : array (point,)
        What `first_identical` says.
    k : int
        Neighbours wanted of every point.

    Returns
    -------
    distance, index : array (point, k)
        Copies of a point come first, at distance 0, and among equals the lower index.
    """
    distinct, group = np.unique(first, return_inverse=True)
    by_group = np.argsort(group, kind="stable")
    members = np.split(by_group, np.searchsorted(group[by_group], np.arange(1, len(distinct))))
    full_distance, full_index = np.empty((len(first), k)), np.empty((len(first), k), dtype=np.int64)
    for own, copies in enumerate(members):
        near = np.concatenate([copies, *(members[other] for other in index[own])])
        sizes = [len(copies), *(len(members[other]) for other in index[own])]
        far = np.repeat(np.concatenate([[0.0], distance[own]]), sizes)
        order = np.lexsort((near, far))
        for point in copies:
            kept = order[near[order] != point][:k]
            full_distance[point], full_index[point] = far[kept], near[kept]
    return full_distance, full_index
