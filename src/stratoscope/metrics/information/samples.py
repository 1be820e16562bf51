"""A property as the estimators without bins take it: a number, or a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_finite
from stratoscope.types import Floats


@dataclass(frozen=True)
class ReadValues:
    """Values of a property (stimulus,): `numbers` where it is continuous, else `codes` of its classes."""

    continuous: bool
    numbers: Floats
    codes: NDArray[np.int64]

    def check_each(self, fewest: int, metric: str) -> None:
        """Refuse classes with fewer stimuli than `fewest`."""
        smallest = int(np.bincount(self.codes).min())
        if smallest < fewest:
            raise TooFew(
                f"{metric} needs at least {fewest} stimuli at every value of a discrete property, but one has "
                f"{smallest}. Leave rare values out, or give decimal numbers where the property is continuous."
            )


def read_values(values: Any, n: int, metric: str) -> ReadValues:
    """Read decimal numbers as continuous, anything else as classes."""
    array = np.asarray(values)
    if array.shape != (n,):
        raise BadInput(
            f"{metric} needs one value for each of the {n} stimuli, but shape {array.shape} came. "
            "Give values (stimulus,), in the order of the responses."
        )
    if array.dtype.kind == "f":
        numbers = checked_finite(array, metric, "values")
        return ReadValues(True, numbers, np.zeros(n, dtype=np.int64))
    codes = np.unique(array if array.dtype.kind != "O" else array.astype(str), return_inverse=True)[1]
    return ReadValues(False, np.zeros(n), codes.astype(np.int64))
