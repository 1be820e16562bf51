"""Files of responses: NumPy archives, Zarr groups and NetCDF or xarray datasets, opened as `Arrays`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratoscope.errors import BadInput, MissingExtra
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.crashes import refuse_crashing

if TYPE_CHECKING:
    import xarray as xr

#: Names under which the ids of the stimuli are found among the one-dimensional arrays.
IDS = ("ids", "id", "stimulus")
ENDINGS = (".npz", ".zarr", ".nc")


def open_arrays(path: str | Path, *, unit: str = "unit") -> Arrays:
    """Open a file of responses; every array with two or more dimensions is a stage.

    Parameters
    ----------
    path : path
        ``.npz``: arrays in the order they were saved, each read whole when it is first needed.
        ``.zarr``: a group; arrays of its groups are named ``group/array``. Read in blocks, in the order of the group's
        attribute ``stages``, else of their attribute ``depth``, else of their names (``layer2`` before ``layer10``).
        ``.nc``: variables with a dimension ``stimulus``, read in blocks.
        One-dimensional arrays are columns (``category`` ...); ``ids``, ``id`` or ``stimulus`` are the ids.
    unit : str
        What a unit is.

    Raises
    ------
    BadInput
        The file is not there, damaged, or holds nothing that is (stimulus, unit).
    MissingExtra
        No library for NetCDF is installed.
    """
    path = Path(path)
    if not path.exists():
        raise BadInput(f"There is no file of responses {str(path)!r}. Give the path of a {', '.join(ENDINGS)} file.")
    if path.suffix == ".npz":
        return _from_mapping(read_npz(path), path, unit)
    if path.suffix == ".zarr":
        return _open_zarr(path, unit)
    if path.suffix == ".nc":
        return from_xarray(_open_netcdf(path), name=path.stem, unit=unit)
    raise BadInput(f"Responses are read from {', '.join(ENDINGS)} files, and {str(path)!r} is none of them.")


def from_xarray(data: xr.Dataset | xr.DataArray, *, name: str = "arrays", unit: str = "unit") -> Arrays:
    """Take the variables of a dataset that have a dimension ``stimulus`` as stages, read in blocks.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        Dimension ``stimulus`` first or not; all others are units. One-dimensional variables are columns, the
        coordinate ``stimulus`` is the ids. A variable's attribute ``depth`` is its depth, where all have one.
    name, unit : str
        Name of the hierarchy, and what a unit is.
    """
    dataset = data.to_dataset(name=data.name or "responses") if not hasattr(data, "data_vars") else data
    variables = {str(key): value for key, value in dataset.variables.items() if "stimulus" in value.dims}
    stages = {key: _Variable(value) for key, value in variables.items() if value.ndim > 1}
    flat = {key: np.asarray(value.values) for key, value in variables.items() if value.ndim == 1}
    if not stages:
        dims = {str(key): tuple(map(str, value.dims)) for key, value in dataset.data_vars.items()}
        raise BadInput(f"{name!r} has no variable with dimensions (stimulus, unit); its variables have {dims}.")
    depths = [dataset[key].attrs.get("depth") for key in stages]
    return _arrays(stages, flat, depths, name, unit)


@dataclass(frozen=True)
class _Variable:
    """One variable of a dataset, stimulus first, read when it is sliced."""

    variable: Any

    @property
    def dims(self) -> tuple[Any, ...]:
        return ("stimulus", *(dim for dim in self.variable.dims if dim != "stimulus"))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.variable.sizes[dim] for dim in self.dims)

    @property
    def dtype(self) -> Any:
        return self.variable.dtype

    def __getitem__(self, rows: Any) -> Any:
        return self.variable.isel(stimulus=rows).transpose(*self.dims).values


def read_npz(path: Path) -> dict[str, Any]:
    """Read a NumPy archive, refusing pickled objects."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # numpy, zipfile and zlib raise nearly every kind of exception on damaged bytes
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise BadInput(
            f"{str(path)!r} cannot be read as arrays: {said[0].removesuffix('.')}. Objects are refused because reading them would run code; "
            "save plain arrays with numpy.savez."
        ) from error


def _open_zarr(path: Path, unit: str) -> Arrays:
    """Open a Zarr group, in the order its attributes or names give."""
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
        members = dict(group.members(max_depth=None))
    except Exception as error:  # damaged metadata make zarr raise nearly every kind of exception
        raise BadInput(
            f"{str(path)!r} cannot be read as a Zarr group: {error}. Save the stages as its arrays."
        ) from error
    arrays = {name: array for name, array in members.items() if isinstance(array, zarr.Array)}
    for name, array in arrays.items():
        dims = tuple(getattr(array.metadata, "dimension_names", None) or ())
        if "stimulus" in dims[1:]:
            raise BadInput(f"Array {name!r} of {str(path)!r} has dimensions {dims}. Put 'stimulus' first.")
    return _from_mapping({name: arrays[name] for name in _ordered(arrays, group.attrs)}, path, unit)


def _ordered(arrays: Mapping[str, Any], attributes: Mapping[str, Any]) -> list[str]:
    """Order stages by the list ``stages``, else by ``depth``, else by name with numbers as numbers."""
    natural = sorted(arrays, key=lambda name: [(not p.isdigit(), int(p) if p.isdigit() else p) for p in _parts(name)])
    listed = [name for name in attributes.get("stages", ()) if name in arrays]
    if listed:
        return listed + [name for name in natural if name not in listed and len(arrays[name].shape) == 1]
    depths = {name: arrays[name].attrs.get("depth") for name in natural if len(arrays[name].shape) > 1}
    if depths and None not in depths.values():
        return sorted(natural, key=lambda name: depths.get(name) or 0)
    return natural


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", name) if part]


def _open_netcdf(path: Path) -> xr.Dataset:
    """Open a NetCDF file lazily."""
    import xarray as xr

    refuse_crashing(path, "netCDF4")
    try:
        return xr.open_dataset(path)
    except ImportError as error:  # pragma: no cover (depends on what is installed)
        raise MissingExtra(f"Reading {str(path)!r} needs netCDF4 or h5netcdf: pip install netCDF4") from error
    except Exception as error:  # damaged bytes make xarray and netCDF4 raise nearly every kind of exception
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise BadInput(f"{str(path)!r} cannot be read as NetCDF: {said[0][:200]}. Copy it again.") from error


def _from_mapping(arrays: Mapping[str, Any], path: Path, unit: str) -> Arrays:
    """Split arrays into stages and columns by their dimensions."""
    stages = {name: array for name, array in arrays.items() if len(array.shape) > 1}
    flat = {name: np.asarray(array[:]) for name, array in arrays.items() if len(array.shape) == 1}
    if not stages:
        shapes = {name: tuple(array.shape) for name, array in arrays.items()}
        raise BadInput(f"{str(path)!r} has no array (stimulus, unit); it has {shapes or 'none'}.")
    depths = [getattr(array, "attrs", {}).get("depth") for array in stages.values()]
    return _arrays(stages, flat, depths, path.stem, unit)


def _arrays(stages: Mapping[str, Any], flat: dict[str, Any], depths: list[Any], name: str, unit: str) -> Arrays:
    """Make the source, with the ids taken out of the columns."""
    key = next((key for key in IDS if key in flat), None)
    ids = None if key is None else [str(id_) for id_ in flat.pop(key)]
    known = None if None in depths else [float(depth) for depth in depths]
    return Arrays(stages, ids=ids, depths=known, unit=unit, name=name, columns=flat)
