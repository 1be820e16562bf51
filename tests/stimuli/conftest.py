"""Pictures to open."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def picture(rng):
    """Return a function that writes a small noise picture to a path, making its folders."""

    def write(path, size=(6, 5), **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path, **options)
        return path

    return write


@pytest.fixture
def png(rng):
    """Return a function that gives the bytes of a small noise picture."""

    def make(size=(6, 5)):
        file = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(file, "PNG")
        return file.getvalue()

    return make
