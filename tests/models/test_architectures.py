from __future__ import annotations

import pytest
import torch

from stratoscope.errors import BadInput, UnknownName
from stratoscope.models import ARCHITECTURES, build


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_names_classes_and_is_small(name):
    network = build(name, 7, seed=0).eval()
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
    assert sum(p.numel() for p in network.parameters()) < 200_000


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_hidden_stages_run_once_each_and_in_the_order_they_are_listed(name):
    network = build(name, seed=0).eval()
    ran = []
    for stage in ARCHITECTURES[name].hidden:
        network.get_submodule(stage).register_forward_hook(lambda *_, stage=stage: ran.append(stage))
    network(torch.zeros(1, 3, 64, 64))
    assert tuple(ran) == ARCHITECTURES[name].hidden


@pytest.mark.parametrize("name", ["alexnet", "vgg", "resnet"])
def test_every_relu_is_a_module_of_its_own_and_leaves_its_input_alone(name):
    network = build(name, seed=0)
    relus = [module for module in network.modules() if isinstance(module, torch.nn.ReLU)]
    ran = []
    for module in relus:
        module.register_forward_hook(lambda module, *_: ran.append(module))
        assert not module.inplace
    network.eval()(torch.zeros(1, 3, 64, 64))
    assert len(ran) == len(relus) == len(set(ran))


def test_only_the_networks_that_say_so_have_batch_normalisation():
    has = {name for name in ARCHITECTURES if any(isinstance(m, torch.nn.BatchNorm2d) for m in build(name).modules())}
    assert has == {"vgg", "resnet"}


def test_a_seed_decides_the_weights_and_leaves_the_generator_alone():
    before = torch.random.get_rng_state()
    first, same, other = (build("vit", seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["pos_embed"], other["pos_embed"])


def test_the_transformer_attends_from_everywhere_to_everywhere():
    network = build("vit", seed=0).eval()
    images = torch.zeros(2, 3, 64, 64)
    images[1, :, -4:, -4:] = 1
    tokens = network.blocks[0](
        torch.cat([network.cls_token.expand(2, -1, -1), network.patch_embed(images).flatten(2).transpose(1, 2)], 1)
    )
    assert (tokens[0] != tokens[1]).any(1).all()


def test_unknown_architectures_and_single_classes_are_refused():
    with pytest.raises(UnknownName, match=r"No architecture is called 'alexnett'\. Did you mean 'alexnet'"):
        build("alexnett")
    with pytest.raises(BadInput, match="at least 2 classes apart; 1 were asked for"):
        build("vgg", 1)
