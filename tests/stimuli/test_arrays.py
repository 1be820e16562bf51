"""Images in an npz: shapes, splits, labels, and ids from content."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.arrays import stimuli_from_arrays
from stratoscope.stimuli.open import open_stimuli
from stratoscope.stimuli.openers import Wanted
from stratoscope.testing.stimuli_laws import check_stimuli


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


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 1), (4, 1, 5, 6)])
def test_grey_images_become_rgb(saved, noise, shape):
    images = noise(*shape)
    stimuli = open_stimuli(saved(images=images))
    expected = np.repeat(images.reshape(4, 5, 6)[2][..., None], 3, axis=-1)
    np.testing.assert_array_equal(np.asarray(stimuli.load(2)), expected)


def test_channels_may_be_last_or_first(saved, noise):
    images = noise(4, 5, 6, 3)
    np.testing.assert_array_equal(np.asarray(open_stimuli(saved(x=images)).load(1)), images[1])
    first = np.moveaxis(images, 3, 1)
    np.testing.assert_array_equal(np.asarray(open_stimuli(saved(x=first)).load(1)), images[1])


def test_floats_are_handed_over_as_they_are(saved, rng):
    images = rng.random((4, 3, 5, 6))
    stimuli = open_stimuli(saved(x=images))
    loaded = stimuli.load(3)
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, images[3].astype(np.float32))
    assert stimuli.load(3) is not loaded
    assert not any("outside" in note for note in stimuli.notes)
    assert open_stimuli(saved(x=images[:, 0])).load(0).shape == (3, 5, 6)


def test_floats_outside_zero_to_one_get_a_note(saved):
    path = saved(x=np.array([-2.0, 2.5, 0, 0] * 3).reshape(1, 3, 2, 2))
    note = f"'{path}:x' has values from -2 to 2.5, outside 0 to 1; they are handed over as they are."
    assert open_stimuli(path).notes[0] == note


def test_arrays_obey_the_laws_of_stimuli(saved, tmp_path, noise, rng):
    images, y = noise(8, 5, 6, 3), np.arange(8) % 3
    images[5] = images[2]
    images[7] = images[2]
    path = saved(images=images, y=y)
    order = rng.permutation(8)
    np.savez(tmp_path / "other.npz", images=images[order], y=y[order])
    check_stimuli(lambda: open_stimuli(path), reordered=lambda: open_stimuli(tmp_path / "other.npz"))


@given(
    pixels=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=8),
    data=st.data(),
)
def test_no_id_changes_when_stimuli_are_shuffled(pixels, data):
    rows = np.asarray(pixels)
    order = np.asarray(data.draw(st.permutations(range(len(rows)))))

    def named(rows):
        images = np.repeat(rows[:, :1], 4, axis=1).astype(np.uint8).reshape(-1, 2, 2)
        stimuli = stimuli_from_arrays("set", images, {"y": rows[:, 1], "n": rows[:, 2]}, Wanted())
        return dict(zip(stimuli.ids, map(tuple, rows.tolist()), strict=True))

    assert named(rows) == named(rows[order])


def test_an_id_is_the_start_of_the_sha256_of_the_values(saved, noise):
    images = noise(3, 4, 4)
    images[2] = images[0]
    path = saved(images=images)
    short = hashlib.sha256(images[0].tobytes()).hexdigest()[:16]
    stimuli = open_stimuli(path)
    assert stimuli.ids[0] == short
    assert stimuli.ids[2] == f"{short}-2"
    assert stimuli.notes[-1] == "1 images have the same values as another; their ids end in -2, -3 ..."


def test_equal_images_are_told_apart_by_their_labels(saved):
    images = np.zeros((2, 3, 3), np.uint8)
    one, two = (open_stimuli(saved(images=images, y=y)) for y in ([0, 1], [1, 0]))
    assert one.ids == two.ids[::-1]


def test_which_column_is_the_category_changes_no_id(saved, noise):
    path = saved(images=np.repeat(noise(1, 3, 3), 4, axis=0), a=[0, 1, 2, 3], z=[3, 2, 1, 0])
    assert open_stimuli(path, category_column="z").ids == open_stimuli(path, category_column="a").ids


def test_labels_get_their_names(saved, noise):
    path = saved(x=noise(3, 4, 4), y=np.array([2, 0, 2], np.uint8), classes=np.array(["ant", "bee", "cat"]))
    stimuli = open_stimuli(path)
    assert stimuli.categories.tolist() == ["cat", "ant", "cat"]
    assert stimuli.columns["y"].tolist() == [2, 0, 2]
    path = saved(x=noise(2, 4, 4), y=[0, 3], label_names=["ant", "bee"])
    text = f"The labels of 'npz:{path}' run from 0 to 3, but there are names for 0 to 1. Give one name for every label."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)


def test_names_of_labels_are_no_column_even_where_there_are_as_many_as_images(saved, noise):
    path = saved(images=noise(2, 4, 4), labels=[1, 0], label_names=["ant", "bee"])
    assert list(open_stimuli(path).columns) == ["category", "labels"]


def test_every_array_with_one_entry_an_image_is_a_column(saved, noise):
    path = saved(images=noise(3, 4, 4), object=[5, 6, 5], azimuth=[0.0, 1.5, 3.0], other=np.zeros(7))
    stimuli = open_stimuli(path)
    assert list(stimuli.columns) == ["category", "object", "azimuth"]
    assert open_stimuli(path, category_column="azimuth").categories.tolist() == [0.0, 1.5, 3.0]
    with pytest.raises(UnknownName, match=r"^No column is called 'azimut'\. Did you mean 'azimuth'\?$"):
        open_stimuli(path, category_column="azimut")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 4, 4), np.int64), "is int64, expected uint8 (0 to 255) or floats (0 to 1)."),
        (np.full((2, 4, 4), np.nan), "has values that are NaN or infinite. Expected finite values, 0 to 1."),
        (
            np.zeros((2, 4, 4, 7), np.uint8),
            "has shape (2, 4, 4, 7): which of its dimensions is the channel is not clear.",
        ),
        (
            np.zeros((2, 3, 4, 3), np.uint8),
            "has shape (2, 3, 4, 3): which of its dimensions is the channel is not clear.",
        ),
        (np.zeros((0, 4, 4), np.uint8), "has shape (0, 4, 4), expected (stimulus, row, column)"),
        (np.zeros(5, np.uint8), "has shape (5,), expected (stimulus, row, column)"),
    ],
)
def test_arrays_of_unclear_meaning_are_refused(saved, array, reason):
    path = saved(x=array)
    with pytest.raises(BadInput, match="^" + re.escape(f"'{path}:x' {reason}")):
        open_stimuli(f"{path}:x")
