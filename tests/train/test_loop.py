from __future__ import annotations

import pytest
import torch

from stratoscope.errors import BadInput, WeightsError
from stratoscope.models.checkpoint import open_checkpoint
from stratoscope.train import loop
from stratoscope.train.loop import train
from stratoscope.train.recipe import recipe

SMALL = {"stimuli": "dense?n=120&objects=jug,ring,star&size=30,45", "steps": 12, "batch": 8, "held_out": 0.3, "seed": 1}


class Killed(Exception):
    pass


def weights(path):
    return open_checkpoint(path)[0].state_dict()


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", ["alexnet", "vgg"])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(name, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 5)
    plan = recipe(name, **SMALL)
    straight = train(plan, tmp_path / "straight")

    def kill(done, total, what):
        if what.startswith("loss") and done == 8:
            raise Killed

    with pytest.raises(Killed):
        train(plan, tmp_path / "stopped", progress=kill)
    resumed = train(plan, tmp_path / "stopped")
    for one, other in zip(straight.checkpoints, resumed.checkpoints, strict=True):
        assert same(weights(one), weights(other))
    assert straight.accuracy == resumed.accuracy
    assert open_checkpoint(resumed.checkpoints[-1])[1].accuracy == pytest.approx(resumed.accuracy, abs=1e-4)


def test_sgd_goes_on_to_the_same_weights_too(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)
    plan = recipe("resnet", **SMALL | {"optimizer": "sgd", "steps": 4})

    def kill(done, total, what):
        if what.startswith("loss") and done == 3:
            raise Killed

    straight = train(plan, tmp_path / "straight")
    with pytest.raises(Killed):
        train(plan, tmp_path / "stopped", progress=kill)
    assert same(weights(straight.checkpoints[-1]), weights(train(plan, tmp_path / "stopped").checkpoints[-1]))


def test_learning_names_held_out_views_of_easy_objects(tmp_path):
    easy = (
        "dense?n=300&objects=jug,ring&size=40,55&luminance=100&in_plane=-10,10&in_depth=-10,10&azimuth=-5,5&elevation=0"
    )
    trained = train(recipe("vgg", stimuli=easy, steps=32, batch=16, held_out=0.2), tmp_path / "run")
    assert trained.chance == 0.5
    assert trained.accuracy > 0.9
    headers = [open_checkpoint(path)[1] for path in trained.checkpoints]
    assert [header.step for header in headers] == [0, 1, 2, 4, 8, 16, 32]
    assert headers[0].accuracy < 0.75
    assert headers[-1].classes == ("jug", "ring")


def test_another_recipe_or_other_files_in_the_folder_are_refused_and_left_alone(tmp_path):
    run = tmp_path / "run"
    train(recipe("alexnet", **SMALL | {"steps": 1}), run)
    before = {path: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(
        BadInput, match=r"holds a training with another architecture, rate \('alexnet' instead of 'vgg'\)"
    ):
        train(recipe("vgg", **SMALL | {"steps": 1}), run)
    assert before == {path: path.read_bytes() for path in run.iterdir()}
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"has other files in it\. Give a new folder"):
        train(recipe("alexnet", **SMALL), tmp_path)


def test_a_saved_state_of_another_architecture_is_refused(tmp_path):
    plan = recipe("alexnet", **SMALL | {"steps": 1})
    train(plan, tmp_path / "run")
    train(recipe("vit", **SMALL | {"steps": 1}), tmp_path / "vit")
    (tmp_path / "run" / loop.STATE).write_bytes((tmp_path / "vit" / loop.STATE).read_bytes())
    with pytest.raises(WeightsError, match=r"'state\.safetensors' does not fit the architecture 'alexnet'"):
        train(plan, tmp_path / "run")


def test_stimuli_that_do_not_suit_leave_no_folder_behind(tmp_path):
    with pytest.raises(BadInput, match="Leave out 'pixels'"):
        train(recipe("vgg", **SMALL | {"stimuli": SMALL["stimuli"] + "&pixels=32"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_number_of_threads_is_put_back(tmp_path):
    before = torch.get_num_threads()
    train(recipe("alexnet", **SMALL | {"steps": 1, "threads": before + 1}), tmp_path / "run")
    assert torch.get_num_threads() == before
