"""Functions that are straight between knots, for many values at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stratoscope.types import Floats

#: Cells of equal width that say near which knot a value lies; more than knots, so most hold one at most.
_CELLS = 1 << 14
#: Knots in one cell from where it takes longer to go through them than to search among all.
_CROWDED = 16


def piecewise_linear(knots: Floats, heights: Floats) -> Callable[[Floats], Floats]:
    """Return what ``np.interp(values, knots, heights)`` gives, in half its time, and NaN for NaN and infinity.

    A table of cells stands in for most of the search among the knots, which otherwise guesses wrongly at every second step.

    Parameters
    ----------
    knots, heights : array (knot,)
        At least two; `knots` ascend, and may repeat.
    """
    starts = np.linspace(knots[0], knots[-1], _CELLS + 1)
    before = np.searchsorted(knots, starts, side="right") - 1
    if not knots[-1] > knots[0] or np.diff(before).max() > _CROWDED:
        return lambda values: np.where(np.isfinite(values), np.interp(values, knots, heights), np.nan)
    scale, nearest = _CELLS / (knots[-1] - knots[0]), before.astype(np.int32)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.append(np.where(np.diff(knots) > 0, np.diff(heights) / np.diff(knots), 0.0), 0.0)
    ends = np.append(knots[1:], np.nan)  # the last line has none

    def of(values: Floats) -> Floats:
        inside = np.maximum(values, knots[0], order="C")
        with np.errstate(invalid="ignore"):  # infinity times no slope is NaN, as it should be
            at = nearest[np.fmin(np.fmax((inside - knots[0]) * scale, 0), _CELLS).astype(np.int32)]
            # rounding may lead to the line beyond a knot, which meets the right one there
            late = np.flatnonzero(inside >= ends[at])
            while late.size:
                at.ravel()[late] += 1
                late = late[inside.ravel()[late] >= ends[at.ravel()[late]]]
            return np.asarray((inside - knots[at]) * slopes[at] + heights[at])

    return of
