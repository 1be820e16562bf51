from __future__ import annotations

import tomllib

import pytest

from stratoscope.errors import BadInput
from stratoscope.models.checkpoint import open_checkpoint
from stratoscope.train import bundle as bundling
from stratoscope.train.bundle import bundle, write_index
from stratoscope.train.loop import train
from stratoscope.train.recipe import recipe


@pytest.fixture
def trained(tmp_path):
    small = {
        "stimuli": "dense?n=120&objects=jug,ring,star&size=30,45",
        "steps": 2,
        "batch": 8,
        "held_out": 0.3,
        "seed": 1,
    }
    return train(recipe("vgg", **small), tmp_path / "run")


def test_chosen_steps_are_bundled_and_listed(trained, tmp_path):
    kept = bundle(trained, [0, 2], tmp_path / "package" / "vgg")
    write_index(tmp_path / "package" / "index.toml", {"vgg": kept})
    index = tomllib.loads((tmp_path / "package" / "index.toml").read_text())["vgg"]
    assert index["steps"] == {"0": "vgg/step-000000.safetensors", "2": "vgg/step-000002.safetensors"}
    assert index["file"] == index["steps"]["2"]
    assert index["classes"] == ["jug", "ring", "star"]
    assert max(index["half_precision_change"].values()) < 0.01
    for step, file in index["steps"].items():
        assert open_checkpoint(tmp_path / "package" / file)[1].accuracy == index["accuracy"][step]


def test_a_step_without_checkpoint_is_refused(trained, tmp_path):
    with pytest.raises(BadInput, match="There is no checkpoint of step 7; there are 0, 1, 2"):
        bundle(trained, [7], tmp_path / "package")


def test_sixteen_bits_that_change_the_logits_are_refused(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "NEGLIGIBLE", 0.0)
    with pytest.raises(BadInput, match="Keep it in 32 bits"):
        bundle(trained, [2], tmp_path / "package")
    assert not list((tmp_path / "package").iterdir())
