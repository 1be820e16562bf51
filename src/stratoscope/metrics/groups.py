"""Dimension of every object or category, and of all together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.matched import Estimator, declared, plain, stimuli_matched, stimuli_matched_in
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.subset import subsets_in
from stratoscope.types import Estimate, Floats, Integers

#: Distances less certain than this are spoken of in the note.
_WORTH_SAYING = 1e-6


@dataclass(frozen=True)
class PerGroup:
    """Dimension by group of stimuli.

    Attributes
    ----------
    names : tuple of str
        The groups, sorted.
    each : tuple of Estimate
        Dimension of each; NaN, with the reason as note, where a group has too few distinct stimuli.
    mean : Estimate
        Mean over the groups that have a number, with the 95 % t interval over groups; `n` is how many groups.
    whole : Estimate
        Dimension of all stimuli together.
    matched : Estimate
        Dimension of random subsets of all stimuli, of the median size of the groups: what `mean` is to be compared
        with, because fewer stimuli read another scale and another bias.
    """

    names: tuple[str, ...]
    each: tuple[Estimate, ...]
    mean: Estimate
    whole: Estimate
    matched: Estimate


def dimension_per_group(
    responses: Any,
    groups: Any,
    estimator: Estimator = "two_nn",
    *,
    n_resamples: int = 20,
    seed: int = 0,
    **options: Any,
) -> PerGroup:
    """Dimension of the responses to every object (or category), and to all.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    groups : array (stimulus,)
        Object or category of every stimulus.
    estimator : str or callable
        `two_nn`, `gride`, `participation_ratio` ..., by name or as the function.
    n_resamples : int
        Number of random subsets behind ``matched``.
    seed : int
        Seed of these.
    **options
        Options of the estimator.

    Returns
    -------
    PerGroup

    Raises
    ------
    TooFew
        Where no group has enough distinct stimuli.
    BadInput
        For NaN or infinite responses, or groups that are not one for every stimulus.

    When it misleads
    ----------------
    The views of one object fill few dimensions but few of them were shown: with 38 views a dimension above 5 is
    out of reach of any estimator. The t interval takes objects as a sample of objects; their number is small.

    References
    ----------
    Averaging over classes: Ansuini, Laio, Macke & Zoccolan 2019, arXiv:1905.12784.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.random.default_rng(0).random((400, 2)) @ np.ones((2, 3)) * [1, 2, 3]  # a line
    >>> found = dimension_per_group(points, np.repeat(["cup", "shoe"], 200))
    >>> found.names, round(found.mean.value)
    (('cup', 'shoe'), 1)
    """
    array = checked_responses(responses, "dimension_per_group")
    metric = declared(estimator)
    names, members = _members(groups, len(array))
    each = [_of(metric.function, array[rows], options) for rows in members]
    _refuse_none(names, each)
    matched = stimuli_matched(array, _median_size(members), estimator, n_resamples=n_resamples, seed=seed, **options)
    return _gathered(names, each, metric.function(array, **options), matched)


def dimension_per_group_in(
    state: Mapping[str, Any],
    groups: Any,
    estimator: Estimator = "two_nn",
    *,
    n_resamples: int = 20,
    seed: int = 0,
    **options: Any,
) -> PerGroup:
    """Do what `dimension_per_group` does from the state of the summary gram.

    `groups` has one entry for every stimulus in ``state["rows"]``. `subset_in` says how exact distances of a group
    are; the note of an estimate speaks of it where the nearest may be off by more than 10^-6.
    """
    metric = declared(estimator)
    names, members = _members(groups, len(state["distances"]))
    subset = subsets_in(state)
    each = [_in(metric.through, subset(rows), options) for rows in members]
    _refuse_none(names, each)
    matched = stimuli_matched_in(state, _median_size(members), estimator, n_resamples=n_resamples, seed=seed, **options)
    return _gathered(names, each, metric.through(state, **options), matched)


def _members(groups: Any, n: int) -> tuple[tuple[str, ...], list[Integers]]:
    labels: NDArray[Any] = np.asarray(groups)
    if labels.shape != (n,):
        raise BadInput(
            f"groups must name the group of each of the {n} stimuli, so an array of shape ({n},), but {labels.shape} came."
        )
    found, codes = np.unique(labels.astype(str), return_inverse=True)
    return tuple(str(name) for name in found), [np.flatnonzero(codes == code) for code in range(len(found))]


def _median_size(members: list[Integers]) -> int:
    return int(np.median([len(rows) for rows in members]))


def _of(function: Callable[..., Estimate], argument: Any, options: Mapping[str, Any]) -> Estimate:
    try:
        return function(argument, **options)
    except TooFew as error:
        return Estimate(np.nan, np.nan, np.nan, 0, note=str(error))


def _in(through: Callable[..., Estimate], state: Mapping[str, Any], options: Mapping[str, Any]) -> Estimate:
    estimate = _of(through, state, options)
    if state["relative_error"] < _WORTH_SAYING:
        return estimate
    said = f"distances of this group come from inner products and may be off by {state['relative_error']:.0e}"
    return replace(estimate, note="; ".join(part for part in (estimate.note, said) if part))


def _refuse_none(names: tuple[str, ...], each: list[Estimate]) -> None:
    if not any(np.isfinite(estimate.value).any() for estimate in each):
        raise TooFew(f"None of the {len(names)} groups has a dimension. The first, {names[0]}, said: {each[0].note}")


def _gathered(names: tuple[str, ...], each: list[Estimate], whole: Estimate, matched: Estimate) -> PerGroup:
    shape = np.shape(whole.value)
    values = np.array([np.broadcast_to(estimate.value, shape) for estimate in each], dtype=np.float64)
    low, middle, high = _t_interval(values)
    known = int(np.isfinite(values).any(axis=tuple(range(1, values.ndim))).sum())
    note = f"{len(names) - known} of {len(names)} groups gave no number" if known < len(names) else ""
    mean = Estimate(
        plain(middle), plain(low), plain(high), known, method=f"mean over {known} groups; t interval", note=note
    )
    return PerGroup(names, tuple(each), mean, whole, matched)


def _t_interval(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return low, mean and high over the first axis, of what is finite; NaN ends for fewer than two."""
    given = np.isfinite(values)
    count = given.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(given, values, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(given, (values - middle) ** 2, 0.0).sum(axis=0) / (count - 1) / count)
        half = student.ppf(0.975, np.maximum(count - 1, 1)) * spread
    half = np.where(count > 1, half, np.nan)
    return middle - half, middle, middle + half
