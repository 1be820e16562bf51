"""Image properties as the units of a network see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stratoscope.sources import Network
from stratoscope.sources.seen import seen
from stratoscope.stimuli.properties import luminance_images
from stratoscope.stimuli.properties.fields import Feature, FieldWeights, field_weights
from stratoscope.types import Floats, Stimuli


def unit_properties(
    network: Network,
    stimuli: Stimuli,
    fields: Mapping[str, Any],
    features: Sequence[Feature] = ("luminance", "contrast"),
    *,
    inside: float = 0.0,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    batch_size: int = 32,
    workers: int = 2,
) -> dict[str, dict[str, Floats]]:
    """Properties of every stimulus within the field of every unit, on the pixels that the network sees.

    Parameters
    ----------
    network : Network
        Its preprocessing resizes and cuts; its normalisation is undone before anything is measured.
    stimuli : Stimuli
        What to measure.
    fields : mapping of str to array (unit, row, column)
        Fields of the units of each stage, as `theoretical_fields` and `effective_fields` give them. One map of ones is the whole
        image, which is what a channel (a mean over positions) sees.
    features : sequence
        Properties by name, or functions; see `field_property`.
    inside : float
        See `field_property`.
    mean, std, batch_size, workers
        See `stratoscope.sources.seen.seen`.

    Returns
    -------
    dict of str to dict of str to array (stimulus, unit)
        By stage, then by property (a function by its name). NaN for units whose field is 0.

    Raises
    ------
    BadInput, UnknownName
        As `seen` and `field_property`.
    """
    names = [feature if isinstance(feature, str) else feature.__name__ for feature in features]
    values = {
        stage: {name: np.full((len(stimuli), len(maps)), np.nan) for name in names} for stage, maps in fields.items()
    }
    ready: dict[str, FieldWeights] = {}
    for rows, images in seen(network, stimuli, mean=mean, std=std, batch_size=batch_size, workers=workers):
        luminance = luminance_images(images)
        ready = ready or {stage: field_weights(maps, luminance.shape[1:]) for stage, maps in fields.items()}
        for stage, weights in ready.items():
            for name, feature in zip(names, features, strict=True):
                values[stage][name][rows] = weights.measure(luminance, feature, inside=inside)
    return values
