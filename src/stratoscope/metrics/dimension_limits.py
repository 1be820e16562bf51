"""Dimensions of one area with ever more units, and with ever more stimuli."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.extrapolation import extrapolated
from stratoscope.metrics.noise_corrected import signal_gride
from stratoscope.metrics.signal_participation_ratio import signal_participation_ratio
from stratoscope.types import Estimate, Floats

FRACTIONS = (1.0, 0.7, 0.5)
_AXES = {"unit": 2, "stimulus": 1}


def dimension_limits(
    counts: Floats, rank: int, *, n_resamples: int = 2, blocks: int = 5, seed: int = 0
) -> Iterator[tuple[str, str, Estimate]]:
    """Extrapolate the noise-corrected dimensions of an area to infinitely many units, and stimuli.

    Parameters
    ----------
    counts : array (trial, stimulus, unit)
        Responses of single trials, NaN where a repeat is absent.
    rank : int
        Neighbour rank at which Gride is read, at all sizes; 0 leaves it out.
    n_resamples, blocks, seed
        As in `extrapolated`.

    Yields
    ------
    quantity, control, estimate
        ``gride`` (a line of the value in 1/n) and ``participation_ratio`` (of its inverse), with the control ``infinite units``
        or ``infinite stimuli``. NaN with a note where a subset has no number.

    When it misleads
    ----------------
    At one rank fewer stimuli mean a larger scale, so the limit of Gride in stimuli is a limit in scale as well. Noise-corrected
    dimensions hardly depend on the number of units, unless too few span the signal; raw ones grow with it.
    """
    for over, axis in _AXES.items():
        control = f"infinite {'units' if over == 'unit' else 'stimuli'}"
        if rank:
            yield "gride", control, _limit(counts, rank, over, axis, n_resamples, blocks, seed)
        yield "participation_ratio", control, _limit(counts, 0, over, axis, n_resamples, blocks, seed)


def _limit(counts: Floats, rank: int, over: str, axis: int, n_resamples: int, blocks: int, seed: int) -> Estimate:
    def dimension(part: Floats) -> float:
        if rank:
            return float(signal_gride(part, n1=(rank,), margin=-np.inf).value[0])
        return float(signal_participation_ratio(part).value)

    try:
        return extrapolated(
            counts,
            dimension,
            axis=axis,
            over=over,
            form="value" if rank else "inverse",
            fractions=FRACTIONS,
            n_resamples=n_resamples,
            blocks=blocks,
            seed=seed,
        )
    except BadInput as error:  # too few for a subset, or a subset whose signal does not stand out
        return Estimate(np.nan, np.nan, np.nan, counts.shape[axis], note=str(error))
