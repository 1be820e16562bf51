"""Where the panels of a spool lie: in memory, or in a file. Each panel grows at its end, and is read as a whole.

A file is written and read past the system's page cache where that is fast. A spool is larger than the memory it was
given, and is read once or twice: the cache would copy every byte, find a page for it first, and push out what others
keep there. Where the disk is slow the cache hides that, so how fast it is gets measured as it is used.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from io import FileIO
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, BudgetTooSmall

_GIB = 1 << 30
#: Disks take whole blocks, from memory that begins at one; those of all usual disks fit into this.
_BLOCK = 4096
#: Bytes that are put together before they are written; a row that is longer is written at once.
_STAGED = 1 << 20
#: Bytes after which a disk is judged, and bytes a second below which the page cache is left to hide how slow it is.
_TRIED, _FAST = 64 << 20, 1e9


Reading: TypeAlias = Callable[[], NDArray[Any]]


class Store(Protocol):
    """Panels that grow at their end."""

    def append(self, panel: int, piece: NDArray[Any]) -> None:
        """Put `piece` (stimulus, unit) behind what `panel` holds."""

    def reading(self, panel: int) -> Reading:
        """Return what reads everything that `panel` holds, in one dimension: memory is taken now, and filled then."""

    def close(self) -> None:
        """Give memory or file back."""


class InMemory:
    """Panels in one array.

    Parameters
    ----------
    sizes : sequence of int
        Elements that each panel has room for.
    dtype : numpy dtype
    """

    def __init__(self, sizes: Sequence[int], dtype: np.dtype[Any]) -> None:
        self._start = [0, *accumulate(sizes)]
        self._filled = [0] * len(sizes)
        self._elements = np.empty(self._start[-1], dtype=dtype)

    def append(self, panel: int, piece: NDArray[Any]) -> None:
        """Put `piece` (stimulus, unit) behind what `panel` holds."""
        start = self._start[panel] + self._filled[panel]
        self._elements[start : start + piece.size].reshape(piece.shape)[:] = piece
        self._filled[panel] += piece.size

    def reading(self, panel: int) -> Reading:
        """Return what gives everything that `panel` holds, as a view that cannot be written to."""
        start = self._start[panel]
        view = self._elements[start : start + self._filled[panel]]
        view.flags.writeable = False
        return lambda: view

    def close(self) -> None:
        """Let the memory go."""
        self._elements = self._elements[:0].copy()


class InFile:
    """Panels in a file without a name, so that nothing is left behind however the run ends.

    Parameters
    ----------
    sizes : sequence of int
        Elements that each panel has room for. Their room on the disk is claimed now rather than in the middle of a run.
    dtype : numpy dtype
    folder : path
        Folder of the file.

    Attributes
    ----------
    direct : bool
        Whether bytes go past the page cache: what the system or the disk does not take so, or not fast, no longer does.

    Raises
    ------
    BudgetTooSmall
        The disk has no room.
    BadInput
        `folder` cannot be written to, or something has cut the file.

    Notes
    -----
    A panel begins at a block of the disk, and whole blocks are written: what is left of a panel waits in memory for more.
    """

    def __init__(self, sizes: Sequence[int], dtype: np.dtype[Any], folder: str | os.PathLike[str]) -> None:
        self._dtype, self._folder = dtype, folder
        self._start = [0, *accumulate(-(-size * dtype.itemsize // _BLOCK) * _BLOCK for size in sizes)]
        self._written = [0] * len(sizes)
        self._rest = [np.empty(0, dtype=np.uint8)] * len(sizes)
        self._file = _open_file(folder, self._start[-1])
        self._moved, self._seconds, self._one_at_a_time = 0, 0.0, Lock()
        self.direct = _past_cache(self._file, wanted=True)

    def append(self, panel: int, piece: NDArray[Any]) -> None:
        """Put `piece` (stimulus, unit) behind what `panel` holds."""
        for rows in _a_few(piece.astype(self._dtype, copy=False)):
            rest = self._rest[panel]
            staged = _aligned(len(rest) + rows.nbytes)
            staged[: len(rest)] = rest
            staged[len(rest) :].view(self._dtype).reshape(rows.shape)[:] = rows
            whole = len(staged) // _BLOCK * _BLOCK
            self._move(self._file.write, self._start[panel] + self._written[panel], staged[:whole])
            self._written[panel] += whole
            self._rest[panel] = staged[whole:].copy()

    def reading(self, panel: int) -> Reading:
        """Return what reads everything that `panel` holds, into memory of its own that is taken now."""
        written, rest = self._written[panel], self._rest[panel]
        room = _aligned(written + len(rest))

        def read() -> NDArray[Any]:
            room[written:] = rest
            self._move(self._file.readinto, self._start[panel], room[:written])
            return room.view(self._dtype)

        return read

    def close(self) -> None:
        """Close the file, which is gone with that."""
        self._file.close()

    def _move(self, transfer: Callable[[memoryview], int], start: int, data: NDArray[np.uint8]) -> None:
        """Write or read all of `data` at byte `start` of the file; the system may do a part at a time."""
        left = data.data
        while left:
            try:
                with self._one_at_a_time:
                    began = time.perf_counter()  # what waits for another reader says nothing of the disk
                    self._file.seek(start + len(data) - len(left))
                    moved = transfer(left)
                    seconds = time.perf_counter() - began
            except OSError as error:
                if not (self.direct and error.errno == errno.EINVAL):
                    raise _disk_error(error, self._folder, self._start[-1]) from error
                self._through_cache()  # this file system says only now that it takes nothing past it
                continue
            if not moved:
                raise BadInput("The spool's file ended early: something has cut it. Run again with another folder.")
            left = left[moved:]
            self._judge(moved, seconds)

    def _judge(self, moved: int, seconds: float) -> None:
        self._moved, self._seconds = self._moved + moved, self._seconds + seconds
        if self.direct and self._moved > _TRIED and self._moved < _FAST * self._seconds:
            self._through_cache()

    def _through_cache(self) -> None:
        self.direct = _past_cache(self._file, wanted=False)


def _a_few(piece: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the rows of `piece` (stimulus, unit), as many at a time as are put together."""
    step = max(1, _STAGED // max(piece.shape[1] * piece.itemsize, 1))
    for start in range(0, len(piece), step):
        yield piece[start : start + step]


def _aligned(n_bytes: int) -> NDArray[np.uint8]:
    """Return memory for `n_bytes` that begins at a block."""
    room = np.empty(n_bytes + _BLOCK, dtype=np.uint8)
    start = -room.ctypes.data % _BLOCK
    return room[start : start + n_bytes]


def _past_cache(file: FileIO, *, wanted: bool) -> bool:
    """Have the system pass the page cache by, or no longer; say whether it does."""
    if not hasattr(os, "O_DIRECT"):
        return False
    import fcntl  # there is none where there is no O_DIRECT

    flags = fcntl.fcntl(file, fcntl.F_GETFL) & ~os.O_DIRECT
    try:
        fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_DIRECT if wanted else flags)
    except OSError:  # a file system that has nothing but its cache
        return False
    return wanted


def _open_file(folder: str | os.PathLike[str], size: int) -> FileIO:
    """Open a nameless file of `size` bytes, claiming its room on the disk."""
    try:
        file = tempfile.TemporaryFile("w+b", buffering=0, dir=Path(folder))  # noqa: SIM115 - lives as long as the spool
    except OSError as error:
        raise _disk_error(error, folder, size) from error
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:  # file systems that cannot reserve room
            file.close()
            raise _disk_error(error, folder, size) from error
    return file


def _disk_error(error: OSError, folder: object, size: int) -> BadInput:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return BudgetTooSmall(
            f"The responses take {size / _GIB:.2f} GiB, more than the disk of {str(folder)!r} has left. "
            "Free some room, name another folder, or read fewer or narrower stages."
        )
    return BadInput(
        f"The spool cannot use the folder {str(folder)!r}: {error.strerror}. Name a folder you may write to."
    )
