"""Dimensions of areas that differ in number of units, trials and rates, each beside the controls that make it comparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.metrics.controlled_record import CONTROLLED, ControlledDimension, ControlRow
from stratoscope.metrics.dimension_limits import dimension_limits
from stratoscope.metrics.equal_sizes import EqualSizes, checked_areas, equal_sizes
from stratoscope.metrics.gride import checked_ranks, gride
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.noise_corrected import (
    MARGIN,
    NoiseCorrected,
    noise_corrected,
    signal_gride_of,
)
from stratoscope.metrics.signal_participation_ratio import signal_participation_ratio
from stratoscope.metrics.spectrum import participation_ratio
from stratoscope.metrics.surrogates import thinned_means, untuned_means
from stratoscope.metrics.trials import trial_means, trial_numbers, trial_split_noise
from stratoscope.metrics.two_nn import two_nn
from stratoscope.types import Estimate, Floats

__all__ = ["ControlRow", "ControlledDimension", "controlled_dimension"]

RANKS = (1, 2, 4, 8, 16, 32)
MATCHED = "equal units and trials"
SIGNAL = "noise-corrected"
RATES, UNTUNED = "equal rates", "untuned Poisson"
#: A correction for what is left of noise above this share is noted.
MUCH = 0.1
_Z = 1.959963984540054


def controlled_dimension(
    areas: Mapping[str, Any],
    *,
    n1: Sequence[int] = RANKS,
    margin: float = MARGIN,
    n_units: int | None = None,
    n_trials: int | None = None,
    n_resamples: int = 10,
    extrapolate: bool = False,
    seed: int = 0,
) -> ControlledDimension:
    """Intrinsic dimension of several areas, raw and under every control that unequal recordings need.

    A raw TwoNN grows with the number of noisy units and falls with their rates and trials, so areas of unequal size cannot
    be compared by it. The controlled dimension is Gride of noise-corrected squared distances (see `noise_corrected`), with the
    same number of units and trials in all areas, read at the same neighbour rank n1 in all: the finest at which the
    median squared distance is `margin` standard deviations of its noise in every area.

    Parameters
    ----------
    areas : mapping of str to array (trial, stimulus, unit)
        Spike counts of single trials to the same stimuli, NaN where a repeat is absent. Units may differ in number, trials too.
        Other responses of 0 and up will do, but have no Poisson controls.
    n1 : sequence of int
        Ranks of the inner neighbour, see `gride`.
    margin : float
        How many standard deviations above its noise a scale must lie.
    n_units, n_trials : int, optional
        Units and trials that every area is brought down to; by default as many as the smallest has.
    n_resamples : int
        Random subsets of units and trials that are averaged over.
    extrapolate : bool
        Add what `dimension_limits` reads with infinitely many units, and stimuli, of each whole area; takes minutes.
    seed : int
        Seed of all draws.

    Returns
    -------
    ControlledDimension
        Rows for each area: ``two_nn`` and ``gride`` raw; ``gride`` with equal units and trials, with equal rates as well (spikes
        thinned to the slowest area), of noise alone (trial-split, and untuned Poisson at its rates), and noise-corrected, with
        the margin; the participation ratio raw, with equal units and trials, and noise-corrected; and the controlled dimension.

    Raises
    ------
    BadInput
        For areas that do not share their stimuli, or counts that are none.
    TooFew
        For areas of fewer than 8 units, fewer than two trials of a stimulus, or more units or trials asked for than there are.

    When it misleads
    ----------------
    The controlled dimension is what Gride reads of the true mean responses at that scale, which is below the true dimension
    for curved or bounded manifolds (1.7 for a true 2, 3.7 for 5 at n1 = 32 of 230 stimuli): order and ratio are its
    message. Where one area is noisy all are read coarsely. Units drawn at random stand for the area only if the recording was
    not chosen by what they answer.

    The interval adds the variance over samples of stimuli (shared neighbourhoods) to that over units and trials (one half of
    the units against the other), and holds the dimension both with and without the
    correction for what is left of noise (`NoiseCorrected.lost`), which the value has. Decision record 0160
    has its coverage.

    References
    ----------
    Facco et al. 2017, doi:10.1038/s41598-017-11873-y; Denti et al. 2022, doi:10.1038/s41598-022-20991-1; Walther et al.
    2016, doi:10.1016/j.neuroimage.2015.12.012.
    """
    counts = checked_areas(areas, "controlled_dimension")
    ranks = checked_ranks(n1)
    sizes = equal_sizes(counts, n_units=n_units, n_trials=n_trials, n_draws=n_resamples, seed=seed)
    measured = {
        name: _Area(name, array, sizes, ranks, _measured(array, sizes, ranks)) for name, array in counts.items()
    }
    shared = _shared_rank(measured.values(), margin)
    rows: list[ControlRow] = []
    for area in measured.values():
        rows += [*_raw(area), *_matched(area), *_signal(area, margin), _controlled(area, shared, margin)]
        rows += _limits(area, shared, seed) if extrapolate else ()
    return ControlledDimension(tuple(rows), shared, seed)


@dataclass(frozen=True)
class _Draw:
    """What one random subset of units and trials comes to; arrays are along n1."""

    curves: Mapping[str, Estimate]
    margin: Floats
    lost: Floats
    halves: Floats
    linear: Mapping[str, Estimate]


@dataclass(frozen=True)
class _Area:
    """Counts of one area, what they are brought to, and what each draw came to."""

    name: str
    counts: Floats
    sizes: EqualSizes
    ranks: tuple[int, ...]
    draws: tuple[_Draw, ...]

    def row(
        self, quantity: str, control: str, n1: int, ends: Sequence[Any], *, note: str = "", whole: bool = False
    ) -> ControlRow:
        """Make a row of this area, as it is (`whole`) or at equal sizes."""
        value, low, high = map(float, ends)
        n_units, n_trials = self.sizes.n_units, self.sizes.n_trials
        if whole:
            n_units, n_trials = self.counts.shape[2], int(trial_numbers(self.counts).min())
        return ControlRow(
            self.name, quantity, control, n1, value, low, high, n_units, n_trials, self.counts.shape[1], note
        )

    @property
    def margin(self) -> Floats:
        """Margin of squared distances over their noise (n1,), mean over draws."""
        return np.asarray(np.mean([draw.margin for draw in self.draws], axis=0))

    @property
    def signal(self) -> tuple[Floats, Floats, Floats]:
        """Noise-corrected dimension (n1,) and its ends, mean over draws."""
        return _mean_ends([draw.curves[SIGNAL] for draw in self.draws])


def _measured(counts: Floats, sizes: EqualSizes, ranks: tuple[int, ...]) -> tuple[_Draw, ...]:
    return tuple(_one_draw(part, rng, sizes, ranks) for part, rng in sizes.draws(counts))


def _one_draw(counts: Floats, rng: np.random.Generator, sizes: EqualSizes, ranks: tuple[int, ...]) -> _Draw:
    means = trial_means(counts)
    points = {MATCHED: means, "trial-split noise": trial_split_noise(counts, rng)}
    if sizes.spikes:
        slowest = min(sizes.mean_count, float(means.mean()))
        points |= {RATES: thinned_means(counts, slowest, rng), UNTUNED: untuned_means(counts, rng)}
    curves = {control: gride(array, n1=ranks) for control, array in points.items()}
    corrected = noise_corrected(counts, seed=sizes.seed)
    curves[SIGNAL] = signal_gride_of(corrected, n1=ranks, margin=-np.inf)
    linear = {MATCHED: participation_ratio(means), SIGNAL: signal_participation_ratio(counts, seed=sizes.seed)}
    margin = _margins(corrected, ranks)
    lost = np.array([corrected.lost(rank, d) for rank, d in zip(ranks, curves[SIGNAL].value, strict=True)])
    return _Draw(curves, margin, lost, _halves(counts, ranks, rng), linear)


def _margins(corrected: NoiseCorrected, ranks: tuple[int, ...]) -> Floats:
    most = len(corrected.squared) - 2
    return np.array([corrected.margin(rank) if 2 * rank <= most else np.nan for rank in ranks])


def _halves(counts: Floats, ranks: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Half the difference between logarithms of the dimensions of two halves of the units (n1,)."""
    order = rng.permutation(counts.shape[2])
    parts = (noise_corrected(counts[:, :, np.sort(order[part::2])]) for part in (0, 1))
    one, other = (signal_gride_of(part, n1=ranks, margin=-np.inf).value for part in parts)
    return np.asarray(np.log(one / other) / 2)


