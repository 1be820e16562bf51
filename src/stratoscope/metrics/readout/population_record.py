"""What comes out of reading populations of units, and how it is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.readout.pairs import Pairs
from stratoscope.metrics.readout.population import Population
from stratoscope.types import Estimate, Floats


@dataclass(frozen=True)
class PopulationReadout:
    """How well populations of units tell pairs of objects apart, for every number of units.

    Attributes
    ----------
    sizes : tuple of int or str
        Numbers of units; ``all`` is the whole stage.
    pairs : array (pair, 2)
        Names of the objects.
    pair_bits, pair_accuracy : array (size, resampling, pair)
        Bits and accuracy (0 to 1) of every resampling of units; NaN for a size that there are too few units for.
    chance_pair_bits, chance_pair_accuracy : array (size, resampling, pair)
        The same with objects shuffled within each view; NaN without shuffles.
    n : int
        Responses of a unit: stimuli, or stimuli times vectors.
    method : str
        Protocol and decoder.
    seed : int
        Seed of resampling, folds and shuffles.
    note : str
        What a reader must know beside the numbers.
    """

    sizes: tuple[int | str, ...]
    pairs: NDArray[Any]
    pair_bits: Floats
    pair_accuracy: Floats
    chance_pair_bits: Floats
    chance_pair_accuracy: Floats
    n: int
    method: str
    seed: int
    note: str = ""

    @property
    def bits(self) -> Estimate:
        """Bits (size,): mean over pairs and resamplings, and the central 95 % of resamplings of units."""
        return self._summary(self.pair_bits)

    @property
    def accuracy(self) -> Estimate:
        """Accuracy (size,), 0 to 1."""
        return self._summary(self.pair_accuracy)

    @property
    def chance_bits(self) -> Estimate:
        """Bits with shuffled labels (size,)."""
        return self._summary(self.chance_pair_bits)

    @property
    def chance_accuracy(self) -> Estimate:
        """Accuracy with shuffled labels (size,)."""
        return self._summary(self.chance_pair_accuracy)

    @property
    def bits_above_chance(self) -> Estimate:
        """Bits less those with shuffled labels, resampling by resampling (size,)."""
        return self._summary(self.pair_bits - self.chance_pair_bits)

    @property
    def accuracy_above_chance(self) -> Estimate:
        """Accuracy less that with shuffled labels, resampling by resampling (size,)."""
        return self._summary(self.pair_accuracy - self.chance_pair_accuracy)

    def _summary(self, values: Floats) -> Estimate:
        of_resampling = values.mean(axis=2)
        known = np.isfinite(of_resampling).all(axis=1)
        ends = np.full((2, len(values)), np.nan)
        ends[:, known] = np.quantile(of_resampling[known], [0.025, 0.975], axis=1)
        whole = np.array([size == "all" for size in self.sizes])
        ends[:, whole] = np.nan  # one population alone: there are no other units to draw
        return Estimate(
            of_resampling.mean(axis=1),
            ends[0],
            ends[1],
            n=self.n,
            method=f"{self.method}; 95 % of {values.shape[1]} resamplings of units",
            seed=self.seed,
            note=self.note,
        )


class Collected:
    """Numbers of every size, resampling and pair, filled in as they come."""

    def __init__(self, n_sizes: int, n_resamplings: int, n_pairs: int, n_shuffles: int) -> None:
        self.numbers = np.full((4, n_sizes, n_resamplings, n_pairs), np.nan)
        self.n_shuffles = n_shuffles

    def put(self, size: int, resampling: int, bits: Floats, accuracy: Floats) -> None:
        """Take in bits and accuracies (1 + shuffle, pair)."""
        for at, values in enumerate((bits, accuracy)):
            self.numbers[at, size, resampling] = values[0]
            if self.n_shuffles:
                self.numbers[at + 2, size, resampling] = values[1:].mean(axis=0)


def record(
    collected: Collected,
    population: Population,
    sizes: tuple[int | str, ...],
    pairs: Pairs,
    method: str,
    seed: int,
    notes: Sequence[str],
) -> PopulationReadout:
    """Put everything together."""
    told = [*notes, "one population alone has no interval from resampling of units" if "all" in sizes else ""]
    return PopulationReadout(
        sizes,
        population.names[pairs.index],
        collected.numbers[0],
        collected.numbers[1],
        collected.numbers[2],
        collected.numbers[3],
        n=len(population.row_codes),
        method=method,
        seed=seed,
        note="; ".join(one for one in told if one),
    )
