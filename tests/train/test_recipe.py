from __future__ import annotations

import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.train import RECIPES, Recipe
from stratoscope.train.recipe import recipe


def test_the_rate_climbs_then_falls_to_nothing():
    plan = Recipe("vgg", steps=100, warmup=0.1, rate=1.0)
    rates = [plan.rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3


def test_checkpoints_lie_at_the_start_at_powers_of_two_and_at_the_end():
    assert Recipe("vgg", steps=20).saved_steps == (0, 1, 2, 4, 8, 16, 20)
    assert Recipe("vgg", steps=16).saved_steps == (0, 1, 2, 4, 8, 16)
    assert Recipe("vgg", steps=1).saved_steps == (0, 1)


def test_the_command_says_what_differs_from_the_usual_recipe():
    assert RECIPES["vit"].command == "stratoscope train vit"
    changed = recipe("vgg", seed=3, held_out=0.3, stimuli="dense?n=9")
    assert changed.command == "stratoscope train vgg --stimuli 'objects:dense?n=9' --seed 3 --held-out 0.3"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"optimizer": "adam"}, UnknownName, r"No optimizer is called 'adam'\. Did you mean 'adamw'"),
        ({"architecture": "vgg16"}, UnknownName, r"No architecture is called 'vgg16'\. Did you mean 'vgg'"),
        ({"steps": 0}, BadInput, r"at least 1 step, 2 images a batch and 1 thread; came 0, 64 and 1"),
        ({"held_out": 1.0}, BadInput, r"the held-out share between 0 and 1; came .* and 1\.0"),
    ],
)
def test_impossible_recipes_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        recipe("vgg", **changes)


def test_a_recipe_of_an_unknown_architecture_names_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'resnet'"):
        recipe("resnet18")
