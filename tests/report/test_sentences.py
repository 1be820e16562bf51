"""What is said about a curve is what the curve does."""

import math

import pytest

from stratoscope.report.sentences import answer, details, number, trend
from stratoscope.results import Results, Row
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage


def rows(values, half=0.1):
    stages = [Stage(f"s{i}", i / len(values), "relu", (2,), "channel", 2) for i in range(len(values))]
    return [Row.of(s, "m", v, v - half, v + half, n=5) for s, v in zip(stages, values, strict=True)]


@pytest.mark.parametrize(
    ("values", "direction", "words"),
    [
        ([1, 2, 3], "rises", "rises from 1.00 (s0) to 3.00 (s2)"),
        ([3, 2, 1], "falls", "falls from 3.00 (s0) to 1.00 (s2)"),
        ([1, 3, 1.5], "rises, then falls", "rises from 1.00 (s0) to 3.00 (s1), then falls to 1.50 (s2)"),
        ([3, 1, 2], "falls, then rises", "falls from 3.00 (s0) to 1.00 (s1), then rises to 2.00 (s2)"),
        ([1, 1.1, 1.05], "does not clearly change", "does not clearly change (1.00 (s0) to 1.05 (s2))"),
        ([1, math.nan, 3], "rises", "rises from 1.00 (s0) to 3.00 (s2)"),
    ],
)
def test_directions(values, direction, words):
    assert (trend(rows(values)).direction, trend(rows(values)).words) == (direction, words)


def test_wide_intervals_are_no_change():
    assert trend(rows([1, 2, 3], half=5)).direction == "does not clearly change"


def test_one_stage_has_no_direction():
    assert trend(rows([1])) is None
    assert trend(rows([1, math.nan])) is None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.5, "0.500"),
        (0, "0"),
        (-12.345, "−12.3"),
        (1234.5, "1,234"),
        (1e-7, "1.00e−07"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (16.0, "16.0"),
    ],
)
def test_numbers_have_three_digits_that_count(value, written):
    assert number(value) == written


def test_the_answer_is_one_paragraph_about_the_intact_network():
    both = Results.combine([toy_results(), toy_results(lesion="permuted weights", seed=1)])
    said = answer(both)
    assert said.startswith("Along the 8 stages of toynet: population sparseness rises (0.314 → 0.708); ")
    assert "TwoNN dimension rises, then falls" in said


def test_details_tell_lesions_and_controls():
    both = Results.combine([toy_results(), toy_results(lesion="permuted weights", seed=1)])
    first = details(both)[0]
    assert "(controls: size-matched rises; structureless does not clearly change)" in first
    assert "; under permuted weights it does not clearly change" in first


def test_details_name_the_hierarchy_where_there_are_several():
    both = Results.combine([toy_results(), toy_results(("V1", "IT"), hierarchy="cortex")])
    assert details(both)[1] == (
        "Dead fraction in toynet rises from 0 (conv1.relu) to 0.200 (fc8); in cortex it rises from 0.0250 (V1) to 0.200 (IT)."
    )


def test_an_empty_run_has_no_answer():
    assert answer(Results.build({}, [], {})) == ""
