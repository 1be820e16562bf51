from __future__ import annotations

import numpy as np
import pytest


def made_views(rng, *, objects=4, views=8, units=40, of_object=1.0, of_view=1.0, noise=0.3):
    """Responses of a ReLU stage to objects in views, with object and view of every stimulus."""
    names = np.repeat([f"o{i}" for i in range(objects)], views)
    view = np.tile(np.arange(views), objects)
    drive = of_object * rng.standard_normal((objects, units)).repeat(views, axis=0)
    drive = drive + of_view * np.tile(rng.standard_normal((views, units)), (objects, 1))
    return np.maximum(drive + noise * rng.standard_normal(drive.shape) + 0.5, 0), names, view


@pytest.fixture
def stage(rng):
    return made_views(rng)


@pytest.fixture
def clouds(rng):
    """Three clouds of 30 points in 120 dimensions, far from the origin, that overlap."""
    labels = np.repeat(["a", "b", "c"], 30)
    centres = 0.25 * rng.standard_normal((3, 120))
    return np.repeat(centres, 30, axis=0) + rng.standard_normal((90, 120)) + 4, labels
