"""Which orientations the contours of an image have: energy by band, the dominant one, and how mixed they are."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import ArrayLike

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties.edges import Gradients, gradients_of
from stratoscope.stimuli.properties.entropy import entropy_bits
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.stimuli.properties.spectrum import band, frequencies, power_of, varying
from stratoscope.types import Floats

BANDS = (4, 5, 6, 7, 8)
#: Below this share of the total, opposing orientations cancel and none dominates.
BALANCED = 1e-6
ORIENTATION_BINS = 24


def band_orientations(bands: int = 4) -> Floats:
    """Preferred orientation of each band, in degrees counter-clockwise from horizontal, (band,)."""
    if bands not in BANDS:
        raise BadInput(f"Orientation energy comes in {BANDS[0]} to {BANDS[-1]} bands; came {bands}.")
    return np.arange(bands, dtype=np.float64) * (180.0 / bands)


def orientation_energy(images: ArrayLike, *, bands: int = 4, periodic: bool = False) -> Floats:
    """Energy of every image in bands of contour orientation.

        E_k = Σ_f P(f) cos^{2(K−1)}(θ_f − θ_k) · 4^{K−1} / (K C(2K−2, K−1)),  θ_k = 180° k / K,  0 < |f| ≤ 0.5 cycles/pixel

    This is the squared output of a quadrature pair of steerable filters, added up over the image (by Parseval's
    theorem it can be read from the power spectrum), so it does not depend on polarity or phase. θ_f is the
    orientation of the bars of the grating with frequency f.

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    bands : int, optional
        K, 4 to 8. Band 0 is horizontal bars; orientation runs counter-clockwise.
    periodic : bool, optional
        As `power_spectrum`.

    Returns
    -------
    array (band, stimulus), float64
        Squared luminance, 0 and up; over the bands they add up to the variance of the image (its periodic part, without the
        corners of the spectrum). Proportional to the square of gain; unchanged by inverting contrast, by added
        light and by circular shifts.

    Raises
    ------
    BadInput
        As `power_spectrum`; another number of bands.

    When it misleads
    ----------------
    The bands are wide (half of the height at ±33° for K = 4), so a single grating fills several; all spatial
    frequencies count alike, so the coarse ones, which have the power, decide; and contours, shading and shape of the
    whole silhouette are not told apart.

    References
    ----------
    Freeman & Adelson 1991, doi:10.1109/34.93808; Adelson & Bergen 1985, doi:10.1364/JOSAA.2.000284;
    Moisan 2011, doi:10.1007/s10851-010-0227-1
    """
    luminance = luminance_images(images)
    return energy_of(luminance, power_of(luminance, periodic=periodic), bands)


def energy_of(luminance: Floats, power: Floats, bands: int = 4) -> Floats:
    """Energy by band (band, stimulus) from power spectra (stimulus, row, column // 2 + 1)."""
    preferred = np.deg2rad(band_orientations(bands))
    inside = band(luminance.shape[1:])
    theta = _contours(luminance.shape[1:])[inside]
    order = bands - 1
    total = bands * comb(2 * order, order) / 4**order
    tuning = np.cos(theta[None] - preferred[:, None]) ** (2 * order) / total
    return np.asarray(tuning @ power[:, inside].T)


def _contours(shape: tuple[int, ...]) -> Floats:
    """Orientation in radians of the bars of each frequency of a half spectrum, rows running downwards."""
    down, across = frequencies(shape)
    return np.asarray(np.arctan2(-down, across) + np.pi / 2)


def dominant_orientation(images: ArrayLike, *, periodic: bool = False) -> Floats:
    """Dominant contour orientation: the power-weighted circular mean of orientations.

        θ = ½ arg Σ_f P(f) e^{2iθ_f}

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    periodic : bool, optional
        As `power_spectrum`.

    Returns
    -------
    array (stimulus,), float64
        Degrees, 0 (horizontal) to below 180, counter-clockwise; NaN for a uniform image and where orientations balance
        (a disc, a checkerboard). Unchanged by gain, polarity and circular shifts; turns with the image.

    Raises
    ------
    BadInput
        As `power_spectrum`.

    When it misleads
    ----------------
    It exists for nearly every image, also where nothing dominates: read it with `orientation_coherence`. It is circular,
    so bins and correlations must be, too. A cross of two bars gives the stronger bar, never both.

    References
    ----------
    Mardia & Jupp 2000, Directional Statistics (mean of axial data)
    """
    luminance = luminance_images(images)
    return dominant_of(luminance, power_of(luminance, periodic=periodic))


def dominant_of(luminance: Floats, power: Floats) -> Floats:
    """Dominant orientation in degrees from power spectra."""
    resultant = _resultant(luminance, power)
    angle = np.rad2deg(np.angle(resultant) / 2) % 180
    angle = np.where(angle > 180 - 1e-9, 0.0, angle)
    return np.where(np.abs(resultant) > BALANCED, angle, np.nan)


def orientation_coherence(images: ArrayLike, *, periodic: bool = False) -> Floats:
    """How much one contour orientation prevails: length of the power-weighted mean of orientations.

        R = |Σ_f P(f) e^{2iθ_f}| / Σ_f P(f)

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    periodic : bool, optional
        As `power_spectrum`.

    Returns
    -------
    array (stimulus,), float64
        0 (all alike, or balanced) to 1 (a single orientation); NaN for a uniform image. Unchanged by gain, polarity
        and circular shifts.

    Raises
    ------
    BadInput
        As `power_spectrum`.

    When it misleads
    ----------------
    Two orthogonal orientations cancel to 0 although both are sharp; `orientation_entropy` tells that case apart.

    References
    ----------
    Mardia & Jupp 2000, Directional Statistics (mean resultant length)
    """
    luminance = luminance_images(images)
    return coherence_of(luminance, power_of(luminance, periodic=periodic))


def coherence_of(luminance: Floats, power: Floats) -> Floats:
    """Orientation coherence from power spectra."""
    return np.asarray(np.abs(_resultant(luminance, power)))


def _resultant(luminance: Floats, power: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    inside = band(luminance.shape[1:])
    chosen = power[:, inside]
    doubled = np.exp(2j * _contours(luminance.shape[1:])[inside])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(varying(luminance, power), chosen @ doubled / chosen.sum(axis=1), np.nan)


def orientation_entropy(images: ArrayLike, *, bins: int = ORIENTATION_BINS) -> Floats:
    """Entropy of contour orientation: how evenly edges of all orientations occur.

        H = −Σ_b p_b log₂ p_b,  p_b = share of the squared gradient |∇L|² with orientation in bin b

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels. The gradient is that of `edge_density`.
    bins : int, optional
        Bins of equal width over 180 degrees, the first centred on horizontal.

    Returns
    -------
    array (stimulus,), float64
        Bits, 0 (one orientation) to log₂ `bins` (all alike: a disc, noise); NaN for a uniform image. Unchanged by gain,
        polarity and shifts within the image.

    Raises
    ------
    BadInput
        As `luminance_images`; too small an image; fewer than two bins.

    When it misleads
    ----------------
    Noise has the largest entropy of all. Slanted edges on a pixel grid are staircases and spread over neighbouring bins,
    upright ones do not.

    References
    ----------
    Grebenkina et al. 2018, doi:10.3389/fnins.2018.00678 (first-order entropy of edge orientations, there by Gabor filters)
    """
    return entropy_from_gradients(gradients_of(luminance_images(images)), bins)


def entropy_from_gradients(gradients: Gradients, bins: int = ORIENTATION_BINS) -> Floats:
    """Orientation entropy in bits from gradients."""
    if bins < 2:
        raise BadInput(f"Orientation entropy needs at least 2 bins; came {bins}.")
    contour = np.arctan2(-gradients.down, gradients.across) / np.pi + 0.5
    which = np.rint(contour * bins).astype(np.int64) % bins
    n = len(which)
    weights = np.where(gradients.edged[:, None, None], gradients.squared, 0.0)
    counts = np.bincount((which + np.arange(n)[:, None, None] * bins).ravel(), weights.ravel(), n * bins)
    return entropy_bits(counts.reshape(n, bins))
