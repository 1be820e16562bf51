"""TwoNN on ever fewer stimuli, averaged over every subset there is instead of a few random ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from stratoscope.metrics.decimation import SMALLEST, checked_divisors
from stratoscope.metrics.declare import metric
from stratoscope.metrics.neighbour_interval import influence_variance, log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods, neighbourhoods_of
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.subset import all_neighbours_in
from stratoscope.summaries.settle import RELATIVE_ERROR
from stratoscope.types import Estimate, Floats

NAME = "two_nn_decimation_expected"


def _log_choose(n: Floats, k: int) -> Floats:
    """Return log C(n, k), -inf where there is no such choice."""
    possible = n >= k
    top = np.where(possible, n, k)
    logs = gammaln(top + 1) - gammaln(k + 1) - gammaln(top - k + 1)
    return np.where(possible, logs, -np.inf)


def chances(n: int, size: int) -> tuple[Floats, Floats]:
    """Return how likely ranks become the nearest in a random subset of `size` of `n` points that holds the point itself.

    Returns
    -------
    first : array (rank,)
        Chance that the neighbour of rank i is the nearest left.
    pair : array (rank,)
        Chance that ranks i and j are the two nearest left, at j: it is the same for every i below j.
    """
    rank = np.arange(1, n, dtype=np.float64)
    whole = _log_choose(np.array([n - 1.0]), size - 1)
    return np.exp(_log_choose(n - 1 - rank, size - 2) - whole), np.where(
        rank > 1, np.exp(_log_choose(n - 1 - rank, size - 3) - whole), 0.0
    )


def _ties_before(distance: Floats) -> Floats:
    """Return how many nearer ranks have the distance of each rank (point, rank), as far as distances are certain."""
    rank = np.arange(distance.shape[1])
    new = np.concatenate(
        [np.ones((len(distance), 1), bool), distance[:, 1:] > distance[:, :-1] * (1 + 2 * RELATIVE_ERROR)], axis=1
    )
    return np.asarray(rank - np.maximum.accumulate(np.where(new, rank, 0), axis=1), dtype=np.float64)


def _at_size(near: Neighbourhoods, logs: Floats, ties: Floats, size: int) -> tuple[float, float, float]:
    """Return dimension, its standard deviation and scale, expected over all subsets of `size` points."""
    first, pair = chances(near.n, size)
    rank = np.arange(1, near.n, dtype=np.float64)
    # Σ over pairs i < j of pair_j (log r_j - log r_i), gathered by rank
    by_rank = (rank - 1) * pair - (pair[::-1].cumsum()[::-1] - pair)
    ratio, counted = logs @ by_rank, 1.0 - ties @ pair
    d = float(counted.sum() / ratio.sum())
    psi = d * (counted / counted.mean() - ratio / ratio.mean())
    # without a neighbour, every rank from its own on takes the distance of the next: a step of 1 / (d j)
    passed = d * (by_rank / rank)[::-1].cumsum()[::-1]
    weights = np.broadcast_to(passed, near.index.shape)
    deviation = float(np.sqrt(influence_variance(psi, weights, near.index, near.n / size)))
    scale = float((near.distance @ (first + (rank - 1) * pair)).mean() / 2)
    return d, deviation, scale


def _expected(near: Neighbourhoods, divisors: Sequence[int] | None) -> Estimate:
    chosen = checked_divisors(near.n, divisors, NAME)
    logs, ties = np.log(near.distance), _ties_before(near.distance)
    rows = np.array([_at_size(near, logs, ties, near.n // divisor) for divisor in chosen])
    low, high = log_interval(rows[:, 0], rows[:, 1])
    return Estimate(
        value=rows[:, 0],
        low=low,
        high=high,
        n=near.n,
        method=f"two_nn ml expected over all subsets of {', '.join(str(near.n // d) for d in chosen)} stimuli",
        dropped=dict(near.dropped),
        scale=rows[:, 2],
    )


def _through_gram(state: Mapping[str, Any], *, divisors: Sequence[int] | None = None) -> Estimate:
    return _expected(all_neighbours_in(state, NAME, fewest=SMALLEST), divisors)


@metric(
    needs="gram",
    through=_through_gram,
    dims=("divisor",),
    unit="dimensions",
    reads="position",
    controls=("gride", "two_nn_decimation"),
    paper="Facco et al. 2017, doi:10.1038/s41598-017-11873-y; averaged after Rao and Blackwell",
)
def two_nn_decimation_expected(responses: Any, *, divisors: Sequence[int] | None = None) -> Estimate:
    """Intrinsic dimension (TwoNN) on 1, 1/2, 1/4 ... of the stimuli, expected over all subsets of that size.

    In a random subset of m of n stimuli the neighbours of rank i < j of a stimulus become its two nearest with
    chance P_j = C(n - 1 - j, m - 3) / C(n - 1, m - 1), whatever the distances. So the mean of log(r2 / r1) over all subsets is
    known from one list of neighbours, and ::

        1 / d = (1/n) Σ_points Σ_{i<j} P_j log(r_j / r_i)

    without any subset being drawn (pairs that tie are left out, as in `two_nn`).

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first.
    divisors : sequence of int
        Into what part of the stimuli; by default 1, 2, 4 ... 32 as long as a subset has 20 stimuli.

    Returns
    -------
    Estimate
        Arrays (divisor,): dimension, 95 % interval and scale. Divisor 1 is `two_nn` with ``method="ml"``.

    Raises
    ------
    TooFew
        For fewer than 20 distinct stimuli in a subset.
    BadInput
        For NaN or infinite responses, wrong shapes, or divisors below 1.

    When it misleads
    ----------------
    It is the maximum likelihood of TwoNN, not the fit that `two_nn` makes by default, and far ratios weigh in. Fewer
    stimuli mean a larger scale and more bias in high dimension, so a falling curve may be either. The intervals grow
    with the divisor much less than those of `two_nn_decimation` do, because all stimuli are used at every size.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio 2017, doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    >>> import numpy as np
    >>> two_nn_decimation_expected(np.random.default_rng(0).random((400, 2)), divisors=(1, 4)).value.round().tolist()
    [2.0, 2.0]
    """
    points = checked_responses(responses, NAME)
    near = neighbourhoods_of(points, max(len(points) - 1, 1), NAME, fewest=SMALLEST)
    return _expected(near, divisors)
