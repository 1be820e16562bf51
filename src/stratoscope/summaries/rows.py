"""Which stimuli a summary has seen: each once, in any order."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratoscope.errors import BadInput, StageError
from stratoscope.types import Integers, Responses


class SeenRows:
    """The rows that were seen so far, refusing a row that comes twice.

    Parameters
    ----------
    n_stimuli : int, optional
        Number of stimuli in the set; rows beyond it are refused. Without it the mask grows as rows come.
    """

    def __init__(self, n_stimuli: int | None = None) -> None:
        self.limit = n_stimuli
        self.mask = np.zeros(n_stimuli or 0, dtype=bool)

    @property
    def count(self) -> int:
        """Number of stimuli seen."""
        return int(np.count_nonzero(self.mask))

    def rows(self) -> Integers:
        """Return the rows seen, in ascending order."""
        return np.flatnonzero(self.mask)

    def add(self, rows: Any) -> Integers:
        """Mark `rows` as seen and return them as integers, or refuse them all."""
        new = np.asarray(rows)
        if new.ndim != 1 or (new.size and new.dtype.kind not in "iu"):
            raise BadInput(f"Rows must be integers of shape (stimulus,), not {new.dtype} of shape {new.shape}.")
        new = new.astype(np.int64)
        self._check_range(new)
        self._grow(int(new.max(initial=-1)) + 1)
        values, counts = np.unique(new, return_counts=True)
        twice = values[(counts > 1) | self.mask[values]]
        if twice.size:
            raise StageError(
                f"Stimulus {twice[0]} was answered twice, but each must come once. In a network this means that the "
                "module runs several times a pass (a shared ReLU, say); choose one call of it as the stage."
            )
        self.mask[new] = True
        return new

    def check_apart(self, other: SeenRows) -> None:
        """Refuse `other` where both have seen the same stimulus."""
        common = min(self.mask.size, other.mask.size)
        both = np.flatnonzero(self.mask[:common] & other.mask[:common])
        if both.size:
            raise StageError(
                f"Stimulus {both[0]} was seen by both summaries that are to be merged ({both.size} in all), but their "
                "stimuli must not overlap. Give every part of the run its own stimuli."
            )

    def merge(self, other: SeenRows) -> None:
        """Mark what `other` has seen; nothing may have been seen by both."""
        self.check_apart(other)
        self._grow(other.mask.size)
        self.mask[: other.mask.size] |= other.mask

    def _check_range(self, rows: Integers) -> None:
        low, high = int(rows.min(initial=0)), int(rows.max(initial=-1))
        if low < 0 or (self.limit is not None and high >= self.limit):
            most = "" if self.limit is None else f" to {self.limit - 1}"
            wrong = low if low < 0 else high
            raise BadInput(f"Row {wrong} is outside the stimulus set, whose rows go from 0{most}.")

    def _grow(self, size: int) -> None:
        if size > self.mask.size:
            grown = np.zeros(max(size, 2 * self.mask.size) if self.limit is None else size, dtype=bool)
            grown[: self.mask.size] = self.mask
            self.mask = grown


def check_shape(responses: Responses, n_rows: int, n_units: int) -> None:
    """Refuse responses that are not (stimulus, unit) of the expected size."""
    shape = tuple(responses.shape)
    if shape != (n_rows, n_units):
        raise BadInput(
            f"Responses must have the shape (stimulus={n_rows}, unit={n_units}), not {shape}. "
            "Flatten or pool them to the units the summary was made for."
        )


def check_alike(own: object, other: object, fields: tuple[str, ...]) -> None:
    """Refuse to merge summaries of another class or with other settings (the attributes `fields`)."""
    kind = type(own).__name__
    if type(other) is not type(own):
        raise BadInput(f"A {kind} merges with another {kind} only, not with {type(other).__name__}.")
    for name in fields:
        ours, theirs = getattr(own, name), getattr(other, name)
        if not np.array_equal(ours, theirs):
            raise BadInput(f"Two {kind} with different {name} cannot be merged: {ours} and {theirs}. Make both alike.")
