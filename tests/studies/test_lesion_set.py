from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from stratoscope.errors import BadInput, UnknownName
from stratoscope.studies.liu2020.lesion_set import ALL, DEFAULT, IN_THE_PAPER, planned


@pytest.fixture
def prepared(network, stimuli):
    return network.select(stages="relu", unit="channel").prepare(stimuli)


def names(source, stimuli, asked):
    return [lesion.name for lesion in planned(source, stimuli, asked, 0)[0]]


def test_sets_stand_for_several_lesions(prepared, stimuli):
    assert names(prepared, stimuli, "paper") == list(IN_THE_PAPER)
    assert names(prepared, stimuli, None) == list(DEFAULT)
    assert names(prepared, stimuli, "all") == list(ALL)
    assert names(prepared, stimuli, "none") == []
    assert names(prepared, stimuli, ["paper", "remove_gating"]) == list(IN_THE_PAPER)


def test_names_are_those_of_the_lesioned_networks(prepared, stimuli):
    for lesion in planned(prepared, stimuli, [*ALL, "permute_weights at fc1", "remove_gating at gate2"], 0)[0]:
        assert lesion.make(prepared, 4).lesion == lesion.name


def test_each_makes_one_version_a_stage(prepared, stimuli):
    holders = ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert names(prepared, stimuli, "permute_weights at each") == [f"permute_weights at {one}" for one in holders]
    assert names(prepared, stimuli, "permute_biases at each") == [f"permute_biases at {one}" for one in holders]
    gates = ["gate1", "gate2", "gate3", "gate4"]
    assert names(prepared, stimuli, "replace_gating[tanh] at each") == [
        f"replace_gating[tanh] at {one}" for one in gates
    ]


def test_random_lesions_have_a_seed_a_model_and_others_one_model(prepared, stimuli):
    weights, gating = planned(prepared, stimuli, ["permute_weights", "remove_gating"], 7)[0]
    assert weights.seeds(3, 7) == (7, 8, 9)
    assert gating.seeds(3, 7) == (7,)


def test_every_model_is_a_permutation_of_the_trained_weights(prepared, stimuli):
    (lesion,), _ = planned(prepared, stimuli, "permute_weights", 0)
    trained = prepared.module.conv2.weight.detach()
    models = [lesion.make(prepared, seed).module.conv2.weight.detach() for seed in lesion.seeds(3, 0)]
    for model in models:
        assert torch.equal(model.flatten().sort().values, trained.flatten().sort().values)
    assert len({tuple(np.asarray(model).ravel()) for model in models}) == 3


@pytest.mark.parametrize("wrong", ["permute_weights[rows]", "gating", "permute weights", ""])
def test_an_unknown_lesion_is_refused(prepared, stimuli, wrong):
    with pytest.raises(UnknownName, match=re.escape(f"No lesion is called {wrong!r}.")):
        planned(prepared, stimuli, [wrong], 0)


def test_a_stage_that_is_not_there_is_refused_by_name(prepared, stimuli):
    with pytest.raises(BadInput, match=r"The lesion 'remove_gating at gate9' cannot be made of 'small'. No stage"):
        planned(prepared, stimuli, ["remove_gating at gate9"], 0)