def _shared_rank(areas: Iterable[_Area], margin: float) -> int:
    """Return the finest rank above the noise in all areas; areas that never are do not count. 0 where none is."""
    kept = [(area, (area.margin >= margin) & np.isfinite(area.signal[0])) for area in areas]
    together = [above for _, above in kept if above.any()]
    shared = np.flatnonzero(np.all(together, axis=0)) if together else np.array([], dtype=int)
    return kept[0][0].ranks[int(shared[0])] if len(shared) else 0


def _raw(area: _Area) -> Iterator[ControlRow]:
    means = trial_means(area.counts)
    yield area.row("two_nn", "", 0, _ends(two_nn(means)), whole=True)
    curve = gride(means, n1=area.ranks)
    for rank, *ends in zip(area.ranks, *_ends(curve), strict=True):
        yield area.row("gride", "", rank, ends, note=curve.note, whole=True)
    yield area.row("participation_ratio", "", 0, _ends(participation_ratio(means)), whole=True)


def _matched(area: _Area) -> Iterator[ControlRow]:
    for control in area.draws[0].curves:
        found = [draw.curves[control] for draw in area.draws]
        for rank, *ends in zip(area.ranks, *_mean_ends(found), strict=True):
            yield area.row("gride", control, rank, ends, note=found[0].note)
    for control in (RATES, UNTUNED) if not area.sizes.spikes else ():
        note = "responses are not whole numbers of spikes, so there is no Poisson surrogate"
        yield from (area.row("gride", control, rank, (np.nan,) * 3, note=note) for rank in area.ranks)
    for control in area.draws[0].linear:
        ratios = [draw.linear[control] for draw in area.draws]
        yield area.row("participation_ratio", control, 0, _mean_ends(ratios), note=ratios[0].note)


