"""Gride: intrinsic dimension along scales, from ratios of further neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.halves import SPLITS, Reading, extended, half_variances, neighbours_read, readable, too_shallow
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods, check_enough, neighbourhoods_in, neighbourhoods_of
from stratoscope.types import Estimate, Floats

N1 = (1, 2, 4, 8, 16, 32, 64)
FEWEST = 6
#: Above this n1 as a share of the points, twice the volume is another place: borders and folds come in.
_CROWDED = 1 / 64
#: Stimuli per n1 below which there is no interval: neighbourhoods of 2 n1 are then more than a tenth of all.
ROOM = 20
#: Smallest n1 with two others below it.
_FEWEST_SHORTER = 4


def _score(ratios: Floats, d: float, first: int, second: int) -> Floats:
    """Derivative by d of the log-likelihood of each log ratio."""
    shared = (second - first - 1) * ratios / -np.expm1(-d * ratios) if second - first > 1 else 0.0
    return np.asarray(1.0 / d + shared - (second - 1) * ratios)


def _information(ratios: Floats, d: float, first: int, second: int) -> float:
    """Return minus the mean derivative of the score by d."""
    if second - first == 1:
        return float(1.0 / d**2)
    parts = ratios**2 * np.exp(-d * ratios) / np.expm1(-d * ratios) ** 2
    return float(1.0 / d**2 + (second - first - 1) * parts.mean())


def _root(ratios: Floats, first: int, second: int) -> float:
    """Find the dimension where the likelihood of the log ratios is largest."""
    start = float(np.sum(1.0 / np.arange(first, second))) / float(ratios.mean())
    low, high = start / 2, start * 2
    while _score(ratios, low, first, second).mean() < 0:
        low /= 2
    while _score(ratios, high, first, second).mean() > 0:
        high *= 2
    return float(brentq(lambda d: _score(ratios, d, first, second).mean(), low, high, xtol=1e-12, rtol=1e-13))


@dataclass(frozen=True)
class _Fit:
    """Estimate at n1 = `first`, n2 = 2 n1, with what its interval needs and what was dropped."""

    first: int
    d: float
    information: float
    scale: float
    zeros: int
    ties: int

    def contributions(self, logs: Floats) -> Floats:
        """Return what points add to log d, given their log distances (..., [n1, n2])."""
        with np.errstate(invalid="ignore"):
            ratios = logs[..., 1] - logs[..., 0]
            ratios = np.where((ratios > 0) & np.isfinite(ratios), ratios, np.nan)
        return np.asarray(_score(ratios, self.d, self.first, 2 * self.first) / (self.information * self.d))


def _fit(near: Neighbourhoods, first: int) -> _Fit:
    inner, outer = near.distance[:, first - 1], near.distance[:, 2 * first - 1]
    used = (inner > 0) & (outer > inner)
    check_enough(int(used.sum()), near.dropped["duplicates"], "gride", FEWEST)
    ratios = np.log(outer[used] / inner[used])
    d = _root(ratios, first, 2 * first)
    scale = float((inner[used] + outer[used]).mean() / 2)
    zeros, ties = int((inner <= 0).sum()), int(((inner > 0) & (outer == inner)).sum())
    return _Fit(first, d, _information(ratios, d, first, 2 * first), scale, zeros, ties)


def log_deviations(near: Neighbourhoods, fits: Mapping[int, _Fit]) -> dict[int, float]:
    """Return the standard deviation over samples of log d at every n1 in `fits`, from halves of the points.

    A half read at the same n1 reads twice the volume. Where that is much of the set (`_CROWDED`), what two smaller n1 say
    of this one, at the same volume, is averaged with it; where it is too much, that alone is taken.
    """
    shorter = {rank: _shorter(near, rank) for rank in fits}
    itself = [rank for rank in fits if readable(near, 2 * rank)]
    wanted = sorted({*itself, *(rank for ranks in shorter.values() for rank in ranks)})
    if not wanted:
        return dict.fromkeys(fits, np.nan)
    made = [fits.get(rank) or _fit(near, rank) for rank in wanted]
    found = half_variances(near, [Reading((fit.first, 2 * fit.first), fit.contributions) for fit in made])
    variance = dict(zip(wanted, found.tolist(), strict=True))

    def one(rank: int) -> float:
        through = extended(shorter[rank], [variance[each] for each in shorter[rank]], rank)
        if rank not in itself:
            return float(np.sqrt(through))
        return float((variance[rank] * (through if shorter[rank] else variance[rank])) ** 0.25)

    return {rank: one(rank) for rank in fits}


def _shorter(near: Neighbourhoods, first: int) -> tuple[int, ...]:
    """Return the two largest of n1 / 2, n1 / 4 ... that halves can be read at, smaller first; none where n1 itself will do."""
    itself = readable(near, 2 * first)
    if itself and (first <= near.n * _CROWDED or first < _FEWEST_SHORTER):
        return ()
    known = [first >> step for step in range(1, first.bit_length()) if readable(near, 2 * (first >> step))]
    return tuple(sorted(known[:2]))


def gride_of(near: Neighbourhoods, *, n1: Sequence[int] = N1, room: int = ROOM) -> Estimate:
    """Return Gride from neighbourhoods that are known already, with an interval where there are `room` times n1 points."""
    ranks = checked_ranks(n1)
    check_enough(near.n, near.dropped["duplicates"], "gride", max(FEWEST, 2 * min(ranks) + 2))
    fits = [rank for rank in ranks if 2 * rank <= min(near.k, near.n - 2)]
    if not fits:
        raise BadInput(
            f"gride with n1 = {min(ranks)} reads neighbour {2 * min(ranks)}, but only {near.k} neighbours are known."
        )
    found = {rank: _fit(near, rank) for rank in fits}
    crowded = [rank for rank in fits if room * rank > near.n]
    spread = log_deviations(near, {rank: fit for rank, fit in found.items() if rank not in crowded})
    rows = np.array(
        [
            (found[rank].d, spread.get(rank, np.nan), found[rank].scale) if rank in found else (np.nan,) * 3
            for rank in ranks
        ]
    )
    low, high = log_interval(rows[:, 0], rows[:, 0] * rows[:, 1])
    return Estimate(
        value=rows[:, 0],
        low=low,
        high=high,
        n=near.n,
        method=f"gride n1={','.join(map(str, ranks))} n2=2 n1; interval from {SPLITS} random halves",
        dropped={
            **near.dropped,
            "zero distances": max(f.zeros for f in found.values()),
            "ties": max(f.ties for f in found.values()),
        },
        scale=rows[:, 2],
        note=_note(ranks, fits, crowded, near, room),
    )


def _note(ranks: tuple[int, ...], fits: list[int], crowded: list[int], near: Neighbourhoods, room: int) -> str:
    missing = [rank for rank in ranks if rank not in fits]
    said = [too_shallow(near, 2)]
    if crowded:
        said.append(
            f"no interval at n1 = {', '.join(map(str, crowded))}: neighbourhoods of 2 n1 stimuli are more than a tenth of "
            f"the {near.n}, too many to tell how the estimate varies; {room * max(crowded)} stimuli would do"
        )
    if missing:
        said.append(
            f"n1 = {', '.join(map(str, missing))} left out: n1 needs 2 n1 neighbours and 2 n1 + 2 distinct stimuli, "
            f"and there are {near.k} and {near.n}."
        )
    return "; ".join(filter(None, said))


def checked_ranks(n1: Sequence[int]) -> tuple[int, ...]:
    """Return the ranks `n1`, which must be positive whole numbers, as a tuple."""
    ranks = tuple(int(rank) for rank in np.atleast_1d(np.asarray(n1)))
    if not ranks or min(ranks) < 1 or any(rank != given for rank, given in zip(ranks, np.atleast_1d(n1), strict=True)):
        raise BadInput(f"n1 must be neighbour ranks, whole numbers from 1 up, but {n1!r} came.")
    return ranks


def _through_gram(state: Mapping[str, Any], *, n1: Sequence[int] = N1) -> Estimate:
    return gride_of(neighbourhoods_in(state, "gride", fewest=FEWEST), n1=n1)


@metric(
    needs="gram",
    through=_through_gram,
    dims=("n1",),
    unit="dimensions",
    reads="position",
    controls=("two_nn", "shuffled"),
    paper="Denti et al. 2022, doi:10.1038/s41598-022-20991-1",
)
def gride(responses: Any, *, n1: Sequence[int] = N1) -> Estimate:
    """Intrinsic dimension of the responses along scales, from neighbours n1 and n2 = 2 n1 (Gride).

    With mu = r_n2 / r_n1, the dimension maximises the likelihood ::

        log L(d) = Σ log d + (n2 - n1 - 1) log(mu^d - 1) - ((n2 - 1) d + 1) log mu - log B(n2 - n1, n1)

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first; points with r_n1 = 0 or r_n1 = r_n2 are dropped.
    n1 : sequence of int
        Ranks of the inner neighbour, from 1 up. n1 = 1 is the maximum likelihood of `two_nn`.

    Returns
    -------
    Estimate
        Arrays (n1,): dimension, 95 % interval for its mean over samples of this size, from the disagreement of random
        halves (`stratoscope.metrics.halves`), and scale, the mean of r_n1 and r_n2 in the units of the responses. NaN, with a note, where there are fewer than 2 n1 + 2 distinct stimuli; no interval where there are fewer than
        20 n1, so that the neighbourhoods are more than a tenth of all.

    Raises
    ------
    TooFew
        Where there are too few distinct stimuli for the smallest n1.
    BadInput
        For NaN or infinite responses, wrong shapes, or ranks that are not whole numbers from 1 up.

    When it misleads
    ----------------
    Small n1 reads noise, large n1 reads curvature and borders: no scale is the true one, a plateau is the best
    evidence. In the regime of recordings (230 stimuli, 150 neurons, 26 trials, true dimension 2) it falls from 21.6
    at n1 = 1 to 2.2 at 32; with a true dimension of 20 it falls from 16.7 to 10.4 and never reads 20.

    References
    ----------
    Denti, Doimo, Laio & Mira 2022, doi:10.1038/s41598-022-20991-1.

    Examples
    --------
    >>> import numpy as np
    >>> gride(np.random.default_rng(0).random((500, 2)), n1=(1, 4)).value.round().tolist()
    [2.0, 2.0]
    """
    ranks = checked_ranks(n1)
    near = neighbourhoods_of(responses, neighbours_read(2 * max(ranks)), "gride", fewest=FEWEST, exact=2 * max(ranks))
    return gride_of(near, n1=ranks)
