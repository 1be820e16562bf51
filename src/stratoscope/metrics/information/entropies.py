"""Counts to bits. Every sum of n log n is exact, so neither order nor blocks can change a number."""

from __future__ import annotations

import numpy as np

from stratoscope.metrics.information.counting import Counts
from stratoscope.types import Floats


def n_log_n(n: int) -> Floats:
    """Return k log2 k for k = 0 to n, rounded to a common quantum 2^-51 of n log2 n or less.

    Sums and differences of such numbers, up to twice n log2 n, are exact in float64 in any order. So tables of
    counts with the same cells have the same information to the last bit, which permutation tests count on.
    """
    k = np.arange(n + 1, dtype=np.float64)
    terms = k * np.log2(np.maximum(k, 1.0))
    quantum = 2.0 ** (np.ceil(np.log2(max(float(terms[-1]), 1.0))) - 51)
    return np.asarray(np.round(terms / quantum) * quantum)


def plug_in(counts: Counts, table: Floats) -> Floats:
    """Return the plug-in information (unit,) in bits of counts (response bin, value bin, unit).

    I = [Σ_rv n_rv log n_rv - Σ_r n_r log n_r - Σ_v n_v log n_v + n log n] / n
    """
    joint = table.take(counts).sum(axis=(0, 1))
    return np.asarray((joint - margins(counts, table)) / np.maximum(counts.sum(axis=(0, 1)), 1))


def margins(counts: Counts, table: Floats) -> Floats:
    """Return Σ_r n_r log n_r + Σ_v n_v log n_v - n log n (unit,), which no permutation of the stimuli changes."""
    by_response = table.take(counts.sum(axis=1)).sum(axis=0)
    by_value = table.take(counts.sum(axis=0)).sum(axis=0)
    return np.asarray(by_response + by_value - table.take(counts.sum(axis=(0, 1))))
