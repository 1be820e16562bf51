"""Decode stimuli ahead of the network in threads, in order, within bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.types import Integers, Loaded, Stimuli

#: Batches that may lie decoded and waiting while the network is busy with another.
LOOK_AHEAD = 2


_Outcomes: TypeAlias = Generator[tuple[int, Callable[[], torch.Tensor]], None, None]


@dataclass(frozen=True)
class Batch:
    """Stimuli that go through the network together.

    Attributes
    ----------
    rows : int array (stimulus,)
        Their positions in the set.
    images : tensor (stimulus, channel, row, column), float32
        What the network is given; no stimulus where none of the rest could be read.
    skipped : tuple of (int, str)
        Stimuli left out since the batch before, and why.
    """

    rows: Integers
    images: torch.Tensor
    skipped: tuple[tuple[int, str], ...] = ()


def feed(
    stimuli: Stimuli,
    preprocess: Callable[[Loaded], torch.Tensor] | None = None,
    *,
    batch_size: int = 32,
    workers: int = 2,
    skip_unreadable: bool = False,
    shape: tuple[int, ...] | None = None,
) -> Generator[Batch, None, None]:
    """Yield every stimulus once, in order, in batches of `batch_size`.

    A batch holds what can be read of one window of `batch_size` rows: which stimuli go through the network together, and
    so how its sums round, does not depend on what could not be read elsewhere.

    Parameters
    ----------
    stimuli, preprocess : Stimuli, callable
        What to load, and what makes a float32 tensor (channel, row, column) of it; see `as_tensor` for None.
    batch_size, workers : int
        Stimuli in a batch; threads that load (0 loads in the calling thread).
    skip_unreadable : bool
        Leave unreadable stimuli out and report them, instead of stopping.
    shape : tuple of int, optional
        Shape every stimulus must have; that of the first one where not given.

    Raises
    ------
    UnreadableStimulus
        A stimulus cannot be read and `skip_unreadable` is not set; raised when its turn comes.
    BadInput
        A stimulus has another shape than the others, or preprocessing gave something else than such a tensor.
    """
    if batch_size < 1 or workers < 0:
        raise BadInput(
            f"A batch needs at least 1 stimulus and workers cannot be negative; got {batch_size} and {workers}."
        )
    load = partial(load_image, stimuli, preprocess=preprocess)
    outcomes = _in_order(load, len(stimuli), workers, batch_size * LOOK_AHEAD)
    return _batches(stimuli.ids, outcomes, batch_size, skip_unreadable, shape)


def load_image(stimuli: Stimuli, row: int, preprocess: Callable[[Loaded], torch.Tensor] | None = None) -> torch.Tensor:
    """Load and preprocess stimulus `row`; an error that is not ours gets the name of the stimulus."""
    try:
        loaded = stimuli.load(row)
        image = (preprocess or as_tensor)(loaded)
    except Exception as error:
        error.add_note(f"This happened with stimulus {stimuli.ids[row]!r}.")
        raise
    if not isinstance(image, torch.Tensor) or image.ndim != 3 or image.dtype != torch.float32:
        raise BadInput(
            f"Preprocessing must give a float32 tensor (channel, row, column); stimulus {stimuli.ids[row]!r} "
            f"became {_described(image)}."
        )
    return image


def as_tensor(loaded: Loaded) -> torch.Tensor:
    """Return an image as float32 tensor (channel, row, column): divided by 255, or as it is where it is an array."""
    if isinstance(loaded, Image.Image):
        values = np.asarray(loaded.convert("RGB"), dtype=np.float32)
        return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)) / np.float32(255))
    return torch.from_numpy(np.require(loaded, requirements=["C", "W"]))


def _batches(
    ids: Sequence[str], outcomes: _Outcomes, batch_size: int, skip_unreadable: bool, shape: tuple[int, ...] | None
) -> Generator[Batch, None, None]:
    rows: list[int] = []
    images: list[torch.Tensor] = []
    skipped: list[tuple[int, str]] = []
    with closing(outcomes):
        for row, outcome in outcomes:
            try:
                image = outcome()
            except UnreadableStimulus as error:
                if not skip_unreadable:
                    raise
                skipped.append((row, str(error)))
            else:
                shape = _same_shape(ids[row], image, shape)
                rows.append(row)
                images.append(image)
            if rows and (row + 1) % batch_size == 0:
                yield _batch(rows, images, skipped)
                rows, images, skipped = [], [], []
    if rows or skipped:
        yield _batch(rows, images, skipped)


def _batch(rows: list[int], images: list[torch.Tensor], skipped: list[tuple[int, str]]) -> Batch:
    stacked = torch.stack(images) if images else torch.empty(0)
    return Batch(np.array(rows, dtype=np.int64), stacked, tuple(skipped))


def _in_order(load: Callable[[int], torch.Tensor], n: int, workers: int, window: int) -> _Outcomes:
    """Yield every row with a call that gives its outcome, with at most `window` loads under way or waiting."""
    if workers == 0:
        yield from ((row, partial(load, row)) for row in range(n))
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="stratoscope-feed")
    waiting: deque[tuple[int, Callable[[], torch.Tensor]]] = deque()
    try:
        for row in range(n):
            waiting.append((row, pool.submit(load, row).result))
            if len(waiting) >= window:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _same_shape(name: str, image: torch.Tensor, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    came = tuple(image.shape)
    if shape is not None and came != shape:
        raise BadInput(
            f"Stimulus {name!r} has shape {came} after preprocessing, and those before it {shape} (channel, row, column). "
            "Give a preprocess that resizes and crops to one size."
        )
    return came


def _described(image: Any) -> str:
    if isinstance(image, torch.Tensor):
        return f"a {str(image.dtype).removeprefix('torch.')} tensor of shape {tuple(image.shape)}"
    return f"a {type(image).__name__}"
