"""Responses to objects in views whose share of object, of view and of neither is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Floats, Integers


def object_views(
    rng: np.random.Generator,
    *,
    objects: int = 4,
    views: int = 8,
    units: int = 40,
    of_object: float = 1.0,
    of_view: float = 1.0,
    noise: float = 0.3,
) -> tuple[Floats, NDArray[Any], Integers]:
    """Make responses of rectified units, each driven by the object, by the view, and by noise of its own.

    Parameters
    ----------
    rng : numpy.random.Generator
    objects, views, units : int
        Numbers of objects, of views of each, and of units.
    of_object, of_view, noise : float
        Standard deviations of the drives; with ``of_object=0`` no unit knows which object it sees.

    Returns
    -------
    responses : array (stimulus, unit)
        0 and up, about a third of them 0.
    objects : array (stimulus,) of str
        ``o0``, ``o1`` ...
    views : array (stimulus,) of int
    """
    drive = of_object * rng.standard_normal((objects, units)).repeat(views, axis=0)
    drive = drive + of_view * np.tile(rng.standard_normal((views, units)), (objects, 1))
    drive = drive + noise * rng.standard_normal(drive.shape) + 0.5
    names = np.repeat([f"o{i}" for i in range(objects)], views)
    return np.maximum(drive, 0), names, np.tile(np.arange(views), objects)
