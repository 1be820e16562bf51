"""A dozen stimuli, chosen by category and never by chance, as small pictures that a run keeps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from stratoscope.errors import UnreadableStimulus
from stratoscope.results import Results, open_results
from stratoscope.sources.arrays import Arrays
from stratoscope.stimuli.examples import SIDE, choose_examples, chosen_rows, small
from stratoscope.types import Stimuli


def images(sizes, categories=None, bad=()):
    def load(row):
        if row in bad:
            raise UnreadableStimulus(f"Stimulus {row} cannot be read.")
        return Image.new("RGB", sizes[row], (row, 2 * row, 255))

    columns = {} if categories is None else {"category": np.asarray(categories)}
    return Stimuli("made", tuple(f"image-{row}" for row in range(len(sizes))), load, columns)


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (list("aabbb"), [0, 1, 2, 3, 4]),
        ([f"c{i:02d}" for i in range(12) for _ in range(3)], [3 * i + 1 for i in range(12)]),
        ([f"c{i:03d}" for i in range(120)], [10 * i + 5 for i in range(12)]),
        (None, [4 * i + 2 for i in range(12)]),
    ],
)
def test_rows_come_evenly_from_categories(labels, rows):
    count = 48 if labels is None else len(labels)
    assert chosen_rows(images([(4, 4)] * count, labels)) == rows


def test_of_five_categories_some_give_one_more_and_every_one_is_there():
    labels = np.repeat(list("abcde"), 20)
    rows = chosen_rows(images([(4, 4)] * 100, labels))
    assert np.unique(labels[rows], return_counts=True)[1].tolist() == [3, 3, 2, 2, 2]


def test_left_out_stimuli_are_not_tried():
    assert chosen_rows(images([(4, 4)] * 3), left_out=[1]) == [0, 2]


def test_pictures_are_small_keep_their_shape_and_come_back_without_what_is_around_them():
    found = choose_examples(images([(400, 200), (10, 20), (64, 64)]))
    assert found.ids == ("image-0", "image-1", "image-2")
    assert [picture.shape for picture in found.pictures()] == [(48, SIDE, 4), (20, 10, 4), (64, 64, 4)]
    assert found.pictures()[1][0, 0].tolist() == [1, 2, 255, 255]


def test_a_stimulus_that_cannot_be_read_is_passed_over_and_a_set_of_them_says_why():
    assert choose_examples(images([(4, 4)] * 3, bad=(1,))).ids == ("image-0", "image-2")
    nothing = choose_examples(images([(4, 4)] * 2, bad=(0, 1)))
    assert nothing.images is None
    assert nothing.note == "Stimulus 0 cannot be read."
    assert choose_examples(images([])).note == "There is no stimulus to show."


def test_responses_alone_have_no_pictures_and_the_note_says_so():
    source = Arrays({"V1": np.ones((4, 3))}, name="cortex")
    found = choose_examples(source.stimuli())
    assert found.pictures() == []
    assert "'cortex' holds responses alone" in found.note


def test_arrays_are_scaled_to_their_own_range_and_said_to_be():
    array = np.zeros((3, 5, 6), dtype=np.float32)
    array[0, 0, 0], array[1, 1, 1] = 4.0, -4.0
    picture, was_array = small(array)
    assert was_array
    assert picture.shape == (5, 6, 3)
    assert (picture[0, 0, 0], picture[1, 1, 1], picture[2, 2, 2]) == (255, 0, 128)
    assert small(np.full((1, 2, 2), np.nan, dtype=np.float32))[0].max() == 0
    assert small(np.ones((7, 4, 4), dtype=np.float32))[0].shape == (4, 4, 3)
    stimuli = Stimuli("arrays", ("a",), lambda _row: array)
    assert "drawn from its smallest value" in choose_examples(stimuli).note


def test_arrays_that_are_no_images_are_said_to_be_none():
    flat = Stimuli("numbers", ("a", "b"), lambda _row: np.zeros(5, dtype=np.float32))
    found = choose_examples(flat)
    assert found.images is None
    assert found.note == "The stimuli are arrays with 1 dimension(s), which are no images, so none is shown."


def test_a_run_keeps_them_and_several_runs_on_the_same_stimuli_keep_them_once(tmp_path):
    def run(stimuli):
        return Results.build({}, [], {}, examples=choose_examples(stimuli))

    same, other = images([(8, 4)] * 2), images([(4, 4)] * 3)
    both = Results.combine([run(same), run(same), run(other)])
    assert [len(one.ids) for one in both.examples] == [2, 3]
    opened = open_results(both.save(tmp_path / "run"))
    assert [one.ids for one in opened.examples] == [one.ids for one in both.examples]
    assert np.array_equal(opened.examples[0].images, choose_examples(same).images)
    assert Results.build({}, [], {}).examples == ()


def test_a_profile_has_them_and_says_where_there_are_none():
    import stratoscope as st

    source = Arrays({"V1": np.random.default_rng(0).random((30, 3))}, name="cortex")
    (found,) = st.profile(source, source.stimuli(), metrics=["unit_mean"], progress=False).examples
    assert found.images is None
    assert "responses alone" in found.note
