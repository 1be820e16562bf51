"""Gram matrices that wait in files until all stages are there to be compared, and are read a few rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stratoscope.errors import BudgetTooSmall
from stratoscope.measure.partial.tensors import open_tensors, write_tensors
from stratoscope.results.folder import reason_of
from stratoscope.types import Floats

_NAME = "gram"


@dataclass(frozen=True)
class GramFile:
    """A Gram matrix in a file: some rows of it to whoever takes a slice, all of it to whoever wants an array.

    Attributes
    ----------
    path : Path
        A file of arrays, one of which is called ``gram``.
    shape : tuple of int
        Stimuli, twice.
    """

    path: Path
    shape: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of stimuli."""
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Floats:
        """Return some rows (stimulus, stimulus); `rows` goes forward one by one."""
        first, last, _ = rows.indices(len(self))
        with open_tensors(self.path) as file:
            return file.part(_NAME, first, last)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the whole matrix, in memory of its own."""
        return np.asarray(self[:], dtype=dtype)


def in_file(gram: Floats, path: Path) -> GramFile:
    """Put a Gram matrix into a file.

    Raises
    ------
    BudgetTooSmall
        The disk does not take it.
    """
    try:
        write_tensors(path, {_NAME: gram}, {})
    except OSError as error:
        raise BudgetTooSmall(
            f"The inner products of {len(gram)} stimuli at every stage, which are compared last, do not fit into the memory "
            f"allowed, and could not be put into {str(path.parent)!r}: {reason_of(error)}. Make room there, or give a larger budget."
        ) from error
    return GramFile(path, gram.shape)
