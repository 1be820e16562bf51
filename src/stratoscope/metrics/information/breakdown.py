"""How much of what a unit tells about stimuli is their luminance, and how much is the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.information.breakdown_tiles import Parts, Setup, degenerate, measure_parts, set_up
from stratoscope.metrics.information.plan import Options
from stratoscope.metrics.information.properties import PER_CELL, check_width
from stratoscope.metrics.information.table import UNITS_AT_A_TIME
from stratoscope.metrics.information.tiles import Blocks, tiles
from stratoscope.metrics.responses import checked_choice
from stratoscope.summaries.threads import in_threads
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
    setup = set_up(luminance, stimuli, luminance_bins, options, n)
    return _assemble(setup, list(in_threads(lambda part: measure_parts(*part, setup=setup), parts)))


def _assemble(setup: Setup, measured: Sequence[Parts]) -> InformationBreakdown:
    if not any(part.varies for part in measured):
        raise degenerate("no unit ever answers one stimulus in two ways")
    bits, bias = (np.concatenate([getattr(part, one) for part in measured], axis=1) for one in ("bits", "bias"))
    total, luminance, rest = bits - bias
    occurring = np.concatenate([part.occurring for part in measured])
    if not setup.shared:
        check_width(setup.light, len(occurring), "Luminance")
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
