from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.stimuli import open_stimuli
from stratoscope.stimuli.write import write_stimuli
from stratoscope.types import Stimuli


def test_views_written_as_files_open_again_with_their_parameters_and_pixels(tmp_path):
    stimuli = open_stimuli("objects:dense?n=12&pixels=16&objects=jug,star")
    seen = []
    table = write_stimuli(stimuli, tmp_path / "views", progress=seen.append)
    again = open_stimuli(table)
    assert seen == list(range(1, 13))
    assert again.categories.tolist() == stimuli.categories.tolist()
    for name in ("azimuth", "size", "luminance"):
        np.testing.assert_array_equal(again.columns[name], stimuli.columns[name])
    for row in range(12):
        np.testing.assert_array_equal(np.asarray(again.load(row)), np.asarray(stimuli.load(row)))


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(BadInput, match=r"is there already and not empty\. Give a new folder"):
        write_stimuli(open_stimuli("objects:dense?n=2&pixels=16"), tmp_path)


def test_a_stimulus_that_is_no_image_leaves_nothing_behind(tmp_path):
    arrays = Stimuli("arrays", ("a",), lambda _: np.zeros((3, 4, 4), np.float32))
    with pytest.raises(BadInput, match="The stimulus 'a' is an array of numbers and not an image"):
        write_stimuli(arrays, tmp_path / "out")
    assert not list(tmp_path.iterdir())
