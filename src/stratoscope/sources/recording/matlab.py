"""Arrays in MATLAB files, of version 7 and of version 7.3, which is HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, StratoscopeError, missing_extra
from stratoscope.sources.crashes import refuse_crashing

_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_mat(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a MATLAB file by name; rows and columns become one-dimensional, cells of text become text.

    Structures are left out.

    Raises
    ------
    BadInput
        A file that is damaged or no MATLAB file.
    MissingExtra
        h5py is not installed and the file is of version 7.3.
    """
    try:
        with path.open("rb") as file:
            head = file.read(520)
        arrays = _version_73(path) if _HDF5 in (head[:8], head[512:520]) else _version_7(path)
    except StratoscopeError:
        raise
    except Exception as error:  # scipy and h5py raise nearly every kind of exception on damaged bytes
        said = str(error).splitlines() or [type(error).__name__]
        raise BadInput(
            f"{str(path)!r} cannot be read as a MATLAB file: {said[0][:200]}. It is damaged or cut off; save it again with -v7 "
            "or -v7.3."
        ) from error
    return {name: _flat(values) for name, values in arrays.items()}


def _version_7(path: Path) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    refuse_crashing(path, "scipy.io")
    loaded = loadmat(path, chars_as_strings=True)
    arrays = {name: np.asarray(values) for name, values in loaded.items() if not name.startswith("__")}
    return {name: _texts(values) for name, values in arrays.items() if values.dtype.names is None}


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    """Turn a cell array of text or numbers into an array of text."""
    if values.dtype.kind != "O":
        return values
    return np.array([str(np.asarray(cell).reshape(-1)[0]) if np.size(cell) else "" for cell in values.flat])


def _version_73(path: Path) -> dict[str, NDArray[Any]]:
    try:
        import h5py
    except ImportError as error:
        raise missing_extra("h5py", "nwb", "Reading MATLAB 7.3 files") from error
    with h5py.File(path, "r") as file:
        return {name: _dataset(file, one) for name, one in file.items() if isinstance(one, h5py.Dataset)}


def _dataset(file: Any, dataset: Any) -> NDArray[Any]:
    """Read one dataset; MATLAB stores columns first, text as numbers, and cells as references."""
    kind = dataset.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    values = np.asarray(dataset[()])
    if kind == "char":
        return np.array(_text(values))
    if values.dtype.kind == "O":
        return np.array([_cell(file[reference]) for reference in values.T.flat])
    return values.T


def _cell(dataset: Any) -> str:
    values = np.asarray(dataset[()])
    return _text(values) if values.dtype == np.uint16 else f"{values.flat[0]:g}"


def _text(values: NDArray[Any]) -> str:
    return "".join(chr(code) for code in values.T.flat) if values.dtype == np.uint16 else ""


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(-1) if values.ndim == 2 and 1 in values.shape else values
