"""Mean response of every unit to every category of stimuli."""

# ruff: noqa: SLF001 - a merge reads the private parts of its own kind

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.summaries.blocks import Scratch, on_host, unit_blocks
from stratoscope.summaries.moments import mean_about_first
from stratoscope.summaries.rows import SeenRows, check_alike, check_shape
from stratoscope.types import Integers, Responses, Summary


class Categories:
    """Per category and unit: the mean response over the stimuli of the category.

    Parameters
    ----------
    codes : array (stimulus,) of int
        Category of every stimulus of the set, 0 to ``len(names) - 1``; a negative code is a stimulus of no category,
        which is counted and otherwise left out.
    names : sequence of str
        Name of every category.
    n_units : int
        Number of units of the stage.

    Raises
    ------
    BadInput
        Codes that are not integers, or beyond the names.

    Notes
    -----
    `state` holds ``names`` and ``count`` (category,), ``mean`` (category, unit) in float64, ``n_nonfinite``
    (category,) and the numbers ``n`` (stimuli with a category) and ``unlabelled``. A category that was not seen has NaN
    means, a response that is NaN or infinite makes the mean of its category and unit so.

    Sums run over deviations from one reference per unit (the mean of its first batch), so small differences between
    categories survive a large common offset.
    """

    def __init__(self, codes: Any, names: Sequence[str], n_units: int) -> None:
        self.codes = _checked_codes(codes, len(names))
        self.names = np.array([str(name) for name in names])
        self.n_units = n_units
        self._seen = SeenRows(len(self.codes))
        self._count = np.zeros(len(names), dtype=np.int64)
        self._nonfinite = np.zeros(len(names), dtype=np.int64)
        self._unlabelled = 0
        self._reference: NDArray[np.float64] | None = None
        self._sums = np.zeros((len(names), n_units))
        self._scratch = Scratch()

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        check_shape(responses, len(rows), self.n_units)
        rows = self._seen.add(rows)
        if not rows.size:
            return
        codes = self.codes[rows]
        self._unlabelled += int(np.count_nonzero(codes < 0))
        self._count += np.bincount(codes[codes >= 0], minlength=len(self.names))
        with np.errstate(invalid="ignore", over="ignore"):
            if self._reference is None:
                self._reference = self._first_means(responses)
            for stimuli, units in unit_blocks(len(rows), self.n_units):
                self._add(codes[stimuli], on_host(responses[stimuli, units]), units)

    def _first_means(self, responses: Responses) -> NDArray[np.float64]:
        reference = np.empty(self.n_units)
        for stimuli, units in unit_blocks(len(responses), self.n_units):
            if stimuli.start == 0:
                means = mean_about_first(on_host(responses[stimuli, units]), 0)
                reference[units] = np.where(np.isfinite(means), means, 0)
        return reference

    def _add(self, codes: Integers, block: NDArray[Any], units: slice) -> None:
        assert self._reference is not None
        present = np.unique(codes[codes >= 0])
        if not present.size:
            return
        deviations, _ = self._scratch.load(block)
        deviations -= self._reference[units]
        member = present[:, None] == codes
        sums = member.astype(np.float64) @ deviations
        if not np.isfinite(sums).all():  # zero times infinity is NaN: keep categories apart
            sums = np.stack([deviations[rows].sum(axis=0) for rows in member])
            bad = np.count_nonzero(~np.isfinite(block), axis=1)
            self._nonfinite[present] += member @ bad
        self._sums[present, units] += sums

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        check_alike(self, other, ("codes", "names", "n_units"))
        assert isinstance(other, Categories)
        self._seen.merge(other._seen)
        if other._reference is None:
            return
        if self._reference is None:
            self._reference = other._reference.copy()
        further = other._reference - self._reference
        with np.errstate(invalid="ignore", over="ignore"):
            for code in np.flatnonzero(other._count):
                self._sums[code] += other._sums[code] + other._count[code] * further
        self._count += other._count
        self._nonfinite += other._nonfinite
        self._unlabelled += other._unlabelled

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return the sums (seen category, unit) of the categories seen, about what, and counts."""
        seen = np.flatnonzero(self._count)
        counts = {"count": self._count[seen], "n_nonfinite": self._nonfinite[seen]}
        about: dict[str, NDArray[Any]] = {"unlabelled": np.array([self._unlabelled])}
        about |= {} if self._reference is None else {"reference": self._reference}
        return {"rows": self._seen.rows(), "category": seen, "sums": self._sums[seen], **counts, **about}

    def unpack(self, packed: Mapping[str, NDArray[Any]], start: int = 0) -> None:
        """Take in what another summary packed, its row 0 being stimulus `start` of this one."""
        self._seen.add(packed["rows"] + start)
        if "reference" not in packed:
            return
        if self._reference is None:
            self._reference = packed["reference"].copy()
        further = packed["reference"] - self._reference
        with np.errstate(invalid="ignore", over="ignore"):
            for i, code in enumerate(packed["category"]):
                self._sums[code] += packed["sums"][i] + packed["count"][i] * further
        self._count[packed["category"]] += packed["count"]
        self._nonfinite[packed["category"]] += packed["n_nonfinite"]
        self._unlabelled += int(packed["unlabelled"][0])

    def state(self) -> dict[str, Any]:
        """Return the arrays named in the notes of the class."""
        mean = np.full(self._sums.shape, np.nan)
        known = self._count > 0
        if self._reference is not None:
            mean[known] = self._sums[known] / self._count[known, None] + self._reference
        return {
            "names": self.names.copy(),
            "count": self._count.copy(),
            "mean": mean,
            "n_nonfinite": self._nonfinite.copy(),
            "n": np.int64(self._count.sum()),
            "unlabelled": np.int64(self._unlabelled),
        }


def _checked_codes(codes: Any, n_categories: int) -> Integers:
    array = np.asarray(codes)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise BadInput(
            f"Category codes must be integers of shape (stimulus,), not {array.dtype} of shape {array.shape}. "
            "Number the categories first, with numpy.unique(..., return_inverse=True) for instance."
        )
    if array.size and array.max() >= n_categories:
        raise BadInput(
            f"Category code {array.max()} has no name: {n_categories} names were given, for codes 0 to {n_categories - 1}."
        )
    return array.astype(np.int64)
