"""A small valid file of every kind that is read, and how each is read to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.errors import StratoscopeError

STIMULUS = np.repeat(["a", "b", "c", "d"], 3)
AREA = np.array(["V1", "V1", "V1", "IT", "IT", "IT"])


def counts() -> Any:
    """Return made-up counts (presentation, unit)."""
    return np.random.default_rng(0).poisson(3, (12, 6)).astype(np.float64)


def write_recordings(folder: Path) -> None:
    """Write the same small recording as ``.npz``, ``.mat`` (7 and 7.3), ``.nc``, ``.zarr``, ``.csv``, ``.parquet``, ``.nwb``."""
    import pandas as pd
    import scipy.io
    import xarray as xr

    named = {"counts": counts(), "stimulus": STIMULUS, "area": AREA}
    np.savez(folder / "plain.npz", **named)
    np.savez_compressed(folder / "packed.npz", **named)
    texts = {name: one.astype(object) if one.dtype.kind == "U" else one for name, one in named.items()}
    scipy.io.savemat(folder / "plain.mat", texts)
    scipy.io.savemat(folder / "packed.mat", texts, do_compression=True)
    _write_mat73(folder / "hdf5.mat")
    coords = {
        "stimulus_id": ("presentation", STIMULUS), "repetition": ("presentation", np.tile([0, 1, 2], 4)),
        "region": ("neuroid", AREA), "neuroid_id": ("neuroid", [f"n{unit}" for unit in range(6)]),
    }  # fmt: skip
    assembly = xr.Dataset({"rates": (("presentation", "neuroid"), counts())}, coords)
    assembly.to_netcdf(folder / "assembly.nc")
    assembly.to_zarr(folder / "assembly.zarr", zarr_format=2, consolidated=False)
    rows = [
        {"unit": unit, "area": AREA[unit], "stimulus": STIMULUS[row], "repeat": row % 3, "count": counts()[row, unit]}
        for row in range(12)
        for unit in range(6)
    ]
    pd.DataFrame(rows).to_csv(folder / "tidy.csv", index=False)
    pd.DataFrame(rows).to_parquet(folder / "tidy.parquet")
    _write_nwb(folder / "session.nwb")


def _write_mat73(path: Path) -> None:
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        file["counts"] = counts().T
        file["counts"].attrs["MATLAB_class"] = b"double"
        for name, words in (("stimulus", STIMULUS), ("area", AREA)):
            cells = [
                file.create_dataset(
                    f"#refs#/{name}{row}", data=np.array([[ord(letter)] for letter in word], np.uint16)
                ).ref
                for row, word in enumerate(words)
            ]
            cell = file.create_dataset(name, data=np.array([cells], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
            cell.attrs["MATLAB_class"] = b"cell"


def _write_nwb(path: Path) -> None:
    import pynwb

    rng = np.random.default_rng(1)
    nwb = pynwb.NWBFile("made up", "id", datetime(2020, 1, 1, tzinfo=UTC))
    nwb.add_unit_column("area", "area")
    for area in AREA:
        nwb.add_unit(spike_times=np.sort(rng.random(30) * 12), area=str(area))
    nwb.add_trial_column("stimulus", "what was shown")
    for row, word in enumerate(STIMULUS):
        nwb.add_trial(start_time=float(row), stop_time=row + 0.5, stimulus=str(word))
    with pynwb.NWBHDF5IO(str(path), "w") as file:
        file.write(nwb)


def write_responses(folder: Path) -> None:
    """Write the same small responses of two stages as ``.npz``, ``.nc`` and ``.zarr``."""
    import xarray as xr
    import zarr

    stages = {"V1": counts(), "V4": counts()[:, :3]}
    np.savez(folder / "responses.npz", **stages)
    data = {name: (("stimulus", f"unit_{name}"), one) for name, one in stages.items()}
    xr.Dataset(data).to_netcdf(folder / "responses.nc")
    group = zarr.open_group(folder / "responses.zarr", mode="w")
    for name, one in stages.items():
        group[name] = one


def write_weights(folder: Path) -> None:
    """Write the weights of `small_network` as ``.safetensors`` and as both kinds of ``.pth``."""
    import torch
    from safetensors.torch import save_file

    state = small_network().state_dict()
    save_file(state, folder / "weights.safetensors")
    torch.save(state, folder / "weights.pth")
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)


def small_network() -> Any:
    """Return a network of three modules, seeded."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 3))


