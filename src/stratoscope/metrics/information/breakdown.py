"""How much of what a unit tells about stimuli is their luminance, and how much is the rest."""

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
from stratoscope.metrics.information.properties import PER_CELL, Property
from stratoscope.metrics.information.table import UNITS_AT_A_TIME
from stratoscope.metrics.information.tiles import Blocks, tiles
from stratoscope.metrics.information.workers import each_tile
from stratoscope.metrics.responses import checked_choice, checked_finite
from stratoscope.types import Floats

CORRECTIONS = ("panzeri-treves", "panzeri-treves-naive", "miller-madow", "none")


@dataclass(frozen=True)
class InformationBreakdown:
    """I(R;S) = I(R;L) + I(R;S'|L) for every unit.

    Attributes
    ----------
    total, luminance, rest : array (unit,)
        I(R;S), I(R;L) and I(R;S'|L) in bits, corrected; the sum holds for them too.
    total_plugin, luminance_plugin, rest_plugin : array (unit,)
        The same before correction.
    f_high : array (unit,)
        rest / total, NaN where the total is not above 0.
    response_bins : array (unit,)
        Response bins that occur.
    per_cell : float
        Trials for each cell of stimuli and response bins, on average.
    n, n_stimuli, luminance_bins : int
        Trials, stimuli, and bins of luminance.
    correction : str
    notes : tuple of str
        What a reader must know.
    """

    total: Floats
    luminance: Floats
    rest: Floats
    total_plugin: Floats
    luminance_plugin: Floats
    rest_plugin: Floats
    f_high: Floats
    response_bins: NDArray[np.int64]
    per_cell: float
    n: int
    n_stimuli: int
    luminance_bins: int
    correction: str
    notes: tuple[str, ...] = ()


def information_breakdown(
    responses: Blocks,
    luminance: Any,
    stimuli: Any,
    *,
    response_bins: int = 3,
    luminance_bins: int | None = None,
    binning: str = "equipopulated",
    correction: str = "panzeri-treves",
    atom: bool = True,
    units_at_a_time: int = UNITS_AT_A_TIME,
) -> InformationBreakdown:
    """Split what each unit tells about stimuli into luminance and the rest: I(R;S) = I(R;L) + I(R;S'|L).

        I(R;S'|L) = Σ_l P(l) I(R;S | L = l),    f_high = I(R;S'|L) / I(R;S)

    For recordings with trials. L is a function of S, so the chain is exact before correction, and after it too, as the
    same count of relevant responses at each luminance enters both parts.

    Parameters
    ----------
    responses : array (trial, unit), or blocks of it
        Spike counts, or any finite response, one row a trial.
    luminance : array (trial,) or (trial, unit)
        Luminance (or contrast, or any other number) of the stimulus that was shown, the same in all its trials;
        (trial, unit) where it is that in the receptive field of each unit.
    stimuli : array (trial,)
        The stimulus that was shown.
    response_bins, binning, atom, units_at_a_time
        As in `information_table`.
    luminance_bins : int, optional
        Equipopulated bins of luminance over stimuli; without it one for every 10 stimuli, as published (23 for 230).
    correction : str
        ``panzeri-treves``, ``panzeri-treves-naive``, ``miller-madow`` (the same number) or ``none``.

    Returns
    -------
    InformationBreakdown

    Raises
    ------
    BadInput
        Where each stimulus is seen once, or always answered alike, so that P(r|s) is degenerate and I(R;S) no more than
        the entropy of responses; for NaN, luminance that changes between trials of a stimulus, or shapes that do not
        fit.
    TooFew
        For fewer than 4 stimuli.

    When it misleads
    ----------------
    The rest is all that is not luminance as binned: with coarse bins luminance leaks into it. Below 4 trials a cell the
    bias correction leaves bias in the rest first, which has more cells than luminance, so f_high rises with fewer trials.
    f_high of units that tell little is a ratio of two noises: look at the total first, and take medians.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794; Panzeri & Treves 1996, doi:10.1088/0954-898X/7/1/006.

    Examples
    --------
    >>> import numpy as np
    >>> stimulus = np.repeat(np.arange(4), 50)
    >>> light = stimulus // 2
    >>> noise = np.random.default_rng(0).integers(0, 2, 200)
    >>> units = np.stack([light + 2 * noise, stimulus % 2 + 2 * noise], axis=1)
    >>> found = information_breakdown(units, light, stimulus, response_bins=4, luminance_bins=2, correction="none")
    >>> found.f_high.round(1).tolist()
    [0.0, 1.0]
    """
    checked_choice(correction, CORRECTIONS, "correction of information_breakdown")
    options = Options(response_bins, binning, correction, atom)
    n, parts = tiles(responses, units_at_a_time, "information_breakdown")
    setup = _set_up(luminance, stimuli, luminance_bins, options, n)
    return _assemble(setup, each_tile(partial(_measure, setup=setup), parts))


