"""Images as arrays in memory: what they are as images, and ids from their content."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stratoscope.errors import BadInput
from stratoscope.stimuli.columns import name_categories, pick_category
from stratoscope.stimuli.decode import to_rgb
from stratoscope.stimuli.openers import Wanted, make_stimuli
from stratoscope.types import Loaded, Stimuli

LABEL_NAMES = ("category", "label", "labels", "y", "target", "targets", "class", "condition", "object")
NAMES_OF_LABELS = ("label_names", "class_names", "category_names", "classes")


@dataclass(frozen=True)
class ArrayLoader:
    """Loads stimulus `row` of an array of images; has no state, so any number of threads may call it.

    Attributes
    ----------
    images : array
        uint8 (stimulus, row, column) or (stimulus, row, column, channel), or float32 (stimulus, channel, row, column).
    name : str
        What to call it in messages.
    """

    images: NDArray[Any]
    name: str

    def __call__(self, row: int) -> Loaded:
        """Return stimulus `row`: RGB, or a copy of the floats."""
        one = self.images[row]
        if one.dtype == np.float32:
            return np.array(one, dtype=np.float32)
        return to_rgb(Image.fromarray(one), f"{self.name}[{row}]")


def stimuli_from_arrays(
    name: str, images: NDArray[Any], arrays: Mapping[str, NDArray[Any]], wanted: Wanted, notes: Sequence[str] = ()
) -> Stimuli:
    """Make a set of images in memory and their properties (stimulus,); ``label_names`` name whole-number labels."""
    columns = {name: values for name, values in arrays.items() if name not in NAMES_OF_LABELS}
    named = next((arrays[name] for name in NAMES_OF_LABELS if name in arrays), None)
    picked, said = pick_category(columns, wanted.category_column, name, LABEL_NAMES)
    if "category" in picked and wanted.category_column is None and named is not None:
        picked["category"] = name_categories(picked["category"], list(map(str, named.tolist())), name)
    hashes = content_hashes(images)
    ids = content_ids(hashes, columns)
    copies = len(hashes) - len(set(hashes))
    again = (f"{copies} images have the same values as another; their ids end in -2, -3 ...",) if copies else ()
    return make_stimuli(name, ids, ArrayLoader(images, name), picked, hashes, wanted, (*notes, *said, *again))


def content_hashes(images: Iterable[NDArray[Any]]) -> list[str]:
    """Return the SHA-256 of the values of each image, in C order, hexadecimal."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in images]


def content_ids(hashes: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return ids that do not depend on the order of the stimuli: the first 16 digits of each hash.

    Stimuli of the same content get ``-2``, ``-3`` ... in the order of their properties (as text, the columns sorted by
    name). Where these are the same too, the stimuli are interchangeable, and nothing depends on which has which.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for row, digest in enumerate(hashes):
        same[digest[:16]].append(row)
    names = sorted(columns)
    ids = [""] * len(hashes)
    for short, rows in same.items():
        rows.sort(key=lambda row: (hashes[row], *(str(columns[name][row]) for name in names)))
        for place, row in enumerate(rows, 1):
            ids[row] = short if place == 1 else f"{short}-{place}"
    return ids


def as_images(array: NDArray[Any], where: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return `array` as uint8 with channels last (or none), or as float32 with channels first; and notes."""
    if array.ndim not in {3, 4} or 0 in array.shape:
        raise BadInput(
            f"{where!r} has shape {array.shape}, expected (stimulus, row, column) and perhaps 1 to 4 channels."
        )
    if array.dtype == np.uint8:
        return _channels_last(array, where), ()
    if array.dtype.kind == "f":
        return _floats(array, where)
    raise BadInput(
        f"{where!r} is {array.dtype}, expected uint8 (0 to 255) or floats (0 to 1). Scale it, then convert it with "
        ".astype('uint8')."
    )


def _channels_last(array: NDArray[Any], where: str) -> NDArray[Any]:
    if array.ndim == 3:
        return array
    last, first = array.shape[3] in {1, 3, 4}, array.shape[1] in {1, 3}
    if last == first:
        raise BadInput(
            f"{where!r} has shape {array.shape}: which of its dimensions is the channel is not clear. "
            "Expected (stimulus, row, column, channel) with 1, 3 or 4 channels or (stimulus, channel, row, column) with 1 or 3."
        )
    images = array if last else np.moveaxis(array, 1, 3)
    return images[..., 0] if images.shape[3] == 1 else images


def _floats(array: NDArray[Any], where: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise BadInput(f"{where!r} has values that are NaN or infinite. Expected finite values, 0 to 1.")
    images = _channels_last(array, where)
    images = np.repeat(images[:, None], 3, axis=1) if images.ndim == 3 else np.moveaxis(images, 3, 1)
    outside = low < 0 or high > 1
    note = f"{where!r} has values from {low:g} to {high:g}, outside 0 to 1; they are handed over as they are."
    return np.ascontiguousarray(images, dtype=np.float32), (note,) if outside else ()
