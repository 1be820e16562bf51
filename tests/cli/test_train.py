from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stratoscope.cli import main
from stratoscope.train import Trained
from stratoscope.train.recipe import recipe


def run(*line):
    return CliRunner().invoke(main, line, catch_exceptions=False)


@pytest.fixture
def calls(monkeypatch):
    made = []

    def train(plan, folder, *, progress):
        made.append((plan, folder))
        progress(plan.steps, plan.steps, "loss 0.1")
        return Trained(folder, (folder / "step-000000.safetensors",), 0.987, 0.1)

    monkeypatch.setattr("stratoscope.train.train", train)
    return made


def test_nothing_said_trains_by_the_recipe_of_the_bundled_network(calls):
    done = run("train", "alexnet", "-q")
    assert calls == [(recipe("alexnet"), Path("trained/alexnet"))]
    assert done.stdout == (
        "Held-out views recognised: 98.7% (chance 10.0%)\nLast checkpoint: trained/alexnet/step-000000.safetensors\n"
    )


def test_the_command_in_a_recipe_gives_that_recipe(calls):
    plan = recipe("vgg", seed=3, held_out=0.3, steps=7, optimizer="sgd", stimuli="dense?n=900", threads=2, rate=0.1)
    words = plan.command.replace("'", "").split()
    run(*words[1:], "--out", "x")
    assert calls == [(plan, Path("x"))]


def test_an_unknown_architecture_is_a_sentence_and_exit_code_two():
    done = run("train", "alexnett")
    assert done.exit_code == 2
    assert done.stderr == "stratoscope: No architecture is called 'alexnett'. Did you mean 'alexnet' or 'resnet'?\n"