def write_images(folder: Path) -> None:
    """Write four images as an ``.npz``."""
    images = np.random.default_rng(0).integers(0, 255, (4, 6, 6, 3), dtype=np.uint8)
    np.savez(folder / "images.npz", images=images, labels=np.arange(4))


def write_results(folder: Path) -> None:
    """Write the results of a small run."""
    from stratoscope.measure import profile
    from stratoscope.sources import Arrays

    source = Arrays({"V1": counts(), "V4": counts()[:, :3]}, name="made up")
    profile(source, source.stimuli(), metrics=["two_nn", "participation_ratio"], progress=False, out=folder / "run")


def read_recording(path: Path) -> Any:
    """Return the sums of every response of a recording."""
    from stratoscope.sources.recording import open_recording

    recording = open_recording(path)
    return _played(recording.count((0.0, 0.4)) if path.suffix == ".nwb" else recording)


def read_responses(path: Path) -> Any:
    """Return the sums of every response in a file of responses."""
    from stratoscope.sources.array_files import open_arrays

    return _played(open_arrays(path))


def _played(source: Any) -> list[tuple[str, float]]:
    heard: list[tuple[str, float]] = []
    source.play(source.stimuli(), lambda stage, _, responses: heard.append((stage.name, float(np.sum(responses)))))
    return heard


def read_weights(path: Path) -> Any:
    """Return the names of the weights that went into the network."""
    from stratoscope.sources.weights import load_weights

    network = small_network()
    load_weights(network, path)
    return sorted(network.state_dict())


def read_images(path: Path) -> Any:
    """Return the sum of every image."""
    from stratoscope.stimuli import open_stimuli

    stimuli = open_stimuli(path)
    return [int(np.sum(np.asarray(stimuli.load(row)))) for row in range(len(stimuli))]


def read_results(path: Path) -> Any:
    """Return the table of a run as text."""
    from stratoscope.results import open_results

    return open_results(path).table().to_csv()


#: What is written, by whom, and how each is read.
WRITERS: tuple[Callable[[Path], None], ...] = (
    write_recordings, write_responses, write_weights, write_images, write_results,
)  # fmt: skip
READERS: Mapping[str, Callable[[Path], Any]] = {
    "plain.npz": read_recording,
    "packed.npz": read_recording,
    "plain.mat": read_recording,
    "packed.mat": read_recording,
    "hdf5.mat": read_recording,
    "assembly.nc": read_recording,
    "assembly.zarr": read_recording,
    "tidy.csv": read_recording,
    "tidy.parquet": read_recording,
    "session.nwb": read_recording,
    "responses.npz": read_responses,
    "responses.nc": read_responses,
    "responses.zarr": read_responses,
    "weights.safetensors": read_weights,
    "weights.pth": read_weights,
    "old.pth": read_weights,
    "images.npz": read_images,
    "run": read_results,
}
#: What is protected by checksums, so that damage is refused or does not matter; elsewhere a flipped number reads as one.
CHECKED = frozenset({"plain.npz", "packed.npz", "responses.npz", "images.npz", "run"})


def outcome(name: str, path: Path, expected: Any) -> str:
    """Read the file of this `name` at `path`: ``same`` as expected, ``other``, or ``refused``; anything else comes up."""
    try:
        return "same" if READERS[name](path) == expected else "other"
    except StratoscopeError:
        return "refused"
