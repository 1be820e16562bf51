"""How many different values the pixels of an image take."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.types import Floats


def pixel_entropy(images: ArrayLike, *, levels: int = 256, white: float = 1.0) -> Floats:
    """Shannon entropy of the grey levels of every image.

        H = −Σ p_i log₂ p_i,  p_i the share of pixels at level i of `levels` equal steps from 0 to white

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.
    levels : int, optional
        Grey levels that are told apart; a pixel belongs to the nearest of 0, 1/(levels − 1), ..., 1 times white.
    white : float, optional
        Luminance of white.

    Returns
    -------
    array (stimulus,), float64
        Bits, 0 (uniform) to log₂ of the smaller of `levels` and the number of pixels. Unchanged by any
        rearrangement of the pixels.

    Raises
    ------
    BadInput
        Pixels brighter than white, fewer than two levels, or as `luminance_images`.

    When it misleads
    ----------------
    It is biased low where there are few pixels for the levels, it falls when an image is scaled in range, and it calls
    noise richer than any object. It says nothing about where the pixels are.

    References
    ----------
    Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x

    Examples
    --------
    >>> pixel_entropy(np.array([[[0.0, 1.0], [0.25, 0.75]]])).tolist()
    [2.0]
    """
    return entropy_of(luminance_images(images), levels, white)


def entropy_of(luminance: Floats, levels: int = 256, white: float = 1.0) -> Floats:
    """Entropy in bits of the grey levels of luminance images (stimulus, row, column)."""
    if levels < 2 or not white > 0:
        raise BadInput(f"Pixel entropy needs at least 2 levels and a positive white; came {levels} and {white}.")
    if luminance.size and luminance.max() > white * (1 + 1e-9):
        raise BadInput(f"Pixels are brighter ({luminance.max():.4g}) than white ({white:.4g}). Give white=.")
    n = len(luminance)
    level = np.rint(luminance.reshape(n, -1) * ((levels - 1) / white)).astype(np.int64)
    level += np.arange(n)[:, None] * levels
    counts = np.bincount(level.ravel(), minlength=n * levels).reshape(n, levels)
    return entropy_bits(counts)


def entropy_bits(counts: NDArray[np.int64] | Floats) -> Floats:
    """Entropy in bits of each row of non-negative `counts` (stimulus, bin); NaN where a row is empty."""
    total = np.asarray(counts.sum(axis=1, keepdims=True), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = counts / total
        bits = np.where(p > 0, p * np.log2(p), 0.0).sum(axis=1)
    return np.where(total[:, 0] > 0, np.abs(bits), np.nan)
