from __future__ import annotations

import builtins
import re
from importlib.metadata import PackageNotFoundError, version

import pytest
import torch
from click.testing import CliRunner

from stratoscope import doctor
from stratoscope.cli import main


@pytest.fixture
def without(monkeypatch):
    """Make packages look as if they were not installed."""

    def hide(*names):
        def found(name):
            if name in names:
                raise PackageNotFoundError(name)
            return version(name)

        monkeypatch.setattr(doctor, "version", found)

    return hide


def by_name():
    return {one.what: one for one in doctor.examine()}


def test_what_is_there_is_told_with_its_version():
    found = by_name()
    assert found["torch"].found == version("torch")
    assert not found["torch"].advice
    assert found["torch threads"].found == str(torch.get_num_threads())
    assert re.match(r"\d+ for this process, \d+ in the machine", found["processor cores"].found)
    assert any(one.startswith("threads of ") and found[one].found[0].isdigit() for one in found)
    assert "graphics card" in found


def test_a_missing_extra_is_told_with_what_it_is_for_and_how_to_get_it(without):
    without("timm")
    found = by_name()["extra timm"]
    assert found.found == "not there (timm)"
    assert found.advice == "For networks by timm:NAME: pip install 'stratoscope[timm]'"


def test_every_extra_that_is_declared_has_its_purpose():
    import tomllib
    from pathlib import Path

    declared = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
    assert set(declared["project"]["optional-dependencies"]) - {"dev"} == set(doctor.EXTRAS)


def test_without_torch_metrics_still_work_and_it_says_so(monkeypatch):
    plain = builtins.__import__

    def refuse(name, *args, **keywords):
        if name == "torch":
            raise ImportError("No module named 'torch'")
        return plain(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    found = [one for one in doctor.examine() if one.what == "torch" and one.advice]
    assert found[0].advice == "Metrics on arrays work; networks need torch."


def test_the_command_prints_the_grid_and_then_the_advice(without):
    without("timm")
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 0
    assert done.output.index("python") < done.output.index("What you may want to do:")
    assert "pip install 'stratoscope[timm]'" in done.output
