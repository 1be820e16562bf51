"""What the simulated units truly tell, from their expected counts: no trials, no bias."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from stratoscope.metrics.information.bins import bin_codes
from stratoscope.studies.tafazoli2017.information import (
    RESPONSE_BINS,
    AreaInformation,
    area_information,
    same_stimuli,
    trial_rows,
)
from stratoscope.testing.rat.scenes import Scenes
from stratoscope.testing.rat.simulate import RatArea, SimulatedRat
from stratoscope.types import Floats, Integers

#: Stimuli that share a bin of luminance.
PER_LUMINANCE_BIN = 10


def luminance_bins(luminance: Floats) -> Integers:
    """Return the bin of luminance (stimulus, unit): ten stimuli each by rank, equal luminance by order."""
    ranks = np.argsort(np.argsort(luminance, axis=0, kind="stable"), axis=0)
    n_bins = max(2, len(luminance) // PER_LUMINANCE_BIN)
    return np.asarray(ranks * n_bins // len(luminance), dtype=np.int64)


def chosen_stimuli(area: RatArea, scenes: Scenes) -> NDArray[np.bool_]:
    """Return which stimuli each unit is judged by (unit, stimulus): the views on the side of its receptive field."""
    chosen = np.zeros(area.tuning.luminance.shape, dtype=bool)
    for unit, azimuth in enumerate(area.tuning.centre[:, 0]):
        chosen[unit, scenes.near(float(azimuth))] = True
    return chosen


def measured_information(
    rat: SimulatedRat, *, n_trials: int | None = None, seed: int = 0
) -> dict[str, AreaInformation]:
    """Measure every area of a simulated rat from its trials, as a recording would be."""
    return {
        area.name: area_information(
            area.counts,
            luminance=area.tuning.luminance,
            objects=rat.scenes.objects,
            chosen=chosen_stimuli(area, rat.scenes),
            n_trials=n_trials,
            seed=seed,
        )
        for area in rat.areas
    }


def true_information(rat: SimulatedRat, *, threshold: float = 0.9) -> dict[str, AreaInformation]:
    """Return what `measured_information` estimates, exactly.

    The response is the Poisson count in the bins that the trials were put into; stimuli have the frequencies with which
    they were shown. `p` is 0 for every unit, and so f_high is known for all of them.
    """
    return {area.name: _true_area(area, rat.scenes, threshold) for area in rat.areas}


def _true_area(area: RatArea, scenes: Scenes, threshold: float) -> AreaInformation:
    found = np.full((7, area.design.n_units), np.nan)
    for units, stimuli in same_stimuli(chosen_stimuli(area, scenes)):
        rows, _ = trial_rows(area.counts[:, stimuli][:, :, units])
        expected = area.tuning.expected[np.ix_(stimuli, units)]
        response = _bin_probabilities(rows, expected)
        light = area.tuning.luminance[np.ix_(units, stimuli)].T
        shown = area.n_trials[stimuli] / area.n_trials[stimuli].sum()
        found[:, units] = _true_units(response, light, scenes.objects[stimuli], shown, threshold)
    return AreaInformation(*found)


def _bin_probabilities(rows: Floats, expected: Floats) -> Floats:
    """Return the probability of every response bin (bin, stimulus, unit), the bins being those of the trials."""
    codes = bin_codes(rows, RESPONSE_BINS, binning="equipopulated", atom=True)
    top = np.zeros(
        (RESPONSE_BINS, rows.shape[1])
    )  # largest count of each bin; bins that do not occur end where others do
    for code in range(RESPONSE_BINS):
        top[code] = np.where(codes <= code, rows, -1).max(axis=0)
    cumulative = np.where(top[:, None, :] >= 0, pdtr(np.maximum(top, 0)[:, None, :], expected), 0.0)
    cumulative[-1] = 1.0
    return np.diff(cumulative, axis=0, prepend=0.0)


def _true_units(
    response: Floats, luminance: Floats, objects: NDArray[np.str_], shown: Floats, threshold: float
) -> tuple[Floats, ...]:
    whole = _information(response, shown, np.arange(len(shown)))
    bins = luminance_bins(luminance)
    light = np.array([_information(response[:, :, [u]], shown, bins[:, u])[0] for u in range(bins.shape[1])])
    pairs = np.stack(list(_pairs(response, luminance, objects, shown, threshold)))
    with np.errstate(invalid="ignore"):
        known = np.isfinite(pairs).sum(axis=0)
        mean = np.where(known > 0, np.nansum(pairs, axis=0) / np.maximum(known, 1), np.nan)
    nothing = np.full_like(whole, np.nan)
    return whole, light, whole - light, (whole - light) / whole, mean, nothing, np.zeros_like(whole)


def _pairs(
    response: Floats, luminance: Floats, objects: NDArray[np.str_], shown: Floats, threshold: float
) -> list[Floats]:
    """Information about which of two objects (pair of (unit,)), NaN where luminance differs too much."""
    names, codes = np.unique(objects, return_inverse=True)
    weights = np.stack([np.where(codes == code, shown, 0.0) for code in range(len(names))])
    means = weights @ luminance / weights.sum(axis=1, keepdims=True)
    found = []
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            rows = np.flatnonzero((codes == one) | (codes == other))
            ratio = np.minimum(means[one], means[other]) / np.maximum(means[one], means[other])
            bits = _information(
                response[:, rows], shown[rows] / shown[rows].sum(), (codes[rows] == one).astype(np.int64)
            )
            found.append(np.where(ratio > threshold, bits, np.nan))
    return found


def _information(response: Floats, shown: Floats, labels: Integers) -> Floats:
    """Return bits (unit,) between response bins (bin, stimulus, unit) and labels of the stimuli."""
    weights = np.zeros((labels.max() + 1, len(shown)))
    weights[labels, np.arange(len(shown))] = shown
    share = weights.sum(axis=1)
    weights, share = weights[share > 0], share[share > 0]
    joint = np.einsum("ls,bsu->lbu", weights, response)
    return np.asarray(_entropy(joint.sum(axis=0)) - share @ _entropy((joint / share[:, None, None]).swapaxes(0, 1)))


def _entropy(probability: Floats) -> Floats:
    """Return bits along the first axis."""
    safe = np.where(probability > 0, probability, 1.0)
    return np.asarray(-(safe * np.log2(safe)).sum(axis=0))
