"""What single units do over stimuli: mean, variance, and whether they do anything at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.declare import metric
from stratoscope.metrics.responses import checked_finite, checked_responses
from stratoscope.types import Floats


def checked_unit_state(state: Mapping[str, Any], metric_name: str, *, fewest: int = 1) -> dict[str, Any]:
    """Return the state of the summary per_unit, or say that responses were missing or not finite."""
    bad = int(np.sum(state.get("n_nonfinite", 0)))
    if bad:
        raise BadInput(
            f"{metric_name} expects finite responses, but {bad} values are NaN or infinite. "
            "Leave out the stimuli or units they belong to."
        )
    n = int(np.min(state["n"]))
    if n < fewest:
        raise TooFew(f"{metric_name} needs at least {fewest} stimuli, but {n} came.")
    checked_finite(state["mean"], metric_name)
    return dict(state)


def _state_of(responses: Any, metric_name: str) -> dict[str, Any]:
    array = checked_responses(responses, metric_name, fewest=1)
    mean = array.mean(axis=0)
    return {
        "n": len(array),
        "mean": mean,
        "m2": ((array - mean) ** 2).sum(axis=0),
        "minimum": array.min(axis=0),
        "maximum": array.max(axis=0),
    }


def _mean(state: Mapping[str, Any]) -> Floats:
    return np.asarray(checked_unit_state(state, "unit_mean")["mean"], dtype=np.float64)


def _variance(state: Mapping[str, Any]) -> Floats:
    kept = checked_unit_state(state, "unit_variance")
    return np.asarray(np.asarray(kept["m2"], dtype=np.float64) / np.asarray(kept["n"]))


def _dead(state: Mapping[str, Any]) -> float:
    return float(np.mean(np.asarray(checked_unit_state(state, "dead_fraction")["maximum"]) <= 0))


def _constant(state: Mapping[str, Any], *, variance_floor: float = 0.0) -> float:
    kept = checked_unit_state(state, "constant_fraction", fewest=2)
    if not 0.0 <= variance_floor < 1.0:
        raise BadInput(
            f"variance_floor is a fraction of a unit's mean square, from 0 to below 1, but {variance_floor!r} came."
        )
    variance = np.asarray(kept["m2"]) / np.asarray(kept["n"])
    below = variance <= variance_floor * (variance + np.asarray(kept["mean"]) ** 2)
    return float(np.mean(below | (np.asarray(kept["maximum"]) == np.asarray(kept["minimum"]))))


@metric(
    needs="per_unit",
    through=_mean,
    dims=("unit",),
    unit="response",
    range=(-np.inf, np.inf),
    paper="arithmetic mean",
)
def unit_mean(responses: Any) -> Floats:
    """Mean response of each unit over stimuli.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite.

    Returns
    -------
    array (unit,)
        Mean, in the units of the source.

    Raises
    ------
    BadInput
        For NaN or infinite responses or wrong shapes.

    When it misleads
    ----------------
    It says nothing about a unit that answers few stimuli strongly: read it beside `lifetime_sparseness`.

    Examples
    --------
    >>> unit_mean([[1.0, 0.0], [3.0, 0.0]]).tolist()
    [2.0, 0.0]
    """
    return _mean(_state_of(responses, "unit_mean"))


@metric(
    needs="per_unit",
    through=_variance,
    dims=("unit",),
    unit="response²",
    paper="population variance (divisor n)",
)
def unit_variance(responses: Any) -> Floats:
    """Variance of each unit over stimuli, with divisor n.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite.

    Returns
    -------
    array (unit,)
        Variance, in the squared units of the source.

    Raises
    ------
    BadInput
        For NaN or infinite responses or wrong shapes.

    When it misleads
    ----------------
    In a recording it mixes what stimuli do with noise between trials; in a network there is no noise.

    Examples
    --------
    >>> unit_variance([[1.0, 0.0], [3.0, 0.0]]).tolist()
    [1.0, 0.0]
    """
    return _variance(_state_of(responses, "unit_variance"))


@metric(
    needs="per_unit", through=_dead, range=(0.0, 1.0), paper="fraction of units whose largest response is at most 0"
)
def dead_fraction(responses: Any) -> float:
    """Fraction of units that never respond above zero to any stimulus.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite.

    Returns
    -------
    float
        0 (every unit responds to something) to 1 (a dead stage). After a ReLU these units are always exactly zero.

    Raises
    ------
    BadInput
        For NaN or infinite responses or wrong shapes.

    When it misleads
    ----------------
    It depends on the stimuli: a unit dead on a hundred of them may answer the next. Before the non-linearity, or
    where responses are centred, "never above zero" is an accident of the offset; read `constant_fraction` there.

    Examples
    --------
    >>> dead_fraction([[1.0, 0.0], [3.0, 0.0]])
    0.5
    """
    return _dead(_state_of(responses, "dead_fraction"))


@metric(needs="per_unit", through=_constant, range=(0.0, 1.0), paper="fraction of units without variance over stimuli")
def constant_fraction(responses: Any, *, variance_floor: float = 0.0) -> float:
    """Fraction of units whose response is the same to every stimulus.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite; at least two stimuli.
    variance_floor : float
        A unit also counts if its variance is at most this fraction of its mean square; 0 to below 1.

    Returns
    -------
    float
        0 to 1; dead units after a ReLU are among them.

    Raises
    ------
    BadInput
        For NaN or infinite responses, wrong shapes, or a floor outside 0 to 1.
    TooFew
        For a single stimulus.

    When it misleads
    ----------------
    Float residue makes a constant unit vary in the last bits: with a floor of 0 it does not count. 1e-12 is above
    the residue of float32.

    Examples
    --------
    >>> constant_fraction([[1.0, 5.0], [3.0, 5.0]])
    0.5
    """
    if len(np.shape(responses)) == 2 and np.shape(responses)[0] < 2:
        raise TooFew(f"constant_fraction needs at least 2 stimuli, but {np.shape(responses)[0]} came.")
    return _constant(_state_of(responses, "constant_fraction"), variance_floor=variance_floor)
