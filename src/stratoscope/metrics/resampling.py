"""TwoNN on random parts of the stimuli: how far the dimension hangs on which of them were shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.halves import neighbours_read
from stratoscope.metrics.neighbourhoods import (
    Neighbourhoods,
    check_enough,
    nearest_within,
    neighbourhoods_in,
    neighbourhoods_of,
    neighbourhoods_within,
)
from stratoscope.metrics.responses import checked_fraction, checked_points
from stratoscope.metrics.two_nn import FEWEST, two_nn_of
from stratoscope.types import Estimate, Integers

#: Neighbours listed of every stimulus. With a share of 0.9, all but one of 16 are left out once in 1e14 times.
LISTED = 16


def _resampled(
    near: Neighbourhoods,
    within: Callable[[Integers], Neighbourhoods],
    *,
    n_resamples: int = 20,
    share: float = 0.9,
    seed: int = 0,
    **options: Any,
) -> Estimate:
    checked_fraction(share, "share")
    if n_resamples < 2:
        raise BadInput(f"n_resamples must be at least 2, but {n_resamples!r} came.")
    size = int(np.floor(share * near.n + 1e-9))
    check_enough(size, near.dropped["duplicates"], "two_nn_resampled", FEWEST)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n_resamples):
        subset = np.sort(rng.permutation(near.n)[:size])
        found.append(two_nn_of(within(subset), **options))
    values = np.array([one.value for one in found])
    whole = two_nn_of(near, **options)  # parts of the list are too short for an interval of their own
    spread = np.log(whole.high / whole.low) / 2 * np.sqrt(near.n / size)
    low, high = (float(values.mean() * np.exp(sign * spread)) for sign in (-1, 1))
    return Estimate(
        value=float(values.mean()),
        low=low,
        high=high,
        n=size,
        method=f"mean of {n_resamples} times {whole.method}, on {share:.0%} of the stimuli",
        dropped=near.dropped,
        scale=float(np.mean([one.scale for one in found])),
        seed=seed,
        note=f"standard deviation over resamples {values.std(ddof=1):.3g}",
    )


def _through_gram(state: Mapping[str, Any], **options: Any) -> Estimate:
    near = neighbourhoods_in(state, "two_nn_resampled", fewest=FEWEST)

    gram = state.get("gram")

    def within(subset: Integers) -> Neighbourhoods:
        if gram is not None:
            return nearest_within(near, subset, 2, gram)
        part, short = neighbourhoods_within(near, subset, 2)
        if len(short):
            raise BadInput(
                f"two_nn_resampled needs 2 neighbours of every stimulus in a part of the stimuli, but this summary kept "
                f"{near.k} of each and no Gram matrix, which leaves {len(short)} stimuli with fewer. Keep more "
                "neighbours or the Gram matrix, or resample a larger share."
            )
        return part

    return _resampled(near, within, **options)


@metric(
    needs="gram",
    through=_through_gram,
    unit="dimensions",
    reads="position",
    controls=("two_nn", "two_nn_decimation"),
    paper="Ansuini et al. 2019, doi:10.48550/arXiv.1905.12784",
)
def two_nn_resampled(
    responses: Any,
    *,
    n_resamples: int = 20,
    share: float = 0.9,
    seed: int = 0,
    fraction: float = 0.9,
    method: str = "fit",
) -> Estimate:
    """Intrinsic dimension (TwoNN) as the mean over random parts of the stimuli.

    Every part is drawn without replacement. Its neighbours are read from one list of the nearest of all stimuli, so that
    resampling costs no distance.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first.
    n_resamples : int
        Number of parts, at least 2.
    share : float
        Share of the stimuli in each, above 0 to 1.
    seed : int
        Seed of the drawing.
    fraction, method
        As in `two_nn`.

    Returns
    -------
    Estimate
        Mean dimension over parts. The interval is that of `two_nn` on all stimuli, longer for the fewer stimuli of one part
        by 1 / sqrt(share); the standard deviation over parts is in `note`.

    Raises
    ------
    TooFew
        For fewer than 6 distinct stimuli in a part.
    BadInput
        For NaN or infinite responses, wrong shapes, a share outside 0 to 1, or fewer than two resamples.

    When it misleads
    ----------------
    Parts of 90 % overlap by 90 %, so their standard deviation is several times smaller than the error of the estimate:
    it tells whether single stimuli carry the number, and never whether two stages differ. Fewer stimuli also mean a
    larger scale, so the mean lies slightly below `two_nn` where the dimension is high.

    References
    ----------
    Ansuini, Laio, Macke & Zoccolan 2019, doi:10.48550/arXiv.1905.12784.

    Examples
    --------
    >>> import numpy as np
    >>> round(two_nn_resampled(np.random.default_rng(0).random((300, 2))).value)
    2
    """
    points = checked_points(responses, "two_nn_resampled")
    near = neighbourhoods_of(points, max(LISTED, neighbours_read(2)), "two_nn_resampled", fewest=FEWEST)
    distinct = points[near.rows]

    def within(subset: Integers) -> Neighbourhoods:
        part, short = neighbourhoods_within(near, subset, 2)
        if len(short):  # hardly ever: search this part anew
            return neighbourhoods_of(distinct[subset], 2, "two_nn_resampled", fewest=FEWEST)
        return part

    options: dict[str, Any] = {"fraction": fraction, "method": method}
    return _resampled(near, within, n_resamples=n_resamples, share=share, seed=seed, **options)
