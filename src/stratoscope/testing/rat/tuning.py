"""How simulated units answer: a Gaussian receptive field, luminance in it, the object, the view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratoscope.stimuli.properties.receptive_field import rf_luminance
from stratoscope.testing.rat.design import WINDOW, AreaDesign
from stratoscope.testing.rat.scenes import Scenes
from stratoscope.types import Floats

#: Spread over units of weights, fields and latencies (standard deviation of the logarithm), and of mean counts.
SPREAD, COUNT_SPREAD = 0.3, 0.6
#: Share of the mean count that is there without a stimulus.
SPONTANEOUS = 0.15


@dataclass(frozen=True)
class Tuning:
    """The truth about the units of one area.

    Attributes
    ----------
    centre : array (unit, 2)
        Azimuth and elevation of the receptive field, degrees.
    sigma : array (unit, 2)
        Its standard deviations across and up, degrees.
    fields : array (unit, row, column)
        The receptive field on the pixels of the scenes, 0 to 1.
    luminance : array (unit, stimulus)
        Luminance in the receptive field, percent.
    latency : array (unit,)
        Seconds.
    expected : array (stimulus, unit)
        Expected count in the 150 ms from the latency, spontaneous spikes included.
    spontaneous : array (unit,)
        Spikes a second without a stimulus.
    """

    centre: Floats
    sigma: Floats
    fields: Floats
    luminance: Floats
    latency: Floats
    expected: Floats
    spontaneous: Floats


def tuned_units(area: AreaDesign, scenes: Scenes, rng: np.random.Generator) -> Tuning:
    """Draw the units of an area.

    The logarithm of a unit's rate is the sum of three drives, each of mean 0 over stimuli, with weights that vary over units:
    the square root of the luminance in the receptive field; one Gaussian number for each object; one for each
    single stimulus.
    """
    n = area.n_units
    centre = np.column_stack([rng.uniform(-22.5, 30.0, n), np.clip(rng.normal(0, 6, n), -20, 20)])
    sigma = area.field * np.exp(SPREAD / 2 * rng.standard_normal((n, 2)))
    fields = gaussian_fields(centre, sigma, scenes)
    luminance = np.asarray(rf_luminance(scenes.luminance, fields))
    codes = np.unique(scenes.objects, return_inverse=True)[1]
    drives = {
        "luminance": _standardised(np.sqrt(luminance)),
        "objects": _standardised(rng.standard_normal((n, codes.max() + 1))[:, codes]),
        "views": _standardised(rng.standard_normal((n, len(codes)))),
    }
    weights = {name: getattr(area, name) * np.exp(SPREAD * rng.standard_normal(n)) for name in drives}
    tuned = np.exp(sum(weights[name][:, None] * drive for name, drive in drives.items()))
    mean_count = area.mean_count * np.exp(COUNT_SPREAD * rng.standard_normal(n))
    evoked = tuned / tuned.mean(axis=1, keepdims=True) * (1 - SPONTANEOUS)
    spontaneous = mean_count * SPONTANEOUS
    latency = np.clip(area.latency * np.exp(SPREAD / 2 * rng.standard_normal(n)), 0.025, 0.15)
    expected = (evoked * mean_count[:, None] + spontaneous[:, None]).T
    return Tuning(centre, sigma, fields, luminance, latency, np.asarray(expected), spontaneous / WINDOW)


def gaussian_fields(centre: Floats, sigma: Floats, scenes: Scenes) -> Floats:
    """Return Gaussian receptive fields (unit, row, column) on the pixels of the scenes, 1 at their centre."""
    across = np.exp(-(((scenes.azimuth - centre[:, :1]) / sigma[:, :1]) ** 2) / 2)
    up = np.exp(-(((scenes.elevation - centre[:, 1:]) / sigma[:, 1:]) ** 2) / 2)
    return np.asarray(up[:, :, None] * across[:, None, :])


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred / centred.std(axis=1, keepdims=True))
