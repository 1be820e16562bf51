import h5py
import numpy as np
import pytest
from scipy.io import savemat

import stratoscope as st
from stratoscope.errors import BadInput, MissingExtra, UnknownName
from stratoscope.sources.recording import count_spikes, open_recording


@pytest.fixture
def tensor(rng):
    """(unit, stimulus, repeat) with -1 for missing repeats."""
    values = rng.poisson(5.0, (6, 10, 4)).astype(np.int8)
    values[:, 3, 3] = -1
    values[2, 5, 1] = -1
    return values


def test_a_tensor_with_missing_repeats_is_opened_by_its_dimensions(tensor, tmp_path):
    np.savez(tmp_path / "v4.npz", counts=tensor, area=["V4"] * 3 + ["IT"] * 3, stimulus=[f"im{k}" for k in range(10)])
    recording = open_recording(tmp_path / "v4.npz", dims=["unit", "stimulus", "repeat"], missing=-1)
    assert recording.areas == ("V4", "IT")
    n = recording.trials.n_trials()
    assert n[3].tolist() == [3] * 6
    assert n[5].tolist() == [4, 4, 3, 4, 4, 4]
    held = np.where(tensor < 0, np.nan, tensor)
    np.testing.assert_allclose(recording.responses(), np.nanmean(held, 2).T)


def test_all_of_it_can_be_said_in_one_line(tensor, tmp_path):
    np.savez(tmp_path / "v1.npz", r=np.moveaxis(tensor, 0, 2).swapaxes(0, 1))
    source = st.open_source(f"recording:{tmp_path}/v1.npz?counts=r&dims=repeat,stimulus,unit&area=V1&missing=-1")
    assert source.ids[:2] == ("stimulus-0", "stimulus-1")
    assert source.stages[0].n_units == 6
    assert source.trials.n_trials().sum() == (tensor >= 0).sum()


def presented(rng):
    stimulus = np.array([f"im{k % 5}" for k in range(20)])
    return {"counts": rng.poisson(4.0, (20, 6)), "stimulus": stimulus, "area": np.array(["V1"] * 3 + ["LM"] * 3)}


def check_presented(recording, arrays):
    assert recording.areas == ("V1", "LM")
    np.testing.assert_array_equal(recording.trials.counts, arrays["counts"])
    assert recording.trials.presentations.stimulus.tolist() == arrays["stimulus"].tolist()


def test_counts_of_presentations_need_no_dimensions(rng, tmp_path):
    arrays = presented(rng)
    np.savez(tmp_path / "a.npz", **arrays)
    check_presented(open_recording(tmp_path / "a.npz"), arrays)


def test_matlab_files_of_version_7_are_read(rng, tmp_path):
    arrays = presented(rng)
    cells = {name: arrays[name].astype(object) for name in ("stimulus", "area")}
    savemat(tmp_path / "a.mat", {**arrays, **cells, "about": {"lab": 1}}, do_compression=True)
    check_presented(open_recording(tmp_path / "a.mat"), arrays)


