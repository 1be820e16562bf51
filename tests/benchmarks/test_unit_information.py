"""The benchmark of unit information runs, tiny, so that it never rots; what it measures is never asserted here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import unit_information

    yield unit_information
    for name in ("benchmarks.unit_information", "benchmarks.cost"):
        sys.modules.pop(name, None)


def test_ratios_limits_and_the_million_are_measured(bench):
    found = bench.measure(n_units=60, peer_units=2, runs=1, n=100)
    assert found["380 stimuli"]["ratio, of six"] > 0
    assert found["with 100 shuffles"]["limit us a unit"] > found["without shuffles"]["limit us a unit"]
    large = bench.million(n_units=60, n=100, shuffles=3)
    assert large["units"] == 60
    assert large["peak memory MB"] > 10


def test_blocks_are_neighbours_in_order(bench):
    starts = [(start, block.shape) for start, block in bench.blocks(10_000, 20)]
    assert starts == [(0, (20, 4096)), (4096, (20, 4096)), (8192, (20, 1808))]
