"""Intrinsic dimension at one stage: several estimators, scales, objects one by one, and matched numbers of units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import StratoscopeError
from stratoscope.metrics import dimension_per_group_in, units_matched
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.gride import N1
from stratoscope.studies.muratore2022.keep import Kept
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.write import Writer

#: Estimators that give one number from the pair geometry.
SINGLE = ("two_nn", "two_nn_calibrated", "levina_bickel", "participation_ratio", "participation_ratio_corrected")
#: Dearer ones, for the trained network alone.
DEAR = ("ess", "two_nn_decimation")
#: Mean over objects of the dimension of each.
OBJECTS = "object_dimension"
DECLARED_METRICS = (*SINGLE, "gride", *DEAR)


def write_dimensions(
    write: Writer,
    kept: Kept,
    responses: NDArray[Any],
    objects: NDArray[np.str_] | None,
    n_matched: int,
    protocol: Protocol,
    *,
    whole: bool,
) -> None:
    """Write down what dimension the stage reads.

    Parameters
    ----------
    kept : Kept
        With the pair geometry of all units over the stimuli of the dimension.
    responses : array (stimulus, unit)
        Of the sampled units, to the same stimuli.
    objects : array (stimulus,), optional
        Which object each of these stimuli shows.
    n_matched : int
        Units of the matched subsets: those of the narrowest stage.
    whole : bool
        Also the estimators that take long.
    """
    for name in SINGLE:
        _try(write, name, kept.gram)
    _try(write, "gride", kept.gram, ("n1", N1))
    if whole:
        _try(write, "ess", kept.gram)
        _decimation(write, kept.gram)
    _matched(write, responses, n_matched, protocol)
    if objects is not None:
        _by_object(write, kept.gram, objects, protocol)


def _try(write: Writer, name: str, gram: Mapping[str, Any], along: tuple[str, Any] | None = None) -> None:
    try:
        write.estimate(name, METRICS[name].through(gram), along)
    except StratoscopeError as error:
        write.failed(name, str(error))


def _decimation(write: Writer, gram: Mapping[str, Any]) -> None:
    name = "two_nn_decimation"
    try:
        found = METRICS[name].through(gram)
    except StratoscopeError as error:
        write.failed(name, str(error))
        return
    write.estimate(name, found, ("divisor", [2**i for i in range(len(np.asarray(found.value)))]))


def _matched(write: Writer, responses: NDArray[Any], n_matched: int, protocol: Protocol) -> None:
    control = f"matched to {n_matched} units"
    for name in ("two_nn", "participation_ratio"):
        try:
            found = units_matched(responses, n_matched, name, n_resamples=protocol.n_matched, seed=protocol.seed)
            write.number(name, found, control=control)
        except StratoscopeError as error:
            write.failed(name, str(error), control=control)


def _by_object(write: Writer, gram: Mapping[str, Any], objects: NDArray[np.str_], protocol: Protocol) -> None:
    try:
        found = dimension_per_group_in(
            gram, objects[np.asarray(gram["rows"])], "two_nn", n_resamples=protocol.n_matched, seed=protocol.seed
        )
    except StratoscopeError as error:
        write.failed(OBJECTS, str(error), item="mean over objects")
        return
    write.number(OBJECTS, found.mean, item="mean over objects")
    write.number(OBJECTS, found.matched, item="mean over objects", control="as many stimuli of all objects")
    write.array(OBJECTS, np.array([one.value for one in found.each]), "object")
