"""Responses of one stage that were put away in parts, read as if they lay in one spool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stratoscope.errors import BadInput
from stratoscope.summaries.spool import Spool
from stratoscope.summaries.stores import Reading, Store
from stratoscope.types import Integers


@dataclass(frozen=True)
class Part:
    """The responses of some stimuli, laid out as `Spool.pieces` gives them.

    Attributes
    ----------
    rows : int array (stimulus,)
        Which stimuli, in the order of the responses.
    read : callable
        ``read(first, last)`` returns the elements from `first` to before `last` of all pieces laid end to end.
    """

    rows: Integers
    read: Callable[[int, int], NDArray[Any]]


class JoinedSpool(Spool):
    """A spool that is read from parts where they lie: nothing is written a second time.

    Parameters
    ----------
    n_stimuli, n_units : int
        Most stimuli that the parts may hold, and units of the stage.
    parts : sequence of Part
        Each row in one of them alone.
    panel_units : int
        Units of one panel, the same in every part.
    dtype : numpy dtype or str
        Precision of the responses, or the format of 16 bits that they are stored in.

    Raises
    ------
    StageError
        A stimulus lies in two parts.
    """

    def __init__(
        self, n_stimuli: int, n_units: int, parts: Sequence[Part], *, panel_units: int, dtype: DTypeLike
    ) -> None:
        super().__init__(n_stimuli, n_units, dtype=dtype, panel_units=panel_units)
        self._parts = [part for part in parts if len(part.rows)]
        for part in self._parts:
            self._seen.add(part.rows)
            self._order[self._n : self._n + len(part.rows)] = part.rows
            self._n += len(part.rows)

    def _open_store(self) -> Store:
        raise BadInput(
            "A joined spool is read only: its parts are complete. Write to a Spool of its own, and join that."
        )

    def _reading(self, panel: int) -> Reading:
        return partial(self._joined, *self._units(panel))

    def _joined(self, start: int, stop: int) -> NDArray[Any]:
        whole = np.empty((self._n, stop - start), dtype=self.stored)
        filled = 0
        for part in self._parts:
            n = len(part.rows)
            piece = part.read(start * n, stop * n)
            whole[filled : filled + n] = piece.reshape(n, stop - start)
            filled += n
        return whole

    def close(self) -> None:
        """Let the parts go; nothing can be read afterwards."""
        super().close()
        self._parts = []