@dataclass(frozen=True)
class _Setup:
    """A plan with stimuli as the one property, and the luminance bin of each (stimulus,) or (stimulus, unit)."""

    plan: Plan
    n_stimuli: int
    light: NDArray[np.uint8]
    bins: int


@dataclass(frozen=True)
class _Parts:
    """Plug-in bits and their bias (part, unit): total, luminance, rest."""

    bits: Floats
    bias: Floats
    occurring: NDArray[np.int64]
    varies: bool


def _set_up(luminance: Any, stimuli: Any, bins: int | None, options: Options, n: int) -> _Setup:
    options.check(n)
    codes, n_stimuli = _read_stimuli(stimuli, n)
    light = _of_stimuli(checked_finite(luminance, "information_breakdown", "luminance"), codes, n_stimuli)
    chosen = max(2, n_stimuli // 10) if bins is None else bins
    checked_bins(chosen, n_stimuli, "equipopulated", "luminance_bins")
    light_codes = bin_codes(light, chosen, binning="equipopulated", atom=False)
    plan = plan_of([Property("stimulus", codes, n_stimuli)], n, options)
    return _Setup(plan, n_stimuli, light_codes, chosen)


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
        raise _degenerate(f"{len(names)} stimuli were seen in {n} trials, most of them once")
    return codes.astype(np.int64), len(names)


def _degenerate(what: str) -> BadInput:
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


def _measure(start: int, tile: Values, setup: _Setup) -> _Parts:
    plan, options = setup.plan, setup.plan.options
    codes = bin_codes(tile, options.response_bins, binning=options.binning, atom=options.atom)
    counts = np.stack(plan.packing.count(plan.columns, plan.packing.pack(codes)))
    light = setup.light if setup.light.shape[1] == 1 else setup.light[:, start : start + tile.shape[1]]
    at = [counts * (light == one) for one in range(setup.bins)]
    by_light = np.stack([one.sum(axis=1) for one in at], axis=1)
    bits = np.stack([plug_in(counts, plan.table), plug_in(by_light, plan.table), _rest(at, plan.table)])
    occurring = (counts.sum(axis=1) > 0).sum(axis=0)
    varies = bool(((counts > 0).sum(axis=0) > 1).any() or (occurring < 2).all())
    return _Parts(bits, _bias(counts, by_light, occurring, options.correction), occurring, varies)


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


def _assemble(setup: _Setup, measured: Sequence[_Parts]) -> InformationBreakdown:
    if not any(part.varies for part in measured):
        raise _degenerate("no unit ever answers one stimulus in two ways")
    bits, bias = (np.concatenate([getattr(part, one) for part in measured], axis=1) for one in ("bits", "bias"))
    total, luminance, rest = bits - bias
    occurring = np.concatenate([part.occurring for part in measured])
    per_cell = setup.plan.n / (setup.n_stimuli * max(int(occurring.max()), 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        f_high = np.where(total > 0, rest / total, np.nan)
    few = (
        f"There are {per_cell:.1f} trials for each cell of stimuli and response bins, fewer than the {PER_CELL} that the "
        "bias correction needs: take fewer response bins or pool stimuli."
    )
    return InformationBreakdown(
        total=total,
        luminance=luminance,
        rest=rest,
        total_plugin=bits[0],
        luminance_plugin=bits[1],
        rest_plugin=bits[2],
        f_high=f_high,
        response_bins=occurring,
        per_cell=per_cell,
        n=setup.plan.n,
        n_stimuli=setup.n_stimuli,
        luminance_bins=setup.bins,
        correction=setup.plan.options.correction,
        notes=(few,) if per_cell < PER_CELL else (),
    )
