"""Dimension at a matched number of units or stimuli, so that stages of different size can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.subset import subsets_in
from stratoscope.types import Estimate, Floats, Integers, Metric

#: A registered metric that gives an `Estimate`, or its name.
Estimator: TypeAlias = "str | Callable[..., Estimate]"


def units_matched(
    responses: Any,
    n_units: int,
    estimator: Estimator = "two_nn",
    *,
    n_resamples: int = 20,
    seed: int = 0,
    **options: Any,
) -> Estimate:
    """Dimension of the responses of random subsets of `n_units` units.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    n_units : int
        Size of the subsets: that of the smallest stage or area compared.
    estimator : str or callable
        `two_nn`, `gride`, `participation_ratio` ..., by name or as the function.
    n_resamples : int
        Number of subsets, each drawn without replacement.
    seed : int
        Seed of the drawing.
    **options
        Options of the estimator.

    Returns
    -------
    Estimate
        Mean over subsets. Low and high lie as far from it as other units and other stimuli would move it, together: the
        distance of the ends that hold 95 % of the subsets, and the estimator's own, averaged over subsets, added in squares.
        Of an estimator without an interval the first alone, and none where all units are taken. Draws that gave no number
        (all units dead) are counted in the note and in no mean.

    Raises
    ------
    TooFew
        Where there are fewer than `n_units` units, or no draw gave a number.
    BadInput
        For NaN or infinite responses, wrong shapes, fewer than one unit or two resamples.

    When it misleads
    ----------------
    What other units would change is underestimated where the subsets overlap much, and where few are drawn. The bias of
    the estimator is in no interval. A linear projection on d units cannot show more than d dimensions, so a small match
    flattens a curve.
    """
    array = checked_responses(responses, "units_matched")
    rows = _draws(array.shape[1], n_units, "units", "units_matched", n_resamples, seed)
    found = [_or_none(declared(estimator).function, array[:, units], options) for units in rows]
    return _summary(found, f"{n_resamples} random subsets of {n_units} units", seed, same_stimuli=True)


def stimuli_matched(
    responses: Any,
    n_stimuli: int,
    estimator: Estimator = "two_nn",
    *,
    n_resamples: int = 20,
    seed: int = 0,
    **options: Any,
) -> Estimate:
    """Dimension of random subsets of `n_stimuli` stimuli.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    n_stimuli : int
        Size of the subsets: that of the smallest set or group compared.
    estimator, n_resamples, seed, **options
        As in `units_matched`.

    Returns
    -------
    Estimate
        Mean over subsets; low and high hold 95 % of them.

    Raises
    ------
    TooFew
        Where there are fewer than `n_stimuli` stimuli, or no draw gave a number.
    BadInput
        For NaN or infinite responses, wrong shapes, fewer than one stimulus or two resamples.

    When it misleads
    ----------------
    Subsets overlap when `n_stimuli` is a large part of the stimuli, and the interval is then too narrow; it has no width
    where all are taken. Fewer stimuli mean a larger scale (see `gride`), not only more noise.
    """
    array = checked_responses(responses, "stimuli_matched")
    rows = _draws(len(array), n_stimuli, "stimuli", "stimuli_matched", n_resamples, seed)
    found = [_or_none(declared(estimator).function, array[chosen], options) for chosen in rows]
    return _summary(found, f"{n_resamples} random subsets of {n_stimuli} stimuli", seed)


def stimuli_matched_in(
    state: Mapping[str, Any],
    n_stimuli: int,
    estimator: Estimator = "two_nn",
    *,
    n_resamples: int = 20,
    seed: int = 0,
    **options: Any,
) -> Estimate:
    """Do what `stimuli_matched` does from the state of the summary gram; `subset_in` says how exact that is."""
    rows = _draws(len(state["distances"]), n_stimuli, "stimuli", "stimuli_matched", n_resamples, seed)
    subset = subsets_in(state)
    found = [_or_none(declared(estimator).through, subset(chosen), options) for chosen in rows]
    return _summary(found, f"{n_resamples} random subsets of {n_stimuli} stimuli", seed)


def declared(estimator: Estimator) -> Metric:
    """Return the declaration of a metric that reads pairs and gives an `Estimate`."""
    found = METRICS[estimator if isinstance(estimator, str) else estimator.__name__]
    if found.needs != "gram" or found.unit != "dimensions":
        raise BadInput(
            f"An estimator of dimension was expected, such as two_nn, gride or participation_ratio, but {found.name} came, "
            f"which gives {found.unit!r} from the summary {found.needs!r}."
        )
    return found


def _draws(n: int, size: int, what: str, name: str, n_resamples: int, seed: int) -> list[Integers]:
    if n_resamples < 2:
        raise BadInput(f"n_resamples must be at least 2, but {n_resamples!r} came.")
    if size < 1:
        raise BadInput(f"{name} draws at least 1 of the {what}, but {size!r} came.")
    if size > n:
        raise TooFew(f"{name} draws {size} {what}, but there are {n}.")
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(n, size, replace=False)) for _ in range(n_resamples)]


def _or_none(function: Callable[..., Any], argument: Any, options: Mapping[str, Any]) -> Estimate | str:
    try:
        estimate: Estimate = function(argument, **options)
    except TooFew as error:
        return str(error)
    return estimate


def _summary(found: list[Estimate | str], method: str, seed: int, *, same_stimuli: bool = False) -> Estimate:
    given = [estimate for estimate in found if isinstance(estimate, Estimate)]
    if not given:
        raise TooFew(f"None of {method} gave a number. The first said: {found[0]}")
    values = np.array([np.asarray(estimate.value, dtype=np.float64) for estimate in given])
    low, high = _quantiles(values)
    if same_stimuli:  # subsets of stimuli differ by what other stimuli would change, subsets of units do not
        low, high = _with_own(values, low, high, given)
    scales = [estimate.scale for estimate in given if estimate.scale is not None]
    note = f"{len(found) - len(given)} of {len(found)} draws gave no number" if len(given) < len(found) else ""
    return Estimate(
        plain(values.mean(axis=0)),
        plain(low),
        plain(high),
        min(estimate.n for estimate in given),
        method=f"{method}: {given[0].method}",
        scale=plain(np.mean(scales, axis=0)) if scales else None,
        seed=seed,
        note="; ".join(part for part in (note, given[0].note) if part),
    )


def _quantiles(values: Floats) -> tuple[Floats, Floats]:
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    return np.asarray(low), np.asarray(high)


def _with_own(values: Floats, low: Floats, high: Floats, given: list[Estimate]) -> tuple[Floats, Floats]:
    """Widen the ends that hold the draws by the intervals that the draws have themselves."""
    middle = values.mean(axis=0)
    sides = []
    for end, own in ((low, [one.low for one in given]), (high, [one.high for one in given])):
        between = np.abs(end - middle)
        squared = np.mean((np.array(own, dtype=np.float64) - values) ** 2, axis=0)
        unknown = np.where(between > 0, between, np.nan)  # all units taken: their choice says nothing
        sides.append(np.where(np.isnan(squared), unknown, np.hypot(between, np.sqrt(squared))))
    return np.asarray(middle - sides[0]), np.asarray(middle + sides[1])


def plain(value: Any) -> Any:
    """Return an array as it is, and a single number as a float."""
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else array
