"""Gride: intrinsic dimension along scales, from ratios of further neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import brentq

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.neighbour_interval import influence_variance, log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods, check_enough, neighbourhoods_in, neighbourhoods_of
from stratoscope.types import Estimate, Floats

N1 = (1, 2, 4, 8, 16, 32, 64)
FEWEST = 6


def gride_influence(slope: Floats, d: float, first: int, second: int) -> Floats:
    """Return what the neighbour at each rank (point, rank) is expected to do, times `slope`, to log(r_second / r_first).

    Without it the distance of rank j takes the value of rank j + 1, a step of 1 / (d j).
    """
    inner = 1.0 / (d * second) - 1.0 / (d * first)
    outer = 1.0 / (d * second)
    step = np.where(np.arange(second) < first, inner, outer)
    return np.asarray(-slope[:, None] * step)


def _score(ratios: Floats, d: float, first: int, second: int) -> Floats:
    """Derivative by d of the log-likelihood of each log ratio."""
    shared = (second - first - 1) * ratios / -np.expm1(-d * ratios) if second - first > 1 else 0.0
    return np.asarray(1.0 / d + shared - (second - 1) * ratios)


def _curvature(ratios: Floats, d: float, first: int, second: int) -> tuple[Floats, Floats]:
    """Return minus the derivative of the score by d, and its derivative by the log ratio."""
    if second - first == 1:
        return np.full_like(ratios, 1.0 / d**2), np.full_like(ratios, -(second - 1.0))
    decay = np.exp(-d * ratios)
    rest = -np.expm1(-d * ratios)
    information = 1.0 / d**2 + (second - first - 1) * (ratios**2 * decay / rest**2)
    by_ratio = (second - first - 1) * (1.0 / rest - d * ratios * decay / rest**2) - (second - 1)
    return information, by_ratio


def _root(ratios: Floats, first: int, second: int) -> float:
    """Find the dimension where the likelihood of the log ratios is largest."""
    start = float(np.sum(1.0 / np.arange(first, second))) / float(ratios.mean())
    low, high = start / 2, start * 2
    while _score(ratios, low, first, second).mean() < 0:
        low /= 2
    while _score(ratios, high, first, second).mean() > 0:
        high *= 2
    return float(brentq(lambda d: _score(ratios, d, first, second).mean(), low, high, xtol=1e-12, rtol=1e-13))


def _at_scale(near: Neighbourhoods, first: int) -> tuple[float, float, float, int, int]:
    """Return dimension, its standard deviation, scale, zero distances and ties at n1 = `first`, n2 = 2 n1."""
    second = 2 * first
    inner, outer = near.distance[:, first - 1], near.distance[:, second - 1]
    used = (inner > 0) & (outer > inner)
    check_enough(int(used.sum()), near.dropped["duplicates"], "gride", FEWEST)
    ratios = np.log(outer[used] / inner[used])
    d = _root(ratios, first, second)
    information, by_ratio = _curvature(ratios, d, first, second)
    psi, slope = np.full(near.n, np.nan), np.full(near.n, np.nan)
    psi[used] = _score(ratios, d, first, second) / information.mean()
    slope[used] = by_ratio / information.mean()
    weights = gride_influence(slope, d, first, second)
    variance = influence_variance(psi, weights, near.index[:, :second], first)
    scale = float((inner[used] + outer[used]).mean() / 2)
    return d, float(np.sqrt(variance)), scale, int((inner <= 0).sum()), int(((inner > 0) & (outer == inner)).sum())


def gride_of(near: Neighbourhoods, *, n1: Sequence[int] = N1) -> Estimate:
    """Return Gride from neighbourhoods that are known already."""
    ranks = checked_ranks(n1)
    check_enough(near.n, near.dropped["duplicates"], "gride", max(FEWEST, 2 * min(ranks) + 2))
    fits = [rank for rank in ranks if 2 * rank <= min(near.k, near.n - 2)]
    if not fits:
        raise BadInput(
            f"gride with n1 = {min(ranks)} reads neighbour {2 * min(ranks)}, but only {near.k} neighbours are known."
        )
    found = {rank: _at_scale(near, rank) for rank in fits}
    rows = np.array([found[rank][:3] if rank in found else (np.nan,) * 3 for rank in ranks])
    low, high = log_interval(rows[:, 0], rows[:, 1])
    return Estimate(
        value=rows[:, 0],
        low=low,
        high=high,
        n=near.n,
        method=f"gride n1={','.join(map(str, ranks))} n2=2 n1; interval from shared neighbourhoods",
        dropped={
            **near.dropped,
            "zero distances": max(f[3] for f in found.values()),
            "ties": max(f[4] for f in found.values()),
        },
        scale=rows[:, 2],
        note=_note(ranks, fits, near),
    )


def _note(ranks: tuple[int, ...], fits: list[int], near: Neighbourhoods) -> str:
    missing = [rank for rank in ranks if rank not in fits]
    if not missing:
        return ""
    return (
        f"n1 = {', '.join(map(str, missing))} left out: n1 needs 2 n1 neighbours and 2 n1 + 2 distinct stimuli, "
        f"and there are {near.k} and {near.n}."
    )


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
        Arrays (n1,): dimension, 95 % interval for its mean over samples of this size, and scale, the mean of r_n1
        and r_n2 in the units of the responses. NaN, with a note, where there are fewer than 2 n1 + 2 distinct stimuli.

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
    at n1 = 1 to 2.2 at 32; with a true dimension of 20 it falls from 16.7 to 10.4 and never reads 20. Where 2 n1 is a
    large part of the stimuli the intervals are wider than they need be in high dimension.

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
    near = neighbourhoods_of(responses, 2 * max(ranks), "gride", fewest=FEWEST)
    return gride_of(near, n1=ranks)
