"""Information without bins, from nearest neighbours: Kraskov for numbers, Ross for classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.information.samples import read_values
from stratoscope.metrics.responses import checked_responses
from stratoscope.types import Floats

#: Distances of numbers scaled to standard deviation 1 that are nearer to each other than this are equal.
ROUNDING = 1e-12


def ksg_information(responses: Any, values: Any, *, k: int = 3) -> Floats:
    """Information of each unit about a number, from nearest neighbours (Kraskov, Stögbauer & Grassberger).

    With ε_i the distance of stimulus i to its k-th neighbour in the plane of response and value, by the larger of both
    differences, each scaled to standard deviation 1, and n_r, n_v how many others are nearer than that in each alone,
    I = ψ(k) + ψ(n) - <ψ(n_r + 1) + ψ(n_v + 1)>. Where ε_i is 0, since values are equal, k becomes the number of
    stimuli at that place and n_r + 1, n_v + 1 those with that response and value (Gao et al. 2017).

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Units are taken one by one, about 1 ms each for 1,000 stimuli: give a sample of units.
    values : array (stimulus,)
        Decimal numbers; for classes see `ross_information`.
    k : int
        Neighbours; fewer are less biased, more vary less.

    Returns
    -------
    array (unit,)
        Bits; may be below 0. 0 for a unit, or a property, that never changes.

    Raises
    ------
    TooFew
        For fewer than k + 1 stimuli.
    BadInput
        For NaN, a property that is no decimal number, or shapes that do not fit.

    When it misleads
    ----------------
    It reads too little where the dependence is strong (above about 3 bits at 1,000 stimuli). It is the information of
    unbinned responses, and so larger than any in bins. With many equal responses it reads 0.02 to 0.03 bit where there
    is nothing.

    References
    ----------
    Kraskov et al. 2004, doi:10.1103/PhysRevE.69.066138; Gao et al. 2017, arXiv:1709.06212.

    Examples
    --------
    >>> import numpy as np
    >>> light = np.random.default_rng(0).random(500)
    >>> bool(ksg_information(((light - 0.5) ** 2)[:, None], light)[0] > 2)
    True
    """
    array = _enough(responses, k, "ksg_information")
    read = read_values(values, len(array), "ksg_information")
    if not read.continuous:
        raise BadInput(
            "ksg_information is for continuous properties, but the values are whole numbers, texts or truth values. "
            "Use ross_information, or give decimal numbers."
        )
    value = _scaled(read.numbers)
    return np.array([_ksg(_scaled(unit), value, k) for unit in array.T])


def ross_information(responses: Any, values: Any, *, k: int = 3) -> Floats:
    """Information of each unit about a class, from nearest neighbours (Ross).

    With ε_i the distance of response i to its k-th neighbour of the same class and m_i how many of all are nearer than
    that, itself included, I = ψ(n) + ψ(k) - <ψ(n_class) + ψ(m_i)>. Where ε_i is 0, k becomes the number of
    equal responses in the class and m_i that in all. In classes with fewer than k + 1 stimuli k is smaller.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    values : array (stimulus,)
        Classes: texts, truth values or whole numbers; at least 2 stimuli each.
    k : int
        Neighbours.

    Returns
    -------
    array (unit,)
        Bits; may be below 0.

    Raises
    ------
    TooFew
        For fewer than k + 1 stimuli, or a class with one.
    BadInput
        For NaN, decimal numbers as values, or shapes that do not fit.

    When it misleads
    ----------------
    As `ksg_information`; with few stimuli a class it varies much from unit to unit.

    References
    ----------
    Ross 2014, doi:10.1371/journal.pone.0087357.

    Examples
    --------
    >>> import numpy as np
    >>> shape = np.arange(400) % 2
    >>> response = shape + np.random.default_rng(0).random(400)
    >>> bool(0.9 < ross_information(response[:, None], shape)[0] < 1.01)
    True
    """
    array = _enough(responses, k, "ross_information")
    read = read_values(values, len(array), "ross_information")
    if read.continuous:
        raise BadInput(
            "ross_information is for classes, but the values are decimal numbers. Use ksg_information, or give whole "
            "numbers, texts or truth values."
        )
    read.check_each(2, "ross_information")
    return np.array([_ross(_scaled(unit), read.codes, k) for unit in array.T])


def _enough(responses: Any, k: int, metric: str) -> Floats:
    if k < 1:
        raise BadInput(f"{metric} needs at least 1 neighbour, but k={k} came. Give k=3, say.")
    array = checked_responses(responses, metric)
    if len(array) <= k:
        raise TooFew(f"{metric} with k={k} needs at least {k + 1} stimuli, but {len(array)} came.")
    return array


def _scaled(values: Floats) -> Floats:
    deviation = values.std()
    return values / deviation if deviation > 0 else np.zeros_like(values)


def _ksg(response: Floats, value: Floats, k: int) -> float:
    both = np.stack([response, value], axis=1)
    tree = cKDTree(both)
    radius = tree.query(both, k=k + 1, p=np.inf)[0][:, k]
    same = radius == 0
    k_here = np.full(len(both), float(k))
    if same.any():
        k_here[same] = tree.query_ball_point(both[same], 0.0, p=np.inf, return_length=True)
    seen = digamma(_nearer(response, response, radius)) + digamma(_nearer(value, value, radius))
    return float((digamma(len(both)) + (digamma(k_here) - seen).mean()) / np.log(2))


def _nearer(points: Floats, among: Floats, radius: Floats) -> NDArray[np.int64]:
    """Count who of `among` is nearer to each point than `radius`, or equal to it where that is 0; at least 1, itself."""
    ordered = np.sort(among)
    strict = np.maximum(radius - ROUNDING, 0.0)
    low = np.searchsorted(ordered, points - strict, side="left")
    high = np.searchsorted(ordered, points + strict, side="right")
    return np.asarray(np.maximum(high - low, 1))


def _ross(response: Floats, codes: NDArray[np.int64], k: int) -> float:
    radius, k_here, members = np.zeros(len(codes)), np.zeros(len(codes)), np.zeros(len(codes))
    for code in range(codes.max() + 1):
        at = np.flatnonzero(codes == code)
        radius[at], k_here[at] = _within(response[at], min(k, len(at) - 1))
        members[at] = len(at)
    seen = digamma(members) + digamma(_nearer(response, response, radius))
    return float((digamma(len(codes)) + (digamma(k_here) - seen).mean()) / np.log(2))


def _within(values: Floats, k: int) -> tuple[Floats, Floats]:
    """Return the distance of every value to its k-th neighbour, and k, or where that is 0 how many are equal to it."""
    order = np.argsort(values)
    ordered = values[order]
    n, place = len(values), np.arange(len(values))
    nearest = np.full(n, np.inf)
    for before in range(k + 1):  # the k + 1 neighbours in order that hold the value, `before` of them below it
        low, high = place - before, place - before + k
        inside = (low >= 0) & (high < n)
        reach = np.maximum(ordered[inside] - ordered[low[inside]], ordered[high[inside]] - ordered[inside])
        nearest[inside] = np.minimum(nearest[inside], reach)
    equal = np.searchsorted(ordered, ordered, side="right") - np.searchsorted(ordered, ordered, side="left")
    radius, k_here = np.empty(n), np.empty(n)
    radius[order], k_here[order] = nearest, np.where(nearest == 0, equal, k)
    return radius, k_here
