"""How much an image resembles its mirror image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stratoscope.errors import unknown_name
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.stimuli.properties.silhouette import Background, background_levels
from stratoscope.types import Floats

AXES = {"left-right": 2, "up-down": 1}
#: Differences from the background below this share of the brightest pixel are rounding.
ROUNDING = 1e-10


def symmetry(images: ArrayLike, axis: str = "left-right", *, background: Background | None = None) -> Floats:
    """Mirror symmetry of every image about its own centre of gravity.

        S = Σ d(x) d(x') / Σ d(x)²,  d = L − reference,  x' = x mirrored about the centre of gravity of |d|

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`.
    axis : str, optional
        ``left-right``: columns are exchanged (the mirror stands upright). ``up-down``: rows are.
    background : float, "border" or None, optional
        The reference luminance, as for `silhouettes`; where None, the mean luminance of each image.

    Returns
    -------
    array (stimulus,), float64
        −1 (the mirror image is inverted in contrast) to 1 (symmetric); NaN for a uniform image. The mirror stands on the
        nearest half pixel, and what falls outside the image counts as background. Unchanged by gain (of image and
        background), and by shifts of an object on a background.

    Raises
    ------
    BadInput
        As `silhouettes`.
    UnknownName
        Another axis.

    When it misleads
    ----------------
    On a background it is mostly the overlap of two silhouettes: a compact asymmetric object has 0.7 to 0.9. Light from the
    side lowers it for a symmetric object.

    References
    ----------
    Zabrodsky, Peleg & Avnir 1995, IEEE Trans. PAMI 17:1154-1166 (symmetry as a continuous measure; theirs is another)

    Examples
    --------
    >>> symmetry(np.array([[[0.0, 1.0, 0.0, 0.0]]]), background=0.0).tolist()
    [1.0]
    """
    return symmetry_of(luminance_images(images), axis, background)


def symmetry_of(luminance: Floats, axis: str, background: Background | None) -> Floats:
    """Mirror symmetry of luminance images (stimulus, row, column)."""
    if axis not in AXES:
        raise unknown_name("axis of symmetry", axis, AXES)
    reference = luminance.mean(axis=(1, 2)) if background is None else background_levels(luminance, background)
    d = luminance - reference[:, None, None]
    if AXES[axis] == 1:
        d = d.transpose(0, 2, 1)
    n, _, width = d.shape
    weight = np.abs(d).sum(axis=1)
    energy = (d**2).sum(axis=(1, 2))
    uniform = np.sqrt(energy) <= ROUNDING * luminance.max(axis=(1, 2)) * width
    centre = weight @ np.arange(width) / np.where(uniform, 1.0, weight.sum(axis=1))
    mirrored = np.rint(2 * centre).astype(np.int64)[:, None] - np.arange(width)
    inside = (mirrored >= 0) & (mirrored < width)
    there = np.take_along_axis(d, np.clip(mirrored, 0, width - 1)[:, None, :], axis=2) * inside[:, None, :]
    overlap = np.einsum("nij,nij->n", d, there)
    return np.where(uniform, np.nan, overlap / np.where(uniform, 1.0, energy)) if n else np.zeros(0)
