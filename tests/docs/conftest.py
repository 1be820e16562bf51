"""The scripts of docs/, which are no package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="session")
def script():
    """Return a script of docs/ as a module, by its name."""

    def load(name):
        sys.path.insert(0, str(DOCS))
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(DOCS))

    return load
