"""The benchmark of counting runs, tiny; what it measures is never asserted here."""

from __future__ import annotations

import sys
from pathlib import Path


def test_counting_is_measured(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import recording

    monkeypatch.setattr(sys, "argv", ["recording", "4", "30", "2000"])
    recording.main()
    said = capsys.readouterr().out
    assert "4 units, 30 presentations, 2,000 spikes" in said
    assert "peak memory" in said
