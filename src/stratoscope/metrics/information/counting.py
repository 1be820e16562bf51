"""How often each response bin meets each value bin, for many units at once, as one matrix product.

The counts of several response bins travel in one number: bin r adds 2 to the power of r times `bits`, and `bits` hold the
largest count possible. Every partial sum is a whole number that the precision holds exactly, so the product is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.information.bins import Codes

#: Counts, int64.
Counts = NDArray[np.int64]
#: One row a value bin, 1 where the stimulus is in it, (column, stimulus).
Columns = NDArray[np.floating]
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
            addend = np.zeros(256, dtype=self.dtype)
            for i, code in enumerate(range(first, min(first + self.together, self.n_bins - 1))):
                addend[code] = 2.0 ** (self.bits * i)
            groups.append(addend.take(codes))
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
