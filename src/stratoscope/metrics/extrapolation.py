"""What a dimension would be with ever more units or stimuli: subsamples of growing size, and a line through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_choice, checked_finite
from stratoscope.types import Estimate, Floats, Integers

FRACTIONS = (1.0, 0.75, 0.5, 0.35, 0.25)
FORMS = ("inverse", "value")
SMALLEST = 8


def extrapolated(
    data: Any,
    estimate: Callable[[Floats], float],
    *,
    axis: int,
    over: str,
    form: str = "inverse",
    fractions: Sequence[float] = FRACTIONS,
    n_resamples: int = 5,
    blocks: int = 10,
    seed: int = 0,
) -> Estimate:
    """Dimension in the limit of infinitely many units, or stimuli, from random subsets of those there are.

        1 / D(n) = 1 / D∞ + b / n   (``inverse``)        D(n) = D∞ + b / n   (``value``)

    is fitted by least squares to means over random subsets of size n. ``inverse`` is exact to first order for the
    participation ratio, in units and in stimuli.

    Parameters
    ----------
    data : array
        Responses (stimulus, unit) or counts (trial, stimulus, unit).
    estimate : callable
        ``estimate(subset) -> float``, such as ``lambda x: participation_ratio(x).value``.
    axis : int
        Axis that is subsampled.
    over : str
        What lies along it, in the singular: ``unit`` or ``stimulus``.
    form : str
        ``inverse`` or ``value``.
    fractions : sequence of float
        Sizes of the subsets as fractions of the axis, above 0 to 1; two different ones at least.
    n_resamples : int
        Random subsets of each size.
    blocks : int
        Blocks of the axis that the jackknife leaves out one by one for the interval.
    seed : int
        Seed of the subsets.

    Returns
    -------
    Estimate
        D∞ with the 95 % interval of the jackknife. For ``inverse`` NaN with a note where the line meets zero or below:
        with so few there is no limit in sight.

    Raises
    ------
    TooFew
        Where the smallest subset has fewer than 8 units or stimuli.
    BadInput
        For fractions outside 0 to 1 or all the same.

    When it misleads
    ----------------
    A line through five sizes says nothing of what happens beyond: areas hold more units than any recording, and a dimension
    that grows as a power of the number of units has no limit at all. Read the limit as a correction for unequal size, not
    as the dimension of the whole area.

    References
    ----------
    Lehky, Kiani, Esteky & Tanaka 2014, doi:10.1162/NECO_a_00648 (extrapolation in units and in stimuli); Gao et al. 2017,
    doi:10.1101/214262.

    Examples
    --------
    >>> from stratoscope.metrics import participation_ratio
    >>> x = np.random.default_rng(0).standard_normal((60, 10))
    >>> found = extrapolated(x, lambda part: participation_ratio(part).value, axis=0, over="stimulus")
    >>> round(participation_ratio(x).value, 1), round(found.value)
    (8.4, 10)
    """
    checked_choice(form, FORMS, "form of extrapolation")
    array = np.asarray(data, dtype=np.float64)
    sizes = _sizes(array.shape[axis], fractions, over)
    everyone = np.arange(array.shape[axis])

    def limit(members: Integers, seed: int) -> float:
        return _limit(array, estimate, axis, members, sizes, n_resamples, form, seed)

    value = limit(everyone, seed)
    folds = np.array_split(np.random.default_rng(seed).permutation(everyone), blocks)
    parts = np.array([limit(np.setdiff1d(everyone, fold), seed) for fold in folds])
    spread = float(np.sqrt((blocks - 1) / blocks * ((parts - parts.mean()) ** 2).sum())) * float(
        student.ppf(0.975, blocks - 1)
    )
    low, high = _ends(value, spread, form)
    inverse = form == "inverse"
    gone = inverse and value <= 0
    return Estimate(
        value=float("nan") if gone else 1 / value if inverse else value,
        low=low,
        high=high,
        n=len(everyone),
        method=f"{form} linear in 1/n over {len(sizes)} sizes of {over}, {n_resamples} subsets each; jackknife over {blocks} blocks",
        seed=seed,
        note=f"no limit in sight with {len(everyone)} of {over}" if gone else "",
    )


def _sizes(n: int, fractions: Sequence[float], over: str) -> Floats:
    given = np.asarray(fractions, dtype=np.float64)
    if given.ndim != 1 or not ((given > 0) & (given <= 1)).all() or len(set(given.tolist())) < 2:
        raise BadInput(f"Fractions lie above 0 and at most at 1, two different ones or more, but {fractions!r} came.")
    if int(given.min() * n * 0.9) < SMALLEST:
        raise TooFew(
            f"The smallest subset would hold {int(given.min() * n * 0.9)} of {over}, and extrapolation needs {SMALLEST}. "
            f"There are {n}; use larger fractions."
        )
    return given


def _limit(
    array: Floats,
    estimate: Callable[[Floats], float],
    axis: int,
    members: Integers,
    fractions: Floats,
    n_resamples: int,
    form: str,
    seed: int,
) -> float:
    """Return the intercept of the line in 1 / n."""
    rng = np.random.default_rng(seed)
    sizes, found = [], []
    for fraction in fractions:
        size = max(2, round(fraction * len(members)))
        draws = 1 if size == len(members) else n_resamples
        subsets = (np.sort(rng.choice(members, size, replace=False)) for _ in range(draws))
        sizes.append(size)
        found.append(np.mean([estimate(np.take(array, subset, axis=axis)) for subset in subsets]))
    values = checked_finite(found, "extrapolated", "estimates on subsets")
    return float(np.polyfit(1 / np.array(sizes), 1 / values if form == "inverse" else values, 1)[1])


def _ends(value: float, spread: float, form: str) -> tuple[float, float]:
    low, high = value - spread, value + spread
    if form == "value":
        return low, high
    if value <= 0:
        return float("nan"), float("nan")
    return 1 / high, 1 / low if low > 0 else float("inf")
