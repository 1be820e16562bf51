"""The benchmark of the pair engine runs, tiny, so that it never rots; what it measures is never asserted here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def pairs(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import pairs, peers

    monkeypatch.setattr(peers, "available", lambda: {"published recipe": peers.published_recipe})
    yield pairs
    for name in ("benchmarks.pairs", "benchmarks.peers"):
        sys.modules.pop(name, None)


def test_the_dimension_is_that_of_the_published_recipe(pairs):
    found = pairs.dimension("stage", 300, 20, pairs=1)
    assert found["published recipe"]["off ours by"] < 1e-6
    assert found["published recipe"]["times ours"] > 0
    assert found["ours"]["product"]


def test_every_other_row_is_measured(pairs):
    assert pairs.analysis("stage", 120, 30, resamples=2)["ours"]["cpu seconds"] > 0
    assert pairs.limit("noise", 100, 50, pairs=1)["GEMM GFLOP/s"] > 0
    assert np.isfinite(pairs.scaling(60, 20, pairs=1)["units"]["exponent"])
    assert pairs.search(300, 20)["product"]
    found = {"kernels": ["one"], "GFLOP/s probed": {}, "scaling": {"units": {"exponent": 1.0}}}
    assert pairs.lines(found)[-1].split() == ["scaling", "units", "exponent", "1.0"]
    assert any("threads" in kernel for kernel in pairs.kernels())
