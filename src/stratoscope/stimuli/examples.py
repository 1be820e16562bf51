"""Choose a dozen stimuli by category, and make small pictures of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stratoscope.errors import BadInput, StratoscopeError
from stratoscope.results.examples import Examples
from stratoscope.types import Loaded, Stimuli

#: How many are shown, and the longest side of a picture in pixels; smaller ones are not enlarged.
COUNT, SIDE = 12, 96


def choose_examples(stimuli: Stimuli, left_out: Collection[int] = (), *, count: int = COUNT) -> Examples:
    """Return up to `count` stimuli as small pictures: as many categories as there is room for, evenly from each.

    Nothing is drawn at random: of more than `count` categories every so-many-th in alphabetical order is shown, and of
    each category stimuli at even distances in the order of the set. Without categories they are at even distances in the set.

    Parameters
    ----------
    stimuli : Stimuli
        What was shown. A set that holds responses alone has no pictures, and the note says so.
    left_out : collection of int
        Rows that could not be read.
    count : int
        Most pictures.

    Returns
    -------
    stratoscope.results.Examples
        With pictures of at most 96 pixels a side, in the order of the set within each category; arrays that are no images
        are scaled to their own range, and the note says that.
    """
    taken: list[tuple[str, NDArray[np.uint8]]] = []
    scaled = False
    reason = ""
    for row in chosen_rows(stimuli, left_out, count):
        try:
            picture, was_array = small(stimuli.load(row))
        except (StratoscopeError, OSError) as error:
            reason = reason or str(error)
            continue
        scaled |= was_array
        taken.append((stimuli.ids[row], picture))
    if not taken:
        return Examples(note=reason or "There is no stimulus to show.")
    note = "These stimuli are arrays; each is drawn from its smallest value (black) to its largest." if scaled else ""
    return Examples(tuple(name for name, _ in taken), _stack([picture for _, picture in taken]), note)


def chosen_rows(stimuli: Stimuli, left_out: Collection[int] = (), count: int = COUNT) -> list[int]:
    """Return the rows that `choose_examples` shows."""
    kept = np.setdiff1d(np.arange(len(stimuli)), np.asarray(sorted(left_out), dtype=np.int64))
    if stimuli.categories is None:
        return [int(row) for row in _evenly(kept, count)]
    labels = np.asarray(stimuli.categories).astype(str)[kept]
    names = _evenly(np.unique(labels), count)
    each = np.full(len(names), count // max(len(names), 1))
    each[: count - int(each.sum())] += 1
    return [int(row) for name, n in zip(names, each, strict=True) for row in _evenly(kept[labels == name], int(n))]


def _evenly(values: NDArray[Any], count: int) -> list[Any]:
    """Return `count` of `values`, or all of fewer, from the middles of as many equal parts."""
    if len(values) <= count:
        return list(values)
    return [values[int((place + 0.5) * len(values) / count)] for place in range(count)]


def small(loaded: Loaded) -> tuple[NDArray[np.uint8], bool]:
    """Return a stimulus as a picture (row, column, 3) of at most `SIDE` pixels a side, and whether it was an array."""
    was_array = isinstance(loaded, np.ndarray)
    image = _of_array(loaded) if isinstance(loaded, np.ndarray) else loaded.convert("RGB")
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image, dtype=np.uint8), was_array


def _of_array(array: NDArray[np.float32]) -> Image.Image:
    """Return an array (channel, row, column) as an image: its three channels, or the mean of another number, scaled."""
    if array.ndim != 3:
        raise BadInput(f"The stimuli are arrays with {array.ndim} dimension(s), which are no images, so none is shown.")
    seen = array if array.shape[0] == 3 else array.mean(axis=0, keepdims=True).repeat(3, axis=0)
    seen = np.nan_to_num(seen.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(seen.min()), float(seen.max())
    scaled = (seen - low) / (high - low) if high > low else np.zeros_like(seen)
    return Image.fromarray((255 * scaled).round().astype(np.uint8).transpose(1, 2, 0))


def _stack(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Put pictures of several sizes into one array with opacity."""
    tall, wide = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    stacked = np.zeros((len(pictures), tall, wide, 4), dtype=np.uint8)
    for place, picture in zip(stacked, pictures, strict=True):
        place[: picture.shape[0], : picture.shape[1], :3] = picture
        place[: picture.shape[0], : picture.shape[1], 3] = 255
    return stacked
