from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from stratoscope.models import ARCHITECTURES
from stratoscope.models.checkpoint import open_checkpoint
from stratoscope.stimuli.objects import DEFAULT_OBJECTS, default_object, render, tafazoli_views
from stratoscope.train import RECIPES
from stratoscope.train.views import network_input

FOLDER = Path(str(files("stratoscope") / "bundled"))
INDEX = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def views():
    return tafazoli_views(DEFAULT_OBJECTS)


@pytest.fixture(scope="module")
def images(views):
    return torch.from_numpy(render({name: default_object(name) for name in DEFAULT_OBJECTS}, views))


def test_every_architecture_is_bundled_in_less_than_eight_megabytes():
    assert set(INDEX) == set(ARCHITECTURES)
    stored = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.safetensors")}
    assert stored == {file for entry in INDEX.values() for file in entry["steps"].values()}
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 8e6


@pytest.mark.parametrize("name", INDEX)
def test_every_checkpoint_opens_and_says_how_it_is_made_again(name):
    entry = INDEX[name]
    for step, file in entry["steps"].items():
        header = open_checkpoint(FOLDER / file)[1]
        assert (header.architecture, header.step) == (name, int(step))
        assert header.accuracy == entry["accuracy"][step]
        assert header.command == RECIPES[name].command == f"stratoscope train {name}"
        assert header.stimuli == f"objects:{RECIPES[name].stimuli}"
        assert set(header.classes) == set(DEFAULT_OBJECTS)
    assert list(entry["steps"]) == ["0", "16", "128", "512", str(RECIPES[name].steps)]
    assert entry["file"] == entry["steps"][str(RECIPES[name].steps)]


@pytest.mark.parametrize("name", INDEX)
def test_sixteen_bits_change_logits_by_less_than_a_hundredth_of_their_spread(name):
    assert max(INDEX[name]["half_precision_change"].values()) < 0.01
    assert max(INDEX[name]["half_precision_flips"].values()) <= 2


@pytest.mark.parametrize("name", INDEX)
def test_a_trained_network_names_held_out_views_and_the_fixed_ones_and_an_initial_one_does_not(name, views, images):
    steps = INDEX[name]["steps"]
    named = {}
    for what, file in (("initial", steps["0"]), ("trained", INDEX[name]["file"])):
        network, header = open_checkpoint(FOLDER / file)
        with torch.no_grad():
            answers = network(network_input(images, header.mean, header.std)).argmax(1).numpy()
        named[what] = (np.array(header.classes)[answers] == views.object).mean()
    assert INDEX[name]["accuracy"][str(RECIPES[name].steps)] >= 0.95
    assert named["trained"] >= 0.95
    assert named["initial"] < 0.25
