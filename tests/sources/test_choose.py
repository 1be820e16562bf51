from itertools import pairwise

import pytest
import torch.nn.functional as F
from torch import nn

from stratoscope.errors import BadInput, StageError, UnknownName
from stratoscope.sources.network import Network
from stratoscope.testing.toys import FunctionalRelus, Restless, SharedRelu, TinyTransformer, toy_stimuli


def names(module, stages):
    return [stage.name for stage in Network(module, stages=stages).prepare(toy_stimuli(3)).stages]


class Unused(nn.Module):
    """Has a module for training only and one that answers with no tensor."""

    def __init__(self):
        super().__init__()
        self.main, self.auxiliary, self.count = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1), Count()

    def forward(self, x):
        self.count(x)
        return F.gelu(self.main(x))


class Count(nn.Module):
    def forward(self, x):
        return len(x)


class Pair(nn.Module):
    """Returns a tuple: the first tensor is what is read."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        return None, self.relu(x), x


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ("relu", ["relu"]),
        ("conv", ["conv"]),
        (["linear", "conv"], ["conv", "linear"]),
        ("*o*", ["conv", "norm", "drop"]),
        ("re:(norm|drop)", ["norm", "drop"]),
        ("re:.*r", ["linear"]),
        (["drop", "drop", "other"], ["drop"]),
        ("auto", ["relu"]),
        ("*", ["conv", "norm", "relu", "drop", "linear"]),
    ],
)
def test_stages_are_chosen_by_kind_name_glob_and_regex_in_order_of_execution(stages, expected):
    assert names(Restless(), stages) == expected


def test_a_kind_takes_all_its_calls_and_a_name_only_one():
    assert names(SharedRelu(), "relu") == ["relu", "relu:2"]
    assert names(SharedRelu(), "name:relu") == ["relu"]
    assert names(SharedRelu(), "relu:2") == ["relu:2"]


def test_activation_takes_in_relu():
    assert len(names(FunctionalRelus(), "activation")) == 8
    assert len(names(FunctionalRelus(), "relu")) == 6


def test_auto_shows_blocks_where_there_are_several_and_else_activations():
    class Deep(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.blocks = nn.Sequential(*(SharedRelu() for _ in range(n)))

        def forward(self, x):
            return self.blocks(x)

    assert names(Deep(3), "auto") == ["blocks.0", "blocks.1", "blocks.2"]
    assert names(Deep(2), "auto") == ["blocks.0.relu", "blocks.0.relu:2", "blocks.1.relu", "blocks.1.relu:2"]
    thinned = names(Deep(30), "auto")
    assert (len(thinned), thinned[0], thinned[-1]) == (12, "blocks.0", "blocks.29")
    steps = [int(b.split(".")[1]) - int(a.split(".")[1]) for a, b in pairwise(thinned)]
    assert set(steps) <= {2, 3}


def test_auto_shows_weights_where_nothing_is_non_linear():
    assert names(nn.Sequential(nn.Conv2d(3, 2, 1), nn.Identity()), "auto") == ["0"]
    assert names(nn.Sequential(nn.Identity()), "auto") == ["0"]


def test_the_first_tensor_of_a_tuple_is_read_and_what_returns_none_is_no_stage():
    assert names(nn.Sequential(nn.Conv2d(3, 2, 1), PairThen()), "*") == ["0", "1.pair.relu", "1.pair", "1"]
    assert Network(Unused()).left_out(toy_stimuli(3))["count"] == "it does not return a floating-point tensor"


class PairThen(nn.Module):
    def __init__(self):
        super().__init__()
        self.pair = Pair()

    def forward(self, x):
        return self.pair(x)


def test_a_container_is_listed_after_its_parts():
    assert names(nn.Sequential(nn.Sequential(nn.ReLU())), "*") == ["0.0", "0"]


def test_a_name_that_does_not_exist_offers_the_nearest():
    with pytest.raises(UnknownName, match=r"No stage is called 'linaer'\. Did you mean 'linear'"):
        names(Restless(), "linaer")
    with pytest.raises(UnknownName, match=r"No stage is called 'zzz'\. Known: 'conv', 'norm', 'relu'"):
        names(Restless(), "zzz")


def test_relu_in_a_network_of_gelus_says_what_there_is():
    with pytest.raises(
        StageError, match=r"no stage of kind 'relu'; its 2 non-linearities are GELU\. Ask for 'activation' to read them"
    ):
        names(TinyTransformer(), "relu")
    with pytest.raises(StageError, match=r"no stage of kind 'pool'\. It has stages of kind 'conv', 'linear', 'norm'"):
        names(Restless(), "pool")


def test_a_stage_that_never_runs_is_an_error():
    with pytest.raises(
        StageError, match=r"Stage 'auxiliary' never runs: the module exists, and a pass with one stimulus"
    ):
        names(Unused(), "auxiliary")
    with pytest.raises(StageError, match="Stage 'auxiliary' never runs"):
        names(Unused(), "aux*")


def test_a_stage_that_cannot_be_read_says_why():
    with pytest.raises(StageError, match=r"Stage 'count' cannot be read: it does not return a floating-point tensor\."):
        names(Unused(), "count")
    with pytest.raises(
        StageError, match=r"Stage 'count', the first that 'cou\*' fits, cannot be read: it does not return"
    ):
        names(Unused(), "cou*")


def test_patterns_that_fit_nothing_are_errors():
    with pytest.raises(
        StageError, match=r"No stage fits the pattern 'zz\*'\. There are 5 stages, first 'conv', 'norm'"
    ):
        names(Restless(), "zz*")
    with pytest.raises(BadInput, match=r"'\(' is not a regular expression"):
        names(Restless(), "re:(")
    with pytest.raises(BadInput, match="No stages were asked for"):
        names(Restless(), [])
