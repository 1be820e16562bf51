"""Responses of one stage, written once in batches of stimuli and read back in blocks of units.

The store is cut into panels of neighbouring units; within a panel, stimuli lie one after the other in order of arrival.
So a batch writes one contiguous piece a panel, and a panel comes back in one sequential read. Stimulus-major order
would turn each read into one seek a stimulus, unit-major order each write into one seek a unit.
"""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stratoscope.errors import BadInput, BudgetTooSmall
from stratoscope.summaries.blocks import on_host
from stratoscope.summaries.formats import FORMATS
from stratoscope.summaries.rows import SeenRows, check_alike, check_shape
from stratoscope.types import Integers, Responses

#: Aimed size of a panel in bytes: what a reader of blocks holds in memory at a time.
PANEL_BYTES = 32 << 20
#: Panels wider than this hold a multiple of it: so many units are multiplied at a time, and no narrow rest is left over.
MULTIPLE = 4096
_GIB = 1 << 30
#: Rows that one call of the system gathers, which refuses more.
_AT_ONCE = 1024


class Spool:
    """Responses (stimulus, unit), kept in memory where they fit and in a file where they do not.

    Parameters
    ----------
    n_stimuli, n_units : int
        Most stimuli that may come, and units of the stage.
    dtype : {None, "float32", "float64", "bfloat16", "float16"}
        Precision kept. None takes that of the first batch: float64 for float64 and integers, else float32.
        Responses that do not fit into it are refused, never rounded, unless a format of 16 bits is asked for: these
        round, and are read back as float32.
    memory_limit : int, optional
        Most bytes to keep in memory; beyond it the responses go to a file. None keeps them in memory.
    folder : path, optional
        Folder of the file. The file has no name there, so that nothing is left behind however the run ends.
    panel_units : int, optional
        Units of one panel; by default what `panel_width` says.

    Raises
    ------
    BudgetTooSmall
        The responses fit neither into `memory_limit` nor on the disk of `folder`.
    BadInput
        `folder` cannot be written to.
    """

    def __init__(
        self,
        n_stimuli: int,
        n_units: int,
        *,
        dtype: DTypeLike | None = None,
        memory_limit: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        panel_units: int | None = None,
    ) -> None:
        self.n_stimuli, self.n_units = n_stimuli, n_units
        self.memory_limit, self.folder = memory_limit, folder
        self.format = FORMATS.get(str(dtype))
        self.dtype = np.dtype(np.float32) if self.format else None if dtype is None else np.dtype(dtype)
        self.panel_units = panel_units or panel_width(n_stimuli, n_units)
        self._seen = SeenRows(n_stimuli)
        self._order = np.empty(n_stimuli, dtype=np.int64)
        self._n = 0
        self._memory: NDArray[Any] | None = None
        self._file: IO[bytes] | None = None
        self._closed = False

    @property
    def rows(self) -> Integers:
        """Rows of the stimuli that were written, ascending: the order in which they are read."""
        return self._seen.rows()

    @property
    def nbytes(self) -> int:
        """Bytes the responses take when all stimuli have come."""
        return self.n_stimuli * self.n_units * (self.stored or np.dtype(np.float32)).itemsize

    @property
    def stored(self) -> np.dtype[Any] | None:
        """What lies in memory or in the file; None before the first batch, where that decides."""
        return self.format.stored if self.format else self.dtype

    @property
    def in_memory(self) -> bool:
        """Whether the responses stay in memory."""
        return self.memory_limit is None or self.nbytes <= self.memory_limit

    def write(self, rows: Integers, responses: Responses) -> None:
        """Take in responses (stimulus, unit) to the stimuli at positions `rows`; each row once."""
        self._check_open()
        check_shape(responses, len(rows), self.n_units)
        first = on_host(responses[:1, :1])
        self._settle_dtype(first.dtype)
        rows = self._seen.add(rows)
        if not rows.size:
            return
        self._open_store()
        whole = on_host(responses)
        for start, stop in self._panels():
            self._put(start, stop, whole[:, start:stop])
        self._order[self._n : self._n + len(rows)] = rows
        self._n += len(rows)

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield ``(start, block)`` for every panel: units from `start` on, (stimulus, unit) in the order of `rows`."""
        self._check_open()
        if self._n == 0:
            return
        order = np.argsort(self._order[: self._n])
        ordered = bool((order[1:] > order[:-1]).all())
        for start, stop in self._panels():
            panel = self._get(start, stop)
            yield start, panel if ordered else panel[order]

    @property
    def order(self) -> Integers:
        """Rows of the stimuli that were written, in the order they came: that of the rows of every piece."""
        return self._order[: self._n]

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield all responses as they are stored, panel after panel, each (stimulus in `order`, unit).

        This is what a `JoinedSpool` is made of.
        """
        self._check_open()
        return (self._taken(start, stop) for start, stop in self._panels()) if self._n else iter(())

    def merge(self, other: Spool) -> None:
        """Take in everything that `other` holds; their stimuli must not overlap."""
        check_alike(self, other, ("n_stimuli", "n_units", "panel_units", "format"))
        if other._n == 0:
            return
        assert other.dtype is not None
        self._settle_dtype(other.dtype)
        self._seen.merge(other._seen)
        self._open_store()
        for start, stop in self._panels():
            self._store(start, stop, other._taken(start, stop))
        self._order[self._n : self._n + other._n] = other._order[: other._n]
        self._n += other._n

    def close(self) -> None:
        """Give memory and file back; nothing can be read afterwards."""
        self._closed, self._memory = True, None
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BadInput("The spool is closed and its responses are gone. Read it before closing, or play again.")

    def _settle_dtype(self, came: np.dtype[Any]) -> None:
        if self.format:
            return
        wanted = np.promote_types(came, np.float32)  # float64 for float64 and for long integers
        if self.dtype is None:
            self.dtype = wanted
        if not np.can_cast(wanted, self.dtype):
            raise BadInput(
                f"The spool keeps {self.dtype} but responses of {came} came, which it would have to round. "
                f"Make it with dtype='float64', or convert the responses to {self.dtype} yourself."
            )

    def _panels(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self.n_units, self.panel_units):
            yield start, min(start + self.panel_units, self.n_units)

    def _open_store(self) -> None:
        if self._memory is not None or self._file is not None:
            return
        if self.in_memory:
            self._memory = np.empty(self.n_stimuli * self.n_units, dtype=self.stored)
        else:
            self._file = _open_file(self.folder, self.nbytes, self.memory_limit or 0)
            weakref.finalize(self, self._file.close)  # also where a run breaks off

    def _put(self, start: int, stop: int, piece: NDArray[Any]) -> None:
        """Write `piece` (stimulus, unit) behind the stimuli that the panel of units `start` to `stop` holds."""
        self._store(start, stop, self.format.pack(piece) if self.format else piece)

    def _store(self, start: int, stop: int, piece: NDArray[Any]) -> None:
        offset = start * self.n_stimuli + self._n * (stop - start)
        if self._memory is not None:
            self._memory[offset : offset + piece.size].reshape(piece.shape)[:] = piece
            return
        assert self._file is not None
        assert self.stored is not None
        try:
            _write(self._file.fileno(), offset * self.stored.itemsize, piece.astype(self.stored, copy=False))
        except OSError as error:
            raise _disk_error(error, self.folder, self.nbytes) from error

    def _get(self, start: int, stop: int) -> NDArray[Any]:
        stored = self._taken(start, stop)
        return self.format.unpack(stored) if self.format else stored

    def _taken(self, start: int, stop: int) -> NDArray[Any]:
        """Return the panel of units `start` to `stop` as it is stored."""
        offset, shape = start * self.n_stimuli, (self._n, stop - start)
        size = shape[0] * shape[1]
        if self._memory is not None:
            view = self._memory[offset : offset + size].reshape(shape)
            view.flags.writeable = False
            return view
        assert self._file is not None
        assert self.stored is not None
        panel = np.empty(shape, dtype=self.stored)
        self._file.seek(offset * self.stored.itemsize)
        left = panel.data.cast("B")
        while left:
            got = self._file.readinto(left)  # type: ignore[attr-defined]
            if not got:
                raise BadInput("The spool's file ended early: something has cut it. Run again with another folder.")
            left = left[got:]
        return panel


