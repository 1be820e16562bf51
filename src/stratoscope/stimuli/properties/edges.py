"""Gradients, and what they say about contours: how many, how many corners, how curved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import correlate1d, gaussian_filter

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties.luminance import check_size, luminance_images
from stratoscope.types import Floats

#: Width of the Gaussian whose derivatives are the gradient, in pixels.
SIGMA = 1.5
#: Width over which the structure tensor collects gradients, in pixels.
INTEGRATION = 2.5
#: Gaussians are cut at this many widths, and as much is left out along the border.
TRUNCATE = 3.0
#: Gradients below this share of the brightest luminance are rounding.
ROUNDING = 1e-10


@dataclass(frozen=True)
class Gradients:
    """Gaussian derivatives of luminance images, without their borders.

    Attributes
    ----------
    luminance : array (stimulus, row, column)
    sigma : float
        Width of the Gaussian in pixels.
    """

    luminance: Floats
    sigma: float = SIGMA

    def derivative(self, down: int, across: int) -> Floats:
        """Derivative of the given orders along rows and columns, (stimulus, row, column), per pixel."""
        smooth = correlate1d(self.luminance, derivative_kernel(self.sigma, down), axis=1, mode="nearest")
        smooth = correlate1d(smooth, derivative_kernel(self.sigma, across), axis=2, mode="nearest")
        margin = int(TRUNCATE * self.sigma + 0.5)
        return np.asarray(smooth[:, margin:-margin, margin:-margin])

    @cached_property
    def down(self) -> Floats:
        """Derivative along rows, downwards."""
        return self.derivative(1, 0)

    @cached_property
    def across(self) -> Floats:
        """Derivative along columns, to the right."""
        return self.derivative(0, 1)

    @cached_property
    def squared(self) -> Floats:
        """Squared length of the gradient."""
        return np.asarray(self.down**2 + self.across**2)

    @cached_property
    def second(self) -> tuple[Floats, Floats, Floats]:
        """Second derivatives across, mixed and down."""
        return self.derivative(0, 2), self.derivative(1, 1), self.derivative(2, 0)

    @cached_property
    def along_gradient(self) -> Floats:
        """Second derivative along the gradient times the squared gradient: above zero on the dark side of an edge."""
        xx, xy, yy = self.second
        return np.asarray(self.across**2 * xx + 2 * self.across * self.down * xy + self.down**2 * yy)

    @cached_property
    def edged(self) -> NDArray[np.bool_]:
        """Whether each image has any gradient above rounding, (stimulus,)."""
        brightest = self.luminance.max(axis=(1, 2))
        return np.asarray(self.squared.max(axis=(1, 2)) > (ROUNDING * brightest) ** 2)


def derivative_kernel(sigma: float, order: int) -> Floats:
    """Weights of a Gaussian derivative of order 0 to 2, exact for a constant, a ramp and a parabola."""
    radius = int(TRUNCATE * sigma + 0.5)
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    gaussian = np.exp(-(x**2) / (2 * sigma**2))
    gaussian /= gaussian.sum()
    if order == 0:
        return gaussian
    if order == 1:
        return np.asarray(x * gaussian / (x**2 * gaussian).sum())
    second = (x**2 - (x**2 * gaussian).sum()) * gaussian
    return np.asarray(2 * second / (x**2 * second).sum())


def gradients_of(luminance: Floats, sigma: float = SIGMA) -> Gradients:
    """Gradients of luminance images (stimulus, row, column), computed when they are first asked for."""
    check_size(luminance, "A gradient")
    return Gradients(luminance, sigma)


def edge_density(images: ArrayLike, *, threshold: float = 0.1) -> Floats:
    """Length of edges per area of every image.

    An edge runs where the gradient is largest along its own direction: where the second derivative along the gradient,

        L_vv ∝ L_x² L_xx + 2 L_x L_y L_xy + L_y² L_yy,

    falls through zero between two neighbouring pixels and the gradient is above `threshold` times the largest of the
    image. A crossing between neighbours in a row counts |L_x| / |∇L| pixels of length, one between neighbours in a
    column |L_y| / |∇L|, which adds up to the length of the edge whatever its direction. Derivatives are Gaussian, of
    width 1.5 pixels; 5 pixels along the border are left out.

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.
    threshold : float, optional
        Share of the largest gradient, 0 to below 1.

    Returns
    -------
    array (stimulus,), float64
        1/pixel, 0 (uniform) and up; 2/λ for a grating of wavelength λ. Unchanged by gain, polarity and shifts within
        the image; inverse to scale in an image that is filled, proportional to it for one object.

    Raises
    ------
    BadInput
        As `luminance_images`; too small an image; another threshold.

    When it misleads
    ----------------
    The threshold is relative, so one very bright edge hides all others, and in an image of faint noise the noise is
    edges. Details closer than about 4 pixels melt into one another.

    References
    ----------
    Canny 1986, doi:10.1109/TPAMI.1986.4767851 (maxima of Gaussian derivatives; without his hysteresis)
    """
    return density_of(gradients_of(luminance_images(images)), threshold)


def density_of(gradients: Gradients, threshold: float = 0.1) -> Floats:
    """Edge density from gradients."""
    if not 0 <= threshold < 1:
        raise BadInput(f"The threshold of an edge is a share of the largest gradient, 0 to below 1; came {threshold}.")
    squared = gradients.squared
    strong = squared > threshold**2 * squared.max(axis=(1, 2), keepdims=True)
    uphill = gradients.along_gradient > 0
    length = np.sqrt(np.where(squared > 0, squared, 1.0))
    total = _crossings(uphill, strong, gradients.across / length, axis=2)
    total += _crossings(uphill, strong, gradients.down / length, axis=1)
    return np.where(gradients.edged, total / squared[0].size if len(squared) else total, 0.0)


def _crossings(uphill: NDArray[np.bool_], strong: NDArray[np.bool_], normal: Floats, axis: int) -> Floats:
    """Length of the edges crossed between neighbours along `axis`, (stimulus,)."""
    n = normal.shape[axis]
    first, second = (np.arange(n - 1), np.arange(1, n))
    here, there = uphill.take(first, axis), uphill.take(second, axis)
    slope = (normal.take(first, axis) + normal.take(second, axis)) / 2
    edge = (here != there) & (here == (slope > 0)) & strong.take(first, axis) & strong.take(second, axis)
    return np.asarray(np.where(edge, np.abs(slope), 0.0).sum(axis=(1, 2)))


def corner_energy(images: ArrayLike) -> Floats:
    """Corner energy: the mean over pixels of the smaller eigenvalue of the structure tensor.

        J = G ∗ (∇L ∇Lᵀ),  λ₂ = ½ ( J_xx + J_yy − √((J_xx − J_yy)² + 4 J_xy²) )

    Along a straight edge gradients have one direction and λ₂ is zero; at corners, junctions and ends of lines there are two.
    Gradients are Gaussian derivatives of width 1.5 pixels and G a Gaussian of width 2.5; 5 pixels along the border are left out.

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.

    Returns
    -------
    array (stimulus,), float64
        Squared luminance per squared pixel, 0 and up. Proportional to the square of gain and to the number of like corners;
        unchanged by polarity and shifts within the image.

    Raises
    ------
    BadInput
        As `luminance_images`, or too small an image.

    When it misleads
    ----------------
    It grows with the square of contrast: divide by the variance of luminance to compare shapes across contrasts. Noise and
    tight curves are corners to it.

    References
    ----------
    Shi & Tomasi 1994, doi:10.1109/CVPR.1994.323794
    """
    return corners_of(gradients_of(luminance_images(images)))


def corners_of(gradients: Gradients) -> Floats:
    """Corner energy from gradients."""
    return np.asarray(smaller_eigenvalue(gradients.down, gradients.across).mean(axis=(1, 2)))


def smaller_eigenvalue(down: Floats, across: Floats) -> Floats:
    """Return the smaller eigenvalue of the structure tensor of a gradient (stimulus, row, column), of the same shape."""

    def collected(product: Floats) -> Floats:
        # mirrored borders keep the direction of gradient products, so no corner arises where an edge leaves the image
        return np.asarray(
            gaussian_filter(product, (0, INTEGRATION, INTEGRATION), mode="reflect", truncate=TRUNCATE), dtype=np.float64
        )

    xx, yy, xy = collected(across**2), collected(down**2), collected(across * down)
    return np.asarray(np.maximum(0.5 * (xx + yy - np.hypot(xx - yy, 2 * xy)), 0.0))


def contour_curvature(images: ArrayLike) -> Floats:
    """Mean curvature of contours: that of the lines of equal luminance, weighted by the squared gradient.

        κ = |L_y² L_xx − 2 L_x L_y L_xy + L_x² L_yy| / |∇L|³,   <κ> = Σ κ |∇L|² / Σ |∇L|²

    Derivatives are Gaussian, of width 1.5 pixels; 5 pixels along the border are left out.

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; at least 16 x 16 pixels.

    Returns
    -------
    array (stimulus,), float64
        1/pixel, 0 (straight contours) and up; 1/r for a disc of radius r; NaN for a uniform image. Unchanged by gain,
        polarity and shifts within the image; inverse to scale.

    Raises
    ------
    BadInput
        As `luminance_images`, or too small an image.

    When it misleads
    ----------------
    Slanted edges without smooth sides are staircases to it, which adds up to a few hundredths; noise has a curvature of about
    one over the width of the Gaussian. Corners count with the width of the Gaussian, not with the sharpness they had.

    References
    ----------
    Lindeberg 1998, Int. J. Comput. Vision 30(2) (curvature of level curves by Gaussian derivatives)
    """
    return curvature_of(gradients_of(luminance_images(images)))


def curvature_of(gradients: Gradients) -> Floats:
    """Contour curvature from gradients."""
    x, y = gradients.across, gradients.down
    xx, xy, yy = gradients.second
    bend = np.abs(y**2 * xx - 2 * x * y * xy + x**2 * yy)
    length = np.sqrt(gradients.squared)
    there = gradients.squared > ROUNDING * gradients.squared.max(axis=(1, 2), keepdims=True)
    turned = np.divide(bend, length, out=np.zeros_like(bend), where=there & (length > 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = turned.sum(axis=(1, 2)) / gradients.squared.sum(axis=(1, 2))
    return np.where(gradients.edged, mean, np.nan)
