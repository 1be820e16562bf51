"""Random halves of the stimuli two hierarchies share, and of the units of each, and the matrices they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stratoscope.metrics.group_sums import UnitGroups, group_halves
from stratoscope.metrics.unit_groups import FEWEST
from stratoscope.studies.side_by_side.geometry import Geometry
from stratoscope.types import Floats, Integers

#: What is resampled: stimuli, units, or both at once.
OVER = ("both", "stimuli", "units")
#: Halves of fewer stimuli have no CKA.
_FEWEST_HALF = 4


@dataclass(frozen=True)
class Side:
    """One hierarchy at the stimuli it shares with another.

    Attributes
    ----------
    rdms : tuple of array (stimulus, stimulus)
        One for each stage.
    distances : tuple of str
        Distance of each.
    groups : tuple of UnitGroups or None
        Groups of the units of each stage; None where its run kept none, or fewer than 4, and its units are taken as they are.
    """

    rdms: tuple[Floats, ...]
    distances: tuple[str, ...]
    groups: tuple[UnitGroups | None, ...]

    @classmethod
    def of(cls, geometry: Geometry, ids: Sequence[str]) -> Side:
        """Restrict a hierarchy to the stimuli `ids`, in that order."""
        place = {name: row for row, name in enumerate(geometry.ids)}
        rows = np.array([place[name] for name in ids])
        groups = tuple(g.take(rows) if g is not None and len(g) >= FEWEST else None for g in geometry.groups)
        return cls(tuple(geometry.at(ids)), geometry.distances, groups)

    @property
    def resampled(self) -> tuple[bool, ...]:
        """Which stages have units to resample."""
        return tuple(groups is not None for groups in self.groups)

    def drawn(self, rows: Integers | None, rng: np.random.Generator | None) -> tuple[Floats, ...]:
        """Return the matrices of the stimuli `rows`, from a random half of the units of each stage.

        All stimuli with `rows` None, all units without `rng`.
        """
        return tuple(self._one(stage, rows, rng) for stage in range(len(self.rdms)))

    def _one(self, stage: int, rows: Integers | None, rng: np.random.Generator | None) -> Floats:
        groups, rdm = self.groups[stage], self.rdms[stage]
        if rng is None or groups is None:
            return rdm if rows is None else rdm[np.ix_(rows, rows)]
        chosen = groups if rows is None else groups.take(rows)
        return chosen.distances(group_halves(len(groups), rng), self.distances[stage])


def draws(
    one: Side, other: Side, n_draws: int, seed: int, over: str
) -> Iterator[tuple[tuple[Floats, ...], tuple[Floats, ...]]]:
    """Yield the matrices of both hierarchies, `n_draws` times; nothing where there is nothing to draw from.

    Each draw takes one random half of the stimuli for both, and of every stage a random half of its units.
    """
    n = len(one.rdms[0])
    if (over != "units" and n < 2 * _FEWEST_HALF) or (over == "units" and not any(one.resampled + other.resampled)):
        return
    for draw, half in enumerate(half_samples(n, n_draws, seed)):
        rows = None if over == "units" else half
        first, second = (
            side.drawn(rows, None if over == "stimuli" else np.random.default_rng((seed, draw, at)))
            for at, side in enumerate((one, other))
        )
        yield first, second


def half_samples(n: int, n_draws: int, seed: int) -> list[Integers]:
    """Return random halves (n // 2 of n, ascending) of the stimuli.

    A statistic of halves scatters about that of the whole as the statistic of a whole does about the truth, since
    1 / (n/2) - 1 / n = 1 / n; and unlike a bootstrap it never pairs a stimulus with itself.
    """
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(n, n // 2, replace=False)) for _ in range(n_draws)]
