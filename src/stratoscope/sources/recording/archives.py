"""Recordings as named arrays, in ``.npz`` or ``.mat`` files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources.array_files import read_npz
from stratoscope.sources.recording.checks import as_numbers
from stratoscope.sources.recording.matlab import read_mat
from stratoscope.sources.recording.opened import AREA_COLUMNS, REPEAT_COLUMNS, STIMULUS_COLUMNS, Opened
from stratoscope.sources.recording.options import Asked
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units

Arrays = Mapping[str, NDArray[Any]]

#: Names of the array of responses.
COUNTS = ("counts", "responses", "rates")
#: Names of the ids of the units.
UNIT_IDS = ("unit", "units", "unit_id", "unit_ids", "neuroid_id")
#: Dimensions an array of responses may have.
DIMS = (("presentation", "unit"), ("stimulus", "unit"), ("stimulus", "repeat", "unit"))


def read_archive(path: Path, asked: Asked) -> Opened:
    """Read a recording from named arrays.

    Counts are an array ``counts`` (or `asked.counts`) with ``stimulus`` and ``area``; its dimensions are (presentation,
    unit), or what `asked.dims` says. Spikes are ``spike_times`` of all units one after another with
    ``spike_times_index``, the end of each unit's (as in NWB), and ``stimulus``, ``onset``, ``offset``, ``area``.

    Raises
    ------
    BadInput
        A damaged file, or one in which these arrays are missing or do not fit.
    MissingExtra
        h5py is not installed and the file is MATLAB 7.3.
    """
    arrays = read_npz(path) if path.suffix == ".npz" else read_mat(path)
    if "spike_times" in arrays and asked.counts is None:
        return _spikes(arrays, asked, path)
    return _counts(arrays, asked, path)


def _counts(arrays: Arrays, asked: Asked, path: Path) -> Opened:
    name = asked.counts or next((one for one in COUNTS if one in arrays), None)
    if name is None or name not in arrays:
        shapes = ", ".join(f"{key!r} {values.shape}" for key, values in arrays.items())
        if name is not None:
            raise unknown_name(f"array in {path.name}", name, arrays)
        raise BadInput(
            f"{path.name} has no array 'counts' and no 'spike_times'; it has {shapes}. Name the responses with counts=NAME."
        )
    values = as_numbers(arrays[name], f"The responses {name!r} of {path.name}")
    table = np.where(values == asked.missing, np.nan, values) if asked.missing is not None else values
    dims = _dims(asked.dims, table, name, path)
    n_units = table.shape[dims.index("unit")]
    if "repeat" in dims:
        counts, presentations = _unfolded(
            np.moveaxis(table, [dims.index(dim) for dim in DIMS[2]], [0, 1, 2]), arrays, asked
        )
    else:
        counts = table if dims[1] == "unit" else table.T
        presentations = Presentations(
            _stimuli(arrays, asked, len(counts)), trial=_first(arrays, REPEAT_COLUMNS, len(counts))
        )
    units = _units(arrays, asked, n_units, path)
    return Opened(TrialCounts(counts, units, presentations, f"{name} of {path.name} as given"))


def _unfolded(table: NDArray[Any], arrays: Arrays, asked: Asked) -> tuple[NDArray[Any], Presentations]:
    """Turn (stimulus, repeat, unit) into presentations, those without any response left out."""
    n_stimuli, n_repeats, n_units = table.shape
    flat = table.reshape(-1, n_units)
    there = np.isfinite(flat).any(1)
    stimulus = np.repeat(_stimuli(arrays, asked, n_stimuli), n_repeats)
    repeat = np.tile(np.arange(n_repeats), n_stimuli)
    return flat[there], Presentations(stimulus[there], trial=repeat[there])


def _spikes(arrays: Arrays, asked: Asked, path: Path) -> Opened:
    needed = ("spike_times_index", "stimulus" if asked.stimulus is None else asked.stimulus, "onset", "offset")
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise BadInput(
            f"{path.name} has 'spike_times' but no {', '.join(map(repr, missing))}; it has {', '.join(map(repr, arrays))}. "
            f"Spikes need {', '.join(map(repr, needed))} and the area of every unit."
        )
    times = as_numbers(arrays["spike_times"], f"'spike_times' of {path.name}")
    ends = as_numbers(arrays["spike_times_index"], f"'spike_times_index' of {path.name}").astype(np.int64)
    if times.ndim != 1 or ends.ndim != 1 or np.any(np.diff(ends) < 0) or (len(ends) and ends[-1] != len(times)):
        raise BadInput(
            f"'spike_times_index' of {path.name} must rise to the number of spikes, {len(times)}: the place where each unit's "
            f"spikes end in 'spike_times'. It ends with {ends[-3:].tolist()}."
        )
    session = arrays.get("session", np.array(""))
    trial = _first(arrays, REPEAT_COLUMNS, len(arrays["onset"]))
    presentations = Presentations(np.asarray(arrays[needed[1]]), arrays["onset"], arrays["offset"], trial, session)
    return Opened(Spikes(tuple(np.split(times, ends[:-1])), _units(arrays, asked, len(ends), path), presentations))


def _units(arrays: Arrays, asked: Asked, n: int, path: Path) -> Units:
    ids = _first(arrays, UNIT_IDS, n)
    area = _area(arrays, asked, n, path)
    session = arrays.get("unit_session", np.array(""))
    return Units(tuple(map(str, range(n) if ids is None else ids.tolist())), area, session)


def _area(arrays: Arrays, asked: Asked, n: int, path: Path) -> NDArray[Any]:
    if asked.area is not None:
        return np.array(asked.area)
    if asked.area_column is not None and asked.area_column not in arrays:
        raise unknown_name(f"array of areas in {path.name}", asked.area_column, arrays)
    names = AREA_COLUMNS if asked.area_column is None else (asked.area_column,)
    area = _first(arrays, names, n)
    if area is None:
        raise BadInput(
            f"Unit 0 (row 0 of the table of units) has no area: {path.name} has no array 'area' of {n} names, one a unit. Add "
            "it, or say area=NAME for all units."
        )
    return area


def _stimuli(arrays: Arrays, asked: Asked, n: int) -> NDArray[Any]:
    """Ids of `n` stimuli or presentations; their numbers where the file has none."""
    if asked.stimulus is not None and asked.stimulus not in arrays:
        raise unknown_name("array of stimuli", asked.stimulus, arrays)
    found = _first(arrays, STIMULUS_COLUMNS if asked.stimulus is None else (asked.stimulus,), n)
    return np.array([f"stimulus-{row:0{len(str(n - 1))}d}" for row in range(n)]) if found is None else found


def _first(arrays: Arrays, names: Sequence[str], n: int) -> NDArray[Any] | None:
    """Return the first of `names` that is an array of `n` entries."""
    return next((arrays[name] for name in names if name in arrays and arrays[name].shape == (n,)), None)


def _dims(asked: tuple[str, ...] | None, table: NDArray[Any], name: str, path: Path) -> tuple[str, ...]:
    """Return the dimensions of the responses; three cannot be guessed."""
    dims = ("presentation", "unit") if asked is None and table.ndim == 2 else asked
    if dims is None or len(dims) != table.ndim or tuple(sorted(dims)) not in {tuple(sorted(known)) for known in DIMS}:
        raise BadInput(
            f"The dimensions of {name!r} in {path.name}, whose shape is {table.shape}, must be said: dims=stimulus,repeat,unit "
            f"or dims=presentation,unit, in the order they have. Came {'nothing' if asked is None else ','.join(asked)}."
        )
    return dims
