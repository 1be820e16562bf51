"""The power spectrum of an image without its border, where its centre of gravity is, and how steeply it falls."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, sparse

from stratoscope.stimuli.properties.luminance import check_size, luminance_images
from stratoscope.types import Floats

#: Highest frequency that exists in every direction, in cycles/pixel.
NYQUIST = 0.5
#: Power below this share of the squared mean luminance is rounding: the image is uniform.
ROUNDING = 1e-20
#: Rings with less than this share of the strongest ring's power are empty.
EMPTY = 1e-14
FEWEST_RINGS = 4


def power_spectrum(images: ArrayLike, *, periodic: bool = False) -> Floats:
    """Power of every spatial frequency of the periodic part of every image.

        P(f) = c |û_p(f)|² / N²,  c = 2 for frequencies that stand for their mirror image too, 1 otherwise

    The Fourier transform takes an image as one tile of a wallpaper, and the steps between tiles draw a bright cross on the
    spectrum. The image is therefore split into a periodic and a smooth part (Moisan 2011) and the periodic part is
    transformed; for an object on a uniform background the smooth part is zero and nothing changes.

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    periodic : bool, optional
        The image goes on from one side to the other (gratings of whole cycles, noise made by Fourier synthesis): its
        spectrum is taken as it is.

    Returns
    -------
    array (stimulus, row, column // 2 + 1), float64
        Squared luminance, frequencies in the order of ``numpy.fft.rfft2``. All but the first entry add up to the
        variance of the periodic part; proportional to the square of gain, unchanged by circular shifts.

    Raises
    ------
    BadInput
        As `luminance_images`, or images that are too small.

    When it misleads
    ----------------
    The smooth part takes a gradient of light over the whole image with it. Where a pattern of high contrast is cut by the
    border (a grating of half cycles), the ramp that mends the step is itself power at low frequencies; and where neighbouring pixels have nothing in
    common, as in white noise, each border is a step and the lowest
    frequencies gain power (the slope of white noise reads −0.2 at 64 pixels).

    References
    ----------
    Moisan 2011, doi:10.1007/s10851-010-0227-1
    """
    return power_of(luminance_images(images), periodic=periodic)


def power_of(luminance: Floats, *, periodic: bool = False) -> Floats:
    """Power spectrum of luminance images (stimulus, row, column)."""
    check_size(luminance, "A power spectrum")
    transform = fft.rfft2(luminance)
    if not periodic:
        transform = transform - _smooth_part(luminance)
    power = transform.real**2 + transform.imag**2
    return np.asarray(power * (_mirrored(luminance.shape[1:]) / np.prod(luminance.shape[1:]) ** 2))


def _smooth_part(luminance: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """Transform of the smooth part: the solution of Poisson's equation with the steps at the border as sources."""
    rows, columns = luminance.shape[1:]
    q, r = fft.fftfreq(rows)[:, None], fft.rfftfreq(columns)[None]
    across = fft.rfft(luminance[:, -1] - luminance[:, 0])[:, None] * (1 - np.exp(2j * np.pi * q))
    down = fft.fft(luminance[:, :, -1] - luminance[:, :, 0])[:, :, None] * (1 - np.exp(2j * np.pi * r))
    laplacian = 2 * np.cos(2 * np.pi * q) + 2 * np.cos(2 * np.pi * r) - 4
    laplacian[0, 0] = 1.0  # the sources add up to zero there: the mean stays with the periodic part
    return np.asarray((across + down) / laplacian)


def _mirrored(shape: tuple[int, ...]) -> Floats:
    """How many frequencies each column of a half spectrum stands for, (column // 2 + 1,)."""
    columns = shape[1]
    times = np.full(columns // 2 + 1, 2.0)
    times[0] = 1.0
    if columns % 2 == 0:
        times[-1] = 1.0
    return times


def frequencies(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Frequency along rows and along columns of a half spectrum, in cycles/pixel, each (row, column // 2 + 1)."""
    rows, columns = shape
    down, across = np.meshgrid(fft.fftfreq(rows), fft.rfftfreq(columns), indexing="ij")
    return down, across


def band(shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Frequencies from above zero to the highest that exists in every direction, (row, column // 2 + 1) bool."""
    radius = np.hypot(*frequencies(shape))
    return np.asarray((radius > 0) & (radius <= NYQUIST + 1e-12))


def varying(luminance: Floats, power: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether each image has power above rounding, (stimulus,) bool."""
    total = power.sum(axis=(1, 2)) - power[:, 0, 0]
    return np.asarray(total > ROUNDING * luminance.mean(axis=(1, 2)) ** 2)


def spatial_frequency(images: ArrayLike, *, periodic: bool = False) -> Floats:
    """Centre of gravity of the power spectrum: the mean spatial frequency, weighted by power.

        f_c = Σ |f| P(f) / Σ P(f)  over 0 < |f| ≤ 0.5 cycles/pixel

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    periodic : bool, optional
        The image goes on from one side to the other (gratings of whole cycles, noise made by Fourier synthesis): its
        spectrum is taken as it is.

    Returns
    -------
    array (stimulus,), float64
        Cycles per image (along its shorter side), 1 to half of the pixels; NaN for a uniform image. Unchanged by
        gain, added light and circular shifts; inverse to scale where the spectrum ends within the band (a sharp edge
        has no such end, so its frequency falls more slowly).

    Raises
    ------
    BadInput
        As `power_spectrum`.

    When it misleads
    ----------------
    For a small object it says how small it is. Resampling moves it, so compare images of one size only.

    References
    ----------
    Field 1987, doi:10.1364/JOSAA.4.002379 (spectra of natural images)
    """
    luminance = luminance_images(images)
    return frequency_of(luminance, power_of(luminance, periodic=periodic))


def frequency_of(luminance: Floats, power: Floats) -> Floats:
    """Centre of gravity of power spectra (stimulus, row, column // 2 + 1), in cycles per image."""
    shape = luminance.shape[1:]
    inside = band(shape)
    chosen = power[:, inside]
    radius = np.hypot(*frequencies(shape))[inside] * min(shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(varying(luminance, power), chosen @ radius / chosen.sum(axis=1), np.nan)


def spectral_slope(images: ArrayLike, *, periodic: bool = False) -> Floats:
    """Slope of the radially averaged power spectrum in double logarithmic axes.

        log <P>_ring = slope · log <|f|>_ring + constant,  rings of one cycle per image from 1 to half of the pixels

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    periodic : bool, optional
        The image goes on from one side to the other (gratings of whole cycles, noise made by Fourier synthesis): its
        spectrum is taken as it is.

    Returns
    -------
    array (stimulus,), float64
        Dimensionless: 0 for white noise, about −2 for natural images (amplitude 1/f), about −3 for a disc or a single
        edge. NaN for a uniform image and where fewer than four rings have power. Unchanged by gain, added light
        and circular shifts.

    Raises
    ------
    BadInput
        As `power_spectrum`.

    When it misleads
    ----------------
    A straight line is fitted whether or not the spectrum is one; for gratings, textures and small objects it is not.
    All rings weigh the same, so the many rings of high frequency, where resampling and compression act, decide.

    References
    ----------
    Field 1987, doi:10.1364/JOSAA.4.002379
    """
    luminance = luminance_images(images)
    return slope_of(luminance, power_of(luminance, periodic=periodic))


def slope_of(luminance: Floats, power: Floats) -> Floats:
    """Slope of power spectra (stimulus, row, column // 2 + 1)."""
    log_frequency, rings = radial_average(luminance.shape[1:], power)
    full = (rings > EMPTY * rings.max(axis=1, keepdims=True)) & varying(luminance, power)[:, None]
    n = full.sum(axis=1)
    x = np.where(full, log_frequency, 0.0)
    y = np.log(np.where(full, rings, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = np.where(full, x - (x.sum(axis=1) / n)[:, None], 0.0)
        slope = (dx * y).sum(axis=1) / (dx**2).sum(axis=1)
    return np.where(n >= FEWEST_RINGS, slope, np.nan)


def radial_average(shape: tuple[int, ...], power: Floats) -> tuple[Floats, Floats]:
    """Log of the mean frequency (cycles per image) of each ring, (ring,), and its mean power, (stimulus, ring)."""
    inside = band(shape)
    radius = np.hypot(*frequencies(shape))[inside] * min(shape)
    times = np.broadcast_to(_mirrored(shape), inside.shape)[inside]
    ring = np.maximum(np.rint(radius).astype(np.int64), 1) - 1
    membership = sparse.csr_array((np.ones(len(ring)), (ring, np.arange(len(ring)))))
    members = membership @ times
    return np.log(membership @ (radius * times) / members), np.asarray((membership @ power[:, inside].T).T / members)
