"""Correlation dimension: how the number of close pairs grows with what counts as close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import t as student

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.declare import metric
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods, neighbourhoods_of
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.subset import all_neighbours_in
from stratoscope.types import Estimate, Floats

#: Stimuli are dealt into so many groups, each left out once, for the interval.
GROUPS = 10


def _checked_ranks(k1: int, k2: int) -> tuple[int, int]:
    if int(k1) != k1 or int(k2) != k2 or not 1 <= k1 < k2:
        raise BadInput(
            f"k1 and k2 must be neighbour ranks, whole numbers with 1 <= k1 < k2, but {k1!r} and {k2!r} came."
        )
    return int(k1), int(k2)


def _estimate(between: Floats, k1: int, k2: int) -> tuple[float, float]:
    """Return dimension and mean radius from distances (point, point), infinite on the diagonal."""
    inner, outer = np.median(np.partition(between, (k1 - 1, k2 - 1), axis=1)[:, [k1 - 1, k2 - 1]], axis=0)
    if not inner < outer:
        raise TooFew(
            f"correlation_dimension needs two radii, but the median distances to neighbours {k1} and {k2} are both "
            f"{inner:g}. Take ranks that are further apart."
        )
    pairs = np.count_nonzero(between < outer) / np.count_nonzero(between < inner)
    return float(np.log(pairs) / np.log(outer / inner)), float(inner + outer) / 2


def _deviation(between: Floats, k1: int, k2: int) -> float:
    """Return the standard deviation of the log dimension, from leaving out one group of stimuli at a time."""
    dealt = np.random.default_rng(0).permutation(len(between))
    logs = []
    for group in range(GROUPS):
        stay = np.sort(np.delete(dealt, np.s_[group::GROUPS]))
        if len(stay) < k2 + 2:
            return float("nan")
        logs.append(float(np.log(_estimate(between[np.ix_(stay, stay)], k1, k2)[0])))
    spread = np.asarray(logs) - np.mean(logs)
    return float(np.sqrt((GROUPS - 1) / GROUPS * (spread**2).sum()))


def _correlation_dimension(near: Neighbourhoods, k1: int, k2: int) -> Estimate:
    between = np.full((near.n, near.n), np.inf)
    np.put_along_axis(between, near.index, near.distance, axis=1)
    d, scale = _estimate(between, k1, k2)
    low, high = log_interval(d, d * _deviation(between, k1, k2), z=float(student.ppf(0.975, GROUPS - 1)))
    return Estimate(
        value=d,
        low=float(low),
        high=float(high),
        n=near.n,
        method=(
            f"correlation dimension between the median distances to neighbours {k1} and {k2}; "
            f"jackknife over {GROUPS} groups of stimuli of its logarithm"
        ),
        dropped=dict(near.dropped),
        scale=scale,
    )


def _through_gram(state: Mapping[str, Any], *, k1: int = 10, k2: int = 20) -> Estimate:
    k1, k2 = _checked_ranks(k1, k2)
    return _correlation_dimension(all_neighbours_in(state, "correlation_dimension", fewest=k2 + 2), k1, k2)


@metric(
    needs="gram",
    through=_through_gram,
    unit="dimensions",
    reads="position",
    controls=("two_nn", "gride"),
    paper="Grassberger & Procaccia 1983, doi:10.1103/PhysRevLett.50.346",
)
def correlation_dimension(responses: Any, *, k1: int = 10, k2: int = 20) -> Estimate:
    """Intrinsic dimension from the growth of the number of close pairs with distance (Grassberger-Procaccia).

    With C(r) the fraction of pairs closer than r, ::

        d = log(C(r2) / C(r1)) / log(r2 / r1)

    where r1 and r2 are the median distances to the neighbours of rank k1 and k2.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first.
    k1, k2 : int
        Ranks that set the two radii, 1 <= k1 < k2.

    Returns
    -------
    Estimate
        Dimension, 95 % interval of a jackknife over 10 random groups of stimuli (1.3 to 1.7 times as wide as it need be; NaN
        where too few would be left), and mean radius as scale.

    Raises
    ------
    TooFew
        For fewer than k2 + 2 distinct stimuli, or where both radii are the same.
    BadInput
        For NaN or infinite responses, wrong shapes, or ranks out of order.

    When it misleads
    ----------------
    The densest regions hold most close pairs, so they decide: where the density varies it is their dimension, and it
    reads lower than `two_nn`, which gives every stimulus one vote (2.8 against 6.4 for a true 10). It reads low in high dimension, as all estimators
    from distances do. All pairs are held: 200 MB at 5,000 stimuli.

    References
    ----------
    Grassberger & Procaccia 1983, doi:10.1103/PhysRevLett.50.346.

    Examples
    --------
    >>> import numpy as np
    >>> round(correlation_dimension(np.random.default_rng(0).random((500, 2))).value)
    2
    """
    k1, k2 = _checked_ranks(k1, k2)
    points = checked_responses(responses, "correlation_dimension")
    near = neighbourhoods_of(points, max(len(points) - 1, 1), "correlation_dimension", fewest=k2 + 2)
    return _correlation_dimension(near, k1, k2)
