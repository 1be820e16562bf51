"""Which pairs of objects are to be told apart, for all units or for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.object_pairs import luminosity_ratio
from stratoscope.types import Integers


@dataclass(frozen=True)
class Pairs:
    """Pairs of objects.

    Attributes
    ----------
    index : array (pair, 2) of int
        Positions among the sorted names of objects, the smaller first.
    of_units : array (pair, unit) of bool, or None
        Units that the pair counts for; None for all.
    """

    index: Integers
    of_units: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.index)


def resolve_pairs(
    names: NDArray[Any], objects: Any, pairs: Any, luminance: Any, threshold: float, n_units: int | None
) -> Pairs:
    """Turn pairs as they were asked for into `Pairs`.

    `pairs` is None (every pair), names or positions (pair, 2), or masks (object, object) or (unit, object, object);
    `luminance` (stimulus,) or (unit, stimulus) keeps pairs whose `luminosity_ratio` is above `threshold`.
    """
    if pairs is not None and luminance is not None:
        raise BadInput("Pairs came, and luminance to choose pairs by. Give one of the two.")
    if luminance is not None:
        if not 0 <= threshold <= 1:
            raise BadInput(f"The threshold of a luminosity ratio lies between 0 and 1; came {threshold}.")
        pairs = luminosity_ratio(luminance, objects) > threshold
    asked = np.ones((len(names),) * 2, dtype=bool) if pairs is None else np.asarray(pairs)
    found = _masked(asked, len(names), n_units) if asked.dtype == bool else Pairs(_listed(asked, names))
    if not len(found):
        raise TooFew(
            f"No pair of the {len(names)} objects passes"
            + (f" a luminosity ratio of {threshold:g}" if luminance is not None else "")
            + ", so there is nothing to tell apart. Lower the threshold, or give other pairs."
        )
    return found


def _masked(mask: NDArray[Any], n: int, n_units: int | None) -> Pairs:
    if mask.ndim not in {2, 3} or mask.shape[-2:] != (n, n):
        raise BadInput(f"A mask of pairs is (object, object) with {n} objects, or one a unit; {mask.shape} came.")
    either = mask | np.swapaxes(mask, -1, -2)
    first, second = np.triu_indices(n, k=1)
    index = np.stack([first, second], axis=1).astype(np.int64)
    if mask.ndim == 2:
        return Pairs(index[either[first, second]])
    if n_units is None:
        raise BadInput(
            "Pairs that differ from unit to unit make no population. Give one mask (object, object): pairs that pass "
            "in enough units, such as (ratio > 0.8).sum(axis=0) >= 96."
        )
    if len(mask) != n_units:
        raise BadInput(f"Masks of pairs came for {len(mask)} units, but there are {n_units}. Give one for each.")
    of_units = either[:, first, second].T
    used = of_units.any(axis=1)
    return Pairs(index[used], of_units[used])


def _listed(pairs: NDArray[Any], names: NDArray[Any]) -> Integers:
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise BadInput(f"Pairs are two objects each, (pair, 2), but {pairs.shape} came.")
    if pairs.dtype.kind in "iu":
        if pairs.min() < 0 or pairs.max() >= len(names):
            raise BadInput(
                f"Pairs are positions from 0 to {len(names) - 1} among the sorted objects; came {pairs.max()}."
            )
        index = pairs
    else:
        known = [str(name) for name in names]
        for name in pairs.ravel():
            if str(name) not in known:
                raise unknown_name("object", str(name), known)
        index = np.array([[known.index(str(name)) for name in pair] for pair in pairs])
    if (index[:, 0] == index[:, 1]).any():
        raise BadInput("A pair is two different objects, but one object came twice. Take such pairs out.")
    return np.unique(np.sort(index, axis=1), axis=0).astype(np.int64)
