from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli import open_stimuli


def test_objects_open_by_their_prefix_and_can_be_limited():
    assert len(open_stimuli("objects:")) == 380
    few = open_stimuli("objects:dense?n=100&pixels=16", per_category=2)
    assert len(few) == 20


def test_columns_are_chosen_and_another_can_be_the_category():
    stimuli = open_stimuli("objects:", columns=["size"], category_column="axis")
    assert set(stimuli.columns) == {"category", "size"}
    assert set(stimuli.categories.tolist()) == {"position", "size", "in_plane", "in_depth", "luminance"}
    np.testing.assert_array_equal(np.unique(stimuli.columns["size"]), [15, 25, 35, 45, 55])
    with pytest.raises(UnknownName, match="No column is called 'colour'"):
        open_stimuli("objects:", category_column="colour")


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(BadInput, match="image_column='file' means nothing to rendered objects"):
        open_stimuli("objects:", image_column="file")
