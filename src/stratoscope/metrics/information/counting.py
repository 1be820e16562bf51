"""How often each response bin meets each value bin, for many units at once, as one matrix product.

The counts of several response bins travel in one number: bin r adds 2 to the power of r times `bits`, and `bits` hold the
largest count possible. Every partial sum is a whole number that the precision holds exactly, so the product is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.information.bins import Codes
from stratoscope.types import Floats

#: Counts, int64.
Counts = NDArray[np.int64]
#: One row a value bin, 1 where the stimulus is in it, (column, stimulus).
Columns = NDArray[np.floating]
#: Entries of a table of sums: 1 MiB, a part of the second-level cache.
LARGEST_TABLE = 1 << 17
_EXACT_BITS = {np.dtype(np.float32): 24, np.dtype(np.float64): 53}


@dataclass(frozen=True)
class Packing:
    """How the counts of response bins share numbers.

    Attributes
    ----------
    n_bins : int
        Response bins; the last is not counted but left over.
    bits : int
        Bits that hold the largest count.
    dtype : dtype
        Precision of the product.
    """

    n_bins: int
    bits: int
    dtype: np.dtype[np.floating]

    @classmethod
    def of(cls, n_bins: int, largest: int) -> Packing:
        """Plan for `n_bins` response bins and columns that hold `largest` stimuli at most."""
        bits = int(largest).bit_length()
        return cls(n_bins, bits, np.dtype(np.float32 if bits <= 24 else np.float64))

    @property
    def together(self) -> int:
        """Response bins that share a number."""
        return _EXACT_BITS[self.dtype] // self.bits

    def pack(self, codes: Codes) -> list[NDArray[np.floating]]:
        """Return the addends (stimulus, unit) of each group of response bins."""
        groups = []
        for first in range(0, self.n_bins - 1, self.together):
            group = np.zeros(codes.shape, dtype=self.dtype)
            for i, code in enumerate(range(first, min(first + self.together, self.n_bins - 1))):
                group += (codes == code) * self.dtype.type(2.0 ** (self.bits * i))
            groups.append(group)
        return groups

    def count(self, columns: Columns, packed: list[NDArray[np.floating]]) -> list[NDArray[np.int64]]:
        """Return, one response bin after the other, how many stimuli of each column it holds (column, unit)."""
        counts: list[NDArray[np.int64]] = []
        mask = (1 << self.bits) - 1
        for group in packed:
            sums = (columns @ group).astype(np.int64)
            left = min(self.together, self.n_bins - 1 - len(counts))
            counts.extend((sums >> (self.bits * i)) & mask for i in range(left - 1))
            counts.append(sums >> (self.bits * (left - 1)))
        totals = columns.sum(axis=1, dtype=np.float64).astype(np.int64)
        counts.append(totals[:, None] - sum(counts))
        return counts


@dataclass(frozen=True)
class CellSums:
    """Σ_r n log n of every column, looked up at the number that holds its counts, which are never taken apart.

    Attributes
    ----------
    table : array
        For every total a column can have, the sums for all numbers its counts can make.
    starts : array (column,)
        Where the table of each column begins.
    """

    table: Floats
    starts: NDArray[np.floating]

    @classmethod
    def of(cls, packing: Packing, totals: NDArray[np.int64], n_log_n: Floats) -> CellSums | None:
        """Make the table for columns with these `totals`; None where it would not stay in the processor's cache."""
        bits, counted = packing.bits, packing.n_bins - 1
        distinct, which = np.unique(totals, return_inverse=True)
        size = 1 << (bits * counted)
        if counted > packing.together or len(distinct) * size > LARGEST_TABLE:
            return None
        counts = (np.arange(size) >> (bits * np.arange(counted)[:, None])) & ((1 << bits) - 1)
        left = distinct[:, None] - counts.sum(axis=0)
        possible = (left >= 0) & (counts.max(axis=0) <= distinct[:, None])
        sums = n_log_n.take(np.minimum(counts, distinct[-1])).sum(axis=0) + n_log_n.take(np.maximum(left, 0))
        return cls(np.where(possible, sums, 0.0).ravel(), (which * size).astype(packing.dtype))

    def look_up(self, columns: Columns, packed: NDArray[np.floating]) -> Floats:
        """Return the sums (column, unit) of `columns` that repeat each column of the plan equally often."""
        sums = columns @ packed
        sums += np.repeat(self.starts, len(columns) // len(self.starts))[:, None]
        return np.asarray(self.table.take(sums.astype(np.intp)))


def one_hot(codes: NDArray[np.int64], n_bins: int, dtype: np.dtype[np.floating]) -> Columns:
    """Return one row a bin, 1 where the stimulus is in it (bin, stimulus)."""
    columns: Columns = (np.arange(n_bins)[:, None] == codes).astype(dtype)
    return columns


def paired_counts(codes: Codes, values: NDArray[np.int64], n_bins: int, value_bins: int) -> Counts:
    """Count (response bin, value bin, unit) where every unit has its own value bins `values` (stimulus, unit)."""
    units = codes.shape[1]
    cells = n_bins * value_bins
    joint = codes * np.int64(value_bins) + values + np.arange(units) * cells
    found = np.bincount(joint.ravel(), minlength=units * cells)
    return np.ascontiguousarray(found.reshape(units, n_bins, value_bins).transpose(1, 2, 0)).astype(np.int64)
