"""Luminance and contrast as one neuron sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.stimuli.properties.silhouette import TOLERANCE, Background, silhouettes_of
from stratoscope.types import Floats

TAFAZOLI = "Tafazoli et al. 2017, doi:10.7554/eLife.22794"


def rf_luminance(images: ArrayLike, rf: ArrayLike, *, white: float = 1.0) -> Floats:
    """Luminance within the receptive field, in percent of the largest possible.

        L_RF = 100 Σ_x w(x) L(x) / (L_white Σ_x w(x)),   w = RF / max RF

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.
    rf : array (row, column) or (neuron, row, column)
        Raw receptive field map (responses, 0 and up) on the pixels of the images; the map itself, not a fit to it.
    white : float, optional
        Luminance of the brightest full field that can be shown.

    Returns
    -------
    array (stimulus,) or (neuron, stimulus), float64
        Percent, 0 to 100. Proportional to gain; unchanged when the map is scaled, or image and map shift together.

    Raises
    ------
    BadInput
        A map of another shape than the images, with negative, NaN or only zero values; brighter pixels than white.

    When it misleads
    ----------------
    A raw map has a floor of spontaneous responses over the whole screen, so that light far outside counts; subtract it
    first where it is large. Off responses are treated as on responses.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794

    Examples
    --------
    >>> rf_luminance(np.array([[[1.0, 0.0]]]), np.array([[1.0, 3.0]])).tolist()
    [25.0]
    """
    return rf_luminance_of(luminance_images(images), rf, white)


def rf_luminance_of(luminance: Floats, rf: ArrayLike, white: float = 1.0) -> Floats:
    """RF luminance in percent of luminance images (stimulus, row, column)."""
    maps, single = checked_maps(rf, luminance.shape[1:])
    if luminance.size and luminance.max() > white * (1 + 1e-9):
        raise BadInput(f"Pixels are brighter ({luminance.max():.4g}) than white ({white:.4g}). Give white=.")
    weights = maps.reshape(len(maps), -1)
    possible = weights.sum(axis=1, keepdims=True) * white
    values = 100 * (weights @ luminance.reshape(len(luminance), -1).T) / possible
    return np.asarray(values[0] if single else values)


def checked_maps(rf: ArrayLike, shape: tuple[int, ...]) -> tuple[Floats, bool]:
    """Return maps (neuron, row, column) divided by their maxima, and whether a single one was given."""
    maps = np.asarray(rf, dtype=np.float64)
    if maps.ndim not in {2, 3} or maps.shape[-2:] != tuple(shape):
        raise BadInput(
            f"A receptive field map covers the pixels of the images, (row, column) = {tuple(shape)}, alone or with a "
            f"first axis for neurons; came the shape {maps.shape}. Resample the map to the images, or the images to it."
        )
    single = maps.ndim == 2
    maps = maps[None] if single else maps
    largest = maps.max(axis=(1, 2), initial=-np.inf)
    bad = ~np.isfinite(maps).all(axis=(1, 2)) | (maps.min(axis=(1, 2), initial=np.inf) < 0) | ~(largest > 0)
    if bad.any():
        raise BadInput(
            f"{bad.sum()} of {len(maps)} receptive field maps hold NaN, negative or only zero values (first: neuron "
            f"{int(np.argmax(bad))}). A raw map is a response rate: finite, 0 and up, not all zero."
        )
    return maps / largest[:, None, None], single


def rf_coverage(
    images: ArrayLike,
    rf: ArrayLike,
    *,
    background: Background = 0.0,
    inside: float = 0.0,
    tolerance: float = TOLERANCE,
) -> Floats:
    """Share of the receptive field that each stimulus covers with its silhouette.

    Parameters
    ----------
    images, rf
        As `rf_luminance`.
    background, tolerance
        As `silhouettes`.
    inside : float, optional
        Pixels are inside the receptive field where RF / max RF is above this.

    Returns
    -------
    array (stimulus,) or (neuron, stimulus), float64
        0 to 1.

    Raises
    ------
    BadInput
        As `rf_luminance`; or no map value is above `inside`.

    When it misleads
    ----------------
    A raw map is seldom exactly zero, so with ``inside=0`` the receptive field is the whole screen. The paper does not
    say where it drew the line; half of the maximum (0.5) is a common choice.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794
    """
    luminance = luminance_images(images)
    maps, single = checked_maps(rf, luminance.shape[1:])
    covered = _coverage(silhouettes_of(luminance, background, tolerance), _inside(maps, inside))
    return covered[0] if single else covered


def _inside(maps: Floats, level: float) -> NDArray[np.bool_]:
    """Pixels within each receptive field, (neuron, pixel)."""
    if not 0 <= level < 1:
        raise BadInput(
            f"Inside the receptive field is where RF / max RF exceeds a level from 0 to below 1; came {level}."
        )
    return np.asarray((maps > level).reshape(len(maps), -1))


def _coverage(silhouettes: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Floats:
    flat = silhouettes.reshape(len(silhouettes), -1).astype(np.float64)
    return np.asarray((inside @ flat.T) / inside.sum(axis=1, keepdims=True))


def rf_contrast(
    images: ArrayLike,
    rf: ArrayLike,
    *,
    background: Background = 0.0,
    inside: float = 0.0,
    min_coverage: float = 0.1,
    min_conditions: int = 23,
    tolerance: float = TOLERANCE,
) -> Floats:
    """Contrast within the receptive field: the spread of the RF-weighted luminance values inside it.

        C_RF = SD over x inside the RF of w(x) L(x),   w = RF / max RF

    Parameters
    ----------
    images, rf
        As `rf_luminance`.
    background, inside, tolerance
        As `rf_coverage`, which says which conditions cover enough of the receptive field.
    min_coverage : float, optional
        Conditions that cover less than this share of the receptive field are NaN.
    min_conditions : int, optional
        Neurons with fewer conditions than this are NaN throughout.

    Returns
    -------
    array (stimulus,) or (neuron, stimulus), float64
        In the unit of the images, 0 to 0.5 for RGB; proportional to gain.

    Raises
    ------
    BadInput
        As `rf_luminance` and `rf_coverage`.

    When it misleads
    ----------------
    The map itself varies, so a uniform field has contrast wherever the map is not flat; and it grows with luminance,
    from which it must be told apart by conditioning.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794 (10 % and 23 are theirs)
    """
    luminance = luminance_images(images)
    values = rf_contrast_of(
        luminance, rf, silhouettes_of(luminance, background, tolerance), inside=inside, min_coverage=min_coverage
    )
    return enough_conditions(values, min_conditions)


def rf_contrast_of(
    luminance: Floats, rf: ArrayLike, silhouettes: NDArray[np.bool_], *, inside: float, min_coverage: float
) -> Floats:
    """RF contrast of luminance images (stimulus, row, column); NaN where too little of the RF is covered."""
    maps, single = checked_maps(rf, luminance.shape[1:])
    within = _inside(maps, inside)
    flat = luminance.reshape(len(luminance), -1)
    weights = maps.reshape(len(maps), -1)
    spread = np.stack([(flat[:, here] * w[here]).std(axis=1) for w, here in zip(weights, within, strict=True)])
    values = np.where(_coverage(silhouettes, within) >= min_coverage - 1e-12, spread, np.nan)
    return np.asarray(values[0] if single else values)


def enough_conditions(values: Floats, minimum: int = 23) -> Floats:
    """Set neurons with fewer than `minimum` conditions that are not NaN to NaN; values (..., stimulus)."""
    enough = (~np.isnan(values)).sum(axis=-1, keepdims=True) >= minimum
    return np.where(enough, values, np.nan)
