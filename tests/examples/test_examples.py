"""Every example runs, as it stands."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    said = capsys.readouterr().out
    assert "two_nn" in said
    report = Path(said.strip().splitlines()[-1])
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
