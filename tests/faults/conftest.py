"""A place to type in: two class folders of pictures, a network in a file, and an end to whatever hangs."""

from __future__ import annotations

import faulthandler
import signal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from stratoscope.cli import main

NETWORK = """
import torch
from torch import nn


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3), nn.ReLU())


def plain():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU())
"""
#: Seconds after which a test is taken to hang.
PATIENCE = 60


@pytest.fixture(autouse=True)
def impatient():
    """Fail a test that hangs, as reading a pipe does, instead of waiting for it for ever."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)


def _hangs(*_):
    faulthandler.dump_traceback()
    raise TimeoutError(f"nothing came back within {PATIENCE} s")


@pytest.fixture
def place(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    for category in ("cat", "dog"):
        Path("photos", category).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(f"photos/{category}/{number}.png")
    Path("net.py").write_text(NETWORK)
    return tmp_path


@pytest.fixture
def type_in():
    """Return a function that types a line; anything but a sentence of the house comes up as it is."""

    def run(*words):
        return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)

    return run
