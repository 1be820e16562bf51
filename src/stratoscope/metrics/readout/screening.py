"""Which penalties may be the best, as far as single precision can tell, and what neighbouring penalties say of them.

Leaving one out at a time is judged in single precision, with how far that may be off. And a penalty that is far below what
the responses' own dimensions weigh changes a fit so little that its neighbour's errors bound its own: with S = (K + a I)^-1
of the training stimuli, about their mean, and l the smallest eigenvalue of K,

    S_a = (I + (b - a) S_a) S_b,    |(b - a) S_a| <= d = |b - a| / (l + a)

so residuals r = S y / diag(S) of penalty a follow from those of b. Their numerators move by no more than d |S_b y| in all,
and their denominators shrink with the penalty, by no more than 1 + d; hence

    |r_a| >= (|r_b| - d |S_b y| / min diag(S_b)) / (1 + d),    without the last division where a > b.

Where that is more than the errors of the best penalty so far, a need not be looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.readout.leaving_out import Spectrum, Without
from stratoscope.summaries.threads import in_threads
from stratoscope.types import Floats

#: Stimuli below which penalties are not judged in single precision first: there is nothing to save.
FEW = 500
#: Share of an error that single precision may leave open where neighbours are judged by it, and room for as much.
CLEAR, ROOM = 0.01, 1.05


@dataclass(frozen=True)
class Judged:
    """What is known of one penalty, each (fold, shuffle).

    Attributes
    ----------
    low, high : array
        Bounds of the squared error when one stimulus is left out at a time.
    sway : array
        |S y| / min diag(S): how far residuals follow a change of penalty. Infinite where it is not known.
    """

    low: Floats
    high: Floats
    sway: Floats

    def least_at(self, penalty: float, other: float, smallest: float) -> Floats:
        """Return what the squared error (fold, shuffle) of the penalty `other` is at least, this one being `penalty`.

        `smallest` is the smallest eigenvalue of the inner products.
        """
        moved = abs(penalty - other) / (smallest + other)
        with np.errstate(invalid="ignore"):  # 0 times infinity: nothing is known
            root = np.nan_to_num(np.sqrt(self.low) - moved * self.sway, nan=0.0)
        return np.square(np.maximum(root, 0.0) / (1.0 + moved if other < penalty else 1.0))


def may_be_best(
    spectrum: Spectrum, wanted: Floats, cuts: Sequence[slice], penalties: Sequence[float], threads: int = 1
) -> NDArray[np.bool_]:
    """Say which penalties (penalty, fold, shuffle) may be the best.

    It does half the work of judging all of them in double precision. Where its rounding leaves several, these are
    to be judged again.
    """
    shape = (len(penalties), len(cuts), wanted.shape[2])
    if spectrum.n < FEW or len(penalties) < 3:
        return np.ones(shape, dtype=bool)
    low, high = np.full(shape, np.inf), np.full(shape, np.inf)
    for at, judged in _judged(spectrum, wanted.astype(np.float32), cuts, penalties, threads):
        low[at], high[at] = judged.low, judged.high
    return np.asarray(low <= high.min(axis=0))


def _judged(
    spectrum: Spectrum, wanted: NDArray[np.float32], cuts: Sequence[slice], penalties: Sequence[float], threads: int
) -> Iterator[tuple[int, Judged]]:
    """Judge penalties from the largest down, as many at a time as there are threads, but those their neighbours rule out."""
    left = deque(sorted(range(len(penalties)), key=lambda at: -penalties[at]))
    best = np.full((len(cuts), wanted.shape[2]), np.inf)
    near: tuple[float, Judged] | None = None
    while left:
        now: list[int] = []
        while left and len(now) < threads:
            at = left.popleft()
            if near is None or not _ruled_out(near, penalties[at], best, spectrum):
                now.append(at)
        judge = partial(_judge, spectrum, wanted, cuts)
        for at, judged in zip(now, in_threads(judge, [penalties[at] for at in now], threads), strict=True):
            best, near = np.minimum(best, judged.high), (penalties[at], judged)
            yield at, judged


def _ruled_out(near: tuple[float, Judged], penalty: float, best: Floats, spectrum: Spectrum) -> bool:
    taken, judged = near
    return bool((judged.least_at(taken, penalty, spectrum.smallest) > best).all())


def _judge(spectrum: Spectrum, wanted: NDArray[np.float32], cuts: Sequence[slice], penalty: float) -> Judged:
    """Judge one penalty in single precision."""
    low, high, sway = np.zeros((3, len(cuts), wanted.shape[2]))
    maker = spectrum.residual_maker(penalty, np.float32)
    solved = np.tensordot(maker, wanted, axes=1)
    terms = spectrum.largest_terms(penalty, maker)
    for at, fold in enumerate(cuts):
        found = Without(maker[fold, fold], solved, fold).left_out(maker, terms)
        known = np.isfinite(found.error) & (found.doubt < found.error)
        clear = known & (found.doubt < CLEAR * found.error) & (found.rounding < CLEAR)
        with np.errstate(invalid="ignore", divide="ignore"):  # infinite less infinite, where neither is known
            low[at] = np.where(known, found.error - found.doubt, 0.0)
            sway[at] = np.where(clear, ROOM * found.size / found.least, np.inf)
        high[at] = np.where(known, found.error + found.doubt, np.inf)
    return Judged(low, high, sway)
