"""What is said about a curve is what the curve does."""

import math
from dataclasses import replace

import pytest

from stratoscope.report.sentences import Finding, answer, details, number, trend
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
        ([1, 1.1, 1.05], "does not clearly change", "does not clearly change, 1.00 (s0) to 1.05 (s2)"),
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


def test_the_answer_says_what_rises_and_falls_and_what_the_lesion_sets_apart():
    both = Results.combine([toy_results(), toy_results(lesion="permuted weights", seed=1)])
    said = answer(both)
    assert said == (
        "Along the 8 stages of toynet: population sparseness and dead fraction rise; TwoNN dimension and Gride dimension "
        "rise, then fall. Apart from intact at half of the stages or more: permuted weights in population sparseness, "
        "TwoNN dimension and Gride dimension."
    )


def test_the_answer_about_a_lesioned_run_alone_names_the_lesion():
    said = answer(toy_results(lesion="permute_weights"))
    assert said.startswith("Along the 8 stages of toynet (permuted weights): ")
    assert "Apart from" not in said


def test_details_tell_lesions_and_controls():
    both = Results.combine([toy_results(), toy_results(lesion="permuted weights", seed=1)])
    first = details(both)[0]
    assert first.name == "Population sparseness (median over categories)"
    assert first.words.endswith("(controls: size-matched rises; structureless does not clearly change)")
    ((name, words),) = first.others
    assert name == "permuted weights"
    assert words.startswith("does not clearly change (")
    assert words.endswith("; below intact at 6 of 8 stages")


def test_a_lesion_that_changes_nothing_is_nowhere_apart():
    ((_, words),) = details(Results.combine([toy_results(), toy_results(lesion="permute_weights")]))[1].others
    assert words == "rises (0 → 0.200); nowhere apart from intact"
    intact = toy_results()
    both = (*intact.rows, *(replace(row, lesion="a") for row in intact.rows))
    same = Results(intact.run, both, intact.tree)
    assert answer(same).endswith("Apart from intact at half of the stages or more: a in nothing.")


def test_details_name_the_hierarchy_where_there_are_several():
    both = Results.combine([toy_results(), toy_results(("V1", "IT"), hierarchy="cortex")])
    assert details(both)[1] == Finding(
        "Dead fraction in toynet",
        "rises from 0 (conv1.relu) to 0.200 (fc8)",
        (("cortex", "rises (0.0250 → 0.200)"),),
    )


def test_an_empty_run_has_no_answer():
    assert answer(Results.build({}, [], {})) == ""
