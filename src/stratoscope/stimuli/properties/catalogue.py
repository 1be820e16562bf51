"""How a property is declared, and what the properties of a block of images share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.registry import Registry
from stratoscope.stimuli.properties import edges, spectrum
from stratoscope.stimuli.properties.silhouette import (
    TOLERANCE,
    Background,
    ScreenLike,
    geometry_of,
    silhouettes_of,
)
from stratoscope.types import Floats


@dataclass(frozen=True)
class Setup:
    """What a measurement is told besides the images; the parameters are those of `measure_properties`."""

    rf: NDArray[Any] | None = None
    background: Background | None = None
    screen: ScreenLike | None = None
    bands: int = 4
    inside: float = 0.0
    min_coverage: float = 0.1
    min_conditions: int = 23
    tolerance: float = TOLERANCE

    def has(self, need: str) -> bool:
        """Whether `need` (``rf``, ``background`` or ``screen``) was given."""
        return getattr(self, need) is not None


@dataclass(frozen=True)
class Block:
    """Some images, and what several properties of them share, computed when it is first asked for."""

    luminance: Floats
    setup: Setup = field(default_factory=Setup)

    @cached_property
    def power(self) -> Floats:
        """Power spectra (stimulus, row, column // 2 + 1)."""
        return spectrum.power_of(self.luminance)

    @cached_property
    def gradients(self) -> edges.Gradients:
        """Gaussian derivatives."""
        return edges.gradients_of(self.luminance)

    @cached_property
    def silhouettes(self) -> NDArray[np.bool_]:
        """Silhouettes (stimulus, row, column)."""
        background = self.setup.background
        return silhouettes_of(self.luminance, 0.0 if background is None else background, self.setup.tolerance)

    @cached_property
    def geometry(self) -> dict[str, Floats]:
        """Position and size of the silhouettes."""
        return geometry_of(self.silhouettes, self.setup.screen)


@dataclass(frozen=True)
class Property:
    """The declaration of an image property.

    Attributes
    ----------
    name : str
        Name, and start of the name of its column or columns.
    unit : str
        Physical unit ("1", "pixels", "degrees", "bits" ...).
    range : tuple of float
        Smallest and largest value possible.
    definition : str
        What it is, in a line.
    paper : str
        Source, with DOI where there is one.
    measure : callable
        ``measure(block)`` gives values (stimulus,), or a mapping from the endings of several columns to values.
    needs : tuple of str
        What must be given besides the images: ``background``, ``rf``, ``screen``.
    finish : callable, optional
        ``finish(values, setup)`` is applied to each column when all stimuli have been measured.
    """

    name: str
    unit: str
    range: tuple[float, float]
    definition: str
    paper: str
    measure: Callable[[Block], Floats | Mapping[str, Floats]]
    needs: tuple[str, ...] = ()
    finish: Callable[[Floats, Setup], Floats] | None = None


PROPERTIES: Registry[Property] = Registry("image property", group="stratoscope.properties")


def declare(*properties: Property) -> None:
    """Add properties to the catalogue."""
    for one in properties:
        PROPERTIES.add(one.name, one)
