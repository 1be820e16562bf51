"""What comes out of reading single units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.readout.pairs import Pairs
from stratoscope.types import Floats, Integers


@dataclass(frozen=True)
class UnitReadout:
    """How well single units tell pairs of objects apart; means over the pairs of each unit.

    Attributes
    ----------
    bits : array (unit,) or (distance, unit)
        Mutual information between true and predicted object, before chance is taken off.
    accuracy : array, as bits
        Fraction of tests that were right, 0 to 1; 0.5 is guessing.
    chance_bits, chance_accuracy : array, as bits
        The same with object labels shuffled within each view; NaN without shuffles.
    n_pairs : array (unit,) of int
        Pairs of objects that counted for the unit; where 0, all numbers are NaN.
    n : int
        Responses a unit: stimuli, or trials.
    distances : array (distance,)
        Distance between trained and tested views; empty where there is none.
    method : str
        Protocol, number of draws and shuffles.
    seed : int
        Seed of folds, draws and shuffles.
    note : str
        What a reader must know beside the numbers.
    """

    bits: Floats
    accuracy: Floats
    chance_bits: Floats
    chance_accuracy: Floats
    n_pairs: Integers
    n: int
    method: str
    seed: int
    note: str = ""
    distances: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def bits_above_chance(self) -> Floats:
        """Bits less chance."""
        return self.bits - self.chance_bits

    @property
    def accuracy_above_chance(self) -> Floats:
        """Accuracy less chance."""
        return self.accuracy - self.chance_accuracy

    @property
    def percent_correct(self) -> Floats:
        """Accuracy in percent."""
        return 100 * self.accuracy


def summarise(
    true: tuple[Floats, Floats],
    false: list[tuple[Floats, Floats]],
    pairs: Pairs,
    rows: NDArray[Any],
    method: str,
    seed: int,
    note: str,
    distances: Floats | None = None,
) -> UnitReadout:
    """Put bits and accuracies with true and with shuffled labels together."""
    n_units = rows.shape[1]
    n_pairs = np.full(n_units, len(pairs)) if pairs.of_units is None else pairs.of_units.sum(axis=0)
    empty = np.full_like(true[0], np.nan)
    chance_bits, chance_accuracy = (np.mean([one[at] for one in false], axis=0) if false else empty for at in (0, 1))
    alone = int((n_pairs == 0).sum())
    told = [note, f"{alone} of {n_units} units have no pair that passes, and no number" if alone else ""]
    return UnitReadout(
        true[0],
        true[1],
        chance_bits,
        chance_accuracy,
        n_pairs=n_pairs.astype(np.int64),
        n=len(rows),
        method=f"{method}; {len(false)} shuffles of objects within views",
        seed=seed,
        note="; ".join(one for one in told if one),
        distances=np.empty(0) if distances is None else distances,
    )
