"""One tile of units: counts of stimuli at each luminance, and the three parts of the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.information.bias import relevant_bins
from stratoscope.metrics.information.bins import Values, bin_codes, checked_bins
from stratoscope.metrics.information.counting import Counts
from stratoscope.metrics.information.entropies import plug_in
from stratoscope.metrics.information.plan import Options, Plan, plan_of
from stratoscope.metrics.information.properties import Property, of_units
from stratoscope.metrics.responses import checked_finite
from stratoscope.types import Floats


@dataclass(frozen=True)
class Setup:
    """A plan with stimuli as the one property, and the luminance bin of each (stimulus,) or (stimulus, unit)."""

    plan: Plan
    n_stimuli: int
    light: NDArray[np.uint8]
    bins: int
    shared: bool


@dataclass(frozen=True)
class Parts:
    """Plug-in bits and their bias (part, unit): total, luminance, rest."""

    bits: Floats
    bias: Floats
    occurring: NDArray[np.int64]
    varies: bool


def set_up(luminance: Any, stimuli: Any, bins: int | None, options: Options, n: int) -> Setup:
    """Read luminance and stimuli of `n` trials and prepare their counting."""
    options.check(n)
    codes, n_stimuli = _read_stimuli(stimuli, n)
    light = _of_stimuli(checked_finite(luminance, "information_breakdown", "luminance"), codes, n_stimuli)
    chosen = max(2, n_stimuli // 10) if bins is None else bins
    checked_bins(chosen, n_stimuli, "equipopulated", "luminance_bins")
    light_codes = bin_codes(light, chosen, binning="equipopulated", atom=False)
    plan = plan_of([Property("stimulus", codes, n_stimuli)], n, options)
    return Setup(plan, n_stimuli, light_codes, chosen, np.ndim(luminance) == 1)


def _read_stimuli(stimuli: Any, n: int) -> tuple[NDArray[np.int64], int]:
    labels = np.asarray(stimuli)
    if labels.shape != (n,):
        raise BadInput(
            f"information_breakdown needs the stimulus of each of the {n} trials, but shape {labels.shape} came. "
            "Give one label a trial."
        )
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    if len(names) < 4:
        raise TooFew(
            f"information_breakdown needs at least 4 stimuli, two at each of two luminances, but {len(names)} came."
        )
    if n < 2 * len(names):
        raise degenerate(f"{len(names)} stimuli were seen in {n} trials, most of them once")
    return codes.astype(np.int64), len(names)


def degenerate(what: str) -> BadInput:
    """Build the error for responses that do not vary at one stimulus, `what` saying so."""
    return BadInput(
        f"I(R;S) compares how responses vary between stimuli with how they vary at one stimulus, but {what}: P(r|s) is "
        "degenerate, and I(R;S) no more than the entropy of responses. Give trials; or, for responses without "
        "noise, ask about something coarser: unit_information about luminance, object_information over views."
    )


def _of_stimuli(luminance: Floats, codes: NDArray[np.int64], n_stimuli: int) -> Floats:
    """Return the luminance of every stimulus (stimulus, 1 or unit), which must be one in all its trials."""
    if luminance.ndim not in (1, 2) or len(luminance) != len(codes):
        raise BadInput(
            f"information_breakdown needs luminance for each of the {len(codes)} trials, as (trial,) or (trial, unit), "
            f"but shape {luminance.shape} came. Repeat the luminance of a stimulus for each of its trials."
        )
    table = luminance.reshape(len(codes), -1)
    first = np.zeros((n_stimuli, table.shape[1]))
    first[codes[::-1]] = table[::-1]
    if not np.array_equal(first[codes], table):
        raise BadInput(
            "information_breakdown splits by the luminance of stimuli, but it differs between trials of one stimulus. "
            "Give the luminance of the image shown, not one that was measured in each trial."
        )
    return first


def measure_parts(start: int, tile: Values, setup: Setup) -> Parts:
    """Measure the units of `tile` (trial, unit), the first being unit `start` of all."""
    plan, options = setup.plan, setup.plan.options
    codes = bin_codes(tile, options.response_bins, binning=options.binning, atom=options.atom)
    counts = np.stack(plan.packing.count(plan.columns, plan.packing.pack(codes)))
    light = setup.light if setup.shared else of_units(setup.light, start, start + tile.shape[1], "Luminance")
    at = [counts * (light == one) for one in range(setup.bins)]
    by_light = np.stack([one.sum(axis=1) for one in at], axis=1)
    bits = np.stack([plug_in(counts, plan.table), plug_in(by_light, plan.table), _rest(at, plan.table)])
    occurring = (counts.sum(axis=1) > 0).sum(axis=0)
    varies = bool(((counts > 0).sum(axis=0) > 1).any() or (occurring < 2).all())
    return Parts(bits, _bias(counts, by_light, occurring, options.correction), occurring, varies)


def _rest(at: Sequence[Counts], table: Floats) -> Floats:
    """Return Σ_l P(l) I(R;S | L = l) from the counts at each luminance, in one sum that is exact."""
    joint = sum(table.take(one).sum(axis=(0, 1)) for one in at)
    responses = sum(table.take(one.sum(axis=1)).sum(axis=0) for one in at)
    stimuli = sum(table.take(one.sum(axis=0)).sum(axis=0) for one in at)
    trials = sum(table.take(one.sum(axis=(0, 1))) for one in at)
    n = sum(one.sum(axis=(0, 1)) for one in at)
    return np.asarray((joint - responses - stimuli + trials) / n)


def _bias(counts: Counts, by_light: Counts, occurring: NDArray[np.int64], correction: str) -> Floats:
    if correction == "none":
        return np.zeros((3, counts.shape[2]))
    relevant = partial(relevant_bins, support=occurring, bayes=correction == "panzeri-treves")
    stimuli, light = (np.maximum(relevant(one) - 1.0, 0.0).sum(axis=0) for one in (counts, by_light))
    both = np.stack([stimuli - (occurring - 1), light - (occurring - 1), stimuli - light])
    return np.asarray(both / (2.0 * counts.sum(axis=(0, 1)) * np.log(2.0)))
