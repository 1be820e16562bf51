"""Lifetime sparseness: how few stimuli drive one unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratoscope.metrics.declare import metric
from stratoscope.metrics.indices import index_of_sums, index_of_values
from stratoscope.metrics.moments import checked_unit_state
from stratoscope.metrics.responses import checked_choice, checked_responses
from stratoscope.types import Floats


def _with_silent(values: Floats, silent: str) -> Floats:
    checked_choice(silent, ("zero", "nan"), "way with silent units")
    return np.where(np.isnan(values), 0.0, values) if silent == "zero" else values


def _through_units(state: Mapping[str, Any], *, index: str = "treves-rolls", silent: str = "zero") -> Floats:
    sums = checked_unit_state(state, "lifetime_sparseness", fewest=2)
    if "l1" not in sums and np.min(sums["minimum"]) >= 0:
        sums["l1"] = np.asarray(sums["mean"]) * sums["n"]
    return _with_silent(index_of_sums(sums, index), silent)


@metric(
    needs="per_unit",
    through=_through_units,
    dims=("unit",),
    range=(0.0, 1.0),
    controls=("dead_fraction", "constant_fraction"),
    paper="Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273",
)
def lifetime_sparseness(responses: Any, *, index: str = "treves-rolls", silent: str = "zero") -> Floats:
    """Sparseness of each unit over stimuli, 0 (the same response to all) to 1 (a response to one alone).

    For n stimuli, S = (1 - (mean_s r)² / mean_s r²) / (1 - 1/n).

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite; at least two stimuli.
    index : str
        As in `population_sparseness`, along stimuli. A run does not keep what ``gini`` needs, nor, for
        stages with negative responses, what ``hoyer`` needs.
    silent : str
        What a unit that never responds reads: ``zero``, as published, or ``nan``.

    Returns
    -------
    array (unit,)
        Sparseness of every unit.

    Raises
    ------
    BadInput
        For NaN or infinite responses or wrong shapes.
    TooFew
        For fewer than two stimuli.

    When it misleads
    ----------------
    A silent unit counts as dense with ``silent="zero"`` and pulls the mean down: read it beside `dead_fraction`.
    It mixes selectivity with tolerance, so it need not change along a hierarchy (both V1 and LL of the rat have a
    median near 0.13 over 230 views), and it is unrelated to population sparseness in general. It assumes responses
    that are not negative: subtract nothing, or rectify first.

    References
    ----------
    Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273; Treves & Rolls 1991, doi:10.1088/0954-898X_2_4_004;
    Willmore & Tolhurst 2001, doi:10.1080/net.12.3.255.270.

    Examples
    --------
    >>> lifetime_sparseness([[0.0, 1.0, 0.0], [2.0, 1.0, 0.0]]).tolist()
    [1.0, 0.0, 0.0]
    """
    array = checked_responses(responses, "lifetime_sparseness", fewest=2)
    return _with_silent(index_of_values(np.ascontiguousarray(array.T), index), silent)
