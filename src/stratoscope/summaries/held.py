"""Pairs of points that are held while nearest neighbours are searched for, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Floats, Integers


@dataclass(frozen=True)
class Pairs:
    """Pairs of points, `point` and `other` (pair,), and what is known of each."""

    point: NDArray[np.int32]
    other: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.point)

    def take(self, chosen: NDArray[Any]) -> Self:
        """Return the pairs `chosen`, in that order."""
        return type(self)(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Put `parts` behind each other."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass(frozen=True)
class Seen(Pairs):
    """Pairs that seemed near when they came: the `product`, and the sum of the magnitudes of its parts (pair,)."""

    product: NDArray[Any]
    spread: NDArray[Any]


@dataclass(frozen=True)
class Near(Pairs):
    """Pairs that could be near: between which distances, `low` and `high`, theirs lies (pair,)."""

    low: Floats
    high: Floats

    @property
    def middle(self) -> Floats:
        """Squared distances (pair,) in the middle of what is possible."""
        return (self.low**2 + self.high**2) / 2


def ordered(point: NDArray[Any], size: Floats) -> Integers:
    """Return the order by point and size; two sorts of one key each are faster than one of two."""
    by_size = np.argsort(size)
    point = point[by_size]
    narrow = np.uint16 if point.max(initial=0) < 1 << 16 else np.uint32  # short integers are sorted by counting
    return by_size[np.argsort(point.astype(narrow), kind="stable")]
