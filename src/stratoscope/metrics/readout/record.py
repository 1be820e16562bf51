"""What comes out of a cross-validated read-out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from stratoscope.types import Estimate, Floats, Integers


def _nothing() -> Any:
    return np.empty((0, 0), dtype=np.int64)


@dataclass(frozen=True)
class Readout(Estimate):
    """How well labels can be read out: an `Estimate` of accuracy that brings its confusion matrix and its chance level.

    Attributes
    ----------
    value, low, high : float
        Accuracy, 0 to 1: fraction of tests that were named rightly, and its Wilson interval. The interval takes every
        stimulus as one independent test.
    n : int
        Stimuli that were tested.
    names : array (label,)
        The labels, sorted.
    confusion : array (label, predicted) of int
        How often stimuli of each label were given each name, over all folds.
    bits : float
        Mutual information between true and predicted labels of `confusion`, bits; not corrected, see `chance_bits`.
    chance : Estimate, or None
        Accuracy with labels shuffled: mean, 2.5 and 97.5 % quantile over shuffles; None where none was asked for.
    chance_bits : float
        The same mean for bits; NaN without shuffles.
    p : float
        (1 + shuffles that reach the accuracy) / (1 + shuffles); NaN without shuffles.
    penalties : array (fold,)
        Penalty taken in each fold.
    """

    names: NDArray[Any] = field(default_factory=_nothing)
    confusion: Integers = field(default_factory=_nothing)
    bits: float = float("nan")
    chance: Estimate | None = None
    chance_bits: float = float("nan")
    p: float = float("nan")
    penalties: Floats = field(default_factory=_nothing)

    @property
    def accuracy(self) -> float:
        """Fraction of tests that were right."""
        return float(self.value)

    @property
    def bits_above_chance(self) -> float:
        """Bits less those with shuffled labels; NaN without shuffles."""
        return self.bits - self.chance_bits

    @property
    def accuracy_of_labels(self) -> Floats:
        """Fraction of each label's tests that were right (label,); NaN for a label that was not tested."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.diag(self.confusion) / self.confusion.sum(axis=1))

    @property
    def controls(self) -> Mapping[str, Estimate]:
        """What a run writes beside the accuracy."""
        return {} if self.chance is None else {"shuffled labels": self.chance}


def wilson(right: float, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a fraction `right` of `n` independent tests."""
    if n == 0:
        return float("nan"), float("nan")
    z = float(norm.ppf(0.5 + level / 2))
    centre = (right + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(right * (1 - right) / n + z**2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def quantiles(values: Floats, *, seed: int, method: str, level: float = 0.95) -> Estimate:
    """Return mean and central `level` of the values of resamplings or shuffles."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0, method=method)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(np.mean(values)), float(low), float(high), len(values), level, method, seed=seed)
