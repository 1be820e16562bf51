"""Moments of every unit over stimuli."""

# ruff: noqa: SLF001 - a merge reads the private parts of its own kind

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import Scratch, count_above, on_host, unit_blocks
from stratoscope.summaries.moments import PowerSums, add_powers, mean_about_first
from stratoscope.summaries.rows import SeenRows, check_alike, check_shape
from stratoscope.types import Integers, Responses, Summary


class PerUnit:
    """Per unit over stimuli: count, mean, central sums, extremes and how often the unit is active.

    Parameters
    ----------
    n_units : int
        Number of units of the stage.
    threshold : float
        A unit is active where its response lies above this, in the units of the responses.
    order : {4, 2}
        Highest moment kept; 2 saves a third of the time where no metric reads ``m3`` and ``m4``.

    Notes
    -----
    `state` holds ``n`` (stimuli seen) and, per unit, ``mean``, the central sums ``m2``, ``m3``, ``m4``
    (m_p = sum (x - mean)^p), ``minimum``, ``maximum`` (float64), ``active`` and ``n_nonfinite`` (int64).
    A unit with a response that is NaN or infinite has NaN for everything but its counts.
    Memory: 9 numbers of 8 bytes a unit, whatever the number of stimuli.
    """

    def __init__(self, n_units: int, *, threshold: float = 0.0, order: int = 4) -> None:
        self.n_units = n_units
        self.threshold = float(threshold)
        self.order = order
        self._seen = SeenRows()
        self._powers = PowerSums(n_units, order)
        self._active = np.zeros(n_units, dtype=np.int64)
        self._nonfinite = np.zeros(n_units, dtype=np.int64)
        self._minimum = np.full(n_units, np.inf)
        self._maximum = np.full(n_units, -np.inf)
        self._scratch = Scratch()

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        check_shape(responses, len(rows), self.n_units)
        rows = self._seen.add(rows)
        if not rows.size:
            return
        with np.errstate(invalid="ignore", over="ignore"):
            for stimuli, units in unit_blocks(len(rows), self.n_units):
                fresh = self._powers.n == 0 and stimuli.start == 0
                self._add(on_host(responses[stimuli, units]), units, fresh)
        self._powers.n += len(rows)
        self._powers.follow()

    def _add(self, block: Any, units: slice, fresh: bool) -> None:
        powers = self._powers
        if fresh:
            powers.centre[units] = mean_about_first(block, 0)
        sums = powers.sums[:, units]
        exact, buffer = self._scratch.load(block)
        add_powers(sums, exact, powers.centre[units], 0, buffer)
        self._active[units] += count_above(block, self.threshold, 0)
        np.minimum(self._minimum[units], block.min(axis=0), out=self._minimum[units])
        np.maximum(self._maximum[units], block.max(axis=0), out=self._maximum[units])
        if not np.isfinite(sums[0]).all():
            self._nonfinite[units] += np.count_nonzero(~np.isfinite(block), axis=0)

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        check_alike(self, other, ("n_units", "threshold", "order"))
        assert isinstance(other, PerUnit)
        self._seen.merge(other._seen)
        self._powers.merge(other._powers)
        self._active += other._active
        self._nonfinite += other._nonfinite
        np.minimum(self._minimum, other._minimum, out=self._minimum)
        np.maximum(self._maximum, other._maximum, out=self._maximum)

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return which stimuli were seen, and counts, sums and extremes of every unit."""
        extremes = {"minimum": self._minimum, "maximum": self._maximum}
        counts = {"active": self._active, "n_nonfinite": self._nonfinite}
        return {"rows": self._seen.rows(), **self._powers.pack(), **extremes, **counts}

    def unpack(self, packed: Mapping[str, NDArray[Any]], start: int = 0) -> None:
        """Take in what another summary packed, its row 0 being stimulus `start` of this one."""
        self._seen.add(packed["rows"] + start)
        self._powers.merge(PowerSums.unpacked(packed))
        self._active += packed["active"]
        self._nonfinite += packed["n_nonfinite"]
        np.minimum(self._minimum, packed["minimum"], out=self._minimum)
        np.maximum(self._maximum, packed["maximum"], out=self._maximum)

    def state(self) -> dict[str, Any]:
        """Return ``n`` and the arrays (unit,) named in the notes of the class."""
        bad = (self._nonfinite > 0) | (self._powers.n == 0)
        floats = self._powers.central() | {"minimum": self._minimum, "maximum": self._maximum}
        return {
            "n": np.int64(self._powers.n),
            **{name: np.where(bad, np.nan, values) for name, values in floats.items()},
            "active": self._active.copy(),
            "n_nonfinite": self._nonfinite.copy(),
        }
