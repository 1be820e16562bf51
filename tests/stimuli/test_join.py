"""Sets one behind the other keep their ids, images and shared columns."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.stimuli import join_stimuli, open_stimuli
from stratoscope.testing.stimuli_laws import check_stimuli


def numbered(prefix, n, **columns):
    from stratoscope.types import Stimuli

    images = [np.full((3, 2, 2), i, dtype=np.float32) for i in range(n)]
    return Stimuli(
        prefix, tuple(f"{prefix}{i}" for i in range(n)), lambda row: images[row], columns, f"hash of {prefix}"
    )


def test_rows_run_through_the_parts_in_order():
    joined = join_stimuli([numbered("a", 2), numbered("b", 3), numbered("c", 1)])
    assert joined.ids == ("a0", "a1", "b0", "b1", "b2", "c0")
    assert [float(joined.load(row).max()) for row in range(6)] == [0, 1, 0, 1, 2, 0]
    assert joined.name == "a + b + c"


def test_columns_that_all_parts_have_are_kept():
    joined = join_stimuli([numbered("a", 1, x=np.array([1.0]), y=np.array([2.0])), numbered("b", 1, x=np.array([3.0]))])
    assert {name: values.tolist() for name, values in joined.columns.items()} == {"x": [1.0, 3.0]}


def test_joined_views_keep_the_laws_of_stimuli():
    check_stimuli(
        lambda: join_stimuli([open_stimuli("objects:tafazoli?pixels=16"), open_stimuli("objects:dense?n=5&pixels=16")])
    )


def test_nothing_to_join_and_shared_ids_are_refused():
    with pytest.raises(BadInput, match="There are no stimuli to join. Give at least one set."):
        join_stimuli([])
    with pytest.raises(BadInput, match="listed more than once .first: 'a0'."):
        join_stimuli([numbered("a", 1), numbered("a", 1)])
