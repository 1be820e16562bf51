import numpy as np
import pytest
import xarray as xr
import zarr

from stratoscope.errors import BadInput
from stratoscope.sources.array_files import from_xarray, open_arrays


def played(source, stimuli=None):
    out = {}
    source.play(
        stimuli or source.stimuli(), lambda s, rows, r: out.setdefault(s.name, []).append(np.array(r)), batch_size=4
    )
    return {name: np.concatenate(parts) for name, parts in out.items()}


@pytest.fixture
def responses(rng):
    return {name: rng.normal(size=(11, 3)).astype(np.float32) for name in ("layer2", "layer10")}


def test_npz_keeps_order_ids_and_categories(responses, tmp_path):
    path = tmp_path / "rat.npz"
    np.savez(
        path, layer10=responses["layer10"], layer2=responses["layer2"], ids=np.arange(11), category=np.arange(11) % 2
    )
    source = open_arrays(path, unit="neuron")
    assert [stage.name for stage in source.stages] == ["layer10", "layer2"]
    assert source.name == "rat"
    assert source.stages[0].unit == "neuron"
    assert source.stimuli().ids[3] == "3"
    assert set(source.stimuli().columns) == {"category"}
    np.testing.assert_array_equal(played(source)["layer2"], responses["layer2"])


def test_zarr_groups_are_read_in_the_order_of_their_numbers(responses, tmp_path):
    group = zarr.open_group(tmp_path / "r.zarr", mode="w")
    for name in ("layer10", "layer2"):
        group.create_array(f"net/{name}", data=responses[name], chunks=(5, 3))
    source = open_arrays(tmp_path / "r.zarr")
    assert [stage.name for stage in source.stages] == ["net/layer2", "net/layer10"]
    backwards = source.stimuli().take(np.arange(11)[::-1])
    np.testing.assert_array_equal(played(source, backwards)["net/layer2"], responses["layer2"][::-1])


def test_zarr_attributes_give_the_order_where_they_are(responses, tmp_path):
    group = zarr.open_group(tmp_path / "r.zarr", mode="w")
    for depth, name in ((0.8, "layer2"), (0.1, "layer10")):
        group.create_array(name, data=responses[name]).attrs["depth"] = depth
    source = open_arrays(tmp_path / "r.zarr")
    assert [(stage.name, stage.depth) for stage in source.stages] == [("layer10", 0.1), ("layer2", 0.8)]
    group.attrs["stages"] = ["layer2", "layer10"]
    assert [stage.name for stage in open_arrays(tmp_path / "r.zarr").stages] == ["layer2", "layer10"]


def test_zarr_with_stimuli_in_another_dimension_is_refused(responses, tmp_path):
    group = zarr.open_group(tmp_path / "r.zarr", mode="w")
    group.create_array("a", data=responses["layer2"], dimension_names=["unit", "stimulus"])
    with pytest.raises(BadInput, match=r"'a' of .* has dimensions .*Put 'stimulus' first"):
        open_arrays(tmp_path / "r.zarr")


def dataset(responses):
    return xr.Dataset(
        {
            "layer10": (("unit", "stimulus"), responses["layer10"].T, {"depth": 0.3}),
            "layer2": (("stimulus", "unit"), responses["layer2"], {"depth": 0.9}),
            "category": ("stimulus", np.arange(11) % 3),
        },
        coords={"stimulus": [f"im{i}" for i in range(11)]},
    )


def test_xarray_datasets_may_have_stimuli_in_any_dimension(responses):
    source = from_xarray(dataset(responses))
    assert [(stage.name, stage.depth) for stage in source.stages] == [("layer10", 0.3), ("layer2", 0.9)]
    assert source.stimuli().ids[10] == "im10"
    np.testing.assert_array_equal(played(source)["layer10"], responses["layer10"])


def test_netcdf_is_read_by_id_in_another_order(responses, tmp_path):
    dataset(responses).to_netcdf(tmp_path / "r.nc")
    source = open_arrays(tmp_path / "r.nc")
    order = np.array([9, 2, 5])
    np.testing.assert_array_equal(played(source, source.stimuli().take(order))["layer10"], responses["layer10"][order])


def test_a_data_array_is_one_stage(responses):
    array = xr.DataArray(responses["layer2"], dims=("stimulus", "unit"), name="V1")
    assert [stage.name for stage in from_xarray(array).stages] == ["V1"]


def test_files_that_hold_nothing_usable_are_refused(tmp_path):
    with pytest.raises(BadInput, match="There is no file of responses"):
        open_arrays(tmp_path / "none.npz")
    (tmp_path / "r.csv").write_text("1")
    with pytest.raises(BadInput, match=r"read from \.npz, \.zarr, \.nc files"):
        open_arrays(tmp_path / "r.csv")
    np.savez(tmp_path / "flat.npz", a=np.zeros(3))
    with pytest.raises(BadInput, match=r"has no array \(stimulus, unit\); it has \{'a': \(3,\)\}"):
        open_arrays(tmp_path / "flat.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([{"x": 1}], dtype=object))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "flat.npz").read_bytes()[:60])
    for name in ("objects.npz", "cut.npz"):
        with pytest.raises(BadInput, match=r"cannot be read as arrays: .*would run code"):
            open_arrays(tmp_path / name)
    (tmp_path / "bad.zarr").mkdir()
    with pytest.raises(BadInput, match="cannot be read as a Zarr group"):
        open_arrays(tmp_path / "bad.zarr")
    (tmp_path / "bad.nc").write_text("x")
    with pytest.raises(BadInput, match="cannot be read as NetCDF"):
        open_arrays(tmp_path / "bad.nc")
    with pytest.raises(BadInput, match=r"has no variable with dimensions \(stimulus, unit\)"):
        from_xarray(xr.Dataset({"a": ("unit", np.zeros(3))}))
