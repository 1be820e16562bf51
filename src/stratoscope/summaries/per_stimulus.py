"""Moments of every stimulus along units."""

# ruff: noqa: SLF001 - a merge reads the private parts of its own kind

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name
from stratoscope.summaries.blocks import Scratch, count_above, on_host, row_blocks
from stratoscope.summaries.moments import PowerSums, add_powers, mean_about_first
from stratoscope.summaries.rows import SeenRows, check_alike, check_shape
from stratoscope.types import Floats, Integers, Responses, Summary

#: What `PerStimulus` can keep of every stimulus. ``gini`` needs a sort and is kept only when asked for.
FIELDS = ("mean", "m2", "m3", "m4", "sum", "l1", "l2", "active", "minimum", "maximum", "gini")
#: Units that choose the centre of the powers: enough to be near the mean of all, few enough to cost nothing.
_FIRST = 8192


class PerStimulus:
    """Per stimulus along units: mean, central sums, norms, extremes and how many units are active.

    Parameters
    ----------
    n_stimuli : int
        Number of stimuli in the set.
    fields : iterable of str
        What to keep, of `FIELDS`; all but ``gini`` unless said otherwise. Leaving out ``m3`` and ``m4`` saves time.
    threshold : float
        A unit is active where its response lies above this, in the units of the responses.

    Raises
    ------
    UnknownName
        A field that does not exist.

    Notes
    -----
    `state` holds arrays (stimulus,) of float64: ``mean``, central sums ``m2``, ``m3``, ``m4`` (m_p = sum (x - mean)^p),
    ``sum`` (of x), ``l1`` (sum of |x|), ``l2`` (sum of x^2, not its root), ``minimum``, ``maximum``, ``active`` (a count),
    ``gini`` (of |x|: sum (2 i - n - 1) |x|_(i) / (n sum |x|), 0 for a uniform code; NaN for a silent one); further
    ``seen`` (bool), ``n_nonfinite`` (int64) and the number ``n_units``. Stimuli that were not seen, and those with a
    response that is NaN or infinite, have NaN.
    """

    def __init__(self, n_stimuli: int, *, fields: Iterable[str] = FIELDS[:-1], threshold: float = 0.0) -> None:
        self.n_stimuli = n_stimuli
        self.fields = tuple(fields)
        for name in self.fields:
            if name not in FIELDS:
                raise unknown_name("field of PerStimulus", name, FIELDS)
        self.threshold = float(threshold)
        self.n_units = 0
        self._order = 4 if {"m3", "m4"} & set(self.fields) else 2
        self._kept = {name: np.full(n_stimuli, np.nan) for name in self.fields}
        self._nonfinite = np.zeros(n_stimuli, dtype=np.int64)
        self._seen = SeenRows(n_stimuli)
        self._scratch = Scratch()

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        n_units = self.n_units or int(responses.shape[-1])
        check_shape(responses, len(rows), n_units)
        if n_units == 0:
            raise BadInput("Responses have no units: the shape is (stimulus, 0). Choose a stage that has units.")
        rows = self._seen.add(rows)
        if not rows.size:
            return
        self.n_units = n_units
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            found, nonfinite = self._reduce(responses)
        self._nonfinite[rows] = nonfinite
        for name, kept in self._kept.items():
            kept[rows] = np.where(nonfinite > 0, np.nan, found[name])

    def _reduce(self, responses: Responses) -> tuple[dict[str, Any], Integers]:
        """Reduce one batch along units; whole stimuli, so the result does not depend on the batch."""
        n_rows = len(responses)
        powers = PowerSums(n_rows, self._order)
        found: dict[str, Any] = {name: np.zeros(n_rows) for name in ("l1", "active", "gini")}
        found["minimum"], found["maximum"] = np.full(n_rows, np.inf), np.full(n_rows, -np.inf)
        nonfinite = np.zeros(n_rows, dtype=np.int64)
        for stimuli, units in row_blocks(n_rows, self.n_units):
            block = on_host(responses[stimuli, units])
            self._add(block, stimuli, units.start == 0, powers, found)
            if not np.isfinite(powers.sums[0, stimuli]).all():
                nonfinite[stimuli] += np.count_nonzero(~np.isfinite(block), axis=1)
        powers.n = self.n_units
        found |= powers.central()
        found["sum"] = found["mean"] * self.n_units
        found["l2"] = found["m2"] + found["mean"] * found["sum"]
        if "gini" in self.fields:
            found["gini"] = np.array([_gini(on_host(responses[i])) for i in range(n_rows)])
        return found, nonfinite

    def _add(
        self, block: NDArray[Any], stimuli: slice, fresh: bool, powers: PowerSums, found: dict[str, Floats]
    ) -> None:
        if fresh:
            powers.centre[stimuli] = mean_about_first(block[:, :_FIRST], 1)
        lowest = block.min(axis=1)
        found["minimum"][stimuli] = np.minimum(found["minimum"][stimuli], lowest)
        found["maximum"][stimuli] = np.maximum(found["maximum"][stimuli], block.max(axis=1))
        if "active" in self.fields:
            found["active"][stimuli] += count_above(block, self.threshold, 1)
        exact, buffer = self._scratch.load(block)
        if "l1" in self.fields:  # after a ReLU the absolute value would be a pass for nothing
            absolute = exact if lowest.min() >= 0 else np.abs(exact, out=buffer)
            found["l1"][stimuli] += absolute.sum(axis=1)
        add_powers(powers.sums[:, stimuli], exact, powers.centre[stimuli], 1, buffer)

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        check_alike(self, other, ("n_stimuli", "fields", "threshold"))
        assert isinstance(other, PerStimulus)
        if self.n_units and other.n_units:
            check_alike(self, other, ("n_units",))
        self._seen.merge(other._seen)
        self.n_units = self.n_units or other.n_units
        theirs = other._seen.rows()
        self._nonfinite[theirs] = other._nonfinite[theirs]
        for name, kept in self._kept.items():
            kept[theirs] = other._kept[name][theirs]

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return what was kept of the stimuli seen: arrays (seen stimulus,), and the number of units."""
        rows = self._seen.rows()
        kept = {name: values[rows] for name, values in self._kept.items()}
        return {"rows": rows, "n_units": np.array([self.n_units]), "n_nonfinite": self._nonfinite[rows], **kept}

    def unpack(self, packed: Mapping[str, NDArray[Any]], start: int = 0) -> None:
        """Take in what another summary packed, its row 0 being stimulus `start` of this one."""
        rows = self._seen.add(packed["rows"] + start)
        self.n_units = self.n_units or int(packed["n_units"][0])
        self._nonfinite[rows] = packed["n_nonfinite"]
        for name, kept in self._kept.items():
            kept[rows] = packed[name]

    def state(self) -> dict[str, Any]:
        """Return the arrays (stimulus,) named in the notes of the class, and ``n_units``."""
        return {
            "n_units": np.int64(self.n_units),
            "seen": self._seen.mask.copy(),
            "n_nonfinite": self._nonfinite.copy(),
            **{name: kept.copy() for name, kept in self._kept.items()},
        }


def _gini(responses: NDArray[Any]) -> float:
    ordered = np.sort(np.abs(responses.astype(np.float64)))
    n, total = ordered.size, ordered.sum()
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    return float(weights @ ordered / (n * total)) if total > 0 else float("nan")
