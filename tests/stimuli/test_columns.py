"""Columns: what is a number, and in which order names come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoscope.stimuli.columns import count_categories, natural, typed


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "0"], [1, -2, 0]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1e3", ".5"], [1000.0, 0.5]),
        (["007", "1"], ["007", "1"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["a", "1"], ["a", "1"]),
        (["", ""], ["", ""]),
        ([" 1 ", "2"], [1, 2]),
        (["inf"], ["inf"]),
    ],
)
def test_numbers_are_numbers_and_text_is_text(cells, expected):
    assert typed(cells).tolist() == expected


def test_an_empty_cell_among_numbers_is_nan():
    np.testing.assert_array_equal(typed(["1", "", "NA"]), [1.0, np.nan, np.nan])


def test_names_come_in_natural_order():
    names = ["b", "a10", "a2", "a02", "a", "10", "9", "A"]
    assert sorted(names, key=natural) == ["9", "10", "A", "a", "a02", "a2", "a10", "b"]
    assert list(count_categories(np.array([10, 9, 10]))) == ["9", "10"]


@given(st.lists(st.text("ab01.", max_size=6), unique=True), st.randoms())
def test_natural_order_is_total(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert sorted(names, key=natural) == sorted(shuffled, key=natural)
