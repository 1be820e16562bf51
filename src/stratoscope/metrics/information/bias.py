"""How much too high the plug-in information is, and what is taken off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.information.counting import Counts
from stratoscope.types import Floats

CORRECTIONS = (
    "panzeri-treves",
    "panzeri-treves-naive",
    "miller-madow",
    "quadratic-extrapolation",
    "shuffle",
    "none",
)


def panzeri_treves_bias(counts: Counts, *, bayes: bool = True) -> Floats:
    """Return the bias (unit,) in bits of counts (response bin, value bin, unit) after Panzeri and Treves 1996.

        bias = [Σ_v (R_v - 1) - (R - 1)] / (2 n ln 2)

    R is the number of response bins that occur. R_v, the relevant ones at value v, is the number that occur there
    (naive), or the number expected to be behind them (`bayes_count`). Value bins without stimuli count nothing. With
    naive counts this is the Miller-Madow correction of the three entropies, term by term.
    """
    occurring = (counts.sum(axis=1) > 0).sum(axis=0)
    relevant = relevant_bins(counts, occurring, bayes=bayes)
    freedom = np.maximum(relevant - 1.0, 0.0).sum(axis=0) - np.maximum(occurring - 1.0, 0.0)
    n = np.maximum(counts.sum(axis=(0, 1)), 1)
    return np.asarray(freedom / (2.0 * n * np.log(2.0)))


def relevant_bins(counts: Counts, support: NDArray[np.int64], *, bayes: bool) -> Floats:
    """Return the relevant response bins (value bin, unit); `support` (unit,) is the most there can be."""
    naive = (counts > 0).sum(axis=0)
    found = naive.astype(np.float64)
    if bayes:
        short = (naive > 0) & (naive < support)
        most = np.broadcast_to(support, naive.shape)[short]
        found[short] = bayes_count(counts[:, short], most)
    return np.asarray(found)


def bayes_count(counts: NDArray[np.int64], support: NDArray[np.int64]) -> Floats:
    """Return how many response bins are relevant behind each distribution of counts (response bin, distribution).

    With n responses in R bins that occur, and x more that did not but may, the posterior gives each of the R the
    probability (1 - γ) (p n + 1) / (n + R) and the x together γ = x (1 - (n / (n + R))^(1/n)). The number of bins
    expected to occur in n draws is then Σ 1 - (1 - p')^n. From x = 0 on, bins are added as long as this number comes
    nearer to R and there are bins left in `support` (distribution,).

    Panzeri & Treves 1996, doi:10.1088/0954-898X/7/1/006.
    """
    occupied = counts > 0
    n, naive = counts.sum(axis=0).astype(np.float64), occupied.sum(axis=0)
    share = counts / n
    distance = np.where(occupied, (1.0 - share) ** n, 0.0).sum(axis=0)  # what x = 0 leaves unseen
    added = np.zeros(len(naive))
    going = naive < support
    for extra in range(1, int((support - naive).max(initial=0)) + 1):
        at = np.flatnonzero(going & (naive + extra <= support))
        if not len(at):
            break
        further = np.abs(naive[at] - _expected(counts[:, at], n[at], naive[at], extra))
        nearer = further < distance[at]
        going[:] = False
        going[at[nearer]] = True
        added[at[nearer]] = extra
        distance[at] = further
    return np.asarray(naive + added)


def _expected(counts: NDArray[np.int64], n: Floats, naive: NDArray[np.int64], extra: int) -> Floats:
    """Return the bins expected to occur when `extra` that did not are possible."""
    one = 1.0 - (n / (n + naive)) ** (1.0 / n)
    p = (1.0 - extra * one) / (n + naive) * (counts + 1.0)
    seen = np.where(counts > 0, 1.0 - (1.0 - p) ** n, 0.0).sum(axis=0)
    return np.asarray(seen + extra * (1.0 - (1.0 - one) ** n))
