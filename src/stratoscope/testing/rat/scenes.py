"""What the simulated rat is shown: ten rendered objects in 38 views each, as luminance on a grid of the visual field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.stimuli.objects import DEFAULT_OBJECTS, Screen, default_object, render, tafazoli_views
from stratoscope.stimuli.objects.rendered import view_ids
from stratoscope.stimuli.objects.views import DEFAULT_AZIMUTHS
from stratoscope.types import Floats, Integers

PIXELS = 32


@dataclass(frozen=True)
class Scenes:
    """The stimuli, rendered.

    Attributes
    ----------
    ids : tuple of str
        Id of every stimulus, as the set ``objects:`` names them.
    columns : mapping of str to array (stimulus,)
        Object and parameters of the view.
    luminance : array (stimulus, row, column)
        Luminance of every pixel, 0 to 1.
    azimuth, elevation : array (column,), (row,)
        Where the centres of the pixels lie, degrees.
    """

    ids: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]
    luminance: Floats
    azimuth: Floats
    elevation: Floats

    @property
    def objects(self) -> NDArray[Any]:
        """Object of every stimulus (stimulus,)."""
        return self.columns["object"]

    def near(self, azimuth: float) -> Integers:
        """Return the 23 views of each object that single units are judged by.

        All positions, and the other axes at whichever of the two default positions is nearer to `azimuth`.
        """
        shown = self.columns["azimuth"]
        side = DEFAULT_AZIMUTHS[int(abs(azimuth - DEFAULT_AZIMUTHS[1]) < abs(azimuth - DEFAULT_AZIMUTHS[0]))]
        return np.flatnonzero((self.columns["axis"] == "position") | (shown == side))


def rat_scenes(pixels: int = PIXELS) -> Scenes:
    """Render the 380 stimuli at a low resolution; hand the result on instead of calling this again."""
    screen = Screen(pixels=pixels)
    views = tafazoli_views(list(DEFAULT_OBJECTS))
    images = render({name: default_object(name) for name in DEFAULT_OBJECTS}, views, screen, threads=1)
    step = screen.field / pixels
    along: Floats = (np.arange(pixels, dtype=np.float64) + 0.5) * step - screen.field / 2
    return Scenes(view_ids(views), views.columns(), images / 255.0, along, -along)
