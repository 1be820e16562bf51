"""How far squared distances from products may be off, and so between which bounds the true distance lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Floats

#: Numbers of points, of 32 or 64 bits.
Which: TypeAlias = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Measures:
    """What bounds the error of squared distances from products.

    Attributes
    ----------
    size2, norm2, rest2 : array (point,)
        Squared norms of the centred points before and after rounding, and of what rounding took away for certain;
        infinite `norm2` excludes a point.
    noise2, step : array (point,)
        Squared norms of what rounding added at random, and the size of its steps.
    bound, output, floor : float
        A squared distance between rounded points is off by at most ``bound (|x|^2 + |y|^2) + 2 output s + floor``,
        with s the magnitudes of the products added up: of the product itself where it is not said.
    spread : float
        How many steps a sum over such noise may be off, for a vector of norm 1 (`drawn.spread_of_draws`); 0 where
        nothing was drawn.
    scale : float
        Distances of the points themselves are so many times those that are bounded here.
    """

    size2: Floats
    norm2: Floats
    rest2: Floats
    noise2: Floats
    step: Floats
    bound: float
    output: float = 0.0
    floor: float = 0.0
    spread: float = 0.0
    scale: float = 1.0

    @cached_property
    def length(self) -> Floats:
        """Norm (point,) of the rounded points."""
        return np.sqrt(self.norm2)

    @cached_property
    def rest(self) -> Floats:
        """Largest distance (point,) of a point from the rounded one, leaving out what was drawn."""
        return np.sqrt(self.rest2) * (1 + 1e-6)

    @cached_property
    def noise(self) -> Floats:
        """Distance (point,) that the draws moved a point, a little rounded up."""
        return np.sqrt(self.noise2) * (1 + 1e-4)

    @cached_property
    def squares(self) -> Floats:
        """What a point adds to its squared distances (point,): what it has in common with no other is taken off."""
        return self.norm2 - self.noise2

    def among(self, points: Which, others: Which, roundings: float) -> tuple[Floats, Floats, Floats]:
        """Return `slack`, `apart` and `shift` (point,) that hold between `points` and any of `others`.

        Of a squared distance v from products, and the true distance d: ``|(d +- apart)^2 - v| <= slack + 2 shift d``.
        `roundings` is what is lost, relative to both squared norms, where v is added up.
        """
        step, rest, noise = self.step, self.rest, self.noise
        far = self.norm2[others][np.isfinite(self.norm2[others])].max(initial=0)
        widest = step[others].max(initial=0)
        slack = (self.bound + roundings) * (self.norm2[points] + far) + self.floor
        slack += 2 * self.spread * noise[points] * widest
        return slack, rest[points] + rest[others].max(initial=0), self.spread * np.hypot(step[points], widest)

    def interval(self, i: Which, j: Which, product: Floats, spread: Floats | float) -> tuple[Floats, Floats]:
        """Return least and largest distance (pair,) of the points `i` and `j`, from the tighter of two bounds.

        Rounding moves a point by at most its rest, so a distance by at most two of them. And by Cauchy-Schwarz it
        moves a product by at most one rest times the other norm, twice. The first is tighter for near points. What was
        drawn at random moves a squared distance by steps times the distance, `drawn` says why.
        """
        rest = self.rest
        error = self.bound * (self.norm2[i] + self.norm2[j]) + 2 * (1 + 1e-5) * self.output * spread + self.floor
        squared, apart = self.squares[i] + self.squares[j] - 2 * product, rest[i] + rest[j]
        if self.spread:
            return self._by_draws(i, j, squared, error, apart)
        low, high = np.sqrt(np.maximum(squared - error, 0)) - apart, np.sqrt(np.maximum(squared + error, 0)) + apart
        length = self.length
        crossed = error + 2 * (rest[i] * length[j] + length[i] * rest[j] + rest[i] * rest[j])
        whole = self.size2[i] + self.size2[j] - 2 * product
        least, most = np.sqrt(np.maximum(whole - crossed, 0)), np.sqrt(np.maximum(whole + crossed, 0))
        second = most - least < high - low
        return np.where(second, least, np.maximum(low, 0)), np.where(second, most, high)

    def _by_draws(self, i: Which, j: Which, squared: Floats, error: Floats, apart: Floats) -> tuple[Floats, Floats]:
        step, noise = self.step, self.noise
        error = error + 2 * self.spread * np.minimum(noise[i] * step[j], step[i] * noise[j])
        shift = self.spread * np.hypot(step[i], step[j])
        low = np.sqrt(np.maximum(squared - error + shift**2, 0)) - shift - apart
        return np.maximum(low, 0), np.sqrt(np.maximum(squared + error, 0) + shift**2) + shift + apart
