import random

import numpy as np
import pytest
import torch
from torch import nn

from stratoscope.errors import BadInput
from stratoscope.sources.undisturbed import undisturbed, usable_device


class Loud(nn.Module):
    """Says when its mode is changed by calling train or eval."""

    def __init__(self):
        super().__init__()
        self.part = nn.Dropout()
        self.calls = 0

    def train(self, mode=True):
        self.calls += 1
        return super().train(mode)


def states():
    return torch.get_rng_state().tolist(), repr(np.random.get_state()), random.getstate()


def test_modes_part_by_part_and_random_states_are_put_back_after_an_error():
    module = Loud()
    module.part.training = False
    before, calls = states(), module.calls

    def lent():
        with undisturbed(module, torch.device("cpu")):
            assert not any(part.training for part in module.modules())
            assert not torch.backends.mha.get_fastpath_enabled()
            torch.rand(2), np.random.random(), random.random()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lent()
    assert (module.training, module.part.training, module.calls) == (True, False, calls)
    assert states() == before
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_network_on_several_devices_is_refused():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, device="meta"))
    with (
        pytest.raises(BadInput, match=r"The network lies on several devices \(cpu, meta\)\. Move it to one"),
        undisturbed(module, torch.device("cpu")),
    ):
        pass


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_a_device_that_is_not_there_is_refused_and_not_replaced():
    with pytest.raises(BadInput, match=r"Device 'cuda' cannot be used here: .* Choose 'cpu', or install what it needs"):
        usable_device("cuda")
