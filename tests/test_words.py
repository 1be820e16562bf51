from __future__ import annotations

import pytest

from stratoscope.words import number_of, plural


@pytest.mark.parametrize(
    ("noun", "count", "said"),
    [
        ("stage", 7, "7 stages"),
        ("stimulus", 1, "1 stimulus"),
        ("stimulus", 0, "0 stimuli"),
        ("category", 2, "2 categories"),
    ],
)
def test_numbers_of_things_in_words(noun, count, said):
    assert number_of(noun, count) == said


def test_plurals():
    assert [plural(noun) for noun in ("unit", "stimulus", "category")] == ["units", "stimuli", "categories"]
