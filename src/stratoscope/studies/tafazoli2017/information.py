"""What each unit of an area tells about the stimulus, about luminance in its receptive field, and about the object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from stratoscope.errors import BadInput
from stratoscope.metrics.information import information_breakdown, object_information
from stratoscope.metrics.trials import checked_trials, equal_trials
from stratoscope.types import Floats, Integers

PAPER = "Tafazoli et al. 2017, doi:10.7554/eLife.22794"
RESPONSE_BINS = 3
#: Units count as informative below this p-value.
ALPHA = 0.05


@dataclass(frozen=True)
class AreaInformation:
    """Bits, one number a unit; every array is (unit,).

    Attributes
    ----------
    stimulus : array
        I(R;S), about which stimulus was shown.
    luminance : array
        I(R;L), about luminance in the receptive field.
    high : array
        I(R;S'|L) = I(R;S) - I(R;L), what is left when luminance is known.
    f_high : array
        I(R;S'|L) / I(R;S); NaN for units that are not informative, where it is a ratio of noise.
    objects : array
        I(R;O), about which of two objects was shown in any view; NaN for units without a pair of like luminance.
    control : array
        I(L;O) over the same pairs: what luminance alone tells about the object.
    p : array
        P-value of I(R;S) by the G-test (twice the likelihood ratio against chi squared).
    """

    stimulus: Floats
    luminance: Floats
    high: Floats
    f_high: Floats
    objects: Floats
    control: Floats
    p: Floats


def area_information(
    counts: Any,
    *,
    luminance: Any,
    objects: Any,
    chosen: Any = None,
    threshold: float = 0.9,
    correction: str = "panzeri-treves",
    n_trials: int | None = None,
    seed: int = 0,
) -> AreaInformation:
    """Measure the units of one area.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Counts of single trials, NaN where a repeat is absent.
    luminance : array (unit, stimulus)
        Luminance in each unit's receptive field (see `rf_luminance`), 0 and up.
    objects : array (stimulus,)
        Object that each stimulus is a view of.
    chosen : array (unit, stimulus) of bool, optional
        Stimuli that each unit is judged by, the 23 views of each object on its side in the paper; all by default.
    threshold : float
        Pairs of objects count above this luminosity ratio.
    correction : str
        As in `information_breakdown`.
    n_trials : int, optional
        Use as many random trials of every stimulus, so that areas are equally well known.
    seed : int
        Seed of that draw.

    Returns
    -------
    AreaInformation

    Raises
    ------
    BadInput
        Where luminance, objects and chosen stimuli do not fit the counts.

    When it misleads
    ----------------
    I(R;S) has as many values as stimuli, and its bias (0.05 bit with 26 trials) is as large as itself in a weak area: what
    is left after the correction differs between areas with other numbers of trials. f_high divides by it. I(R;O) pools
    views that differ in luminance as well: look at `control`.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794: 3 response bins, luminance in 23 bins of 10 stimuli, pairs above 0.9. They
    judged units by 100 permutations where this takes the G-test.
    """
    array = checked_trials(counts, "area_information")
    if n_trials is not None:
        array = equal_trials(array, n_trials, np.random.default_rng(seed))
    light = np.asarray(luminance, dtype=np.float64)
    names = np.asarray(objects)
    allowed = np.ones(array.shape[:0:-1], dtype=bool) if chosen is None else np.asarray(chosen, dtype=bool)
    _check(array, light, names, allowed)
    found = np.full((len(fields(AreaInformation)), array.shape[2]), np.nan)
    for units, stimuli in same_stimuli(allowed):
        part = array[:, stimuli][:, :, units]
        found[:, units] = _measured(part, light[np.ix_(units, stimuli)].T, names[stimuli], threshold, correction)
    return AreaInformation(*found)


def same_stimuli(chosen: NDArray[np.bool_]) -> Iterator[tuple[Integers, Integers]]:
    """Give units that are judged by the same stimuli together, and these stimuli."""
    kinds, which = np.unique(chosen, axis=0, return_inverse=True)
    for kind, row in enumerate(kinds):
        yield np.flatnonzero(which.ravel() == kind), np.flatnonzero(row)


def trial_rows(counts: Floats) -> tuple[Floats, Integers]:
    """Return the trials that are there one under the other (row, unit), and the stimulus of each row."""
    trial, stimulus = np.nonzero(np.isfinite(counts).all(axis=2))
    return counts[trial, stimulus], stimulus


def _measured(
    counts: Floats, luminance: Floats, objects: NDArray[Any], threshold: float, correction: str
) -> tuple[Floats, ...]:
    rows, stimulus = trial_rows(counts)
    light = luminance[stimulus]
    parts = information_breakdown(rows, light, stimulus, response_bins=RESPONSE_BINS, correction=correction)
    pairs = object_information(
        rows,
        objects[stimulus],
        luminance=light,
        threshold=threshold,
        response_bins=RESPONSE_BINS,
        correction=correction,
    )
    freedom = (parts.response_bins - 1) * (parts.n_stimuli - 1)
    p = np.asarray(chi2.sf(2 * np.log(2) * parts.n * parts.total_plugin, np.maximum(freedom, 1)))
    f_high = np.where(p < ALPHA, parts.f_high, np.nan)
    return parts.total, parts.luminance, parts.rest, f_high, pairs.corrected, pairs.control, p


def _check(counts: Floats, luminance: Floats, objects: NDArray[Any], chosen: NDArray[np.bool_]) -> None:
    _, n_stimuli, n_units = counts.shape
    wanted = (n_units, n_stimuli)
    if luminance.shape != wanted or chosen.shape != wanted or objects.shape != (n_stimuli,):
        raise BadInput(
            f"area_information needs luminance and chosen stimuli of shape (unit, stimulus) = {wanted} and one object a "
            f"stimulus, but luminance {luminance.shape}, chosen {chosen.shape} and objects {objects.shape} came. Give them for "
            "the stimuli of the counts, in their order."
        )
    own = np.isfinite(counts)
    if (own.any(axis=2) != own.all(axis=2)).any():
        raise BadInput(
            "area_information pools trials that all units of the area share, but some units miss trials that others have. "
            "Measure each session by itself."
        )
