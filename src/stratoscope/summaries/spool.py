"""Responses of one stage, written once in batches of stimuli and read back in blocks of units.

The store is cut into panels of neighbouring units; within a panel, stimuli lie one after the other in order of arrival.
So a batch writes one contiguous piece a panel, and a panel comes back in one sequential read. Stimulus-major order
would turn each read into one seek a stimulus, unit-major order each write into one seek a unit.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stratoscope.errors import BadInput, BudgetTooSmall
from stratoscope.summaries.blocks import on_host
from stratoscope.summaries.formats import FORMATS
from stratoscope.summaries.rows import SeenRows, check_alike, check_shape
from stratoscope.summaries.stores import InFile, InMemory, Reading, Store
from stratoscope.summaries.threads import one_ahead
from stratoscope.types import Integers, Responses

#: Aimed size of a panel in bytes: what a reader of blocks holds in memory at a time.
PANEL_BYTES = 32 << 20
#: Panels wider than this hold a multiple of it: so many units are multiplied at a time, and no narrow rest is left over.
MULTIPLE = 4096
_GIB = 1 << 30


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
        self._store: Store | None = None
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
        store, whole = self._open_store(), on_host(responses)
        for panel, (start, stop) in enumerate(self._panels()):
            piece = whole[:, start:stop]
            store.append(panel, self.format.pack(piece) if self.format else piece)
        self._order[self._n : self._n + len(rows)] = rows
        self._n += len(rows)

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield ``(start, block)`` for every panel: units from `start` on, (stimulus, unit) in the order of `rows`."""
        self._check_open()
        if self._n == 0:
            return
        order = np.argsort(self._order[: self._n])
        ordered = bool((order[1:] > order[:-1]).all())
        for (start, _), stored in zip(self._panels(), self.pieces(), strict=True):
            panel = self.format.unpack(stored) if self.format else stored
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
        if not self._n:
            return iter(())
        readings = map(self._reading, range(len(self._panels())))
        return (read() for read in readings) if self.in_memory else one_ahead(readings)

    def merge(self, other: Spool) -> None:
        """Take in everything that `other` holds; their stimuli must not overlap."""
        check_alike(self, other, ("n_stimuli", "n_units", "panel_units", "format"))
        if other._n == 0:
            return
        assert other.dtype is not None
        self._settle_dtype(other.dtype)
        self._seen.merge(other._seen)
        store = self._open_store()
        for panel, piece in enumerate(other.pieces()):
            store.append(panel, piece)
        self._order[self._n : self._n + other._n] = other._order[: other._n]
        self._n += other._n

    def close(self) -> None:
        """Give memory and file back; nothing can be read afterwards."""
        self._closed = True
        if self._store is not None:
            self._store.close()
            self._store = None

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

    def _panels(self) -> list[tuple[int, int]]:
        return [self._units(panel) for panel in range(-(-self.n_units // self.panel_units))]

    def _units(self, panel: int) -> tuple[int, int]:
        start = panel * self.panel_units
        return start, min(start + self.panel_units, self.n_units)

    def _open_store(self) -> Store:
        """Return what holds the responses; make it for the first of them."""
        if self._store is None:
            assert self.stored is not None
            sizes = [self.n_stimuli * (stop - start) for start, stop in self._panels()]
            if self.in_memory:
                self._store = InMemory(sizes, self.stored)
            else:
                self._store = InFile(sizes, self.stored, self._folder())
                weakref.finalize(self, self._store.close)  # also where a run breaks off
        return self._store

    def _folder(self) -> str | os.PathLike[str]:
        if self.folder is None:
            raise BudgetTooSmall(
                f"The responses take {self.nbytes / _GIB:.2f} GiB, but only {(self.memory_limit or 0) / _GIB:.2f} GiB of "
                "memory are allowed and no folder was named to keep them in. Name a folder with room, or allow more memory."
            )
        return self.folder

    def _reading(self, panel: int) -> Reading:
        """Return what reads a panel as it is stored."""
        assert self._store is not None
        read, (start, stop) = self._store.reading(panel), self._units(panel)
        return lambda: read().reshape(-1, stop - start)


def panel_width(n_stimuli: int, n_units: int) -> int:
    """Return how many units make a panel of about `PANEL_BYTES`, of responses of `n_stimuli`; not below 256 of them."""
    width = max(256, PANEL_BYTES // (4 * max(n_stimuli, 1)))
    return min(n_units, width - width % MULTIPLE if width > MULTIPLE else width)
