"""What any set of stimuli must do, whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stratoscope.types import Loaded, Stimuli


def check_stimuli(
    open: Callable[[], Stimuli], *, reordered: Callable[[], Stimuli] | None = None, threads: int = 8
) -> None:
    """Check the laws of stimuli on the set that `open` opens; a broken one raises AssertionError.

    Ids are unique, non-empty and not row numbers; reopening gives the same ids, columns and fingerprint; a column has an
    entry for every stimulus; loading is repeatable, the same from several threads, and an RGB image or float32 (channel,
    row, column); and `take` restricts all of it alike.

    Parameters
    ----------
    open : callable
        Opens the set.
    reordered : callable, optional
        Opens the same stimuli stored in another order; every id must still stand for the same image and properties.
    threads : int
        Threads that load at once.
    """
    stimuli = open()
    check_ids_and_columns(stimuli)
    check_reopening(stimuli, open())
    check_loading(stimuli, threads)
    check_take(stimuli)
    if reordered is not None:
        check_reordered(stimuli, reordered())


def check_ids_and_columns(stimuli: Stimuli) -> None:
    """Ids are unique, non-empty text and not row numbers; every column is (stimulus,)."""
    ids, n = stimuli.ids, len(stimuli)
    assert n > 0, "the set is empty"
    assert all(isinstance(name, str) and name for name in ids), "an id is empty or not text"
    assert len(set(ids)) == n, "an id stands for two stimuli"
    counting = [list(map(str, range(start, start + n))) for start in (0, 1)]
    assert list(ids) not in counting, "ids are row numbers, which depend on order"
    for name, values in stimuli.columns.items():
        assert np.shape(values) == (n,), f"column {name!r} has shape {np.shape(values)}, expected ({n},)"
    assert stimuli.fingerprint, "there is no fingerprint"


def check_reopening(stimuli: Stimuli, again: Stimuli) -> None:
    """Opening twice gives the same ids, fingerprint and columns."""
    assert again.ids == stimuli.ids, "ids change when the set is opened again"
    assert again.fingerprint == stimuli.fingerprint, "the fingerprint changes when the set is opened again"
    assert list(again.columns) == list(stimuli.columns), "the columns change when the set is opened again"
    for name, values in stimuli.columns.items():
        np.testing.assert_array_equal(again.columns[name], values, err_msg=f"column {name!r} changes")


def check_loading(stimuli: Stimuli, threads: int) -> None:
    """Every stimulus loads, to the same values again and from several threads at once."""
    rows = range(len(stimuli))
    once = [pixels(stimuli.load(row)) for row in rows]
    backwards = [pixels(stimuli.load(row)) for row in reversed(rows)][::-1]
    with ThreadPoolExecutor(threads) as pool:
        together = list(pool.map(lambda row: pixels(stimuli.load(row)), [*rows] * threads))
    for row in rows:
        assert np.array_equal(once[row], backwards[row]), f"stimulus {row} loads to other values the second time"
        for other in together[row :: len(rows)]:
            assert np.array_equal(once[row], other), f"stimulus {row} loads to other values among {threads} threads"


def check_take(stimuli: Stimuli) -> None:
    """`take` restricts ids, columns and images alike, and has a fingerprint of its own."""
    rows = np.arange(len(stimuli))[::-1][: max(1, len(stimuli) // 2)]
    taken = stimuli.take(rows)
    assert taken.ids == tuple(stimuli.ids[row] for row in rows), "take() mixes up ids"
    assert len(taken) == len(stimuli) or taken.fingerprint != stimuli.fingerprint, "take() keeps the fingerprint"
    for name, values in stimuli.columns.items():
        np.testing.assert_array_equal(taken.columns[name], values[rows], err_msg=f"take() mixes up column {name!r}")
    for place, row in enumerate(rows):
        same = np.array_equal(pixels(taken.load(place)), pixels(stimuli.load(int(row))))
        assert same, f"take() mixes up images: {stimuli.ids[row]!r}"


def check_reordered(stimuli: Stimuli, other: Stimuli) -> None:
    """Every id stands for the same image and properties in another order of the set."""
    assert set(other.ids) == set(stimuli.ids), "ids change with the order of the set"
    rows = {name: row for row, name in enumerate(other.ids)}
    for row, stimulus in enumerate(stimuli.ids):
        there = rows[stimulus]
        assert np.array_equal(pixels(stimuli.load(row)), pixels(other.load(there))), (
            f"{stimulus!r} is another image there"
        )
        for name, values in stimuli.columns.items():
            assert str(values[row]) == str(other.columns[name][there]), f"{stimulus!r} has another {name!r}"


def pixels(loaded: Loaded) -> NDArray[np.generic]:
    """Return the values of a loaded stimulus, after checking what it is."""
    if isinstance(loaded, Image.Image):
        assert loaded.mode == "RGB", f"an image has mode {loaded.mode}, expected RGB"
        return np.asarray(loaded)
    assert isinstance(loaded, np.ndarray), f"a stimulus is {type(loaded).__name__}, expected an image or array"
    assert loaded.dtype == np.float32, f"an array is {loaded.dtype}, expected float32"
    assert loaded.ndim == 3, f"an array has shape {loaded.shape}, expected (channel, row, column)"
    return loaded
