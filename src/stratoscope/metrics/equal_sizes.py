"""Areas brought to equal numbers of units and trials, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.trials import checked_trials, equal_trials, trial_means, trial_numbers
from stratoscope.types import Floats

FEWEST_UNITS = 8


@dataclass(frozen=True)
class EqualSizes:
    """What areas are brought to.

    Attributes
    ----------
    n_units, n_trials : int
        Units, and trials of every stimulus, in each draw.
    mean_count : float
        Mean count of the slowest area.
    spikes : bool
        Whether all counts are whole numbers, so that Poisson surrogates have a meaning.
    n_draws : int
        Number of random draws.
    seed : int
        Seed of the draws.
    """

    n_units: int
    n_trials: int
    mean_count: float
    spikes: bool
    n_draws: int
    seed: int

    def draws(self, counts: Floats) -> Iterator[tuple[Floats, np.random.Generator]]:
        """Give random subsets (n_trials, stimulus, n_units) of the counts, and the generator that drew them."""
        for draw in range(self.n_draws):
            rng = np.random.default_rng((self.seed, draw))
            units = np.sort(rng.choice(counts.shape[2], self.n_units, replace=False))
            yield equal_trials(counts[:, :, units], self.n_trials, rng), rng


def checked_areas(areas: Mapping[str, Any], what: str) -> dict[str, Floats]:
    """Return the counts (trial, stimulus, unit) of every area, which must be of the same stimuli."""
    if not areas:
        raise BadInput(f"{what} compares areas, but none came. Give a mapping of names to counts.")
    counts = {str(name): checked_trials(array, f"{what}, area {name!r},") for name, array in areas.items()}
    stimuli = {name: array.shape[1] for name, array in counts.items()}
    if len(set(stimuli.values())) > 1:
        told = ", ".join(f"{n} in {name!r}" for name, n in stimuli.items())
        raise BadInput(
            f"{what} compares areas on the same stimuli, but there are {told}. Keep the stimuli that all areas saw, in one "
            "order."
        )
    for name, array in counts.items():
        if array.shape[2] < FEWEST_UNITS:
            raise TooFew(
                f"{what} needs at least {FEWEST_UNITS} units an area, but {name!r} has {array.shape[2]}. Leave it out."
            )
        if np.ptp(trial_means(array), axis=0).max() == 0:
            raise TooFew(
                f"{what} needs responses that differ between stimuli, but in area {name!r} every unit answers all stimuli alike "
                "(no spikes in the window?). Leave it out, or count in another window."
            )
    return counts


def equal_sizes(
    counts: Mapping[str, Floats], *, n_units: int | None, n_trials: int | None, n_draws: int, seed: int
) -> EqualSizes:
    """Return the sizes asked for, or those of the smallest area."""
    if n_draws < 1:
        raise BadInput(f"n_resamples must be at least 1, but {n_draws!r} came.")
    units = _fewest("units", n_units, FEWEST_UNITS, {name: array.shape[2] for name, array in counts.items()})
    repeats = {name: int(trial_numbers(array).min()) for name, array in counts.items()}
    trials = _fewest("trials of every stimulus", n_trials, 2, repeats)
    slowest = min(float(trial_means(array).mean()) for array in counts.values())
    whole = all(bool((array[np.isfinite(array)] % 1 == 0).all()) for array in counts.values())
    return EqualSizes(units, trials, slowest, whole, n_draws, seed)


def _fewest(what: str, asked: int | None, smallest: int, there: Mapping[str, int]) -> int:
    area = min(there, key=lambda name: there[name])
    wanted = there[area] if asked is None else asked
    if not smallest <= wanted <= there[area]:
        raise TooFew(
            f"{wanted} {what} were asked for, but area {area!r} has {there[area]}, and at least {smallest} are needed. Ask "
            "for no more than the smallest area has, or leave that area out."
        )
    return wanted
