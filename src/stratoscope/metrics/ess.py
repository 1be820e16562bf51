"""Expected simplex skewness: how orthogonal the neighbours of a point are, seen from their middle."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import t as student

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods, neighbourhoods_in, neighbourhoods_of
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.spectrum import centred_gram, gram_in
from stratoscope.metrics.subset import all_neighbours_in
from stratoscope.types import Estimate, Floats, Integers

#: Stimuli are dealt into so many groups, each left out once, for the interval.
GROUPS = 10
_SMALLEST_K = 3
#: Elements of the local Gram matrices worked on at a time (512 KiB), so that they stay in the cache.
_ELEMENTS = 1 << 16


def _checked_k(k: int) -> int:
    if int(k) != k or k < _SMALLEST_K:
        raise BadInput(f"k must be a number of neighbours, a whole number from {_SMALLEST_K} up, but {k!r} came.")
    return int(k)


@cache
def _expected_skewness() -> Floats:
    """Return the expected |sin| of the angle of two random directions (dimension,) for dimensions 1, 2, 3 ..."""
    d = np.arange(2.0, 1 << 16)
    growth = d**2 / (d**2 - 1)  # s(d + 2) = s(d) d² / (d² - 1), from s(2) = 2 / π and s(3) = π / 4
    even = 2 / np.pi * np.append(1.0, np.cumprod(growth[::2]))
    odd = np.pi / 4 * np.append(1.0, np.cumprod(growth[1::2]))
    return np.append(0.0, np.stack([even, odd], axis=1).ravel())


def _skewness(gram: Floats, index: Integers) -> Floats:
    """Return Σ |area of the parallelogram of two neighbours| over Σ |product of their lengths| at every point (point,)."""
    k = index.shape[1]
    found = []
    for part in np.array_split(index, max(1, len(index) * k * k // _ELEMENTS)):
        local = gram[part[:, :, None], part[:, None, :]]
        rows = local.mean(axis=2)
        local -= rows[:, :, None]
        local -= (rows - rows.mean(axis=1, keepdims=True))[:, None, :]
        square = np.maximum(np.einsum("pii->pi", local), 0.0)
        np.square(local, out=local)
        np.subtract(square[:, :, None] * square[:, None, :], local, out=local)
        np.maximum(local, 0.0, out=local)
        area = np.sqrt(local, out=local).sum(axis=(1, 2))
        weight = np.sqrt(square).sum(axis=1) ** 2 - square.sum(axis=1)
        found.append(area / weight)
    return np.concatenate(found)


def _local_dimension(gram: Floats, index: Integers) -> Floats:
    expected = _expected_skewness()
    return np.asarray(np.interp(_skewness(gram, index), expected, np.arange(1.0, len(expected) + 1)))


def _without(near: Neighbourhoods, left_out: Integers, k: int) -> tuple[Integers, Integers]:
    """Return the points that stay and their `k` nearest among these, as far as the table knows them."""
    gone = np.zeros(near.n, dtype=bool)
    gone[left_out] = True
    lost = gone[near.index]
    full = (~lost).sum(axis=1) >= k
    order = np.argsort(lost, axis=1, kind="stable")[:, :k]
    stay = np.flatnonzero(~gone & full)
    return stay, np.take_along_axis(near.index, order, axis=1)[stay]


def _deviation(gram: Floats, near: Neighbourhoods, k: int) -> float:
    """Return the standard deviation of the log of the mean, from leaving out one group of stimuli at a time."""
    dealt = np.random.default_rng(0).permutation(near.n)
    logs = []
    for group in range(GROUPS):
        stay, index = _without(near, dealt[group::GROUPS], k)
        if len(stay) < 0.5 * near.n:
            return float("nan")
        logs.append(float(np.log(_local_dimension(gram, index).mean())))
    spread = np.asarray(logs) - np.mean(logs)
    return float(np.sqrt((GROUPS - 1) / GROUPS * (spread**2).sum()))


def _ess(gram: Floats, near: Neighbourhoods, k: int) -> Estimate:
    d = float(_local_dimension(gram, near.index[:, :k]).mean())
    low, high = log_interval(d, d * _deviation(gram, near, k), z=float(student.ppf(0.975, GROUPS - 1)))
    return Estimate(
        value=d,
        low=float(low),
        high=float(high),
        n=near.n,
        method=f"ess k={k}; jackknife over {GROUPS} groups of stimuli of its logarithm",
        dropped=dict(near.dropped),
        scale=float(near.distance[:, :k].mean()),
    )


def _spare(k: int) -> int:
    """Return how many neighbours must be known so that `k` are left, but for rare points, when a group is left out."""
    return int(np.ceil(k * GROUPS / (GROUPS - 1) + 4 * np.sqrt(k / GROUPS)))


def _through_gram(state: Mapping[str, Any], *, k: int = 100) -> Estimate:
    k = _checked_k(k)
    near, gram = neighbourhoods_in(state, "ess", fewest=k + 1), gram_in(state, "ess", k + 1)
    if near.k < min(_spare(k), near.n - 1):  # the run kept fewer neighbours than the interval needs
        near = all_neighbours_in(state, "ess", fewest=k + 1)
    assert near.rows is not None
    known = near.distance[:, : _spare(k)], near.index[:, : _spare(k)]
    return _ess(gram[np.ix_(near.rows, near.rows)], Neighbourhoods(*known, near.dropped, near.rows), k)


@metric(
    needs="gram",
    through=_through_gram,
    unit="dimensions",
    range=(1.0, np.inf),
    reads="position",
    controls=("two_nn", "gride"),
    paper="Johnsson, Soneson & Fontes 2015, doi:10.1109/TPAMI.2014.2343220",
)
def ess(responses: Any, *, k: int = 100) -> Estimate:
    """Intrinsic dimension from the angles between the neighbours of a point (expected simplex skewness).

    With v_1 ... v_k the k nearest neighbours of a point, measured from their mean, ::

        ESS = Σ_{i<j} |v_i| |v_j| |sin(v_i, v_j)| / Σ_{i<j} |v_i| |v_j|

    is compared with what random directions in d dimensions give, s(d) = Γ(d/2)² / (Γ((d+1)/2) Γ((d-1)/2)), which rises from
    0 at d = 1 towards 1; between whole d the line is straight. The dimension is the mean over points.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first.
    k : int
        Number of neighbours, from 3 up.

    Returns
    -------
    Estimate
        Dimension, 95 % interval of a jackknife over 10 random groups of stimuli (1.3 to 1.6 times as wide as it need be), and
        the mean distance of the k neighbours as scale. NaN ends where too few stimuli would be left.

    Raises
    ------
    TooFew
        For fewer than k + 1 distinct stimuli.
    BadInput
        For NaN or infinite responses, wrong shapes, or a k below 3.

    When it misleads
    ----------------
    It reads directions, not distances: on flat manifolds it hardly reads low in high dimension (39 of 40 for a cube, 1,000
    points), where no estimator from distances reads above 27. What the k neighbours bend into counts as dimension: with 1,000
    points and k = 100 a swiss roll reads 2.6, a flat torus of dimension 10 reads 19, a paraboloid of dimension 20 reads 31.
    Uneven density makes it read low (5.6 of 10). With a few hundred stimuli k = 100 sees the shape of the whole set.

    References
    ----------
    Johnsson, Soneson & Fontes 2015, Low bias local intrinsic dimension estimation from expected simplex skewness,
    doi:10.1109/TPAMI.2014.2343220.

    Examples
    --------
    >>> import numpy as np
    >>> round(ess(np.random.default_rng(0).random((500, 3))).value)
    3
    """
    k = _checked_k(k)
    points = checked_responses(responses, "ess")
    near = neighbourhoods_of(points, _spare(k), "ess", fewest=k + 1)
    assert near.rows is not None
    return _ess(centred_gram(points[near.rows], "ess", k + 1), near, k)