def matlab_73(path, arrays):
    """Write as MATLAB does: columns first, cells as references to 16-bit text, behind a block of 512 bytes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            if values.dtype.kind != "U":
                file[name] = values.T
                continue
            references = np.empty((1, len(values)), dtype=h5py.ref_dtype)
            for k, text in enumerate(values):
                cell = file.create_dataset(
                    f"#refs#/{name}{k}", data=np.array([[ord(c)] for c in text], dtype=np.uint16)
                )
                cell.attrs["MATLAB_class"] = np.bytes_("char")
                references[0, k] = cell.ref
            file.create_dataset(name, data=references, dtype=h5py.ref_dtype).attrs["MATLAB_class"] = np.bytes_("cell")
    head = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    with path.open("r+b") as file:
        file.write(head)


def test_matlab_files_of_version_73_are_read(rng, tmp_path):
    arrays = presented(rng)
    matlab_73(tmp_path / "b.mat", arrays)
    check_presented(open_recording(tmp_path / "b.mat"), arrays)


def test_a_tensor_in_matlab_73_has_the_dimensions_it_has_in_matlab(tensor, tmp_path):
    matlab_73(tmp_path / "c.mat", {"counts": tensor.astype(float), "area": np.array(["V4"] * 6)})
    recording = open_recording(tmp_path / "c.mat", dims=["unit", "stimulus", "repeat"], missing=-1)
    held = np.where(tensor < 0, np.nan, tensor)
    np.testing.assert_allclose(recording.responses(), np.nanmean(held, 2).T)


def test_spikes_of_all_units_one_after_another_are_read(known, tmp_path):
    shown = known.presentations.take([0, 1, 2])
    trains = [known.times[0], known.times[1], known.times[2]]
    arrays = {
        "spike_times": np.concatenate(trains),
        "spike_times_index": np.cumsum([len(train) for train in trains]),
        "stimulus": shown.stimulus,
        "onset": shown.onset,
        "offset": shown.offset,
        "area": np.array(["V1"] * 3),
        "unit": np.array(["a", "b", "c"]),
    }
    np.savez(tmp_path / "s.npz", **arrays)
    recording = open_recording(tmp_path / "s.npz", window=(0, 0.5))
    assert recording.spikes.units.ids == ("a", "b", "c")
    np.testing.assert_array_equal(recording.trials.counts, count_spikes(recording.spikes, (0, 0.5)).counts)
    np.testing.assert_array_equal(recording.spikes.times[2], trains[2])
    for lacking, message in (("onset", "no 'onset'"), ("area", "has no area")):
        np.savez(tmp_path / "t.npz", **{name: values for name, values in arrays.items() if name != lacking})
        with pytest.raises(BadInput, match=message):
            open_recording(tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", **{**arrays, "spike_times_index": np.array([3, 2, 9])})
    with pytest.raises(BadInput, match="must rise to the number of spikes, 9"):
        open_recording(tmp_path / "t.npz")


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"counts": None}, {}, BadInput, r"has no array 'counts' and no 'spike_times'; it has 'stimulus' \(20,\)"),
        ({}, {"counts": "count"}, UnknownName, "array in a.npz is called 'count'. Did you mean 'counts'"),
        ({"counts": np.array([["a"] * 6] * 20)}, {}, BadInput, "responses 'counts' of a.npz must be numbers"),
        ({"area": None}, {}, BadInput, r"Unit 0 \(row 0 of the table of units\) has no area: a.npz"),
        ({"area": ["V1"] * 5}, {}, BadInput, "no array 'area' of 6 names"),
        ({}, {"area_column": "region"}, UnknownName, "array of areas in a.npz is called 'region'"),
        ({}, {"stimulus": "image"}, UnknownName, "array of stimuli is called 'image'"),
        ({}, {"dims": ["unit", "trial"]}, BadInput, r"shape is \(20, 6\), must be said: .* Came unit,trial"),
        ({"counts": np.zeros((2, 10, 6))}, {}, BadInput, r"shape is \(2, 10, 6\), must be said.*Came nothing"),
    ],
)
def test_arrays_that_do_not_fit_are_named(rng, tmp_path, change, options, error, message):
    arrays = {**presented(rng), **change}
    np.savez(tmp_path / "a.npz", **{name: values for name, values in arrays.items() if values is not None})
    with pytest.raises(error, match=message):
        open_recording(tmp_path / "a.npz", **options)


@pytest.mark.parametrize("kind", ["npz", "v7", "v73"])
def test_a_truncated_file_is_refused(rng, tmp_path, kind):
    arrays, path = presented(rng), tmp_path / ("a.npz" if kind == "npz" else "a.mat")
    if kind == "npz":
        np.savez(path, **arrays)
    elif kind == "v7":
        savemat(path, arrays, do_compression=True)
    else:
        matlab_73(path, arrays)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(BadInput, match="cannot be read as"):
        open_recording(path)


def test_matlab_73_needs_h5py_and_a_strange_ending_is_refused(rng, tmp_path, monkeypatch):
    matlab_73(tmp_path / "b.mat", presented(rng))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingExtra, match="MATLAB 7.3 files needs h5py"):
        open_recording(tmp_path / "b.mat")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(BadInput, match="Recordings are read from .nwb, .nc"):
        open_recording(tmp_path / "a.txt")
