"""The benchmark runs, tiny, so that it never rots; what it measures is never asserted here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture
def cost(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import cost

    yield cost
    sys.modules.pop("benchmarks.cost", None)


def test_the_cost_of_streaming_is_measured(cost, tmp_path):
    source, few = cost.alexnet(), cost.tensors(4)
    found = cost.paired_ratio(lambda: cost.ours(source, few), lambda: cost.bare(source, few), pairs=1)
    assert found["wall"]["ratio"] > 0
    assert cost.write_jpegs(tmp_path, 3, height=20, width=30, originals=2) == tmp_path
    assert len(list(tmp_path.rglob("*.jpg"))) == 3
    assert cost.peak_of_this_process() > 10
