import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.sources.feed import LOOK_AHEAD, as_tensor, feed
from stratoscope.testing.toys import toy_stimuli
from stratoscope.types import Stimuli


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("stratoscope-feed")]


def watched(n, load):
    return Stimuli("watched", tuple(f"s{i}" for i in range(n)), load)


@pytest.mark.parametrize("workers", [0, 1, 4])
@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_every_stimulus_comes_once_in_order(workers, batch_size):
    stimuli = toy_stimuli(7)

    def load(row):
        time.sleep(0.002 * (row % 3))  # later ones are ready first
        return stimuli.load(row)

    batches = list(feed(watched(7, load), batch_size=batch_size, workers=workers))
    assert np.concatenate([batch.rows for batch in batches]).tolist() == list(range(7))
    assert [len(batch.rows) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    images = torch.cat([batch.images for batch in batches]).numpy()
    np.testing.assert_array_equal(images, np.stack([stimuli.load(i) for i in range(7)]))
    assert not threads()


def test_no_more_than_the_look_ahead_is_loaded_before_it_is_asked_for():
    loaded = []
    image = np.zeros((3, 2, 2), np.float32)
    batches = feed(watched(100, lambda row: loaded.append(row) or image), batch_size=4, workers=2)
    next(batches)
    time.sleep(0.05)
    assert len(loaded) <= 4 + 4 * LOOK_AHEAD
    batches.close()
    assert not threads()


def test_an_error_comes_when_its_turn_comes_and_ends_the_threads():
    def load(row):
        if row == 5:
            raise UnreadableStimulus("Stimulus 's5' cannot be read.")
        return np.zeros((3, 2, 2), np.float32)

    batches = feed(watched(50, load), batch_size=2, workers=3)
    assert [next(batches).rows.tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(UnreadableStimulus, match="'s5' cannot be read"):
        next(batches)
    assert not threads()


def test_an_error_of_another_kind_names_the_stimulus():
    def preprocess(loaded):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        list(feed(watched(2, lambda _row: np.zeros((3, 2, 2), np.float32)), preprocess))
    assert caught.value.__notes__ == ["This happened with stimulus 's0'."]


def test_skipped_stimuli_are_reported_even_when_none_is_left():
    def load(row):
        raise UnreadableStimulus(f"no {row}")

    batches = list(feed(watched(3, load), batch_size=2, skip_unreadable=True))
    assert [batch.skipped for batch in batches] == [((0, "no 0"), (1, "no 1"), (2, "no 2"))]
    assert len(batches[0].rows) == 0


def test_images_become_float_between_0_and_1_and_arrays_stay():
    image = as_tensor(Image.new("L", (4, 3), 255))
    assert (tuple(image.shape), image.dtype, image.max()) == ((3, 3, 4), torch.float32, 1.0)
    array = np.full((3, 2, 2), -7, np.float32)
    array.setflags(write=False)
    assert torch.equal(as_tensor(array), torch.full((3, 2, 2), -7.0))


def test_images_of_different_sizes_are_refused_with_both_shapes():
    sizes = [(3, 4, 4), (3, 4, 4), (3, 5, 4)]
    with pytest.raises(
        BadInput, match=r"Stimulus 's2' has shape \(3, 5, 4\) after preprocessing, and those before it \(3, 4, 4\)"
    ):
        list(feed(watched(3, lambda row: np.zeros(sizes[row], np.float32)), batch_size=2))


@pytest.mark.parametrize(
    ("preprocess", "came"),
    [
        (lambda _: torch.zeros(1, 3, 2, 2), r"a float32 tensor of shape \(1, 3, 2, 2\)"),
        (lambda _: torch.zeros(3, 2, 2, dtype=torch.uint8), r"a uint8 tensor of shape \(3, 2, 2\)"),
        (lambda _: np.zeros((3, 2, 2)), "a ndarray"),
    ],
)
def test_preprocessing_must_give_a_float32_tensor_of_one_image(preprocess, came):
    with pytest.raises(BadInput, match=rf"Preprocessing must give .* stimulus 'toy-noise-0-0' became {came}"):
        list(feed(toy_stimuli(3), preprocess))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"workers": -1}])
def test_senseless_sizes_are_refused(options):
    with pytest.raises(BadInput, match="A batch needs at least 1 stimulus and workers cannot be negative"):
        feed(toy_stimuli(3), **options)
