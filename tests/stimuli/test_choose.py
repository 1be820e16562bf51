"""Choosing fewer stimuli: balanced, seeded, and independent of order."""

from __future__ import annotations

import re

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.stimuli.choose import choose
from stratoscope.stimuli.columns import count_categories
from stratoscope.types import Stimuli


def make(counts, order=None):
    names = [f"{category}/{number}" for category, count in counts.items() for number in range(count)]
    rows = range(len(names)) if order is None else order
    ids = tuple(names[row] for row in rows)
    return Stimuli("set", ids, lambda row: row, {"category": np.array([name.split("/")[0] for name in ids])}, "f")


def test_a_limit_is_spread_over_the_categories():
    chosen = choose(make({"a": 50, "b": 50, "c": 2}), limit=21)
    assert sorted(count_categories(chosen.categories).values()) == [2, 9, 10]
    assert len(chosen) == 21


def test_the_order_is_kept():
    stimuli = make({"a": 9, "b": 9})
    chosen = choose(stimuli, limit=7)
    rows = [stimuli.ids.index(name) for name in chosen.ids]
    assert rows == sorted(rows)
    assert [chosen.load(row) for row in range(7)] == rows


def test_the_choice_depends_on_ids_and_seed_alone(rng):
    counts = {"a": 30, "b": 20}
    one = choose(make(counts), per_category=5, seed=3)
    two = choose(make(counts, rng.permutation(50)), per_category=5, seed=3)
    assert set(one.ids) == set(two.ids)
    assert set(one.ids) != set(choose(make(counts), per_category=5, seed=4).ids)


def test_a_smaller_choice_is_part_of_a_larger_one():
    stimuli = make({"a": 30, "b": 20})
    assert set(choose(stimuli, limit=10).ids) < set(choose(stimuli, limit=20).ids)


def test_per_category_takes_as_many_of_each_and_then_the_limit_holds():
    stimuli = make({"a": 30, "b": 20})
    assert count_categories(choose(stimuli, per_category=5).categories) == {"a": 5, "b": 5}
    assert count_categories(choose(stimuli, per_category=5, limit=4).categories) == {"a": 2, "b": 2}


def test_a_choice_has_a_fingerprint_of_its_own_and_a_note():
    stimuli = make({"a": 30})
    one, two = choose(stimuli, limit=10), choose(stimuli, limit=10, seed=1)
    assert len({stimuli.fingerprint, one.fingerprint, two.fingerprint}) == 3
    assert two.notes == ("10 of 30 stimuli were chosen (seed 1).",)


def test_the_notes_are_about_the_choice_and_not_about_the_whole_set():
    stimuli = make({"a": 3, "b": 3, "c": 3})
    one_each = choose(stimuli, per_category=1)
    single = "3 of 3 categories have a single image (first: 'a'); metrics that need two in each category will refuse this set."
    assert one_each.notes == ("3 of 9 stimuli were chosen (seed 0).", single)
    assert choose(one_each, limit=2).notes[:2] == (
        "3 of 9 stimuli were chosen (seed 0).",
        "2 of 3 stimuli were chosen (seed 0), from 2 of 3 categories.",
    )


def test_a_limit_beyond_the_set_keeps_it_as_it_is():
    stimuli = make({"a": 3})
    assert choose(stimuli, limit=10) is stimuli


def test_impossible_choices_are_sentences():
    flat = Stimuli("flat", ("a", "b"), lambda row: row)
    for call, error, text in (
        (
            lambda: choose(flat, limit=0),
            BadInput,
            "limit is 0, expected 1 or more. Leave it out to keep every stimulus.",
        ),
        (
            lambda: choose(flat, per_category=2),
            BadInput,
            (
                "'flat' has no categories, so 2 of each cannot be chosen. "
                "Use limit, or name the column that has the categories with category_column."
            ),
        ),
        (
            lambda: choose(make({"a": 3, "b": 1}), per_category=2),
            TooFew,
            "1 of 2 categories of 'set' have fewer than 2 stimuli (first: 'b' (1)). Ask for at most 1 of each.",
        ),
    ):
        with pytest.raises(error, match=f"^{re.escape(text)}$"):
            call()
