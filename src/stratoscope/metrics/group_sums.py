"""Dissimilarities of any selection of units, from what `unit_groups` keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.responses import checked_choice
from stratoscope.metrics.similarity import DISTANCES, distances_of
from stratoscope.metrics.unit_groups import bordered
from stratoscope.types import Floats, Integers


@dataclass(frozen=True, eq=False)
class UnitGroups:
    """Groups of units that can be weighted anew: left out, kept, or drawn several times.

    Weights w_g make of the sums of `unit_groups` those of resampled units, P = Σ_g w_g P_g, and likewise s and n. Then

        squared Euclidean   P_ii + P_jj - 2 P_ij
        cosine              1 - P_ij / √(P_ii P_jj)
        correlation         1 - C_ij / √(C_ii C_jj),   C = P - s sᵀ / n

    are exactly those of the units drawn, each centred over all stimuli that were played.

    Attributes
    ----------
    kept : array (group, value)
        As `unit_groups` returns it.
    n_stimuli : int
        Stimuli it was made of.
    rows : array (row,)
        Stimuli to look at.
    """

    kept: NDArray[np.float32]
    n_stimuli: int
    rows: Integers

    @classmethod
    def of(cls, kept: Any, n_stimuli: int) -> UnitGroups:
        """Read what `unit_groups` kept of `n_stimuli` stimuli; refuses an array of another shape."""
        array = np.asarray(kept)
        if array.ndim != 2 or array.shape[1] not in (n_stimuli, bordered(n_stimuli)):
            raise BadInput(
                f"What is kept of groups of units has {n_stimuli} or {bordered(n_stimuli)} values a group for {n_stimuli} "
                f"stimuli, but an array of shape {array.shape} came. Give what unit_groups made of the same stimuli."
            )
        return cls(array, n_stimuli, np.arange(n_stimuli))

    def __len__(self) -> int:
        return len(self.kept)

    @property
    def single(self) -> bool:
        """Whether every unit is a group of its own."""
        return bool(self.kept.shape[1] == self.n_stimuli)

    def take(self, rows: Integers) -> UnitGroups:
        """Return the groups restricted to the stimuli at positions `rows` of those looked at."""
        return UnitGroups(self.kept, self.n_stimuli, self.rows[rows])

    def distances(self, weights: Any, distance: str = "euclidean") -> Floats:
        """Return the dissimilarities (row, row) of the units drawn, `weights` (group,) times each; see the class."""
        checked_choice(distance, DISTANCES, "distance")
        products, sums, n_units = self._resampled(np.asarray(weights, dtype=np.float32))
        return distances_of(products, distance, sums, n_units)

    def _resampled(self, weights: NDArray[np.float32]) -> tuple[Floats, Floats, float]:
        """Return products (row, row), sums (row,) and the number of the units drawn."""
        drawn = weights != 0
        kept, weights = self.kept[drawn], weights[drawn]
        if self.single:
            own = kept[:, self.rows].astype(np.float64)
            weighted = own * weights[:, None]
            return own.T @ weighted, weighted.sum(axis=0), float(weights.sum())
        places = np.append(self.rows, self.n_stimuli)
        square = (weights @ kept)[self._places[np.ix_(places, places)]].astype(np.float64)
        return square[:-1, :-1], square[-1, :-1], float(square[-1, -1])

    @cached_property
    def _places(self) -> Integers:
        """Where every entry of the square matrix is kept (stimulus + 1, stimulus + 1)."""
        size = self.n_stimuli + 1
        places = np.zeros((size, size), dtype=np.int64)
        above = np.triu_indices(size)
        places[above] = np.arange(len(above[0]))
        return np.maximum(places, places.T)


def group_halves(n_groups: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which of `n_groups` groups a random half holds (group,); see `stratoscope compare` for why halves."""
    chosen = np.zeros(n_groups, dtype=bool)
    chosen[rng.permutation(n_groups)[: n_groups // 2]] = True
    return chosen
