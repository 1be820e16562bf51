import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import torch

from stratoscope import registry
from stratoscope.errors import BadInput, UnknownName, WeightsError
from stratoscope.registry import Registry
from stratoscope.sources import openers
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.network import Network
from stratoscope.sources.openers import Request, open_source
from stratoscope.sources.preprocess import Preprocess

TOY = """
import torch
from torch import nn

def toy():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))

def ready():
    from stratoscope.sources.network import Network
    return Network(toy(), name="mine", unit="position")

def number():
    return 3

def broken():
    x = 1
    return x / 0
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(TOY)
    return path


def test_a_function_in_a_file_makes_a_network(file):
    source = open_source(f"{file}:toy", stages="relu", size=8, input="squash", seed=4)
    assert isinstance(source, Network)
    described = source.describe()
    assert described["name"] == f"{file}:toy"
    assert described["origin"] == f"{file}:toy, weights: as returned, seed 4"
    assert described["preprocess"].startswith("squash: both sides to 8 pixels")
    assert described["stages"] == "relu"


def test_the_function_runs_under_the_seed_and_leaves_the_global_state_alone(file):
    state = torch.get_rng_state()
    weights = [open_source(f"{file}:toy", seed=seed).module[0].weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_made_in_the_file_is_kept_and_can_be_read_otherwise(file):
    source = open_source(f"{file}:ready", stages="conv")
    assert source.name == "mine"
    assert source.describe()["unit"] == ["position"]
    with pytest.raises(BadInput, match="own preprocessing and device"):
        open_source(f"{file}:ready", size=3)


def test_a_file_of_weights_is_loaded_over_what_the_function_returns(file, tmp_path):
    donor = open_source(f"{file}:toy", seed=9).module
    torch.save(donor.state_dict(), tmp_path / "w.pt")
    source = open_source(f"{file}:toy", weights=tmp_path / "w.pt")
    assert torch.equal(source.module[0].weight, donor[0].weight)
    assert source.describe()["origin"].endswith("weights: " + str(tmp_path / "w.pt"))


def test_what_goes_wrong_in_the_file_is_named_with_its_line(file, tmp_path):
    with pytest.raises(BadInput, match=r"nets\.py failed at line 17: ZeroDivisionError: division by zero"):
        open_source(f"{file}:broken")
    with pytest.raises(BadInput, match=r"'number' in .* returned a int\. It must return a torch\.nn\.Module"):
        open_source(f"{file}:number")
    with pytest.raises(UnknownName, match=r"No function in nets\.py is called 'toi'\. Did you mean 'toy'"):
        open_source(f"{file}:toi")
    with pytest.raises(BadInput, match="'random' has no meaning"):
        open_source(f"{file}:toy", weights="random")
    with pytest.raises(BadInput, match=r"There is no file 'none\.py'"):
        open_source("none.py:toy")
    (tmp_path / "bad.py").write_text("x = 1\ndef (:\n")
    with pytest.raises(BadInput, match=r"bad\.py failed at line 2: SyntaxError"):
        open_source(f"{tmp_path}/bad.py:toy")
    (tmp_path / "gone.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(BadInput, match=r"gone\.py failed at line 2: SystemExit: 3"):
        open_source(f"{tmp_path}/gone.py:toy")


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("torchvison:alexnet", r"Did you mean 'torchvision:alexnet'\?"),
        ("alexnet", r"Did you mean 'torchvision:alexnet'\?"),
        ("net.py", r"Name the function in the file that makes the network: net\.py:FUNCTION"),
        ("w.safetensors", "Weights need an architecture"),
        ("timm:", "names no source"),
        ("", "names no source"),
    ],
)
def test_a_source_that_nobody_opens_gets_the_forms_and_the_nearest(spec, hint):
    with pytest.raises(UnknownName, match=hint) as caught:
        open_source(spec)
    assert "A source is torchvision:NAME, timm:NAME, hf:NAME or hf:FOLDER, bundled:NAME, FILE.py:FUNCTION" in str(
        caught.value
    )


def test_files_of_responses_are_opened_as_arrays(tmp_path, rng):
    np.savez(tmp_path / "rat.npz", V1=rng.normal(size=(4, 3)))
    assert isinstance(open_source(tmp_path / "rat.npz"), Arrays)
    with pytest.raises(BadInput, match="holds responses that exist already"):
        open_source(tmp_path / "rat.npz", weights="random")


def test_an_unknown_input_mode_is_refused():
    with pytest.raises(UnknownName, match=r"No input is called 'sqash'\. Did you mean 'squash'"):
        open_source("torchvision:alexnet", input="sqash")


def test_what_the_user_asks_of_the_input_goes_over_what_the_weights_ask():
    asked = Preprocess(size=224, resize=232)
    assert Request("x").preprocess(asked) is asked
    assert Request("x", input="squash").preprocess(asked).resized == 224
    assert Request("x", size=112).preprocess(asked).resized == 128
    assert Request("x", input="crop", size=224).preprocess(asked) is asked


def test_plug_ins_open_sources_of_their_own(monkeypatch):
    module = type(sys)("plugin")
    module.open_it = lambda name, request: (name, request.size)
    monkeypatch.setitem(sys.modules, "plugin", module)
    point = EntryPoint("mine", "plugin:open_it", "stratoscope.sources")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    plugged = Registry("model source", group="stratoscope.sources")
    monkeypatch.setattr(openers, "SOURCES", plugged)
    assert open_source("mine:thing", size=7) == ("thing", 7)


def test_a_weights_file_that_is_missing_is_named(file):
    with pytest.raises(WeightsError, match="There is no weights file"):
        open_source(f"{file}:toy", weights="none.safetensors")
