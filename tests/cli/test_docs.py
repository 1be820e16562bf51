"""The generated pages say what the code says."""

import importlib.util
from pathlib import Path

import pytest

from stratoscope.cli.entry import COMMANDS

FILE = Path(__file__).resolve().parents[2] / "docs" / "generate.py"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_fresh(generate):
    assert generate.stale() == [], "run: python docs/generate.py"


def test_a_missing_or_changed_page_is_stale(generate, tmp_path):
    assert generate.stale(tmp_path) == ["cli.md", "metrics.md", "faults.md"]
    (tmp_path / "cli.md").write_text(generate.cli_page())
    (tmp_path / "metrics.md").write_text("old")
    assert generate.stale(tmp_path) == ["metrics.md", "faults.md"]


def test_every_command_and_option_is_there(generate):
    page = generate.cli_page()
    for name in COMMANDS:
        assert f"\n## {name}\n" in page
    assert "`--skip-unreadable`" in page
    assert "stratoscope profile [OPTIONS] MODEL [STIMULI]" in page
