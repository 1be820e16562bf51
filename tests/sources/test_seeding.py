import pytest
import torch

from stratoscope.sources.seeding import generator_at, tensor_seed


def test_the_global_state_is_put_back_also_after_an_error():
    before = torch.get_rng_state()
    with generator_at(3):
        first = torch.rand(2)
    with pytest.raises(RuntimeError, match="negative"), generator_at(3):
        torch.randperm(-1)
    assert torch.equal(torch.get_rng_state(), before)
    with generator_at(3):
        assert torch.equal(torch.rand(2), first)


def test_every_tensor_has_a_seed_of_its_own_that_never_changes():
    assert tensor_seed(0, "conv1.weight") == 1329563239762577
    assert len({tensor_seed(seed, name) for seed in range(3) for name in "abc"}) == 9
