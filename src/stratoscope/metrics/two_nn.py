"""TwoNN: intrinsic dimension from the first two neighbours of every point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from stratoscope.metrics.declare import metric
from stratoscope.metrics.halves import SPLITS, Reading, half_variances, neighbours_read, too_shallow
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.neighbourhoods import Neighbourhoods, check_enough, neighbourhoods_in, neighbourhoods_of
from stratoscope.metrics.piecewise import piecewise_linear
from stratoscope.metrics.responses import checked_choice, checked_fraction
from stratoscope.types import Estimate, Floats

FEWEST = 6
METHODS = ("fit", "ml", "ml-unbiased")
#: Takes log ratios and returns what they add to the estimate.
Influence: TypeAlias = Callable[[Floats], Floats]


def log_ratios(near: Neighbourhoods, first: int, second: int, metric_name: str) -> tuple[Floats, dict[str, int]]:
    """Return log(r_second / r_first) of every point, NaN where r_first is 0 or the two are tied, and what was dropped."""
    inner, outer = near.distance[:, first - 1], near.distance[:, second - 1]
    zero = inner <= 0
    tied = ~zero & (inner == outer)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(zero | tied, np.nan, np.log(outer / inner))
    dropped = {**near.dropped, "zero distances": int(zero.sum()), "ties": int(tied.sum())}
    check_enough(int(np.isfinite(ratios).sum()), dropped["duplicates"], metric_name, FEWEST)
    return ratios, dropped


def _fit(ratios: Floats, fraction: float) -> tuple[float, Influence]:
    """Fit -log(1 - F) = d log mu; return d and the influence of a ratio on it."""
    ordered = np.sort(ratios[np.isfinite(ratios)])
    n = len(ordered)
    kept = max(2, min(int(np.floor(fraction * n + 1e-9)), n - 2))
    x, y = ordered[:kept], -np.log1p(-np.arange(1, kept + 1) / n)
    square = float(x @ x)
    d = float(x @ y) / square
    slope = np.concatenate([[0.0], n * (y - 2 * d * x) / square])
    knots = np.concatenate([[0.0], x])
    risen = np.concatenate([[0.0], np.cumsum(0.5 * (slope[1:] + slope[:-1]) * np.diff(knots))])
    return d, piecewise_linear(knots, risen)


def _likelihood(ratios: Floats, method: str) -> tuple[float, Influence]:
    used = ratios[np.isfinite(ratios)]
    top = len(used) - (1 if method == "ml-unbiased" else 0)
    d = top / float(used.sum())
    return d, lambda some: -(d**2) * some


def _ratios(logs: Floats) -> Floats:
    """Return log(r2 / r1), NaN for zero distances and ties, of log distances (..., [1, 2])."""
    with np.errstate(invalid="ignore"):
        ratios = logs[..., 1] - logs[..., 0]
        return np.asarray(np.where((ratios > 0) & np.isfinite(ratios), ratios, np.nan))


def two_nn_of(near: Neighbourhoods, *, fraction: float = 0.9, method: str = "fit", splits: int = SPLITS) -> Estimate:
    """Return TwoNN from neighbourhoods that are known already."""
    checked_choice(method, METHODS, "method of two_nn")
    checked_fraction(fraction, "fraction")
    ratios, dropped = log_ratios(near, 1, 2, "two_nn")
    d, influence = _fit(ratios, fraction) if method == "fit" else _likelihood(ratios, method)
    used = np.isfinite(ratios)
    reading = Reading((1, 2), lambda logs: influence(_ratios(logs)))
    note = too_shallow(near, 2)
    variance = np.nan if note else half_variances(near, [reading], splits=splits)[0]
    low, high = log_interval(d, float(np.sqrt(variance)))
    return Estimate(
        value=d,
        low=float(low),
        high=float(high),
        n=int(used.sum()),
        method=f"two_nn {method}{f' {fraction:g}' if method == 'fit' else ''}; interval from {splits} random halves",
        dropped=dropped,
        scale=float(near.distance[used, :2].mean()),
        note=note,
    )


def _through_gram(state: Mapping[str, Any], **options: Any) -> Estimate:
    return two_nn_of(neighbourhoods_in(state, "two_nn", fewest=FEWEST), **options)


@metric(
    needs="gram",
    nearest=2,
    through=_through_gram,
    unit="dimensions",
    reads="position",
    controls=("gride", "two_nn_decimation", "levina_bickel", "participation_ratio", "shuffled"),
    paper="Facco et al. 2017, doi:10.1038/s41598-017-11873-y",
)
def two_nn(responses: Any, *, fraction: float = 0.9, method: str = "fit") -> Estimate:
    """Intrinsic dimension of the responses at the scale of the two nearest neighbours (TwoNN).

    With r1 and r2 the Euclidean distances of a point to its two nearest neighbours and mu = r2 / r1, the density
    of points being constant on that scale, log mu is exponential with rate d. ``fit`` sorts mu, sets F(mu_i) = i/N
    and fits -log(1 - F) = d log mu through the origin on the smallest `fraction` of ratios. ``ml`` is N / Σ log mu.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first, ties r1 = r2 are dropped; both are counted in `dropped`.
    fraction : float
        Fraction of ratios, smallest first, that ``fit`` uses; above 0 to 1. The last two are never used, as 1 - F is
        0 there.
    method : str
        ``fit``, ``ml`` (equal to `gride` with n1 = 1), or ``ml-unbiased``, (N - 1) / Σ log mu.

    Returns
    -------
    Estimate
        Dimension, 95 % interval for the mean of such estimates at this number of stimuli, and mean of r1 and r2 as
        scale, in the units of the responses. The interval comes from the disagreement of random halves of the stimuli
        (`stratoscope.metrics.halves`); it does not allow for the bias of the estimator.

    Raises
    ------
    TooFew
        For fewer than 6 distinct stimuli, which includes a stage where all responses are equal.
    BadInput
        For NaN or infinite responses, wrong shapes, or a fraction outside 0 to 1.

    When it misleads
    ----------------
    It reads low in high dimension: by 2 % up to d = 5, 14 % for 6 to 20 and 35 % above 20 on benchmark manifolds
    with 2,000 points, and doubling their number gains little. It reads the smallest scale, where noise lives: 150
    Poisson neurons with 26 trials each read 21.6 for a true 2; single trials or pure noise grow with the number of
    neurons. So look at `gride` along scales before comparing areas of different size. Near duplicates that are
    not exact (the same image stored twice with other compression) still pull it down.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio 2017, doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.random.default_rng(0).random((500, 2)) @ np.ones((2, 3)) * [1, 2, 3]  # a line in 3 dimensions
    >>> round(two_nn(plane).value)
    1
    """
    near = neighbourhoods_of(responses, neighbours_read(2), "two_nn", fewest=FEWEST, exact=2)
    return two_nn_of(near, fraction=fraction, method=method)
