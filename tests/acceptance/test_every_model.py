"""Every torchvision classifier and a spread of timm's list their stages and are profiled on eight images."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import stratoscope as st
from stratoscope._compat import import_torchvision

torchvision = import_torchvision()

TORCHVISION = torchvision.models.list_models(module=torchvision.models)
TIMM = [
    "beit_base_patch16_224",
    "cait_xxs24_224",
    "coat_lite_tiny",
    "convmixer_768_32",
    "convnext_atto",
    "crossvit_tiny_240",
    "davit_tiny",
    "deit_tiny_patch16_224",
    "edgenext_xx_small",
    "efficientformer_l1",
    "efficientnet_lite0",
    "focalnet_tiny_srf",
    "ghostnet_100",
    "gmlp_ti16_224",
    "hrnet_w18_small",
    "levit_128s",
    "mixer_s32_224",
    "mobilevit_xxs",
    "nf_resnet26",
    "pit_ti_224",
    "poolformer_s12",
    "regnety_002",
    "resmlp_12_224",
    "resnet10t",
    "rexnet_100",
    "swin_tiny_patch4_window7_224",
    "tf_efficientnetv2_b0",
    "vit_tiny_patch16_224",
    "xcit_nano_12_p16_224",
]
#: Smallest sides that the fixed inner sizes of an architecture allow; 64 px serve the rest.
SIDES = {"inception_v3": 75, "maxvit_t": 224}
METRICS = ["population_sparseness", "lifetime_sparseness", "dead_fraction", "two_nn", "participation_ratio"]


@pytest.fixture
def quick_weights(monkeypatch):
    """Fill weights with cheap random numbers: the initialisation of the largest models takes longer than their use."""
    generator = torch.Generator().manual_seed(0)

    def fill(tensor, *_args, **_kwargs):
        with torch.no_grad():
            return tensor.uniform_(-0.1, 0.1, generator=generator)

    for name in (
        "kaiming_uniform_",
        "kaiming_normal_",
        "xavier_uniform_",
        "xavier_normal_",
        "trunc_normal_",
        "normal_",
    ):
        monkeypatch.setattr(nn.init, name, fill)


def images(side):
    rng = np.random.default_rng(0)
    pixels = rng.random((8, 3, side, side), dtype=np.float32)
    return st.Stimuli(
        "noise", tuple(map(str, range(8))), lambda row: pixels[row], {"category": np.array(["a", "b"] * 4)}
    )


def check(module, side):
    stimuli = images(side)
    network = st.Network(module)
    taps = network.taps(stimuli)
    assert len(taps) > 5
    assert all(0 <= one.depth <= other.depth <= 1 for one, other in itertools.pairwise(taps))
    results = st.profile(network, stimuli, metrics=METRICS, batch_size=8, progress=False)
    assert 3 <= len({stage.name for stage in results.stages}) <= 12
    sparseness = results.table().query("metric == 'population_sparseness' and control == ''")
    assert sparseness["value"].between(0, 1).all()
    dimension = results.table().query("metric == 'two_nn'")
    assert (np.isfinite(dimension["value"]) | (dimension["note"] != "")).all()


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision(name, quick_weights):
    side, options = SIDES.get(name, 64), {}
    if name.startswith("vit_"):
        side = 2 * int(name.rsplit("_", 1)[1])
        options = {"image_size": side}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        check(torchvision.models.get_model(name, weights=None, **options), side)


@pytest.mark.parametrize("name", TIMM)
def test_timm(name, quick_weights):
    timm = pytest.importorskip("timm", reason="the extra timm is not installed")
    module = timm.create_model(name, pretrained=False)
    fixed = getattr(module, "pretrained_cfg", {}).get("fixed_input_size", False)
    check(module, module.pretrained_cfg["input_size"][-1] if fixed else 64)
