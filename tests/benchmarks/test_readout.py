"""The benchmark of read-out runs, tiny, so that it never rots; of what it measures only the accuracies are asserted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import readout

    yield readout
    for name in ("benchmarks.readout", "benchmarks.cost"):
        sys.modules.pop(name, None)


def test_ratios_are_measured_on_work_that_gives_the_same(bench):
    found = bench.measure(n=60, units=300, classes=3, runs=1, single=5, resamplings=1)
    for name in bench.RIVALS:
        assert found["one stage"][name]["ratio"] > 0
        assert found["one stage"][name]["accuracy"] == found["one stage"][name]["scikit-learn accuracy"]
    assert found["objects in views"]["population generalization, seconds (chance with it)"] > 0
