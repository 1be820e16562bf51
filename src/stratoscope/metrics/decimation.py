"""TwoNN on ever fewer stimuli: the dimension as a function of scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.halves import SPLITS, neighbours_read
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.neighbourhoods import (
    Neighbourhoods,
    check_enough,
    nearest_within,
    neighbourhoods_in,
    neighbourhoods_of,
)
from stratoscope.metrics.responses import checked_points
from stratoscope.metrics.spectrum import gram_in
from stratoscope.metrics.two_nn import two_nn_of
from stratoscope.types import Estimate, Floats, Integers

SMALLEST = 20
DIVISORS = (1, 2, 4, 8, 16, 32)


def checked_divisors(n: int, given: Sequence[int] | None, name: str) -> tuple[int, ...]:
    """Return the divisors that leave at least `SMALLEST` of `n` stimuli, or those given if all of them do."""
    if given is None:
        return tuple(divisor for divisor in DIVISORS if n // divisor >= SMALLEST)
    divisors = tuple(int(divisor) for divisor in given)
    if not divisors or min(divisors) < 1:
        raise BadInput(f"divisors must be whole numbers from 1 up, but {given!r} came.")
    check_enough(n, 0, name, SMALLEST * max(divisors))
    return divisors


def _curve(
    near: Callable[[Integers], Neighbourhoods],
    n: int,
    divisors: Sequence[int] | None,
    seed: int,
    duplicates: int,
    **options: Any,
) -> Estimate:
    chosen = checked_divisors(n, divisors, "two_nn_decimation")
    order = np.random.default_rng(seed).permutation(n)
    rows = np.array([_at_size(near, order, divisor, options) for divisor in chosen])
    low, high = log_interval(rows[:, 0], rows[:, 1])
    return Estimate(
        value=rows[:, 0],
        low=low,
        high=high,
        n=n,
        method=f"two_nn on disjoint subsets of {', '.join(str(n // divisor) for divisor in chosen)} stimuli",
        dropped={"duplicates": duplicates},
        scale=rows[:, 2],
        seed=seed,
    )


def _at_size(
    near: Callable[[Integers], Neighbourhoods], order: Integers, divisor: int, options: Mapping[str, Any]
) -> tuple[float, float, float]:
    """Return mean, standard deviation and scale of the estimates on `divisor` disjoint, so independent, subsets."""
    size = len(order) // divisor
    subsets = [np.sort(order[part * size : (part + 1) * size]) for part in range(divisor)]
    # Their deviations are averaged, so that each needs fewer splits.
    found = [two_nn_of(near(rows), splits=max(10, SPLITS // divisor), **options) for rows in subsets]
    deviations = [e.value * np.log(e.high / e.low) / (2 * 1.959963984540054) for e in found]
    deviation = np.sqrt(np.mean(np.square(deviations)) / divisor)
    return float(np.mean([e.value for e in found])), float(deviation), float(np.mean([e.scale for e in found]))


def _through_gram(
    state: Mapping[str, Any], *, divisors: Sequence[int] | None = None, seed: int = 0, **options: Any
) -> Estimate:
    whole = neighbourhoods_in(state, "two_nn_decimation", fewest=SMALLEST)
    gram = gram_in(state, "two_nn_decimation", SMALLEST)

    def near(subset: Integers) -> Neighbourhoods:
        return nearest_within(whole, subset, neighbours_read(2), gram)

    return _curve(near, whole.n, divisors, seed, whole.dropped["duplicates"], **options)


def squared_distances(gram: Floats) -> Floats:
    """Return squared Euclidean distances (row, row) from a Gram matrix."""
    norms = np.diag(gram)
    return np.maximum(norms[:, None] + norms[None, :] - 2 * gram, 0.0)


@metric(
    needs="gram",
    through=_through_gram,
    dims=("divisor",),
    unit="dimensions",
    reads="position",
    controls=("gride",),
    paper="Facco et al. 2017, doi:10.1038/s41598-017-11873-y",
)
def two_nn_decimation(
    responses: Any,
    *,
    divisors: Sequence[int] | None = None,
    seed: int = 0,
    fraction: float = 0.9,
    method: str = "fit",
) -> Estimate:
    """Intrinsic dimension (TwoNN) on 1, 1/2, 1/4 ... of the stimuli, so at growing scale.

    At every divisor the stimuli are dealt into that many disjoint random subsets, TwoNN is estimated on each, and
    the estimates are averaged.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first.
    divisors : sequence of int, optional
        Into how many subsets the stimuli are dealt; by default 1, 2, 4 ... 32 as long as a subset has 20 stimuli.
    seed : int
        Seed of the dealing.
    fraction, method
        As in `two_nn`.

    Returns
    -------
    Estimate
        Arrays (divisor,): dimension, 95 % interval and scale. Disjoint subsets of independent stimuli are
        independent, so the interval is that of one subset over the root of their number.

    Raises
    ------
    TooFew
        For fewer than 20 distinct stimuli in a subset.
    BadInput
        For NaN or infinite responses, wrong shapes, or divisors below 1.

    When it misleads
    ----------------
    Fewer stimuli mean a larger scale and also more bias in high dimension: a falling curve may be either. `gride`
    reaches the same scales with all stimuli.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio 2017, doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    >>> import numpy as np
    >>> two_nn_decimation(np.random.default_rng(0).random((400, 2)), divisors=(1, 4)).value.round().tolist()
    [2.0, 2.0]
    """
    points = checked_points(responses, "two_nn_decimation")
    whole = neighbourhoods_of(points, neighbours_read(2), "two_nn_decimation", fewest=SMALLEST, exact=2)
    distinct = points[whole.rows]

    def near(subset: Integers) -> Neighbourhoods:
        if len(subset) == whole.n:
            return whole
        return neighbourhoods_of(distinct[subset], neighbours_read(2), "two_nn_decimation", fewest=SMALLEST, exact=2)

    return _curve(near, whole.n, divisors, seed, whole.dropped["duplicates"], fraction=fraction, method=method)
