"""Data sets of torchvision, from where they lie."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from PIL import Image

from stratoscope.errors import BadInput, UnknownName, UnreadableStimulus
from stratoscope.stimuli.datasets import import_torchvision, open_dataset, stimuli_from_dataset
from stratoscope.stimuli.open import open_stimuli
from stratoscope.stimuli.openers import Wanted
from stratoscope.testing.stimuli_laws import check_stimuli


def exactly(text):
    return f"^{re.escape(text)}$"


@pytest.fixture(scope="module")
def torchvision():
    return import_torchvision()


class Grey:
    """Sixteen grey images, in an order of choice."""

    classes = ("ant", "bee")

    def __init__(self, order=range(16)):
        self.order = [int(number) for number in order]

    def __len__(self):
        return len(self.order)

    def __getitem__(self, row):
        number = self.order[row]
        return Image.new("L", (3, 2), number % 13), number % 2


def test_fake_data_open_and_obey_the_laws(torchvision):
    def reopened():
        dataset = torchvision.datasets.FakeData(size=12, image_size=(3, 8, 6), num_classes=3)
        return stimuli_from_dataset("torchvision:FakeData", dataset, Wanted())

    check_stimuli(reopened)
    assert reopened().load(0).size == (6, 8)
    assert set(reopened().categories.tolist()) <= {0, 1, 2}


def test_fake_data_open_by_name(torchvision, monkeypatch):
    class Small(torchvision.datasets.FakeData):
        def __init__(self):
            super().__init__(size=3, image_size=(3, 4, 4))

    monkeypatch.setattr(torchvision.datasets, "FakeData", Small)
    assert len(open_stimuli("torchvision:FakeData")) == 3


def test_ids_come_from_content_and_not_from_order(rng):
    order = rng.permutation(16)
    check_stimuli(
        lambda: stimuli_from_dataset("grey", Grey(), Wanted()),
        reordered=lambda: stimuli_from_dataset("grey", Grey(order), Wanted()),
    )
    assert set(stimuli_from_dataset("grey", Grey(), Wanted()).categories) == {"ant", "bee"}


def test_an_image_folder_is_read_as_files(tmp_path, picture, torchvision):
    for name in ("dog/1.png", "cat/1.png", "cat/2.png"):
        picture(tmp_path / name)
    stimuli = open_dataset("ImageFolder", Wanted(root=tmp_path), import_torchvision=lambda: torchvision)
    assert stimuli.ids == ("cat/1.png", "cat/2.png", "dog/1.png")
    assert stimuli.categories.tolist() == ["cat", "cat", "dog"]
    check_stimuli(lambda: stimuli)


def test_the_root_may_come_from_the_environment(tmp_path, picture, monkeypatch):
    picture(tmp_path / "cat" / "1.png")
    monkeypatch.setenv("TORCHVISION_DATA", str(tmp_path))
    assert open_stimuli("torchvision:ImageFolder").ids == ("cat/1.png",)
    monkeypatch.delenv("TORCHVISION_DATA")
    text = "Where does the data set 'ImageFolder' lie? Name its folder with root, or set TORCHVISION_DATA."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli("torchvision:ImageFolder")


def test_data_that_are_not_there_say_how_to_fetch_them(tmp_path):
    text = (
        "The data set 'CIFAR10' does not open (Dataset not found or corrupted. You can use download=True to download it). "
        "Nothing is downloaded here; fetch it once, where torchvision can, with: "
        f"torchvision.datasets.CIFAR10(train=False, root='{tmp_path}', download=True)"
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli("torchvision:CIFAR10:test", root=tmp_path)


@pytest.mark.parametrize(("split", "came"), [("", "none"), (":val", "'val'")])
def test_a_data_set_with_splits_wants_one(tmp_path, split, came):
    text = (
        "The data set 'CIFAR10' has splits; expected one, such as 'torchvision:CIFAR10:test' or "
        f"'torchvision:CIFAR10:train', came {came}."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(f"torchvision:CIFAR10{split}", root=tmp_path)


def test_a_data_set_without_splits_refuses_one():
    text = "The data set 'FakeData' has no splits, but 'test' was asked for. Write 'torchvision:FakeData'."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli("torchvision:FakeData:test")


def test_an_unknown_data_set_offers_the_nearest():
    with pytest.raises(UnknownName, match=r"^No torchvision data set is called 'CIFAR11'\. Did you mean 'CIFAR10'"):
        open_stimuli("torchvision:CIFAR11:test")


def test_a_cifar_folder_in_its_own_format_opens(tmp_path, rng, torchvision, monkeypatch):
    images, labels = rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8), [3, 1, 3, 0]
    cifar = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cifar, "_check_integrity", lambda _: True)
    monkeypatch.setattr(cifar, "test_list", [("test_batch", None)])
    monkeypatch.setattr(cifar, "_load_meta", lambda self: setattr(self, "classes", ["plane", "car", "bird", "cat"]))
    (tmp_path / cifar.base_folder).mkdir()
    batch = {"data": images.transpose(0, 3, 1, 2).reshape(4, -1), "labels": labels}
    (tmp_path / cifar.base_folder / "test_batch").write_bytes(pickle.dumps(batch))
    stimuli = open_stimuli("torchvision:CIFAR10:test", root=tmp_path)
    assert stimuli.categories.tolist() == ["cat", "car", "cat", "plane"]
    np.testing.assert_array_equal(np.asarray(stimuli.load(2)), images[2])


def test_labels_that_are_no_numbers_are_no_categories():
    images = [(Image.new("RGB", (2, 2), (value, 0, 0)), {"boxes": []}) for value in range(2)]
    stimuli = stimuli_from_dataset("boxes", images, Wanted())
    assert stimuli.categories is None
    assert stimuli.notes[0] == "'boxes' has no categories: its labels are not whole numbers."


def test_whatever_a_data_set_raises_is_a_sentence():
    class Broken(Grey):
        def __getitem__(self, row):
            raise KeyError("gone")

    with pytest.raises(
        UnreadableStimulus, match=r"^Stimulus 'broken\[0\]' cannot be read: the data set says: 'gone'\."
    ):
        stimuli_from_dataset("broken", Broken(), Wanted())
