"""Pairs of objects: which pass the luminosity threshold, and information averaged over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.metrics.information.bias import panzeri_treves_bias
from stratoscope.metrics.information.counting import Counts
from stratoscope.metrics.information.entropies import plug_in
from stratoscope.types import Floats

#: Positions of two objects.
Pair = tuple[int, int]


@dataclass(frozen=True)
class PairMean:
    """The mean over pairs of the information between responses and which of two objects was shown.

    Attributes
    ----------
    pairs : sequence of (int, int)
        Positions of objects.
    passing : array (pair, unit)
        Which pairs count for which unit.
    table : array
        n log2 n.
    """

    pairs: Sequence[Pair]
    passing: NDArray[np.bool_]
    table: Floats

    def plugin(self, counts: Counts) -> Floats:
        """Return the mean over pairs (..., unit), NaN without any, of plug-in bits of counts (response, object, ..., unit)."""
        by_object = self.table.take(counts).sum(axis=0)
        sizes = counts.sum(axis=0)
        total = np.zeros(counts.shape[2:])
        for (a, b), passes in zip(self.pairs, self.passing, strict=True):
            together = self.table.take(counts[:, a] + counts[:, b]).sum(axis=0)
            both = sizes[a] + sizes[b]
            ends = self.table.take(both) - self.table.take(sizes[a]) - self.table.take(sizes[b])
            total += np.where(passes, (by_object[a] + by_object[b] - together + ends) / np.maximum(both, 1), 0.0)
        return self._over_pairs(total)

    def bias(self, counts: Counts, *, bayes: bool) -> Floats:
        """Return the mean over pairs (unit,) of the bias of counts (response, object, unit)."""
        total = np.zeros(counts.shape[2])
        for (a, b), passes in zip(self.pairs, self.passing, strict=True):
            total += np.where(passes, panzeri_treves_bias(counts[:, [a, b]], bayes=bayes), 0.0)
        return self._over_pairs(total)

    def one_by_one(self, counts: Counts, *, bayes: bool | None) -> Floats:
        """Return the information of every pair (pair, unit), NaN where it does not pass; `bayes` None leaves the bias in."""
        found = np.empty((len(self.pairs), counts.shape[2]))
        for i, (a, b) in enumerate(self.pairs):
            two = counts[:, [a, b]]
            bits = plug_in(two, self.table)
            found[i] = bits if bayes is None else bits - panzeri_treves_bias(two, bayes=bayes)
        return np.asarray(np.where(self.passing, found, np.nan))

    def _over_pairs(self, total: Floats) -> Floats:
        number = self.passing.sum(axis=0)
        return np.asarray(np.where(number > 0, total / np.maximum(number, 1), np.nan))


def luminosity_ratios(means: Floats, pairs: Sequence[Pair]) -> Floats:
    """Return the mean luminance of the dimmer object over that of the brighter one (pair, unit); 1 where both are 0.

    `means` are mean luminances (object, unit).
    """
    first, second = means[[a for a, _ in pairs]], means[[b for _, b in pairs]]
    dim, bright = np.minimum(first, second), np.maximum(first, second)
    return np.asarray(np.where(bright > 0, dim / np.where(bright > 0, bright, 1.0), 1.0))


def read_objects(objects: Any, n: int) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of objects and the object of every stimulus (stimulus,), each seen at least twice."""
    labels = np.asarray(objects)
    if labels.shape != (n,):
        raise BadInput(
            f"object_information needs the object of each of the {n} stimuli, but shape {labels.shape} came. "
            "Give one label a stimulus."
        )
    found, codes = np.unique(labels.astype(str), return_inverse=True)
    names = [str(one) for one in found]
    if len(names) < 2:
        raise TooFew(
            f"object_information compares objects and needs at least 2, but all {n} stimuli show {names[0]!r}. "
            "Give stimuli of more objects."
        )
    views = np.bincount(codes)
    if views.min() < 2:
        lonely = names[int(views.argmin())]
        raise TooFew(
            f"object_information pools the views of each object and needs at least 2 views, but {lonely!r} has 1. "
            "Show objects under several views, or leave that object out."
        )
    return names, codes.astype(np.int64)


def read_pairs(pairs: Iterable[tuple[Any, Any]] | None, names: Sequence[str]) -> list[Pair]:
    """Return positions of the objects in `pairs`; None stands for every two objects."""
    if pairs is None:
        return [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))]
    found = []
    for a, b in pairs:
        for one in (a, b):
            if str(one) not in names:
                raise unknown_name("object", str(one), names)
        found.append((names.index(str(a)), names.index(str(b))))
    if not found or any(a == b for a, b in found):
        raise BadInput(
            f"Pairs must name two different objects each, and at least one pair, but {list(pairs)!r} came. "
            "Leave pairs out for every two objects."
        )
    return found