def _signal(area: _Area, margin: float) -> Iterator[ControlRow]:
    for rank, height in zip(area.ranks, area.margin, strict=True):
        note = "" if height >= margin else "below the noise, or too few stimuli"
        yield area.row("margin", SIGNAL, rank, (height, np.nan, np.nan), note=note)


def _controlled(area: _Area, rank: int, margin: float) -> ControlRow:
    """Read the noise-corrected curve at `rank`, and add to its interval what stimuli alone do not tell."""
    if not rank:
        return area.row("dimension", CONTROLLED, 0, (np.nan,) * 3, note="no scale stands above the noise in all areas")
    at = area.ranks.index(rank)
    height = float(area.margin[at])
    if not height >= margin:
        note = f"squared distances to neighbour {rank} are within {margin:g} standard deviations of their noise"
        return area.row("dimension", CONTROLLED, rank, (np.nan,) * 3, note=note)
    value, low, high = (float(end[at]) for end in area.signal)
    halves = np.array([draw.halves[at] for draw in area.draws])
    units = float(np.sqrt(np.nanmean(halves**2))) if np.isfinite(halves).any() else 0.0
    low, high = map(float, log_interval(value, value * float(np.hypot(np.log(high / low) / (2 * _Z), units))))
    lost = max(float(np.nanmean([draw.lost[at] for draw in area.draws])), 0.0)
    note = f"{lost / (1 + lost):.0%} of it is the correction for what is left of noise" if lost > MUCH else ""
    return area.row("dimension", CONTROLLED, rank, (value * (1 + lost), low, high * (1 + lost)), note=note)


def _limits(area: _Area, rank: int, seed: int) -> Iterator[ControlRow]:
    for quantity, control, found in dimension_limits(area.counts, rank, seed=seed):
        at = rank if quantity == "gride" else 0
        yield area.row(quantity, control, at, _ends(found), note=found.note, whole=True)


def _ends(found: Estimate) -> tuple[Any, Any, Any]:
    return found.value, found.low, found.high


def _mean_ends(found: Sequence[Estimate]) -> tuple[Any, Any, Any]:
    """Average value and ends over draws, leaving out draws without a number."""
    stacked = [np.array([getattr(one, end) for one in found], dtype=np.float64) for end in ("value", "low", "high")]
    known = np.isfinite(stacked[0])
    n = np.maximum(known.sum(axis=0), 1)
    means = (np.where(known, one, 0.0).sum(axis=0) / n for one in stacked)
    value, low, high = (np.where(known.any(axis=0), mean, np.nan) for mean in means)
    return value, low, high
