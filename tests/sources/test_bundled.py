import json

import pytest
from safetensors.torch import save_file
from torch import nn

from stratoscope.errors import BadInput, UnknownName, WeightsError
from stratoscope.sources import bundled
from stratoscope.sources.bundled import bundled_classes, bundled_networks
from stratoscope.sources.openers import open_source
from stratoscope.sources.weights import weights_hash


def toy(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU())


HEADER = {
    "architecture": "stratoscope.sources.bundled:toy",
    "arguments": json.dumps({"width": 5}),
    "size": "32",
    "mode": "squash",
    "mean": "[0.5, 0.5, 0.5]",
    "std": "[0.25, 0.25, 0.25]",
    "classes": '["cup", "car"]',
}
INDEX = '[small]\ntitle = "toy"\nfile = "small.safetensors"\n[small.steps]\n0 = "small-0.safetensors"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "_folder", lambda: tmp_path)
    monkeypatch.setattr(bundled, "toy", toy, raising=False)
    (tmp_path / "index.toml").write_text(INDEX)
    for name in ("small", "small-0"):
        save_file(toy(5).state_dict(), tmp_path / f"{name}.safetensors", HEADER)
    return tmp_path


def test_networks_and_their_steps_are_opened_with_their_input(folder):
    final, early = open_source("bundled:small"), open_source("bundled:small@0")
    assert final.describe()["preprocess"] == (
        "squash: both sides to 32 pixels (bilinear), mean (0.5, 0.5, 0.5), std (0.25, 0.25, 0.25)"
    )
    said = early.describe()
    assert said["origin"] == "bundled:small, weights: bundled small-0.safetensors"
    assert (said["name"], said["lesion"]) == ("bundled:small", "checkpoint at step 0")
    assert weights_hash(final.module) != weights_hash(early.module)
    assert bundled_classes("small") == ("cup", "car")
    assert bundled_networks() == {"small": "small.safetensors", "small@0": "small-0.safetensors"}


def test_random_weights_are_never_silent(folder):
    source = open_source("bundled:small", weights="random", seed=3)
    assert source.name == "bundled:small (random initialisation, seed 3)"
    assert source.describe()["seed"] == 3


def test_a_network_that_does_not_come_with_the_package_is_refused(folder, monkeypatch, tmp_path):
    with pytest.raises(UnknownName, match=r"No bundled network is called 'smal'\. Did you mean 'small'"):
        open_source("bundled:smal")
    monkeypatch.setattr(bundled, "_folder", lambda: tmp_path / "none")
    with pytest.raises(UnknownName, match=r"No bundled network is called 'small'\. Known: none"):
        open_source("bundled:small")
    with pytest.raises(UnknownName, match="No bundled network"):
        bundled_classes("small")


def test_only_architectures_of_the_package_are_run(folder):
    for target, message in (
        ("os:system", "only those of this package"),
        ("stratoscope.types:nothing", "does not exist"),
    ):
        save_file(toy(5).state_dict(), folder / "small.safetensors", {**HEADER, "architecture": target})
        with pytest.raises(BadInput, match=message):
            open_source("bundled:small")


def test_a_header_that_lacks_something_is_refused(folder):
    save_file(toy(5).state_dict(), folder / "small.safetensors", {"size": "3"})
    with pytest.raises(
        WeightsError, match=r"'small\.safetensors' lacks 'architecture', 'mode', 'mean', 'std' in its header"
    ):
        open_source("bundled:small")


def test_other_weights_are_refused_by_name(folder):
    with pytest.raises(UnknownName, match="No set of weights of bundled:small is called 'best'"):
        open_source("bundled:small", weights="best")
