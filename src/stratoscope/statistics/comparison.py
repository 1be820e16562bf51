"""The record every test gives: an estimate with its interval, a p-value, and what both stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.types import Estimate, Floats

Alternative: TypeAlias = Literal["two-sided", "greater", "less"]
ALTERNATIVES = ("two-sided", "greater", "less")


@dataclass(frozen=True)
class Comparison:
    """What a test found.

    Attributes
    ----------
    estimate : Estimate
        The quantity tested, zero where nothing is there; its interval, n, method and seed.
    p : float
        P-value, 0 to 1; NaN where the test cannot be made.
    null : str
        How the p-value was made, such as ``"exact, 5040 orders of the stages"``.
    alternative : str
        ``two-sided``, ``greater`` or ``less``.
    counted : mapping of str to int
        Everything that was counted, in the singular: ``{"stage": 7, "category": 20}``.
    smallest_p : float
        Smallest p-value these numbers could give at all; 0 where nothing bounds it.
    blocked : str
        Why a claim cannot count as supported by this test even where the interval excludes zero, or empty.
    """

    estimate: Estimate
    p: float
    null: str
    alternative: str = "two-sided"
    counted: Mapping[str, int] = field(default_factory=dict)
    smallest_p: float = 0.0
    blocked: str = ""

    @property
    def n(self) -> int:
        """What the estimate stands on, see `counted` for what is counted."""
        return self.estimate.n


def checked_alternative(alternative: str) -> str:
    """Return `alternative`, or refuse it with the nearest names."""
    if alternative not in ALTERNATIVES:
        raise unknown_name("alternative", alternative, ALTERNATIVES)
    return alternative


def checked_level(level: float) -> float:
    """Return `level` if it lies between 0 and 1."""
    if not 0 < level < 1:
        raise BadInput(f"The level of an interval lies between 0 and 1, such as 0.95, but {level!r} came.")
    return float(level)


def checked_count(n_resamples: int, smallest: int = 1) -> int:
    """Return `n_resamples` if there are at least `smallest`."""
    if n_resamples < smallest:
        raise BadInput(f"n_resamples must be at least {smallest}, but {n_resamples!r} came.")
    return int(n_resamples)


def checked_sample(values: object, what: str, smallest: int = 2) -> Floats:
    """Return `values` as a float64 vector without NaN of at least `smallest` values."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise BadInput(f"{what} expects one value each, shape (n,), but the shape {array.shape} came.")
    if not np.isfinite(array).all():
        missing = int((~np.isfinite(array)).sum())
        raise BadInput(
            f"{what} holds {missing} values of {len(array)} that are NaN or infinite. Leave them out first, in all "
            "samples that are paired, and say how many."
        )
    if len(array) < smallest:
        raise TooFew(f"{what} needs at least {smallest} values, but {len(array)} came.")
    return array


def checked_pair(x: object, y: object, what: str, smallest: int = 2) -> tuple[Floats, Floats]:
    """Return two samples that are paired value by value."""
    one, other = checked_sample(x, what, smallest), checked_sample(y, what, smallest)
    if len(one) != len(other):
        raise BadInput(f"{what} expects values in pairs, but {len(one)} and {len(other)} came.")
    return one, other
