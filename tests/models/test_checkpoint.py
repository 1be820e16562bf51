from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from stratoscope.errors import WeightsError
from stratoscope.models import ARCHITECTURES, build
from stratoscope.models.checkpoint import Header, fill, open_checkpoint, save_checkpoint

HEADER = Header(
    architecture="alexnet",
    classes=tuple("abcdefghij"),
    mean=0.03,
    std=0.12,
    step=3,
    steps=9,
    seed=1,
    accuracy=0.5,
    stimuli="objects:dense",
    command="stratoscope train alexnet",
)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("half", [False, True])
def test_what_was_saved_is_opened_again(name, half, tmp_path):
    network = build(name, seed=4)
    header = replace(HEADER, architecture=name)
    save_checkpoint(tmp_path / "a.safetensors", network, header, half=half)
    opened, read = open_checkpoint(tmp_path / "a.safetensors")
    assert not opened.training
    assert replace(read, version="", torch="") == header
    assert read.torch == torch.__version__
    tolerance = 1e-3 if half else 0
    for key, tensor in network.state_dict().items():
        assert opened.state_dict()[key].dtype == tensor.dtype
        torch.testing.assert_close(opened.state_dict()[key], tensor, rtol=tolerance, atol=tolerance)


def test_the_header_says_in_text_how_images_are_treated_and_what_makes_the_network(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", build("alexnet", seed=0), HEADER)
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        texts = file.metadata()
    assert texts["architecture"] == "stratoscope.models:alexnet"
    assert json.loads(texts["arguments"]) == {"classes": 10}
    assert (texts["size"], texts["mode"], json.loads(texts["mean"])) == ("64", "squash", [0.03] * 3)
    assert texts["command"] == "stratoscope train alexnet"
    assert json.loads(texts["classes"]) == list("abcdefghij")


def test_half_stores_matrices_in_16_bits_and_statistics_in_32(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", build("vgg", seed=0), replace(HEADER, architecture="vgg"), half=True)
    stored = load_file(tmp_path / "a.safetensors")
    assert stored["block1.conv1.weight"].dtype == torch.float16
    assert stored["block1.norm1.running_var"].dtype == torch.float32


def test_a_checkpoint_of_another_architecture_is_refused_and_changes_nothing(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", build("vgg", seed=0), HEADER)
    with pytest.raises(
        WeightsError, match=r"'a\.safetensors' does not fit the architecture 'alexnet': 16 tensors are missing"
    ):
        open_checkpoint(tmp_path / "a.safetensors")
    network = build("alexnet", seed=0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(WeightsError, match="are not of it"):
        fill(network, {**network.state_dict(), "extra": torch.zeros(1)}, "x", "alexnet")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_another_number_of_classes_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", build("alexnet", 5), HEADER)
    with pytest.raises(WeightsError, match=r"'fc8\.bias' is \(5,\) in the file and \(10,\) in the network"):
        open_checkpoint(tmp_path / "a.safetensors")


def test_foreign_missing_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="There is no checkpoint"):
        open_checkpoint(tmp_path / "none.safetensors")
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(
        WeightsError, match=r"is not a checkpoint of this package: its header lacks architecture, classes"
    ):
        open_checkpoint(tmp_path / "foreign.safetensors")
    save_checkpoint(tmp_path / "other.safetensors", build("vgg"), replace(HEADER, architecture="inception"))
    with pytest.raises(WeightsError, match=r"its architecture is 'inception'\. Known architectures: alexnet, vgg"):
        open_checkpoint(tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "foreign.safetensors").read_bytes()[:20])
    with pytest.raises(WeightsError, match=r"'cut\.safetensors' is damaged or no safetensors file"):
        open_checkpoint(tmp_path / "cut.safetensors")


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("stratoscope.models.checkpoint.os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(tmp_path / "a.safetensors", build("vgg"), HEADER)
    assert not list(tmp_path.iterdir())
