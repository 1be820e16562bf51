import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stratoscope.errors import BadInput, StageError, UnknownName
from stratoscope.sources import lesions
from stratoscope.sources.network import Network
from stratoscope.sources.parameters import TOKEN_SD
from stratoscope.sources.weights import load_weights, weights_hash
from stratoscope.testing.source_laws import (
    check_answers_once,
    check_batching,
    check_leaves_no_trace,
    check_repeatable,
    check_source,
    check_stages,
)
from stratoscope.types import Stimuli


class Residual(nn.Module):
    """A shared module, calls in every style, a skip connection beside them and a custom activation."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.swish = QuickGELU()
        self.fc = nn.Linear(6, 5)
        self.token = nn.Parameter(torch.zeros(6))

    def forward(self, x):
        y = self.relu(self.bn(self.conv1(x)))
        z = F.relu(self.conv2(y))
        z = z + y
        z = self.relu(z)
        z = torch.relu(z - 0.1)
        z.relu_()
        z = self.swish(z.mean((2, 3)) + self.token)
        return self.fc(z)


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


@pytest.fixture
def module():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = Residual()
        network.token.data.normal_()
        network.bn.weight.data.uniform_(0.5, 2)
        network.bn.running_mean.normal_()
    return network


@pytest.fixture
def stimuli(rng):
    images = rng.normal(size=(5, 3, 8, 8)).astype(np.float32)
    return Stimuli("noise", tuple("abcde"), lambda row: images[row])


@pytest.fixture
def network(module, stimuli):
    return Network(module, stages="activation").prepare(stimuli)


def responses(network, stimuli):
    out = {}
    network.play(stimuli, lambda s, rows, r: out.setdefault(s.name, []).append(r.clone()), batch_size=2)
    return {name: torch.cat(parts) for name, parts in out.items()}


def run(network, x=None):
    x = torch.linspace(-2, 2, 2 * 3 * 64).reshape(2, 3, 8, 8) if x is None else x
    with torch.inference_mode():
        return network.module.eval()(x)


RANDOM = [
    pytest.param(lesions.permute_weights, "weight", id="weights"),
    pytest.param(lesions.permute_biases, "bias", id="biases"),
]
ALL = [
    lambda n: lesions.permute_weights(n, 0),
    lambda n: lesions.permute_weights(n, 0, scope="channels"),
    lambda n: lesions.permute_weights(n, 0, scope="kernels"),
    lambda n: lesions.permute_biases(n, 0),
    lambda n: lesions.reinitialize(n, 0),
    lesions.remove_gating,
    lambda n: lesions.replace_gating(n, "tanh"),
    lambda n: lesions.remove_gating(n, stages="relu*"),
    lambda n: lesions.ablate_units(n, "relu:2", [0, 3]),
]


@pytest.mark.parametrize("lesion", ALL)
def test_the_original_is_untouched_and_the_global_random_state_too(network, stimuli, lesion):
    before, state, answer = weights_hash(network.module), torch.get_rng_state(), run(network)
    lesioned = lesion(network)
    responses(lesioned, stimuli)
    assert weights_hash(network.module) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(run(network), answer)
    assert type(network.module) is Residual
    assert not torch.equal(run(lesioned), answer)


@pytest.mark.parametrize("lesion", ALL)
def test_stages_are_equal_before_and_after(network, stimuli, lesion):
    lesioned = lesion(network).prepare(stimuli)
    assert lesioned.stages == network.stages
    assert lesioned.taps(stimuli) == network.taps(stimuli)


@pytest.mark.parametrize("lesion", [ALL[0], *ALL[5:]])
def test_lesioned_networks_keep_the_laws_of_sources(network, stimuli, lesion):
    for law in (check_stages, check_answers_once, check_batching, check_repeatable, check_leaves_no_trace):
        law(lambda: lesion(network), stimuli)


@pytest.mark.parametrize("lesion", [lesions.remove_gating, lambda n: lesions.ablate_units(n, "2", [1])])
def test_lesioned_networks_of_modules_are_read_where_they_say(stimuli, lesion):
    chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3), nn.ReLU())
    network = Network(chain, stages="*").prepare(stimuli)
    check_source(lambda: lesion(network), stimuli)


@pytest.mark.parametrize("scope", lesions.SCOPES)
def test_permuted_weights_keep_every_multiset_and_all_else(network, scope):
    before, after = network.module.state_dict(), lesions.permute_weights(network, 7, scope=scope).module.state_dict()
    for name, tensor in before.items():
        assert torch.equal(tensor.flatten().sort()[0], after[name].flatten().sort()[0])
        vector = scope == "kernels" and tensor.ndim == 1
        assert torch.equal(tensor, after[name]) == (not name.endswith(".weight") or vector)


def test_channels_and_kernels_stay_whole(network):
    before = network.module.conv2.weight.detach()
    channels = lesions.permute_weights(network, 7, scope="channels").module.conv2.weight.detach()
    rows = {tuple(row.flatten().tolist()) for row in before}
    assert {tuple(row.flatten().tolist()) for row in channels} == rows
    kernels = lesions.permute_weights(network, 7, scope="kernels").module.conv2.weight.detach().reshape(6, -1)
    columns = {tuple(column.tolist()) for column in before.reshape(6, -1).T}
    assert {tuple(column.tolist()) for column in kernels.T} == columns


def test_permuted_biases_leave_weights(network):
    before, after = network.module.state_dict(), lesions.permute_biases(network, 7).module.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "conv1.bias",
        "conv2.bias",
        "fc.bias",
    }
    assert torch.equal(before["fc.bias"].sort()[0], after["fc.bias"].sort()[0])


@pytest.mark.parametrize(("lesion", "kind"), RANDOM)
def test_seeds_reproduce_and_differ(network, lesion, kind):
    hashes = [weights_hash(lesion(network, seed).module) for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_lesion_of_one_stage_is_the_part_of_the_whole_that_falls_on_it(network):
    whole, part = lesions.permute_weights(network, 5), lesions.permute_weights(network, 5, stages="conv2")
    before, whole, part = (n.module.state_dict() for n in (network, whole, part))
    assert [name for name in before if not torch.equal(before[name], part[name])] == ["conv2.weight"]
    assert torch.equal(whole["conv2.weight"], part["conv2.weight"])


def test_a_liar_that_draws_with_replacement_is_caught(network):
    tensor = network.module.conv1.weight.detach()
    liar = tensor.flatten()[torch.randint(tensor.numel(), (tensor.numel(),))]
    assert not torch.equal(tensor.flatten().sort()[0], liar.sort()[0])


def test_a_stage_without_weights_names_the_one_before_it(network):
    with pytest.raises(
        BadInput, match=r"'relu' is part of the network and has no weight to change\. The one before it is 'bn'"
    ):
        lesions.permute_weights(network, 0, stages="relu")
    with pytest.raises(UnknownName, match=r"No module with a weight is called 'conv3'\. Did you mean 'conv"):
        lesions.permute_weights(network, 0, stages=["conv3"])
    with pytest.raises(UnknownName, match="No scope of a permutation is called 'kernel'"):
        lesions.permute_weights(network, 0, scope="kernel")
    with pytest.raises(BadInput, match="no parameters called 'bias'"):
        lesions.permute_biases(Network(nn.Linear(2, 2, bias=False)), 0)


def test_attention_weights_are_permuted_too():
    attention = Network(nn.MultiheadAttention(4, 2))
    after = lesions.permute_weights(attention, 0).module.state_dict()
    assert not torch.equal(attention.module.in_proj_weight, after["in_proj_weight"])


def test_a_fresh_start_resets_modules_statistics_and_orphans(network):
    one, again, other = (lesions.reinitialize(network, seed).module for seed in (1, 1, 2))
    assert weights_hash(one) == weights_hash(again) != weights_hash(other)
    assert torch.equal(one.bn.running_mean, torch.zeros(6))
    assert torch.equal(one.bn.weight, torch.ones(6))
    bound = 1 / np.sqrt(27)
    assert one.conv1.weight.abs().max() <= bound
    assert 0 < one.token.abs().max() < 6 * TOKEN_SD
    assert not torch.equal(one.token, network.module.token)
    part = lesions.reinitialize(network, 1, stages="conv1").module
    assert torch.equal(part.conv1.weight, one.conv1.weight)
    assert torch.equal(part.fc.weight, network.module.fc.weight)


def test_running_statistics_without_parameters_start_afresh_too():
    module = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, affine=False))
    module[1].running_mean.fill_(4)
    assert lesions.reinitialize(Network(module), 0).module[1].running_mean.tolist() == [0, 0, 0]
    assert lesions.reinitialize(Network(module), 0, stages="0").module[1].running_mean.tolist() == [4, 4, 4]


def test_orphans_follow_the_written_scheme():
    class Orphan(nn.Module):
        def __init__(self):
            super().__init__()
            for name, shape in (("weight", (40, 50)), ("gamma", (3,)), ("bias", (3,)), ("cls_token", (1, 1, 8))):
                self.register_parameter(name, nn.Parameter(torch.full(shape, 9.0)))

        def forward(self, x):
            return x

    fresh = lesions.reinitialize(Network(Orphan()), 0).module
    assert fresh.weight.std().item() == pytest.approx(np.sqrt(2 / 50), rel=0.1)
    assert fresh.gamma.tolist() == [1, 1, 1]
    assert fresh.bias.tolist() == [0, 0, 0]
    assert 0 < fresh.cls_token.abs().max() <= 2


def linear_twin(module, gate=lambda x: x):
    """The toy written out with `gate` in place of every non-linearity."""

    def forward(x):
        y = gate(module.bn(module.conv1(x)))
        z = gate(gate(module.conv2(y)) + y)
        z = gate(gate(z - 0.1))
        return module.fc(gate(z.mean((2, 3)) + module.token))

    return forward


@pytest.mark.parametrize("gate", [None, *lesions.GATINGS])
def test_gating_of_every_style_is_reached(network, gate):
    lesioned = lesions.replace_gating(network, gate) if gate else lesions.remove_gating(network)
    x = torch.linspace(-2, 2, 2 * 3 * 64).reshape(2, 3, 8, 8)
    with torch.inference_mode():
        expected = linear_twin(network.module.eval(), lesions.GATINGS[gate] if gate else lambda x: x)(x)
    torch.testing.assert_close(run(lesioned, x.clone()), expected)
    torch.testing.assert_close(run(lesioned, x.clone()), expected)


def test_stages_are_read_after_the_identity(network, stimuli):
    intact, lesioned = responses(network, stimuli), responses(lesions.remove_gating(network), stimuli)
    assert list(intact) == list(lesioned)
    assert all((values >= 0).all() for name, values in intact.items() if "relu" in name)
    assert all((values < 0).any() for values in lesioned.values())
    torch.testing.assert_close(intact["relu"].relu(), intact["relu"])


def test_gating_can_be_taken_from_single_calls(network, stimuli):
    intact = responses(network, stimuli)
    names = list(intact)
    assert names == ["relu", "relu:2", "relu:3", "relu:4", "relu:5", "swish"]
    for index, name in enumerate(names):
        lesioned = responses(lesions.remove_gating(network, stages=name), stimuli)
        changed = [other for other in names if not torch.equal(intact[other], lesioned[other])]
        assert changed[:1] in ([name], [])
        assert set(changed) <= set(names[index:])
        assert changed or name in ("relu:3", "relu:5")  # a sum and a rectified map are rectified already


def test_gating_with_its_own_input_beside_a_skip_is_not_written_in_place():
    class Skip(nn.Module):
        def forward(self, x):
            gated = F.relu(x)
            gated += 1
            return gated + x

    x = torch.tensor([[-1.0, 2.0]])
    lesioned = lesions.remove_gating(Network(Skip()))
    assert run(lesioned, x).tolist() == [[-1.0, 5.0]]
    assert x.tolist() == [[-1.0, 2.0]]


def test_a_network_without_gating_refuses_to_lose_it(stimuli):
    lesioned = lesions.remove_gating(Network(nn.Sequential(nn.Conv2d(3, 2, 3))))
    with pytest.raises(BadInput, match="changed nothing: no non-linearity ran"):
        run(lesioned)


def test_silenced_channels_are_zero_there_and_felt_later(network, stimuli):
    intact = responses(network, stimuli)
    for name in ("relu", "relu:2", "swish"):
        lesioned = responses(lesions.ablate_units(network, name, [0, 4]), stimuli)
        assert (lesioned[name][:, [0, 4]] == 0).all()
        assert torch.equal(lesioned[name][:, [1, 2, 3, 5]], intact[name][:, [1, 2, 3, 5]])
    assert not torch.equal(lesioned["swish"], intact["swish"])


def test_units_and_stages_that_do_not_exist_are_refused(network, module):
    with pytest.raises(BadInput, match=r"'relu' has channels 0 to 5; to be silenced are \[2, 6\]"):
        lesions.ablate_units(network, "relu", [6, 2])
    with pytest.raises(UnknownName, match=r"No stage is called 'relo'\. Did you mean 'relu"):
        lesions.ablate_units(network, "relo", [1])
    with pytest.raises(StageError, match="known only after one stimulus has passed"):
        lesions.ablate_units(Network(module), "relu", [1])
    with pytest.raises(StageError, match="'conv1' is a conv and has no gating"):
        lesions.remove_gating(network, stages="conv1")
    with pytest.raises(UnknownName, match=r"No gating is called 'gelo'\. Did you mean 'gelu'"):
        lesions.replace_gating(network, "gelo")


def test_lesions_add_up_and_say_so(network, stimuli):
    once = lesions.permute_weights(network, 4, scope="channels")
    twice = lesions.ablate_units(lesions.remove_gating(once).prepare(stimuli), "relu:2", [1])
    assert once.describe()["lesion"] == "permute_weights[channels]"
    assert once.describe()["seed"] == 4
    assert twice.describe()["lesion"] == "permute_weights[channels] (seed 4) + remove_gating + ablate_units[relu:2: 1]"
    out, gated = responses(twice, stimuli), responses(lesions.remove_gating(once), stimuli)
    assert (out["relu:2"][:, 1] == 0).all()
    assert torch.equal(out["relu:2"][:, 0], gated["relu:2"][:, 0])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_lesioned_networks_can_be_copied_and_sent(network, duplicate):
    x = torch.linspace(-2, 2, 2 * 3 * 64).reshape(2, 3, 8, 8)
    for lesioned in (lesions.remove_gating(network), lesions.ablate_units(network, "relu:2", [1])):
        twin = duplicate(lesioned.module)
        assert type(twin).__qualname__ == "Residual"
        assert torch.equal(twin.eval()(x), run(lesioned, x))


@pytest.mark.realdata
def test_gating_of_a_trained_resnet_with_functional_calls_is_removed_at_the_same_stages(data):
    module = CifarResNet(3)
    load_weights(module, data / "weights" / "cifar10_resnet_idelbayev" / "resnet20.safetensors")
    images = np.random.default_rng(0).normal(size=(4, 3, 32, 32)).astype(np.float32)
    stimuli = Stimuli("noise", tuple("abcd"), lambda row: images[row])
    network = Network(module, stages="relu").prepare(stimuli)
    assert len(network.stages) == 19
    lesioned = lesions.remove_gating(network).prepare(stimuli)
    assert lesioned.stages == network.stages
    assert all((values < 0).any() for values in responses(lesioned, stimuli).values())


class CifarBlock(nn.Module):
    def __init__(self, given, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(given, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.padding = stride, (width - given) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        return F.relu(y + F.pad(shortcut, (0, 0, 0, 0, self.padding, self.padding)))


class CifarResNet(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        given = 16
        for index, width in enumerate((16, 32, 64), start=1):
            blocks = [CifarBlock(given if k == 0 else width, width, 1 + (k == 0 and width > 16)) for k in range(n)]
            setattr(self, f"layer{index}", nn.Sequential(*blocks))
            given = width
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def test_scripted_networks_are_refused():
    with pytest.warns(DeprecationWarning, match="script"):
        scripted = torch.jit.script(nn.Sequential(nn.ReLU()))
    with pytest.raises(BadInput, match="compiled TorchScript"):
        lesions.remove_gating(Network(scripted))
