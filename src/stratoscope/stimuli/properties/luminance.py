"""From pixels to luminance: the one conversion that every other property starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stratoscope.errors import BadInput, unknown_name
from stratoscope.types import Floats

#: Share of red, green and blue in luminance.
WEIGHTS = {"rec709": (0.2126, 0.7152, 0.0722), "rec601": (0.299, 0.587, 0.114), "mean": (1 / 3, 1 / 3, 1 / 3)}
#: How pixel values stand for light.
ENCODINGS = ("linear", "srgb")
WHITE_OF = {"b": 1, "u1": 255, "u2": 65535}
#: Smallest side, in pixels, at which spectra and gradients mean anything.
SMALLEST = 16


def luminance_images(images: ArrayLike, *, weights: str = "rec709", encoding: str = "linear") -> Floats:
    """Luminance of every pixel, as a share of the brightest possible for RGB and 8- or 16-bit images.

        L = w_R R + w_G G + w_B B,  with R, G, B as stored (linear) or after the sRGB decoding (srgb)

    Every property takes images in any of the forms below and converts them with the defaults of this function; to
    measure with other weights or another encoding, convert first and hand the result over.

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        Luminance, or red, green and blue. Bytes are divided by 255 and 16-bit integers by 65535. Floats are taken as
        they are: for RGB they lie in 0 to 1, for luminance any finite values from 0 up (such as cd/m²).
    weights : str, optional
        ``rec709`` (0.2126, 0.7152, 0.0722: the luminance of linear sRGB), ``rec601`` (0.299, 0.587, 0.114: the grey
        of most image libraries) or ``mean``. Grey images have the same luminance with all three.
    encoding : str, optional
        ``linear``: values are used as stored, which is right for images rendered without gamma, for screens that
        were linearised, and for asking about the numbers that a network receives. ``srgb``: values are
        gamma-encoded photographs and are decoded to light first.

    Returns
    -------
    array (stimulus, row, column), float64
        Luminance, 0 and up.

    Raises
    ------
    BadInput
        Another shape, values that are not finite or are negative, RGB beyond 1, integers of unknown range.
    UnknownName
        Unknown weights or encoding.

    When it misleads
    ----------------
    A photograph read as ``linear`` has its dark tones too bright: a stored 0.5 is 21 % of the light of white, not 50 %.
    Rat and mouse see other wavelengths than these weights stand for.

    References
    ----------
    ITU-R BT.709-6 (2015); ITU-R BT.601-7 (2011); IEC 61966-2-1 (1999) for the sRGB decoding.

    Examples
    --------
    >>> float(luminance_images(np.full((1, 2, 2, 3), 255, np.uint8))[0, 0, 0])
    1.0
    """
    if weights not in WEIGHTS:
        raise unknown_name("set of luminance weights", weights, WEIGHTS)
    if encoding not in ENCODINGS:
        raise unknown_name("encoding", encoding, ENCODINGS)
    values = _as_share_of_white(np.asarray(images))
    _check_values(values)
    if encoding == "srgb":
        values = _decoded(values)
    return values if values.ndim == 3 else np.asarray(values @ np.asarray(WEIGHTS[weights]))


def _as_share_of_white(images: NDArray[Any]) -> Floats:
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise BadInput(
            f"Images have the shape (stimulus, row, column) or (stimulus, row, column, 3); came {images.shape}. "
            "For a single image add a first axis: image[None]."
        )
    if 0 in images.shape[1:]:
        raise BadInput(f"Images have at least one pixel; came the shape {images.shape}.")
    kind = images.dtype.kind
    if kind == "f":
        return images.astype(np.float64, copy=False)
    white = WHITE_OF.get(kind if kind == "b" else f"{kind}{images.dtype.itemsize}")
    if white is None:
        raise BadInput(
            f"Images are bytes (uint8), 16-bit integers (uint16), bool or floats; came {images.dtype}, whose white is "
            "unknown. Divide by the value of white first."
        )
    return np.asarray(images / white, dtype=np.float64)


def _check_values(values: Floats) -> None:
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        first = int(np.argmin(finite))
        raise BadInput(
            f"{(~finite).sum()} of {len(values)} images hold NaN or infinite pixels (first: image {first}). "
            "Leave them out or mend them; a property of half an image would not be comparable."
        )
    if values.size and values.min() < 0:
        raise BadInput(
            f"Luminance cannot be negative; the smallest pixel is {values.min():.4g}. "
            "Undo the normalisation (times the standard deviation, plus the mean) before measuring."
        )
    if values.ndim == 4 and values.size and values.max() > 1 + 1e-9:
        raise BadInput(f"RGB floats run from 0 to 1; the largest is {values.max():.4g}. Divide by the value of white.")


def _decoded(values: Floats) -> Floats:
    """Undo the sRGB transfer function: stored value 0 to 1 to linear light 0 to 1."""
    if values.size and values.max() > 1 + 1e-9:
        raise BadInput(f"sRGB values run from 0 to 1; the largest is {values.max():.4g}. Divide by the value of white.")
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def check_size(luminance: Floats, what: str) -> None:
    """Refuse images (stimulus, row, column) that are too small for `what`."""
    if min(luminance.shape[1:]) < SMALLEST:
        rows, columns = luminance.shape[1:]
        raise BadInput(f"{what} needs images of at least {SMALLEST} x {SMALLEST} pixels; came {rows} x {columns}.")


def mean_luminance(images: ArrayLike) -> Floats:
    """Mean luminance of every image.

        <L> = 1/N Σ L

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.

    Returns
    -------
    array (stimulus,), float64
        In the unit of the images; 0 (black) to 1 (white) for RGB. Unchanged by shifts, proportional to gain.

    Raises
    ------
    BadInput
        As `luminance_images`.

    When it misleads
    ----------------
    A neuron sees its receptive field, not the image: a small bright object far from it counts here. See `rf_luminance`.

    References
    ----------
    Frazor & Geisler 2006, doi:10.1016/j.visres.2005.06.038
    """
    return np.asarray(luminance_images(images).mean(axis=(1, 2)))
