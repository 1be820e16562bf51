"""Properties of images as many units see them, each weighted with its own field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from stratoscope.errors import BadInput, unknown_name
from stratoscope.stimuli.properties.edges import SIGMA, derivative_kernel, smaller_eigenvalue
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.stimuli.properties.receptive_field import checked_maps
from stratoscope.types import Floats, Integers

#: A property by name, or a function of luminance images that gives a map of the same shape, to be averaged by weight.
Feature: TypeAlias = "str | Callable[[Floats], Floats]"


def field_property(images: Any, fields: Any, feature: Feature = "luminance", *, inside: float = 0.0) -> Floats:
    """Property of every image as every unit sees it through its field.

    With w = field / its maximum, L the luminance (a share of white) and x the pixels ::

        luminance     100 Σ w L / Σ w                          in percent of white, as `rf_luminance`
        contrast      SD of w L over x where w > inside        as `rf_contrast`, every image counted
        edge_energy   Σ w |∇L|² / Σ w                          gradient of a Gaussian of 1.5 pixels
        corner_energy Σ w λ₂ / Σ w                             λ₂ as in `corner_energy`, up to the border
        a function    Σ w f(L) / Σ w

    Parameters
    ----------
    images : array (stimulus, row, column) or (stimulus, row, column, 3)
        See `luminance_images`; on the pixels of the fields.
    fields : array (unit, row, column)
        Weights, finite, 0 and up.
    feature : str or callable
        ``luminance``, ``contrast``, ``edge_energy``, ``corner_energy``, or a function of luminance images (stimulus, row, column) that gives an
        array of that shape.
    inside : float
        For ``contrast``, the share of its maximum above which a pixel is in the field, 0 to below 1.

    Returns
    -------
    array (stimulus, unit), float64
        NaN for a unit whose field is 0 everywhere: it sees nothing.

    Raises
    ------
    BadInput
        Fields on other pixels than the images, negative or NaN; a function that gives another shape.
    UnknownName
        Another name.

    When it misleads
    ----------------
    A field that is the whole image (of a mean over positions, of attention, of a fully connected layer) makes it a property of
    the image, alike for all such units. A soft field has contrast on a uniform image, because w varies. An average over
    a large field hides where the property was.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794 (luminance and contrast).

    Examples
    --------
    >>> import numpy as np
    >>> field_property(np.array([[[1.0, 0.0]]]), np.array([[[1.0, 3.0]], [[0.0, 0.0]]])).tolist()
    [[25.0, nan]]
    """
    luminance = luminance_images(images)
    return field_weights(fields, luminance.shape[1:]).measure(luminance, feature, inside=inside)


@dataclass(frozen=True)
class FieldWeights:
    """Fields made ready for many batches of images.

    Attributes
    ----------
    weights : array (seeing unit, pixel)
        Fields divided by their maxima, of the units whose field is not 0 everywhere.
    seeing : array (unit,) of bool
        Which units these are.
    """

    weights: Floats
    seeing: NDArray[np.bool_]

    def measure(self, luminance: Floats, feature: Feature = "luminance", *, inside: float = 0.0) -> Floats:
        """Return what `field_property` does, of luminance images (stimulus, row, column) on the pixels of the fields."""
        values = np.full((len(luminance), len(self.seeing)), np.nan)
        if feature == "contrast":
            values[:, self.seeing] = self._contrast(luminance.reshape(len(luminance), -1), inside)
        else:
            values[:, self.seeing] = self._mean(_mapped(luminance, feature))
        return values

    def _mean(self, mapped: Floats) -> Floats:
        return np.asarray(mapped.reshape(len(mapped), -1) @ self.weights.T / self.weights.sum(axis=1))

    def _contrast(self, flat: Floats, inside: float) -> Floats:
        """Return the standard deviation of weighted luminance over the pixels inside each field (stimulus, unit)."""
        if not 0 <= inside < 1:
            raise BadInput(f"Inside the field is where its share of the maximum exceeds 0 to below 1; came {inside}.")
        within, squared, count = (
            self._whole if inside == 0 else _moments(np.where(self.weights > inside, self.weights, 0))
        )
        mean = flat @ within.T / count
        return np.asarray(np.sqrt(np.maximum(flat**2 @ squared.T / count - mean**2, 0.0)))

    @cached_property
    def _whole(self) -> tuple[Floats, Floats, Integers]:
        return _moments(self.weights)


def _moments(within: Floats) -> tuple[Floats, Floats, Integers]:
    """Return weights, their squares, and how many are above 0 (unit,)."""
    return within, within**2, np.count_nonzero(within, axis=1)


def field_weights(fields: Any, shape: tuple[int, ...]) -> FieldWeights:
    """Make `fields` (unit, row, column) ready for images of `shape` (row, column); raises as `field_property` does."""
    maps = np.asarray(fields)
    if maps.ndim != 3:
        raise BadInput(f"Fields have the shape (unit, row, column); came {maps.shape}. For one unit add a first axis.")
    seeing = np.asarray((maps != 0).any(axis=(1, 2)))
    weights = checked_maps(maps[seeing], shape)[0] if seeing.any() else np.zeros((0, *shape))
    return FieldWeights(weights.reshape(len(weights), shape[0] * shape[1]), seeing)


def _mapped(luminance: Floats, feature: Feature) -> Floats:
    """Return the map of each image (stimulus, row, column) whose weighted mean is the property."""
    if feature == "luminance":
        if luminance.size and luminance.max() > 1 + 1e-9:
            raise BadInput(f"Pixels are brighter ({luminance.max():.4g}) than white (1). Divide by the value of white.")
        return 100 * luminance
    made = _MAPS.get(feature, feature) if isinstance(feature, str) else feature
    if isinstance(made, str):
        raise unknown_name("property of a field", made, ("luminance", "contrast", *_MAPS))
    mapped = np.asarray(made(luminance), dtype=np.float64)
    if mapped.shape != luminance.shape:
        raise BadInput(
            f"A property of a field is a function from luminance images to maps of the same shape, {luminance.shape}, but "
            f"{mapped.shape} came. Return one value a pixel."
        )
    return mapped


def _gradient(luminance: Floats) -> tuple[Floats, Floats]:
    """Return the derivatives down and across; the images go on beyond their borders as they end."""
    found = []
    for down, across in ((1, 0), (0, 1)):
        smooth = correlate1d(luminance, derivative_kernel(SIGMA, down), axis=1, mode="nearest")
        found.append(np.asarray(correlate1d(smooth, derivative_kernel(SIGMA, across), axis=2, mode="nearest")))
    return found[0], found[1]


def _edge_energy(luminance: Floats) -> Floats:
    """Return the squared length of the gradient."""
    down, across = _gradient(luminance)
    return np.asarray(down**2 + across**2)


def _corner_energy(luminance: Floats) -> Floats:
    """Return the smaller eigenvalue of the structure tensor."""
    down, across = _gradient(luminance)
    return smaller_eigenvalue(down, across)


_MAPS: Mapping[str, Callable[[Floats], Floats]] = {"edge_energy": _edge_energy, "corner_energy": _corner_energy}
