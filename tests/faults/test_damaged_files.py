"""Damaged files: recordings, responses, weights, images and results, cut off or with flipped bits."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections import Counter

import h5py
import numpy as np
import pytest
import scipy.io
import torch
from safetensors.torch import save_file
from torch import nn

import stratoscope as st
from stratoscope.errors import BadInput, WeightsError
from stratoscope.sources import crashes
from stratoscope.sources.weights import load_weights, read_weights
from stratoscope.testing.damage import damaged
from stratoscope.testing.small_files import CHECKED, READERS, WRITERS, outcome

#: Damages tried of each kind of file here; `make soak` tries thousands. Those read by another process first take longer.
TRIES, FEW = 40, 2
SLOW = {"plain.mat", "packed.mat", "assembly.nc", "responses.nc", "session.nwb"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    for write in WRITERS:
        write(folder)
    return folder


@pytest.mark.parametrize("name", READERS)
def test_any_damage_ends_in_a_sentence_or_an_answer(whole, tmp_path, name):
    """NWB, MATLAB 7 and 7.3, NetCDF, Zarr, .npz, Parquet, CSV, safetensors, .pth, results: cut anywhere, bits flipped, headers overwritten (seeded) -> a sentence, or an answer; the right one wherever the format has checksums (.npz, results)."""
    expected = READERS[name](whole / name)
    source = whole / name
    files = sorted(one for one in source.rglob("*") if one.is_file()) if source.is_dir() else [source]
    found = Counter()
    for seed in range(FEW if name in SLOW else TRIES):
        rng = np.random.default_rng([seed, 2026])
        here = tmp_path / str(seed) / name
        (shutil.copytree if source.is_dir() else _copy)(source, here)
        file = files[int(rng.integers(len(files)))]
        target = here / file.relative_to(source) if source.is_dir() else here
        target.write_bytes(damaged(file.read_bytes() or b"\0", rng))
        found[outcome(name, here, expected)] += 1
    assert found["refused"] or name in SLOW
    assert not (name in CHECKED and found["other"])


def _copy(source, target):
    target.parent.mkdir(parents=True)
    shutil.copy(source, target)


class Crashes:
    """Stands for a library that the file brings down."""

    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


def test_a_file_that_crashes_its_library_is_refused_and_we_live(whole, monkeypatch):
    """A MATLAB or NetCDF file on which scipy's or NetCDF's C code crashes (it happens: SIGSEGV) -> another process reads it first; only that one dies, and a sentence says so."""
    monkeypatch.setitem(crashes._READS, "scipy.io", Crashes.code)
    with pytest.raises(
        BadInput, match=r"scipy\.io crashes on it \(SIGSEGV\)\. It is damaged or cut off; copy it again"
    ):
        READERS["plain.mat"](whole / "plain.mat")
    monkeypatch.setitem(crashes._READS, "netCDF4", Crashes.code)
    with pytest.raises(BadInput, match=r"netCDF4 crashes on it \(SIGSEGV\)"):
        READERS["assembly.nc"](whole / "assembly.nc")


def test_a_file_that_hangs_its_library_is_refused(whole, monkeypatch):
    """A NetCDF file on which its library never ends (it happens) -> refused after 30 s, more for large files."""
    monkeypatch.setitem(crashes._READS, "netCDF4", "import time; time.sleep(60)")
    with pytest.raises(BadInput, match=r"netCDF4 was still reading after 1 s\. It is damaged"):
        crashes.refuse_crashing(whole / "assembly.nc", "netCDF4", patience=1.0)


def test_arrays_of_objects_are_refused_everywhere(tmp_path):
    """Pickled objects in an .npz (of responses, of a recording, of images) -> refused or left out unread; nothing in them runs."""
    bomb = np.array([Bomb()], dtype=object)
    for name in ("recording.npz", "responses.npz"):
        np.savez(tmp_path / name, counts=np.ones((4, 3)), area=bomb, stimulus=bomb)
    with pytest.raises(BadInput, match="Objects are refused because reading them would run code"):
        READERS["plain.npz"](tmp_path / "recording.npz")
    with pytest.raises(BadInput, match="Objects are refused"):
        READERS["responses.npz"](tmp_path / "responses.npz")
    np.savez(tmp_path / "images.npz", images=np.zeros((1, 4, 4, 3), np.uint8), label=bomb)
    assert (
        "Left out arrays of Python objects, which are never read: 'label'."
        in st.open_stimuli(tmp_path / "images.npz").notes
    )
    assert not (tmp_path / "exploded").exists()


class Bomb:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_structures_of_matlab_are_left_out(tmp_path):
    """A MATLAB file with structures, functions or empty cells -> these are left out, the arrays are read."""
    scipy.io.savemat(
        tmp_path / "r.mat", {"counts": np.ones((4, 3)), "info": {"a": 1}, "empty": np.array([], dtype=object)}
    )
    with pytest.raises(BadInput, match="has no array .area. of 3 names"):
        READERS["plain.mat"](tmp_path / "r.mat")


def test_hdf5_that_leads_elsewhere_is_not_followed(tmp_path):
    """An HDF5 file with a link to another file, or in a circle -> a sentence; what is elsewhere is not read as responses."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["counts"] = np.ones((3, 4))
    with h5py.File(tmp_path / "r.mat", "w", userblock_size=512) as file:
        file["counts"] = h5py.ExternalLink("gone.h5", "/counts")
        file["loop"] = h5py.SoftLink("/loop")
    with pytest.raises(BadInput):
        READERS["hdf5.mat"](tmp_path / "r.mat")


def safetensors_header(path, header, size=None, body=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + body)
    return path


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ({}, 10 * 2**30),
        ({}, 2**63),
        (b"{", None),
        (b"\xff" * 8, None),
        ({"0.weight": {"dtype": "F32", "shape": [4, 3, 3, 3], "data_offsets": [0, 10**12]}}, None),
        ({"0.weight": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, None),
        ({"0.weight": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}, None),
    ],
)
def test_safetensors_with_a_header_that_lies_is_refused(tmp_path, header, size):
    """safetensors with a header of 10 GB, an offset beyond the file, an unknown type -> refused without reading on."""
    path = safetensors_header(tmp_path / "w.safetensors", header, size, b"\0" * 64)
    with pytest.raises(WeightsError, match="cannot be read as weights: it is damaged, cut short or of another format"):
        read_weights(path)


def test_weights_of_another_kind_of_number_are_refused_and_other_precisions_converted(tmp_path):
    """Weights of a wrong type: quantised (int8) or complex -> refused; float16, bfloat16, float64 -> converted."""
    module = nn.Linear(3, 2)
    state = module.state_dict()
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        save_file({name: one.to(dtype) for name, one in state.items()}, tmp_path / "w.safetensors")
        load_weights(nn.Linear(3, 2), tmp_path / "w.safetensors")
    for dtype, name in ((torch.int8, "int8"), (torch.complex64, "complex64")):
        torch.save({key: one.to(dtype) for key, one in state.items()}, tmp_path / "w.pth")
        with pytest.raises(
            WeightsError, match=f"of another kind: 'weight' is {name} in the file and float32 in the network"
        ):
            load_weights(module, tmp_path / "w.pth")
