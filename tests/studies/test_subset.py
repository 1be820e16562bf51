from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.studies.subset import only


@pytest.fixture
def flagged(make_stimuli):
    return make_stimuli(4, 3, imagenet1000=np.repeat([0, 1, 2, 0], 3))


@pytest.mark.parametrize("zero", [0, "0", 0.0, np.int64(0), "0.0"])
def test_a_number_is_the_same_number_however_it_is_written(flagged, zero):
    """The published notebook compared a column of integers with '0' and selected nothing."""
    taken = only(flagged, "imagenet1000", zero)
    assert len(taken) == 6
    assert set(taken.categories) == {"category 0", "category 3"}


def test_a_column_of_text_takes_text_and_numbers(make_stimuli):
    stimuli = make_stimuli(4, 3, flag=np.repeat(["0", "1", "x", "0"], 3))
    assert len(only(stimuli, "flag", 0)) == 6
    assert len(only(stimuli, "flag", "x")) == 3


def test_an_empty_selection_is_refused_with_the_values_there_are(flagged):
    with pytest.raises(BadInput, match="No stimulus of 'random images' has imagenet1000 = 3. There is '0', '1', '2'."):
        only(flagged, "imagenet1000", 3)


def test_a_mistyped_column_gets_its_neighbours(flagged):
    with pytest.raises(
        UnknownName, match="No column of these stimuli is called 'imagenet'. Did you mean 'imagenet1000'"
    ):
        only(flagged, "imagenet", 0)


def test_what_was_chosen_is_in_the_notes_and_the_fingerprint(flagged):
    taken = only(flagged, "imagenet1000", 0)
    assert taken.notes == ("6 of 12 stimuli were chosen: those with imagenet1000 = 0.",)
    assert taken.fingerprint != flagged.fingerprint


def test_all_of_them_are_the_set_itself(flagged):
    same = only(flagged, "imagenet1000", 0)
    assert only(same, "imagenet1000", "0") is same
