"""Stimuli as a network sees them: resized and cut as its input is, but in the colours of the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from stratoscope.errors import BadInput
from stratoscope.sources.feed import feed
from stratoscope.sources.network import Network
from stratoscope.types import Floats, Integers, Stimuli

#: Undoing a normalisation in float32 may leave 0..1 by this much.
ROUNDING = 1e-5


def seen(
    network: Network,
    stimuli: Stimuli,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    batch_size: int = 32,
    workers: int = 2,
) -> Iterator[tuple[Integers, Floats]]:
    """Yield the stimuli in batches, on the pixels of the network's input and with its normalisation undone.

    Parameters
    ----------
    network : Network
        Its preprocessing says how images are resized, cut and normalised.
    stimuli : Stimuli
        What to show. Arrays, which pass as inputs, are taken to be normalised as the network's inputs are.
    mean, std : sequence of float, optional
        Normalisation of each channel, (value - mean) / std; that of the preprocessing where it names it (all of ours
        do), none where there is no preprocessing.
    batch_size, workers : int
        As in `Network.play`.

    Yields
    ------
    rows : array (stimulus,)
    images : array (stimulus, row, column, 3) or, for one channel, (stimulus, row, column)
        As a share of white, 0 to 1.

    Raises
    ------
    BadInput
        A preprocessing that does not name its normalisation, values beyond 0 to 1, or two or more than three channels.
    """
    centre, spread = _normalisation(network.preprocess, mean, std)
    for batch in feed(stimuli, network.preprocess, batch_size=batch_size, workers=workers):
        if len(batch.rows):
            yield batch.rows, _undone(batch.images, centre, spread)


def _normalisation(preprocess: Any, mean: Sequence[float] | None, std: Sequence[float] | None) -> tuple[Floats, Floats]:
    known = preprocess is None or (hasattr(preprocess, "mean") and hasattr(preprocess, "std"))
    if (mean is None or std is None) and not known:
        raise BadInput(
            f"How {type(preprocess).__name__} normalises images is not known, so that it cannot be undone. "
            "Give mean= and std= of each channel, ((0,), (1,)) where it does not."
        )
    centre = getattr(preprocess, "mean", (0.0,)) if mean is None else mean
    spread = getattr(preprocess, "std", (1.0,)) if std is None else std
    return np.asarray(centre, dtype=np.float64), np.asarray(spread, dtype=np.float64)


def _undone(images: torch.Tensor, mean: Floats, std: Floats) -> Floats:
    if images.shape[1] not in (1, 3):
        raise BadInput(
            f"Images have one channel or three; these inputs have {images.shape[1]}. Properties of images cannot be read "
            "from them."
        )
    values = images.permute(0, 2, 3, 1).double().numpy() * std + mean
    if values.size and not (values.min() >= -ROUNDING and values.max() <= 1 + ROUNDING):
        raise BadInput(
            f"Pixels run from 0 to 1 once the normalisation is undone, but from {values.min():.4g} to {values.max():.4g} "
            "came. Give mean= and std= as the inputs were made with."
        )
    values = np.clip(values, 0.0, 1.0)
    return values if images.shape[1] == 3 else values[..., 0]
