"""Shared fixtures: a seeded generator for every test, and the real data where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def rng():
    return np.random.default_rng(20201116)


@pytest.fixture
def data():
    """Folder of the real networks, images and recordings beside the project's root."""
    if not DATA.is_dir():
        pytest.skip(f"real data are not there: {DATA}")
    return DATA
