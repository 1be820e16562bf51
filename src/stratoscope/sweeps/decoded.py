"""Stimuli decoded once for all the networks that bring images to the same frame, and read from a file after that."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from stratoscope.errors import UnreadableStimulus
from stratoscope.sources.preprocess import Preprocess
from stratoscope.types import Loaded, Played, Stimuli, Visit

#: What two networks must share to share decoded images: which stimuli, and how they are framed. Normalisation may differ.
Key: TypeAlias = tuple[Any, ...]
#: Share of the free disk that shared images may take.
SHARE_OF_DISK = 0.5


def sharing_key(stimuli: Stimuli, source: Any) -> Key | None:
    """Return what `source` must have in common with another to share decoded images; None where it cannot share."""
    preprocess = getattr(source, "preprocess", None)
    if type(preprocess) is not Preprocess:
        return None
    frame = (preprocess.size, preprocess.mode, preprocess.resized, preprocess.interpolation)
    return (stimuli.fingerprint, *frame)


class Frames:
    """Images of one set, framed alike: decoded when they are first asked for, then read from a file.

    What a network gets is the same to the last bit: framing gives 8-bit images, and these are kept as they are.

    Parameters
    ----------
    stimuli : Stimuli
        The set.
    size : int
        Rows and columns of a frame.
    file : Path
        Where frames are kept, ``3 * size * size`` bytes each; removed by `close`.
    """

    def __init__(self, stimuli: Stimuli, size: int, file: Path) -> None:
        self.decoded = 0
        self._load = stimuli.load
        self.places = {name: row for row, name in enumerate(stimuli.ids)}
        self._size, self._bytes = size, 3 * size * size
        self._file = file
        self._handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._there = np.zeros(len(stimuli), dtype=bool)
        self._unreadable: dict[int, str] = {}
        self._counting = threading.Lock()

    def frame(self, row: int, preprocess: Preprocess) -> Loaded:
        """Return the framed image of a stimulus, or the stimulus as it is where it is no image."""
        if self._there[row]:
            data = os.pread(self._handle, self._bytes, row * self._bytes)
            return Image.frombytes("RGB", (self._size, self._size), data)
        if row in self._unreadable:
            raise UnreadableStimulus(self._unreadable[row])
        try:
            loaded = self._load(row)
        except UnreadableStimulus as error:
            self._unreadable[row] = str(error)
            raise
        return self._kept(row, preprocess.framed(loaded)) if isinstance(loaded, Image.Image) else loaded

    def _kept(self, row: int, framed: Image.Image) -> Image.Image:
        data = framed.tobytes()
        if os.pwrite(self._handle, data, row * self._bytes) == len(data):  # a full disk is an OSError, or writes less
            self._there[row] = True
        with self._counting:
            self.decoded += 1
        return framed

    def close(self) -> None:
        """Remove the file."""
        os.close(self._handle)
        self._file.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Inputs:
    """Loads stimulus `row` as the input of a network: framed once for all, normalised for this one."""

    frames: Frames
    preprocess: Preprocess
    rows: tuple[int, ...]

    def __call__(self, row: int) -> Loaded:
        loaded = self.frames.frame(self.rows[row], self.preprocess)
        return self.preprocess.normalised(loaded) if isinstance(loaded, Image.Image) else loaded


class SharedDecode:
    """A network whose inputs come from shared frames; it says and does all else as the network it stands for.

    The stimuli are left as they are, since a run shows examples of them: only what the network plays is taken from the
    frames, by the ids of the stimuli, as a run may play them in parts.
    """

    def __init__(self, network: Any, frames: Frames) -> None:
        self._network, self._frames = network, frames

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def select(self, *asked: Any, **named: Any) -> SharedDecode:
        """Return the network with other stages, another definition of a unit, or both; see `Network.select`."""
        return SharedDecode(self._network.select(*asked, **named), self._frames)

    def prepare(self, stimuli: Stimuli) -> SharedDecode:
        """Let the first readable stimulus pass; see `Network.prepare`."""
        return SharedDecode(self._network.prepare(self._framed(stimuli)), self._frames)

    def play(self, stimuli: Stimuli, visit: Visit, **options: Any) -> Played:
        """Play every stimulus once; see `Network.play`."""
        played: Played = self._network.play(self._framed(stimuli), visit, **options)
        return played

    def _framed(self, stimuli: Stimuli) -> Stimuli:
        rows = tuple(self._frames.places[name] for name in stimuli.ids)
        return replace(stimuli, load=_Inputs(self._frames, self._network.preprocess, rows))


class Sharing:
    """The frames that rows of a sweep share, one file a group, in a folder that goes when the sweep ends.

    Parameters
    ----------
    folder : Path
        Where the files are made.
    groups : mapping of Key to int
        How many rows have each key; a row alone shares nothing.
    """

    def __init__(self, folder: Path, groups: Mapping[Key, int]) -> None:
        self._folder = folder
        self._groups = groups
        self._frames: dict[Key, Frames] = {}
        self.notes: list[str] = []

    def source(self, source: Any, stimuli: Stimuli) -> Any:
        """Return `source` as it is to play `stimuli`: from shared frames where other rows frame them alike."""
        key = sharing_key(stimuli, source)
        if key is None or self._groups.get(key, 0) < 2:
            return source
        if key not in self._frames:
            needed = 3 * source.preprocess.size**2 * len(stimuli)
            if needed > SHARE_OF_DISK * shutil.disk_usage(self._folder).free:
                note = (
                    f"Decoded images of {stimuli.name!r} were not shared: they take {needed / 1e9:.1f} GB, and the disk of "
                    f"{self._folder} has too little room."
                )
                self.notes += [note] if note not in self.notes else []
                return source
            file = self._folder / f".frames-{len(self._frames)}-{os.getpid()}"
            self._frames[key] = Frames(stimuli, source.preprocess.size, file)
        return SharedDecode(source, self._frames[key])

    @property
    def decoded(self) -> int:
        """Images that were decoded for all rows together."""
        return sum(one.decoded for one in self._frames.values())

    def close(self) -> None:
        """Remove every file."""
        for one in self._frames.values():
            one.close()
        self._frames.clear()
