"""Metrics are asked for by name, with options; what does not exist is refused with the nearest names."""

from __future__ import annotations

import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.measure.request import DEFAULT_METRICS, ask, neighbours_measured, neighbours_needed, parse_metric


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two_nn", ("two_nn", {})),
        ("two_nn:fraction=0.8,method=ml", ("two_nn", {"fraction": 0.8, "method": "ml"})),
        ("gride:n1=(1, 2, 4)", ("gride", {"n1": (1, 2, 4)})),
        ("population_sparseness:normalization='none'", ("population_sparseness", {"normalization": "none"})),
    ],
)
def test_a_metric_is_read_with_its_options(text, expected):
    assert parse_metric(text) == expected


@pytest.mark.parametrize("text", ["two_nn:0.8", "two_nn:fraction=", "two_nn:**x", "two_nn:a=1)"])
def test_a_metric_that_cannot_be_read_says_how_to_write_one(text):
    with pytest.raises(BadInput, match=r"cannot be read\. Write name:option=value,option=value\."):
        parse_metric(text)


def test_every_metric_reads_its_conventional_unit_unless_told_otherwise():
    asked, notes = ask(None, None, has_categories=True)
    assert [one.metric.name for one in asked] == list(DEFAULT_METRICS)
    assert {one.metric.name: one.units for one in asked}["two_nn"] == ("position",)
    assert notes == []
    asked, _ = ask(["two_nn"], ["channel"], has_categories=True)
    assert asked[0].units == ("channel",)


def test_without_categories_the_default_list_says_what_it_left_out():
    asked, notes = ask(None, None, has_categories=False)
    assert "population_sparseness" not in [one.metric.name for one in asked]
    assert notes == [
        "population_sparseness compares categories, and these stimuli have no column 'category'. It was left out."
    ]


def test_a_metric_asked_by_name_that_needs_categories_is_refused_without_them():
    with pytest.raises(BadInput, match="compares categories.*Use class folders or a CSV with that column"):
        ask(["population_sparseness"], None, has_categories=False)


def test_wrong_names_offer_the_nearest():
    with pytest.raises(UnknownName, match=r"No metric is called 'twonn'\. Did you mean 'two_nn'"):
        ask(["twonn"], None, has_categories=True)
    with pytest.raises(UnknownName, match=r"No option of two_nn is called 'fracton'\. Did you mean 'fraction'\?"):
        ask(["two_nn:fracton=0.8"], None, has_categories=True)
    with pytest.raises(UnknownName, match="No option of two_nn is called 'responses'"):
        ask(["two_nn:responses=1"], None, has_categories=True)


@pytest.mark.parametrize(
    ("metrics", "k"),
    [
        (["two_nn"], 12),
        (["gride"], 157),
        (["gride:n1=(1, 2)"], 18),
        (["levina_bickel:k=20"], 58),
        (["two_nn", "gride"], 157),
        (["gride:n1=(1, 128)"], 256),
    ],
)
def test_as_many_neighbours_are_kept_as_the_metrics_read(metrics, k):
    assert neighbours_needed(ask(metrics, None, has_categories=True)[0]) == k


@pytest.mark.parametrize(
    ("metrics", "exact"),
    [
        (["two_nn"], 2),
        (["two_nn", "cka", "participation_ratio"], 2),
        (["cka", "population_sparseness"], 0),
        (["two_nn", "gride"], None),
        (["two_nn", "two_nn_decimation"], None),  # reads the lists of parts, at any rank
    ],
)
def test_neighbours_that_intervals_alone_read_are_not_measured(metrics, exact):
    assert neighbours_measured(ask(metrics, None, has_categories=True)[0]) == exact
