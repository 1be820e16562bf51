"""What is written as TOML is read back by the standard library."""

import math
import tomllib
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stratoscope.results.toml import dumps

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
TREES = st.dictionaries(
    TEXT,
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)),
    max_size=4,
)


@given(TREES)
def test_whatever_is_written_is_read_back(tree):
    assert tomllib.loads(dumps(tree)) == tree


def test_numpy_values_paths_and_tuples_are_written_plainly():
    asked = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": Path("x/y"),
        "d": (1, 2),
        "e": None,
        "f": {"g": np.bool_(True)},
    }
    assert tomllib.loads(dumps(asked)) == {"a": 0.5, "b": [0, 1], "c": "x/y", "d": [1, 2], "f": {"g": True}}


def test_numbers_that_are_not_finite_survive():
    read = tomllib.loads(dumps({"x": [float("nan"), float("inf"), -float("inf")]}))["x"]
    assert math.isnan(read[0])
    assert read[1:] == [float("inf"), -float("inf")]


def test_a_file_name_that_is_not_utf8_is_written_as_its_escape():
    assert tomllib.loads(dumps({"x": "a\udc80"})) == {"x": "a\\udc80"}
