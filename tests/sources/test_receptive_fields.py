"""Fields of units: what the wiring allows, what moves them, and that looking disturbs nothing."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stratoscope.errors import BadInput, StageError, UnknownName
from stratoscope.sources import Network
from stratoscope.sources.receptive_fields import effective_fields, theoretical_fields
from stratoscope.testing.toys import FunctionalRelus, Restless, SharedRelu, TinyTransformer, toy_stimuli

SIZE = 24


@pytest.fixture(scope="module")
def stimuli():
    return toy_stimuli(6, size=SIZE)


def conv(inputs, outputs, kernel, **options):
    torch.manual_seed(kernel)
    return nn.Conv2d(inputs, outputs, kernel, **options)


def extent(fields):
    """Return first and last row and column of one field."""
    rows, columns = np.flatnonzero(fields.any(axis=1)), np.flatnonzero(fields.any(axis=0))
    return rows[0], rows[-1], columns[0], columns[-1]


def unit(channel, row, column, shape):
    return int(np.ravel_multi_index((channel, row, column), shape))


class Residual(nn.Module):
    """A wide branch beside a narrow one, with a pooled skip."""

    def __init__(self):
        super().__init__()
        self.wide = conv(3, 4, 7, padding=3)
        self.narrow = conv(3, 4, 1)
        self.last = nn.Identity()

    def forward(self, images):
        return self.last(F.relu(self.wide(images)) + self.narrow(images))


#: Layers, place (row, column) of the unit, and first and last row of its field, computed by hand.
STACKS = {
    "one 3 x 3": (lambda: [conv(3, 4, 3, padding=1)], (10, (9, 11))),
    "two 3 x 3": (lambda: [conv(3, 4, 3, padding=1), nn.ReLU(inplace=True), conv(4, 4, 3, padding=1)], (10, (8, 12))),
    "stride 2 and a pool": (lambda: [conv(3, 8, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2)], (2, (6, 12))),
    "dilated, its hull": (lambda: [conv(3, 4, 3, dilation=3, padding=3), nn.BatchNorm2d(4), nn.GELU()], (10, (7, 13))),
    "grouped and averaged": (lambda: [conv(3, 6, 3, padding=1, groups=3), nn.AvgPool2d(3, 2, 1)], (5, (8, 12))),
    "many channels": (
        lambda: [conv(3, 64, 5, padding=2), nn.ReLU6(), conv(64, 16, 3, padding=1), nn.SiLU()],
        (12, (9, 15)),
    ),
    "at the border": (lambda: [conv(3, 4, 7, padding=3), nn.Hardtanh(), conv(4, 4, 3, padding=1)], (0, (0, 4))),
}


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_of_layers_has_the_field_that_its_geometry_gives(name, stimuli):
    layers, (place, rows) = STACKS[name]
    network = Network(nn.Sequential(*layers()), name=name)
    last = network.taps(stimuli)[-1]
    chosen = unit(1, place, place, last.shape)
    fields = theoretical_fields(network, stimuli, {last.name: [chosen, 0]})[last.name]
    assert fields.shape == (2, SIZE, SIZE)
    assert fields.dtype == np.float32
    assert set(np.unique(fields)) == {0, 1}
    assert extent(fields[0]) == (*rows, *rows)
    moved = effective_fields(network, stimuli, {last.name: [chosen, 0]})[last.name]
    assert ((moved > 0) <= (fields > 0)).all()
    assert moved[0].max() > 0


def test_rows_between_the_taps_of_a_dilated_kernel_are_not_in_its_field(stimuli):
    network = Network(nn.Sequential(conv(3, 4, 3, dilation=3, padding=3)))
    field = theoretical_fields(network, stimuli, {"0": unit(0, 10, 12, (4, SIZE, SIZE))})["0"][0]
    assert np.flatnonzero(field.any(axis=1)).tolist() == [7, 10, 13]
    assert np.flatnonzero(field.any(axis=0)).tolist() == [9, 12, 15]


def test_a_weight_of_zero_counts_as_wiring_and_moves_nothing(stimuli):
    layer = conv(3, 1, 3, padding=1)
    with torch.no_grad():
        layer.weight[:, :, 0] = 0
    network, chosen = Network(nn.Sequential(layer)), {"0": unit(0, 10, 10, (1, SIZE, SIZE))}
    assert extent(theoretical_fields(network, stimuli, chosen)["0"][0]) == (9, 11, 9, 11)
    moved = effective_fields(network, stimuli, chosen)["0"][0]
    assert extent(moved) == (10, 11, 9, 11)
    np.testing.assert_allclose(moved[9:12, 9:12], layer.weight.detach().abs().sum(dim=(0, 1)), rtol=1e-6)


def test_branches_that_are_added_have_the_widest_of_their_fields(stimuli):
    place = unit(0, 12, 3, (4, SIZE, SIZE))
    fields = theoretical_fields(Network(Residual()), stimuli, {"last": place, "narrow": place})
    assert extent(fields["last"][0]) == (9, 15, 0, 6)
    assert extent(fields["narrow"][0]) == (12, 12, 3, 3)


def test_functional_non_linearities_and_shared_modules_are_read_by_call(stimuli):
    network = Network(FunctionalRelus())
    names = [tap.name for tap in network.taps(stimuli) if tap.kind in ("relu", "activation")]
    chosen = dict.fromkeys(names, unit(0, 4, 5, (3, SIZE, SIZE)))
    fields, moved = theoretical_fields(network, stimuli, chosen), effective_fields(network, stimuli, chosen)
    assert list(fields) == names
    assert all(extent(field[0]) == (4, 4, 5, 5) for field in fields.values())
    assert all(((moved[name] > 0) <= (fields[name] > 0)).all() for name in names)
    shared = {name: unit(0, 10, 10, (3, SIZE, SIZE)) for name in ("relu", "relu:2")}
    both = theoretical_fields(Network(SharedRelu()), stimuli, shared)
    assert extent(both["relu"][0]) == (9, 11, 9, 11)
    assert extent(both["relu:2"][0]) == (8, 12, 8, 12)


def test_a_patch_is_the_field_of_a_token_and_attention_sees_the_whole_image():
    stimuli = toy_stimuli(3, size=8)
    chosen = {"patches": unit(0, 1, 0, (8, 2, 2)), "layers.0": 3, "head": 0}
    fields = theoretical_fields(Network(TinyTransformer()), stimuli, chosen)
    assert extent(fields["patches"][0]) == (4, 7, 0, 3)
    assert fields["layers.0"].all()
    assert fields["head"].all()
    assert (effective_fields(Network(TinyTransformer()), stimuli, {"head": 0})["head"] > 0).all()


def test_a_channel_is_the_whole_image_and_its_centre_the_middle(stimuli):
    network = Network(nn.Sequential(conv(3, 4, 3, padding=1), nn.ReLU()))
    assert theoretical_fields(network, stimuli, {"1": [0, 3]}, unit="channel")["1"].all()
    middle = theoretical_fields(network, stimuli, {"1": 0}, unit="channel:centre")["1"][0]
    assert extent(middle) == (10, 13, 10, 13)  # an even number of rows has two in the middle
    linear = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    assert theoretical_fields(Network(linear), stimuli, {"2": 1})["2"].all()


def test_the_effective_field_is_the_mean_size_of_the_derivative_of_the_drawn_stimuli(stimuli):
    layers = nn.Sequential(conv(3, 4, 3, padding=1), nn.ReLU(inplace=True), conv(4, 2, 3, padding=1))
    chosen = unit(1, 8, 9, (2, SIZE, SIZE))
    ours = effective_fields(Network(layers), stimuli, {"2": chosen}, n_stimuli=4, seed=3, batch_size=3)["2"][0]
    rows = np.sort(np.random.default_rng(3).permutation(6)[:4])
    expected = np.zeros((SIZE, SIZE))
    for row in rows:
        image = torch.from_numpy(stimuli.load(row))[None].requires_grad_()
        layers(image.clone())[0, 1, 8, 9].backward()
        expected += image.grad.abs().sum(dim=(0, 1)).numpy() / 4
        layers.zero_grad()
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-8)


def test_the_convolution_is_not_what_the_in_place_relu_makes_of_it(stimuli):
    layers = nn.Sequential(conv(3, 4, 3, padding=1), nn.ReLU(inplace=True))
    with torch.no_grad():
        layers[0].bias[0] = -100.0
    chosen = dict.fromkeys("01", unit(0, 8, 8, (4, SIZE, SIZE)))
    moved = effective_fields(Network(layers), stimuli, chosen)
    assert moved["0"].max() > 0
    assert moved["1"].max() == 0  # silent: nothing moves it


def test_nothing_is_disturbed(stimuli):
    module = Restless().train()
    module.conv.weight.grad = torch.ones_like(module.conv.weight)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    switches = torch._C._get_mkldnn_enabled(), torch._C._get_nnpack_enabled(), torch.backends.cudnn.enabled
    network = Network(module)
    chosen = {"relu": [0, 5], "linear": 1}
    for fields in (theoretical_fields, effective_fields):
        first, again = fields(network, stimuli, chosen), fields(network, stimuli, chosen)
        assert all(np.array_equal(first[name], again[name]) for name in chosen)
    with pytest.raises(BadInput):
        effective_fields(network, stimuli, {"relu": 10**9})
    assert all(torch.equal(weights[name], tensor) for name, tensor in module.state_dict().items())
    assert all(part.training for part in module.modules())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert torch.equal(module.conv.weight.grad, torch.ones_like(module.conv.weight))
    assert module.linear.weight.grad is None
    assert random.getstate() == states[0]
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert torch.equal(torch.get_rng_state(), states[2])
    assert switches == (torch._C._get_mkldnn_enabled(), torch._C._get_nnpack_enabled(), torch.backends.cudnn.enabled)


class Cut(nn.Module):
    """Cuts gradients on the way."""

    def __init__(self):
        super().__init__()
        self.conv = conv(3, 2, 3)

    def forward(self, images):
        with torch.no_grad():
            return self.conv(images)


@pytest.mark.parametrize("fields", [theoretical_fields, effective_fields])
def test_a_wrong_request_is_answered_with_a_sentence(fields, stimuli):
    network = Network(nn.Sequential(conv(3, 4, 3), nn.ReLU()))
    with pytest.raises(UnknownName, match=r"No stage is called '3'"):
        fields(network, stimuli, {"3": 0})
    last = 4 * (SIZE - 2) ** 2 - 1
    with pytest.raises(
        BadInput, match=rf"^Stage '1' has {last + 1} units \(position\), numbered from 0 to {last}, and unit -1"
    ):
        fields(network, stimuli, {"1": [0, -1]})
    with pytest.raises(BadInput, match=rf"and unit {last + 1} was asked for\. Choose among these\."):
        fields(network, stimuli, {"1": last + 1})
    for wrong in ([0.5], [], [[0]]):
        with pytest.raises(BadInput, match=r"^Units of stage '1' are whole numbers from 0 to"):
            fields(network, stimuli, {"1": wrong})
    with pytest.raises(BadInput, match=r"^No units were asked for\. Give a mapping such as"):
        fields(network, stimuli, {})


def test_a_network_that_cuts_gradients_has_no_effective_field_and_says_so(stimuli):
    assert theoretical_fields(Network(Cut()), stimuli, {"conv": 0})["conv"].sum() == 9
    with pytest.raises(StageError, match=r"stage 'conv' has no derivative by the image: the network cuts gradients"):
        effective_fields(Network(Cut()), stimuli, {"conv": 0})
