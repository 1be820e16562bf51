from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from stratoscope.studies.remember import remembered
from stratoscope.types import Stimuli


def test_what_fits_is_loaded_once_and_the_rest_every_time(make_stimuli):
    stimuli = make_stimuli(2, 5)
    one = stimuli.load.images[0].nbytes
    kept = remembered(stimuli, 4 * one + 1)
    for _ in range(3):
        for row in range(10):
            np.testing.assert_array_equal(kept.load(row), stimuli.load.images[row])
    assert stimuli.load.counts.tolist() == [1] * 4 + [3] * 6


def test_an_array_that_was_handed_over_may_be_changed(make_stimuli):
    kept = remembered(make_stimuli(), 10**6)
    kept.load(0)[:] = 7
    assert not (kept.load(0) == 7).all()


def test_threads_share_what_is_kept(make_stimuli):
    stimuli = make_stimuli(2, 50)
    kept = remembered(stimuli, 10**9)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            list(pool.map(kept.load, range(100)))
    assert (stimuli.load.counts == 1).all()


def test_images_are_counted_by_their_pixels():
    made = []
    stimuli = Stimuli("grey", ("a", "b"), lambda row: made.append(row) or Image.new("RGB", (10, 10)))
    kept = remembered(stimuli, 300)
    for _ in range(2):
        kept.load(0), kept.load(1)
    assert made == [0, 1, 1]


def test_without_room_nothing_changes(make_stimuli):
    stimuli = make_stimuli()
    assert remembered(stimuli, 0) is stimuli
