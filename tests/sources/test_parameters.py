import pytest
from torch import nn

from stratoscope.errors import BadInput, UnknownName
from stratoscope.sources.parameters import chosen_parameters


@pytest.fixture
def module():
    return nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 2, bias=False))


def test_a_name_takes_in_what_is_inside_it_and_globs_fit_paths(module):
    assert chosen_parameters(module, "weight", None) == ["0.0.weight", "1.weight"]
    assert chosen_parameters(module, "weight", "0") == ["0.0.weight"]
    assert chosen_parameters(module, "", ["*", "0.0"]) == ["0.0.weight", "0.0.bias", "1.weight"]


def test_modules_without_such_parameters_are_refused(module):
    with pytest.raises(
        BadInput, match=r"'1' is part of the network and has no bias to change\. The one before it is '0\.0'"
    ):
        chosen_parameters(module, "bias", "1")
    with pytest.raises(UnknownName, match="No module with a weight is called '7'"):
        chosen_parameters(module, "weight", "7")
    with pytest.raises(BadInput, match="no parameters called 'anything'"):
        chosen_parameters(nn.ReLU(), "", None)
