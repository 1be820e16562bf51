"""The benchmark of the whole pass runs, tiny, so that it never rots; what it measures is never asserted here."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture
def whole_pass(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import whole_pass

    yield whole_pass
    sys.modules.pop("benchmarks.whole_pass", None)


def test_a_pass_with_pairs_is_measured_against_its_limit(whole_pass):
    (row,) = whole_pass.pairs(12, 1).values()
    assert row["ratio"] > 0
    assert row["positions"] > 400_000
    assert row["peak MB"] > 10


def test_the_streaming_rows_name_both_networks(whole_pass, monkeypatch):
    monkeypatch.setattr(whole_pass, "resnet50", whole_pass.alexnet)
    assert list(whole_pass.streaming(2, 1)) == ["AlexNet, streaming over bare", "ResNet-50, streaming over bare"]


def test_a_deep_pass_is_measured_in_processes_of_their_own(whole_pass):
    (row,) = whole_pass.deep(12, 1, "AlexNet").values()
    assert row["ratio"] > 0
    assert row["positions"] > 400_000
    assert row["peak MB"] > 10


def test_a_disk_without_room_for_a_deep_pass_measures_nothing(whole_pass, monkeypatch):
    monkeypatch.setattr(whole_pass.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000_000))
    assert whole_pass.deep(12, 1, "AlexNet") == {}
