"""The memory budget: sizes as people write them, and a refusal that says the smallest that works."""

from __future__ import annotations

import pytest

from stratoscope.errors import BadInput, BudgetTooSmall
from stratoscope.measure.budget import parse_bytes, readable, spool_allowance


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2_000_000_000), ("500 mb", 500_000_000), ("1.5GiB", 1_610_612_736), (1000, 1000), ("7", 7)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2 gigs", "-1GB", "0", "1.2.3MB", "nan"])
def test_what_is_not_a_size_is_refused(text):
    with pytest.raises(BadInput, match="is not a size. Give a number with a unit, such as 2GB or 500MB."):
        parse_bytes(text)


def test_what_is_left_of_the_budget_holds_spools():
    assert spool_allowance(1000, 300, 200) == 500


def test_a_budget_too_small_says_the_smallest_that_works_and_that_size_works():
    with pytest.raises(BudgetTooSmall) as caught:
        spool_allowance(10_000_000, 9_000_000, 3_210_000)
    assert str(caught.value) == (
        "The run needs at least 12.3 MB of memory (9.0 MB for the summaries of the pass and 3.3 MB to close the largest "
        "stage), but the budget is 10.0 MB. Give --budget 12.3MB or more, or choose fewer stages, stimuli or metrics, or "
        "unit 'channel'."
    )
    assert spool_allowance(parse_bytes("12.3MB"), 9_000_000, 3_210_000) >= 0


def test_sizes_are_written_rounded_up():
    assert readable(1_000_001) == "1.1 MB"
    assert readable(999) == "999 bytes"
