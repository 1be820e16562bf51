"""Responses that exist already, as arrays in memory or in a file, played like any other source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, UnreadableStimulus, did_you_mean
from stratoscope.types import Integers, Played, Stage, Stimuli, Visit

#: Most that one read takes of one stage; a bigger read is cut, a smaller one grows to whole chunks of the file.
READ_BYTES = 32 * 2**20


class Arrays:
    """Responses by stage, each array (stimulus, unit) or (stimulus, ...), whose further dimensions are all units.

    Parameters
    ----------
    responses : mapping of str to array-like (stimulus, unit...)
        Stages in order. Anything with ``shape`` and slicing along the first dimension will do (numpy, Zarr, HDF5,
        memory maps); it is read in blocks. Integers and truth values are read as float64.
    ids : sequence of str, optional
        Id of every row. Stimuli are then matched by id; without ids they are matched by position.
    depths : sequence of float, optional
        Depth of every stage, 0 to 1; evenly spaced by default.
    unit : str
        What a unit is; printed wherever a number is.
    name : str
        Name of the hierarchy.
    columns : mapping of str to array (stimulus,), optional
        Properties of the stimuli, such as ``category``, handed on by `stimuli`.

    Raises
    ------
    BadInput
        No array, arrays of different lengths, or ids that are too few or not unique.
    """

    def __init__(
        self,
        responses: Mapping[str, Any],
        *,
        ids: Sequence[str] | None = None,
        depths: Sequence[float] | None = None,
        unit: str = "unit",
        name: str = "arrays",
        columns: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        arrays = {str(stage): _sliceable(array) for stage, array in responses.items()}
        self._n = _one_length(arrays)
        self._arrays = arrays
        self._named = ids is not None
        self._ids = _checked_ids(ids, self._n)
        self._columns = _checked_columns(columns or {}, self._n)
        self._name = name
        self._stages = tuple(
            Stage(key, depth, "array", tuple(array.shape[1:]), unit, _width(array), "flat", name)
            for (key, array), depth in zip(arrays.items(), _checked_depths(depths, len(arrays)), strict=True)
        )

    @property
    def name(self) -> str:
        """Name of the hierarchy."""
        return self._name

    @property
    def stages(self) -> tuple[Stage, ...]:
        """One stage an array, in the order they were given."""
        return self._stages

    def stimuli(self) -> Stimuli:
        """Return the stimuli the rows belong to: ids and columns, without images."""
        ids, name = self._ids, self._name
        fingerprint = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
        return Stimuli(f"rows of {name}", ids, _no_images(ids, name), self._columns, fingerprint)

    def play(
        self,
        stimuli: Stimuli,
        visit: Visit,
        *,
        batch_size: int = 32,
        workers: int = 2,  # noqa: ARG002 (part of the protocol; reading needs no workers)
        skip_unreadable: bool = False,  # noqa: ARG002 (part of the protocol; nothing is loaded)
        progress: Callable[[int], None] | None = None,
    ) -> Played:
        """Hand the responses to `stimuli` to `visit`, in batches of `batch_size` stimuli.

        Raises
        ------
        BadInput
            Stimuli that have no row here, or without ids another number of stimuli than of rows.
        """
        if batch_size < 1:
            raise BadInput(f"A batch needs at least one stimulus; batch_size is {batch_size}.")
        rows_of = self._match(stimuli)
        for start, stop in self._blocks(len(stimuli), batch_size):
            blocks = [(stage, self._read(stage, rows_of[start:stop])) for stage in self._stages]
            for first in range(start, stop, batch_size):
                last = min(first + batch_size, stop)
                for stage, block in blocks:
                    visit(stage, np.arange(first, last), block[first - start : last - start])
                if progress is not None:
                    progress(last)
        return Played(len(stimuli))

    def describe(self) -> dict[str, Any]:
        """Say what this is, as plain values."""
        return {
            "opener": "arrays",
            "name": self._name,
            "stimuli": self._n,
            "matched_by": "id" if self._named else "position",
            "stages": [stage.name for stage in self._stages],
        }

    def _match(self, stimuli: Stimuli) -> Integers:
        """Row of every stimulus: by id, or by position where the arrays came without ids."""
        place = {id_: row for row, id_ in enumerate(self._ids)}
        missing = [id_ for id_ in stimuli.ids if id_ not in place]
        if not missing:
            return np.array([place[id_] for id_ in stimuli.ids], dtype=np.int64)
        if self._named:
            raise BadInput(
                f"{len(missing)} of the {len(stimuli)} stimuli of {stimuli.name!r} have no row in {self._name!r} "
                f"({self._n} rows), such as {missing[0]!r}.{did_you_mean(missing[0], self._ids, n=1)} "
                "Give stimuli whose ids are those of the arrays."
            )
        if len(stimuli) != self._n:
            raise BadInput(
                f"{stimuli.name!r} has {len(stimuli)} stimuli and {self._name!r} has {self._n} rows without ids, so they "
                "cannot be matched. Give the arrays ids, or exactly the stimuli they were recorded with."
            )
        return np.arange(self._n, dtype=np.int64)

    def _read(self, stage: Stage, rows: Integers) -> NDArray[Any]:
        """Read `rows` of a stage; whatever its file raises in the middle becomes a sentence that names the stage."""
        try:
            return _read(self._arrays[stage.name], rows)
        except Exception as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise BadInput(
                f"The responses of stage {stage.name!r} of {self._name!r} cannot be read from row {int(rows[0])} on: "
                f"{said[0][:200]}. The file is damaged or cut off; copy it again."
            ) from error

    def _blocks(self, n: int, batch_size: int) -> Iterator[tuple[int, int]]:
        """Cut `n` stimuli into reads of whole batches: whole chunks where they fit into `READ_BYTES` a stage."""
        chunk = max(_chunk_rows(array) for array in self._arrays.values())
        fit = READ_BYTES // max(8 * _width(array) for array in self._arrays.values())
        step = max(1, min(max(chunk, batch_size), fit) // batch_size) * batch_size
        for start in range(0, n, step):
            yield start, min(start + step, n)


def _sliceable(array: Any) -> Any:
    """Return `array` as it is where it can be sliced lazily, else as a numpy array."""
    return array if hasattr(array, "shape") and hasattr(array, "dtype") else np.asarray(array)


def _width(array: Any) -> int:
    return int(np.prod(array.shape[1:], dtype=np.int64))


def _chunk_rows(array: Any) -> int:
    """Rows that lie in one chunk of the file; 1 where there are no chunks."""
    chunks = getattr(array, "chunks", None)
    return int(chunks[0]) if chunks and isinstance(chunks[0], int) else 1


def _read(array: Any, rows: Integers) -> NDArray[Any]:
    """Read `rows` as floats (row, unit): one slice where they follow each other, else sorted and put back in order."""
    if np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        block = np.asarray(array[int(rows[0]) : int(rows[0]) + len(rows)])
    else:
        wanted, back = np.unique(rows, return_inverse=True)
        block = np.asarray(getattr(array, "oindex", array)[wanted])[back]
    if not np.issubdtype(block.dtype, np.floating):
        block = block.astype(np.float64)
    return block.reshape(len(rows), -1)


def _one_length(arrays: Mapping[str, Any]) -> int:
    """Check shapes and types; return the one number of stimuli."""
    if not arrays:
        raise BadInput("There are no responses: give at least one array (stimulus, unit), named by its stage.")
    for stage, array in arrays.items():
        if len(array.shape) < 2 or 0 in array.shape or np.dtype(array.dtype).kind not in "fiub":
            raise BadInput(
                f"The responses of stage {stage!r} must be numbers (stimulus, unit); they are {array.dtype} with shape "
                f"{tuple(array.shape)}. Put stimuli in the first dimension and units in the others, none of them empty."
            )
    first, *others = arrays
    for stage in others:
        if arrays[stage].shape[0] != arrays[first].shape[0]:
            raise BadInput(
                f"Stage {first!r} has responses to {arrays[first].shape[0]} stimuli and stage {stage!r} to "
                f"{arrays[stage].shape[0]}. Every stage needs one row for each stimulus."
            )
    return int(arrays[first].shape[0])


def _checked_ids(ids: Sequence[str] | None, n: int) -> tuple[str, ...]:
    if ids is None:
        return tuple(f"row-{row:0{len(str(n - 1))}d}" for row in range(n))
    names = tuple(str(id_) for id_ in ids)
    if len(names) != n:
        raise BadInput(f"There are {len(names)} ids and {n} rows of responses. Give one id for each row.")
    if len(set(names)) != n:
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"The id {twice!r} stands for more than one row. Ids must be unique.")
    return names


def _checked_columns(columns: Mapping[str, Any], n: int) -> dict[str, NDArray[Any]]:
    checked = {name: np.asarray(values) for name, values in columns.items()}
    for name, values in checked.items():
        if values.shape != (n,):
            raise BadInput(f"Column {name!r} has shape {values.shape} and there are {n} rows of responses.")
    return checked


def _checked_depths(depths: Sequence[float] | None, n: int) -> list[float]:
    if depths is None:
        return [float(depth) for depth in np.linspace(0, 1, n)] if n > 1 else [1.0]
    if len(depths) != n or any(not 0 <= depth <= 1 for depth in depths):
        raise BadInput(f"Depths must be {n} numbers from 0 to 1, one a stage; they are {list(depths)}.")
    return [float(depth) for depth in depths]


def _no_images(ids: tuple[str, ...], name: str) -> Callable[[int], Any]:
    """Return a `load` that says that there are only responses."""

    def load(row: int) -> Any:
        raise UnreadableStimulus(
            f"Stimulus {ids[row]!r} has no image: {name!r} holds responses alone. "
            "Give the images themselves (a folder, a table) to play them through a network."
        )

    return load
