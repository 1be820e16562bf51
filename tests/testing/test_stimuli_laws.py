"""The laws of stimuli hold for an honest set, and catch every liar."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from stratoscope.testing.stimuli_laws import check_stimuli
from stratoscope.types import Stimuli

VALUES = np.arange(6, dtype=np.uint8) * 40


def honest(order=range(6), **changes):
    values = VALUES[list(order)]
    columns = {"category": np.array(["a", "b"])[values // 40 % 2]}
    ids = tuple(f"image-{value}" for value in values)
    made = Stimuli("honest", ids, lambda row: Image.new("RGB", (3, 2), (int(values[row]),) * 3), columns, "f")
    return replace(made, **changes)


def test_an_honest_set_passes():
    check_stimuli(honest, reordered=lambda: honest([3, 1, 5, 0, 2, 4]))


def test_ids_that_depend_on_order_are_caught():
    def by_place(order):
        return lambda: replace(honest(order), ids=tuple(f"image-{row}" for row in range(6)))

    check_stimuli(by_place(range(6)))
    with pytest.raises(AssertionError, match="'image-0' is another image there"):
        check_stimuli(by_place(range(6)), reordered=by_place([1, 0, 2, 3, 4, 5]))


@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_as_ids_are_caught(start):
    with pytest.raises(AssertionError, match="ids are row numbers"):
        check_stimuli(lambda: honest(ids=tuple(str(start + row) for row in range(6))))


def test_an_id_that_stands_for_two_is_caught():
    with pytest.raises(AssertionError, match="an id stands for two stimuli"):
        check_stimuli(lambda: honest(ids=("a", "a", "b", "c", "d", "e")))


def test_ids_or_fingerprints_that_change_are_caught():
    count = itertools.count()
    with pytest.raises(AssertionError, match="ids change when the set is opened again"):
        check_stimuli(lambda: honest(ids=tuple(f"{next(count)}-x" for _ in range(6))))
    with pytest.raises(AssertionError, match="the fingerprint changes"):
        check_stimuli(lambda: honest(fingerprint=str(next(count))))


def test_a_column_of_the_wrong_length_is_caught():
    with pytest.raises(AssertionError, match=r"column 'n' has shape \(5,\), expected \(6,\)"):
        check_stimuli(lambda: honest(columns={"n": np.arange(5)}))


def test_ids_that_change_with_order_are_caught():
    with pytest.raises(AssertionError, match="ids change with the order of the set"):
        check_stimuli(honest, reordered=lambda: honest(ids=tuple("abcdef")))


def test_a_property_that_stays_at_its_place_is_caught():
    columns = honest().columns
    with pytest.raises(AssertionError, match="has another 'category'"):
        check_stimuli(honest, reordered=lambda: honest([1, 0, 2, 3, 4, 5], columns=columns))


def test_loading_that_is_not_repeatable_is_caught(rng):
    def load(row):
        return rng.random((3, 2, 2), dtype=np.float32)

    with pytest.raises(AssertionError, match="loads to other values the second time"):
        check_stimuli(lambda: honest(load=load))


class OneHandle:
    """Seeks and then reads, as one open file among several threads does."""

    def __init__(self):
        self.place = 0

    def __call__(self, row):
        self.place = row
        time.sleep(0.001 if threading.active_count() > 1 else 0)
        return Image.new("RGB", (2, 2), (int(VALUES[self.place]),) * 3)


def test_loading_that_is_not_safe_among_threads_is_caught():
    with pytest.raises(AssertionError, match="loads to other values among 8 threads"):
        check_stimuli(lambda: honest(load=OneHandle()))


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        (Image.new("L", (2, 2)), "an image has mode L, expected RGB"),
        (np.zeros((3, 2, 2)), "an array is float64, expected float32"),
        (np.zeros((2, 2), np.float32), r"an array has shape \(2, 2\), expected"),
        ("a.png", "a stimulus is str, expected an image or array"),
    ],
)
def test_loading_anything_but_an_rgb_image_or_floats_is_caught(loaded, reason):
    with pytest.raises(AssertionError, match=reason):
        check_stimuli(lambda: honest(load=lambda _: loaded))


@dataclass(frozen=True)
class Forgetful(Stimuli):
    """Takes ids and columns, and loads as if nothing had been taken."""

    def take(self, rows):
        return replace(super().take(rows), load=self.load)


def test_a_take_that_forgets_the_images_is_caught():
    one = honest()
    made = Forgetful(one.name, one.ids, one.load, one.columns, one.fingerprint)
    with pytest.raises(AssertionError, match=r"take\(\) mixes up images"):
        check_stimuli(lambda: made)
