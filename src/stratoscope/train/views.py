"""The views to learn and the views held out, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stratoscope.errors import BadInput, TooFew
from stratoscope.types import Floats, Integers, Stimuli

#: Cells that each axis of view space is cut into.
CELLS = {"azimuth": 4, "size": 4, "in_plane": 4, "in_depth": 4}


@dataclass(frozen=True)
class Labelled:
    """Images (image, row, column) uint8 and their classes (image,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Split:
    """What is learned and what is held out.

    Attributes
    ----------
    classes : tuple of str
        Names of the objects, in the order of the labels.
    learned, held_out : Labelled
        Images of the views of each part.
    mean, std : float
        Of the learned pixels, on the scale 0 to 1.
    """

    classes: tuple[str, ...]
    learned: Labelled
    held_out: Labelled
    mean: float
    std: float


def split_stimuli(
    stimuli: Stimuli, size: int, *, share: float, seed: int, progress: Callable[[int], None] | None = None
) -> Split:
    """Render a set and part it by views.

    View space (azimuth x size x in-plane x in-depth rotation, each cut into four) has 256 cells. A share of the
    cells, drawn by `seed`, is held out for every object, so that the network has seen no object at all in these
    combinations of position, size and rotations.

    Parameters
    ----------
    stimuli : Stimuli
        Object views of `size` x `size` pixels, with the columns of `CELLS` and ``category``.
    size : int
        Rows and columns that the network needs.
    share : float
        Share of the cells that is held out.
    seed : int
        Seed of the draw of cells.
    progress : callable, optional
        Called with the number of images made.

    Raises
    ------
    BadInput
        If the set lacks the columns, or its images have another size.
    TooFew
        If a part has no image of some object.
    """
    held = held_out_views(stimuli, share=share, seed=seed)
    classes, labels = np.unique(np.asarray(stimuli.categories).astype(str), return_inverse=True)
    for part, name in ((labels[held], "held-out"), (labels[~held], "learned")):
        if len(np.unique(part)) < len(classes):
            raise TooFew(
                f"{len(classes) - len(np.unique(part))} of {len(classes)} objects have no {name} view among "
                f"{len(stimuli)} views. Ask for more views, such as objects:dense?n={100 * len(classes)}."
            )
    images = torch.from_numpy(_images(stimuli, size, progress))
    truth = torch.from_numpy(labels.astype(np.int64))
    learned, rest = torch.from_numpy(np.flatnonzero(~held)), torch.from_numpy(np.flatnonzero(held))
    counts = torch.bincount(images[learned].flatten(), minlength=256).double()
    values = torch.arange(256, dtype=torch.float64) / 255
    mean = float((counts * values).sum() / counts.sum())
    std = float((counts * (values - mean) ** 2).sum() / counts.sum()) ** 0.5
    seen, unseen = (Labelled(images[rows], truth[rows]) for rows in (learned, rest))
    return Split(tuple(map(str, classes)), seen, unseen, round(mean, 4), round(std, 4))


def held_out_views(stimuli: Stimuli, *, share: float, seed: int) -> NDArray[np.bool_]:
    """Which views of a set (stimulus,) lie in held-out cells of view space."""
    missing = [name for name in (*CELLS, "category") if name not in stimuli.columns]
    if missing:
        raise BadInput(
            f"{stimuli.name!r} has no column {missing[0]!r}. Views are held out by position, size and rotations; "
            "train on a set such as 'objects:dense?n=40000'."
        )
    cell = np.zeros(len(stimuli), np.int64)
    for name, cells in CELLS.items():
        cell = cell * cells + _binned(np.asarray(stimuli.columns[name], float), cells)
    n = int(np.prod(list(CELLS.values())))
    chosen = np.random.default_rng((seed, n)).permutation(n)[: max(1, round(share * n))]
    return np.isin(cell, chosen)


def network_input(images: Tensor, mean: float, std: float) -> Tensor:
    """Turn grey images (image, row, column) uint8 into the input of a network (image, 3, row, column)."""
    normalised = (images.float() / 255 - mean) / std
    return normalised[:, None].expand(-1, 3, -1, -1)


def _binned(values: Floats, cells: int) -> Integers:
    """Cell of each value, of equal width over the range of the values."""
    low, high = values.min(), values.max()
    return np.asarray(np.clip((cells * (values - low) / ((high - low) or 1.0)).astype(np.int64), 0, cells - 1))


def _images(stimuli: Stimuli, size: int, progress: Callable[[int], None] | None) -> NDArray[np.uint8]:
    images = np.empty((len(stimuli), size, size), np.uint8)
    for row in range(len(stimuli)):
        image = np.asarray(stimuli.load(row))
        if image.shape[:2] != (size, size):
            raise BadInput(
                f"The networks see {size} x {size} pixels; {stimuli.name!r} has images of {image.shape[0]} x "
                f"{image.shape[1]}. Leave out 'pixels' or say pixels={size}."
            )
        images[row] = image[..., 0]
        if progress and (row + 1) % 1000 == 0:
            progress(row + 1)
    return images
