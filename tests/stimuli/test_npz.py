"""An npz file: which of its arrays are the images, and splits."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.stimuli.open import open_stimuli


def exactly(text):
    return f"^{re.escape(text)}$"


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves arrays and gives the path."""

    def save(**arrays):
        np.savez(tmp_path / "set.npz", **arrays)
        return str(tmp_path / "set.npz")

    return save


@pytest.fixture
def noise(rng):
    return lambda *shape: rng.integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def splits(saved, noise):
    return saved(x_test=noise(3, 4, 4), y_test=[0, 1, 1], x_train=noise(3, 4, 4), y_train=[1, 0, 0])


@pytest.mark.parametrize("part", ["test", "x_test"])
def test_a_split_is_named_after_the_file(splits, part):
    stimuli = open_stimuli(f"{splits}:{part}")
    assert stimuli.categories.tolist() == [0, 1, 1]
    assert list(stimuli.columns) == ["category", "y"]
    assert stimuli.ids != open_stimuli(f"{splits}:train").ids


def test_a_split_may_also_come_first_in_the_names(saved, noise):
    path = saved(test_images=noise(2, 4, 4), test_labels=[0, 1], train_images=noise(2, 4, 4), train_labels=[1, 1])
    assert open_stimuli(f"npz:{path}:test").columns["labels"].tolist() == [0, 1]


def test_a_file_with_splits_wants_one_to_be_named(splits):
    listing = "x_test uint8(3, 4, 4), y_test int64(3,), x_train uint8(3, 4, 4), y_train int64(3,)"
    text = (
        f"'{splits}' has 2 candidates for an array of images, among: {listing}. "
        "Say which after the file name: ':test', ':train'."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(splits)
    text = (
        f"'{splits}' has no candidates for an array of images called 'val' or of that split, among: {listing}. "
        "Say which after the file name: ':test', ':train'."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(f"{splits}:val")


def test_the_array_of_images_can_be_named(saved, noise):
    path = saved(left=noise(2, 4, 4), right=noise(3, 4, 4))
    assert len(open_stimuli(path, image_column="right")) == 3
    with pytest.raises(BadInput, match=re.escape("Say which after the file name: ':left', ':right'.")):
        open_stimuli(path)


def test_files_that_are_no_npz_are_sentences(tmp_path, saved):
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"hello")
    text = f"'{bad}' is not a whole .npz (File is not a zip file). Write it again with numpy.savez."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(bad)
    with pytest.raises(BadInput, match=exactly(f"There is no file '{tmp_path}/no.npz'. Expected an .npz with images.")):
        open_stimuli(f"npz:{tmp_path}/no.npz")
    path = saved(y=np.arange(3))
    text = (
        f"'{path}' has no candidates for an array of images, among: y int64(3,). Expected one with 3 or 4 dimensions."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)


def test_pickled_objects_are_never_read(tmp_path, noise):
    file = io.BytesIO()
    np.savez(file, images=np.array([[[{}]]], dtype=object), x=noise(1, 4, 4), label=np.array(["a"], dtype=object))
    path = tmp_path / "objects.npz"
    path.write_bytes(file.getvalue())
    stimuli = open_stimuli(f"{path}:x")
    assert stimuli.categories is None
    assert stimuli.notes[0] == "Left out arrays of Python objects, which are never read: 'images', 'label'."
    with pytest.raises(BadInput, match=re.escape("Object arrays cannot be loaded when allow_pickle=False")):
        open_stimuli(f"{path}:images")


def test_bytes_are_text_and_a_second_array_named_like_images_is_a_property(saved, noise):
    path = saved(images=noise(2, 4, 4), image_ids=[7, 9], label=np.array([b"ant", b"bee"]))
    stimuli = open_stimuli(path)
    assert stimuli.categories.tolist() == ["ant", "bee"]
    assert stimuli.columns["image_ids"].tolist() == [7, 9]
