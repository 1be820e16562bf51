"""Recordings as arrays of xarray with dimensions ``presentation`` and ``neuroid``, as Brain-Score has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, MissingExtra, unknown_name
from stratoscope.sources.crashes import refuse_crashing
from stratoscope.sources.recording.checks import refuse_no_text
from stratoscope.sources.recording.opened import (
    AREA_COLUMNS,
    REPEAT_COLUMNS,
    STIMULUS_COLUMNS,
    Opened,
    found_column,
    stimulus_columns,
)
from stratoscope.sources.recording.options import Asked
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.recording import Recording
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units

if TYPE_CHECKING:
    import xarray as xr

_UNIT_DIMS = ("neuroid", "unit")
_UNIT_IDS = ("neuroid_id", "unit_id", "unit")


def from_assembly(assembly: xr.DataArray, *, name: str = "recording", **asked: Any) -> Recording:
    """Take an assembly (presentation, neuroid) as a recording.

    Parameters
    ----------
    assembly : xarray.DataArray
        Dimensions ``presentation`` and ``neuroid``, in any order. Coordinates of presentations: ``stimulus_id`` or
        ``image_id``, ``repetition`` where there are repeats, and properties of the stimuli; of neuroids: ``region``,
        ``neuroid_id``. NaN is a missing trial.
    name : str
        Name of the hierarchy.
    **asked
        ``area``, ``area_column``, ``stimulus``, ``areas`` of `open_recording`.

    Raises
    ------
    BadInput
        Other dimensions, several time bins, no stimuli or areas among the coordinates.
    """
    wanted = Asked(**asked)
    opened = _from_array(assembly, wanted, name)
    shown = opened.data.presentations
    return Recording(opened.data, name, wanted.areas, shown.stimuli, stimulus_columns(shown, opened.columns))


def read_assembly(path: Path, asked: Asked) -> Opened:
    """Read an assembly from a NetCDF file or a Zarr group.

    Raises
    ------
    BadInput
        A damaged file, or one without an array (presentation, neuroid).
    MissingExtra
        No library for NetCDF is installed.
    """
    with _opened(path) as dataset:
        fit = [str(key) for key, one in dataset.data_vars.items() if {"presentation"} < set(map(str, one.dims))]
        if not fit:
            dims = {str(key): tuple(map(str, one.dims)) for key, one in dataset.data_vars.items()}
            raise BadInput(f"{path.name} has no array with dimensions (presentation, neuroid); its arrays have {dims}.")
        if asked.counts is not None and asked.counts not in fit:
            raise unknown_name(f"array of responses in {path.name}", asked.counts, fit)
        if len(fit) > 1 and asked.counts is None:
            raise BadInput(
                f"{path.name} has several arrays of responses: {', '.join(fit)}. Choose one with counts=NAME."
            )
        return _from_array(_loaded(dataset[asked.counts or fit[0]], path), asked, path.name)


def _opened(path: Path) -> xr.Dataset:
    import xarray as xr

    if path.suffix == ".nc":
        refuse_crashing(path, "netCDF4")
    try:
        return xr.open_zarr(path, consolidated=False) if path.suffix == ".zarr" else xr.open_dataset(path)
    except ImportError as error:  # pragma: no cover (depends on what is installed)
        raise MissingExtra(f"Reading {str(path)!r} needs netCDF4 or h5netcdf: pip install netCDF4") from error
    except Exception as error:  # xarray and what it reads through raise nearly every kind on damaged bytes
        raise _damaged(path, error) from error


def _loaded(array: xr.DataArray, path: Path) -> xr.DataArray:
    try:
        return array.load()
    except Exception as error:  # as above; the values are read here
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> BadInput:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return BadInput(f"{str(path)!r} cannot be read: {said[0][:200]}. It is damaged or cut off; copy it again.")


def _from_array(assembly: xr.DataArray, asked: Asked, name: str) -> Opened:
    """Read counts, units and presentations from an assembly."""
    flat = _without_time(assembly, name)
    unit_dim = next((dim for dim in _UNIT_DIMS if dim in flat.dims), None)
    if "presentation" not in flat.dims or unit_dim is None or flat.ndim != 2:
        raise BadInput(
            f"{name} must have dimensions (presentation, neuroid); it has {tuple(map(str, flat.dims))}. Rename them, or stack "
            "stimuli and repeats into presentations."
        )
    counts = np.asarray(flat.transpose("presentation", unit_dim).values, dtype=np.float64)
    shown, neuroids = _along(flat, "presentation"), _along(flat, unit_dim)
    stimulus = found_column(list(shown), STIMULUS_COLUMNS, asked.stimulus, "stimulus", f"of presentations of {name}")
    if stimulus is None:
        raise BadInput(
            f"No coordinate of the presentations of {name} names the stimulus; they are {', '.join(shown) or 'none'}. Name "
            "one with stimulus=COORDINATE."
        )
    repeat = next((key for key in REPEAT_COLUMNS if key in shown), None)
    trial = None if repeat is None else shown.pop(repeat)
    presentations = Presentations(shown.pop(stimulus), trial=trial)
    return Opened(
        TrialCounts(counts, _units(neuroids, counts.shape[1], asked, name), presentations, f"{name} as given"), shown
    )


def _units(neuroids: dict[str, NDArray[Any]], n: int, asked: Asked, name: str) -> Units:
    key = next((one for one in _UNIT_IDS if one in neuroids), None)
    ids = np.arange(n) if key is None else neuroids.pop(key)
    column = found_column(list(neuroids), AREA_COLUMNS, asked.area_column, "area", f"of neuroids of {name}")
    if asked.area is None and column is None:
        raise BadInput(
            f"Unit {str(ids[0])!r} (row 0 of the table of units) has no area: no coordinate of the neuroids of {name} names it; "
            f"they are {', '.join(neuroids) or 'none'}. Say area=NAME for all, or area_column=COORDINATE."
        )
    area = np.array(asked.area) if asked.area is not None else neuroids.pop(str(column))
    return Units(tuple(map(str, ids.tolist())), area, np.array(""), neuroids)


def _without_time(assembly: xr.DataArray, name: str) -> xr.DataArray:
    """Drop dimensions of one entry beside presentations and units; refuses several time bins."""
    others = [dim for dim in assembly.dims if dim not in ("presentation", *_UNIT_DIMS)]
    for dim in others:
        if assembly.sizes[dim] > 1:
            raise BadInput(
                f"{name} has {assembly.sizes[dim]} entries along {str(dim)!r}, and a response is one number. Choose one, or "
                f"average: from_assembly(assembly.mean({str(dim)!r}))."
            )
    return assembly.squeeze(others, drop=True) if others else assembly


def _along(assembly: xr.DataArray, dim: str) -> dict[str, NDArray[Any]]:
    """Return the coordinates along a dimension, its own multi-index left aside."""
    levels = {str(key): one for key, one in assembly.coords.items() if one.dims == (dim,)}
    values = {key: np.asarray(one.values) for key, one in levels.items() if key != dim or not _is_multi(assembly, dim)}
    for key, column in values.items():
        refuse_no_text(column, f"Coordinate {key!r}")
    return values


def _is_multi(assembly: xr.DataArray, dim: str) -> bool:
    return dim in assembly.indexes and assembly.indexes[dim].nlevels > 1
