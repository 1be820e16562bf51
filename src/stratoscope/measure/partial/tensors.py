"""Arrays in one file in the format of safetensors: no code in it, whole or not there at all, with a checksum.

The file is written here, because a stage's responses need not be in memory at once and an error of the disk must keep
its number; it is read by the safetensors library.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from stratoscope.errors import ResultsError

#: The format's names of numpy's types.
_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
_TYPES = {short: np.dtype(long) for long, short in _NAMES.items()}
_CHECKSUM, _TEXT = "checksum", "text"


class Damaged(ResultsError):
    """A file of a run that is not finished is not what was written."""


@dataclass(frozen=True)
class Stream:
    """An array of one dimension that comes in chunks, so that it need not be in memory at once.

    Attributes
    ----------
    dtype : numpy dtype
    shape : tuple of int
        One number, of the elements in all.
    chunks : callable
        Returns an iterator over arrays; their elements, one after the other, are the array's.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    chunks: Callable[[], Iterator[NDArray[Any]]]


@dataclass(frozen=True)
class Tensors:
    """An open file of arrays.

    Attributes
    ----------
    path : Path
    about : mapping of str to str
        The texts that were written with them.
    names : tuple of str
        Names of the arrays.
    """

    path: Path
    about: Mapping[str, str]
    names: tuple[str, ...]
    _file: Any

    def array(self, name: str) -> NDArray[Any]:
        """Return one array, copied into memory."""
        values: NDArray[Any] = np.asarray(self._file.get_tensor(name))
        if name not in json.loads(self.about[_TEXT]):
            return values
        return np.ascontiguousarray(values).view(f"<U{values.shape[-1]}")[..., 0]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one array of numbers, without reading it."""
        return tuple(self._file.get_slice(name).get_shape())

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of one array of numbers, without reading it."""
        return _TYPES[self._file.get_slice(name).get_dtype()]

    def part(self, name: str, first: int, last: int) -> NDArray[Any]:
        """Return what stands from `first` to before `last` along the first dimension of an array."""
        return np.asarray(self._file.get_slice(name)[first:last])

    def verify(self) -> None:
        """Read everything; raises `Damaged` where it is not what was written."""
        checksum = _of_words({name: (self.dtype(name), self.shape(name)) for name in self.names}, self.about)
        for name in self.names:
            checksum = zlib.crc32(_bytes(self._file.get_tensor(name)), checksum)
        if f"{checksum:08x}" != self.about.get(_CHECKSUM):
            raise damaged(self.path, "its checksum is not that of its content")


def write_tensors(path: Path, arrays: Mapping[str, NDArray[Any] | Stream], about: Mapping[str, str]) -> None:
    """Write `arrays` and the texts `about` to `path`: to a file beside it, which is renamed when it is complete.

    Raises
    ------
    OSError
        The disk is full or read-only; then `path` is as it was, and nothing is left beside it.
    """
    flat: dict[str, NDArray[Any] | Stream] = dict(sorted(arrays.items()))
    texts = [name for name, values in flat.items() if not isinstance(values, Stream) and values.dtype.kind == "U"]
    flat |= {name: _letters(flat[name]) for name in texts}
    said = {name: (values.dtype, tuple(values.shape)) for name, values in flat.items()}
    words = {**about, _TEXT: json.dumps(texts), _CHECKSUM: "0" * 8}
    handle, made = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_header(said, words))
            checksum = _of_words(said, words)
            for values in flat.values():
                for chunk in values.chunks() if isinstance(values, Stream) else [values]:
                    content = _bytes(chunk)
                    checksum = zlib.crc32(content, checksum)
                    file.write(content)
            file.seek(0)  # once more, of the same length, with the checksum that is known now
            file.write(_header(said, {**words, _CHECKSUM: f"{checksum:08x}"}))
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


@contextmanager
def open_tensors(path: Path) -> Iterator[Tensors]:
    """Open a file of arrays; raises `Damaged` for one that is cut short, and, on reading, for one that is not whole."""
    try:
        with safe_open(path, framework="numpy") as file:
            yield Tensors(path, dict(file.metadata() or {}), tuple(sorted(file.keys())), file)
    except (SafetensorError, OSError, KeyError) as error:
        raise damaged(path, str(error).strip() or type(error).__name__) from error


def damaged(path: Path, why: str) -> Damaged:
    """Build the error for a file that cannot be trusted."""
    return Damaged(f"{path} is damaged: {why}. Delete the file and give the same command again, which makes it anew.")


def _header(said: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], about: Mapping[str, str]) -> bytes:
    """Lay out the head of the file: its length, then names, types, shapes and places, and the texts."""
    entries: dict[str, Any] = {"__metadata__": dict(about)}
    end = 0
    for name, (dtype, shape) in said.items():
        start, end = end, end + dtype.itemsize * math.prod(shape)
        entries[name] = {"dtype": _NAMES[dtype.name], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _of_words(said: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], about: Mapping[str, str]) -> int:
    """Begin the checksum with everything that is not an array's content, itself left aside."""
    types = {name: [dtype.name, list(shape)] for name, (dtype, shape) in said.items()}
    texts = {name: text for name, text in about.items() if name != _CHECKSUM}
    return zlib.crc32(json.dumps([types, texts], sort_keys=True).encode())


def _letters(values: Any) -> NDArray[np.uint32]:
    """Return strings as numbers, one a letter, along a new last dimension."""
    width = max(values.dtype.itemsize // 4, 1)
    return np.ascontiguousarray(values, dtype=f"<U{width}").reshape(*values.shape, 1).view(np.uint32)


def _bytes(values: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
