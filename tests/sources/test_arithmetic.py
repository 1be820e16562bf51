"""Faster arithmetic: what it changes about the numbers, and that the results say it was on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import stratoscope as st
from stratoscope.errors import UnknownName
from stratoscope.testing.source_laws import check_source


def convolutions() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 8, 3), nn.ReLU())


def stimuli(n: int = 6) -> st.Stimuli:
    images = np.random.default_rng(0).random((n, 3, 12, 12), dtype=np.float32)
    return st.Stimuli("noise", tuple(map(str, range(n))), lambda row: images[row])


def responses(**how) -> list[np.ndarray]:
    kept = []
    network = st.Network(convolutions(), unit="position", stages="relu", **how)
    network.play(stimuli(), lambda stage, rows, values: kept.append(values.float().numpy().copy()))
    return kept


def test_channels_last_changes_numbers_by_rounding_only():
    for plain, other in zip(responses(), responses(channels_last=True), strict=True):
        np.testing.assert_allclose(other, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("autocast", "error"), [("bfloat16", 2.0**-6), ("float16", 2.0**-9)])
def test_autocast_rounds_responses_to_its_format(autocast, error):
    for plain, other in zip(responses(), responses(autocast=autocast), strict=True):
        assert not np.array_equal(other, plain)
        np.testing.assert_allclose(other, plain, atol=error * np.abs(plain).max())


def test_channels_last_keeps_the_laws_of_sources():
    check_source(lambda: st.Network(convolutions(), stages="relu", channels_last=True), stimuli())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "float32"),
        ({"channels_last": True}, "float32, channels last"),
        ({"autocast": "bfloat16"}, "autocast bfloat16"),
    ],
)
def test_the_results_say_how_it_was_computed(how, said):
    network = st.Network(convolutions(), stages="relu", **how)
    results = st.profile(network, stimuli(), metrics=["lifetime_sparseness"], progress=False)
    assert results.run["source"]["arithmetic"] == said


def test_a_network_with_another_module_computes_as_before():
    network = st.Network(convolutions(), autocast="bfloat16", channels_last=True)
    assert network.with_module(convolutions()).describe()["arithmetic"] == "autocast bfloat16, channels last"


def test_a_format_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownName, match="No autocast format is called 'bf16'.*bfloat16"):
        st.Network(convolutions(), autocast="bf16")
