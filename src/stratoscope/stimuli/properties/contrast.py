"""How much luminance varies over an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.types import Floats


def luminance_sd(images: ArrayLike) -> Floats:
    """Standard deviation of luminance over the pixels of every image.

        σ_L = √( 1/N Σ (L − <L>)² )

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.

    Returns
    -------
    array (stimulus,), float64
        In the unit of the images; 0 to 0.5 for RGB. Proportional to gain, unchanged by an added constant.

    Raises
    ------
    BadInput
        As `luminance_images`.

    When it misleads
    ----------------
    A small object on a large background has little of it, whatever its own contrast.

    References
    ----------
    Moulden, Kingdom & Gatley 1990, doi:10.1068/p190079
    """
    return np.asarray(luminance_images(images).std(axis=(1, 2)))


def rms_contrast(images: ArrayLike) -> Floats:
    """RMS contrast of every image: the standard deviation of luminance over its mean.

        C = σ_L / <L>

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.

    Returns
    -------
    array (stimulus,), float64
        0 (uniform) to √(N − 1); NaN for a black image. Unchanged by shifts and by gain. A full-contrast sinusoidal
        grating has 1/√2, a balanced black and white image 1.

    Raises
    ------
    BadInput
        As `luminance_images`.

    When it misleads
    ----------------
    On a dark background it grows as the object shrinks, √(1/p − 1) for a uniform object on a share p of the image:
    then it measures size. It knows nothing of spatial frequency.

    References
    ----------
    Frazor & Geisler 2006, doi:10.1016/j.visres.2005.06.038; Peli 1990, doi:10.1364/JOSAA.7.002032 (why one number an
    image is a coarse description)

    Examples
    --------
    >>> rms_contrast(np.array([[[0.0, 1.0], [1.0, 0.0]]])).tolist()
    [1.0]
    """
    return contrast_of(luminance_images(images))


def contrast_of(luminance: Floats) -> Floats:
    """RMS contrast of luminance images (stimulus, row, column)."""
    mean = luminance.mean(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mean > 0, luminance.std(axis=(1, 2)) / mean, np.nan)