def panel_width(n_stimuli: int, n_units: int) -> int:
    """Return how many units make a panel of about `PANEL_BYTES`, of responses of `n_stimuli`; not below 256 of them."""
    width = max(256, PANEL_BYTES // (4 * max(n_stimuli, 1)))
    return min(n_units, width - width % MULTIPLE if width > MULTIPLE else width)


def _open_file(folder: str | os.PathLike[str] | None, size: int, limit: int) -> IO[bytes]:
    """Open a nameless file of `size` bytes, claiming its room on the disk now rather than in the middle of a run."""
    if folder is None:
        raise BudgetTooSmall(
            f"The responses take {size / _GIB:.2f} GiB, but only {limit / _GIB:.2f} GiB of memory are allowed and no "
            "folder was named to keep them in. Name a folder with room, or allow more memory."
        )
    try:
        file = tempfile.TemporaryFile(dir=Path(folder), buffering=0)  # noqa: SIM115 - lives as long as the spool
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


def _write(file: int, offset: int, piece: NDArray[Any]) -> None:
    """Write the rows of `piece` behind each other, gathered by the system where it can, else copied together here."""
    done = 0
    if hasattr(os, "pwritev") and len(piece) <= _AT_ONCE and piece[0].flags.c_contiguous:
        done = os.pwritev(file, [row.data for row in piece], offset)
    if done < piece.nbytes:
        left = np.ascontiguousarray(piece).data.cast("B")[done:]
        while left:
            written = _write_at(file, left, offset + done)
            left, done = left[written:], done + written


def _write_at(file: int, data: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(file, data, offset)
    os.lseek(file, offset, os.SEEK_SET)
    return os.write(file, data)


def _disk_error(error: OSError, folder: object, size: int) -> BadInput:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return BudgetTooSmall(
            f"The responses take {size / _GIB:.2f} GiB, more than the disk of {str(folder)!r} has left. "
            "Free some room, name another folder, or read fewer or narrower stages."
        )
    return BadInput(
        f"The spool cannot use the folder {str(folder)!r}: {error.strerror}. Name a folder you may write to."
    )
