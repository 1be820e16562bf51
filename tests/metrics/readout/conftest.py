from __future__ import annotations

import numpy as np
import pytest

from stratoscope.testing.object_views import object_views


@pytest.fixture
def stage(rng):
    return object_views(rng)


@pytest.fixture
def clouds(rng):
    """Three clouds of 30 points in 120 dimensions, far from the origin, that overlap."""
    labels = np.repeat(["a", "b", "c"], 30)
    centres = 0.25 * rng.standard_normal((3, 120))
    return np.repeat(centres, 30, axis=0) + rng.standard_normal((90, 120)) + 4, labels
