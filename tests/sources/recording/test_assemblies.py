import numpy as np
import pytest
import xarray as xr

from stratoscope.errors import BadInput, UnknownName
from stratoscope.sources.recording import from_assembly, open_recording


@pytest.fixture
def assembly(rng):
    """As Brain-Score keeps its neural data: 8 images, 3 repetitions, 9 neuroids in two regions, one time bin."""
    image = np.repeat(np.arange(8), 3)
    return xr.DataArray(
        rng.normal(size=(9, 24, 1)),
        dims=("neuroid", "presentation", "time_bin"),
        coords={
            "neuroid_id": ("neuroid", [f"n{k}" for k in range(9)]),
            "region": ("neuroid", ["V4"] * 4 + ["IT"] * 5),
            "image_id": ("presentation", [f"{k:04x}" for k in image]),
            "repetition": ("presentation", np.tile(np.arange(3), 8)),
            "category_name": ("presentation", np.where(image < 4, "Animals", "Boats")),
            "time_bin_start": ("time_bin", [70]),
        },
        name="neural",
    )


def check(recording, assembly):
    assert recording.areas == ("V4", "IT")
    assert recording.ids[:2] == ("0000", "0001")
    assert recording.trials.units.ids[3] == "n3"
    np.testing.assert_allclose(recording.trials.counts, assembly.values[:, :, 0].T)
    assert recording.columns["category_name"].tolist() == ["Animals"] * 4 + ["Boats"] * 4
    assert (recording.trials.n_trials() == 3).all()


def test_an_assembly_in_memory_is_taken_with_or_without_multi_index(assembly):
    check(from_assembly(assembly, name="hong"), assembly)
    indexed = assembly.set_index(
        presentation=["image_id", "repetition", "category_name"], neuroid=["neuroid_id", "region"]
    )
    check(from_assembly(indexed), assembly)


def test_an_assembly_in_a_netcdf_file_or_zarr_group_is_opened(assembly, tmp_path):
    assembly.to_netcdf(tmp_path / "a.nc")
    check(open_recording(tmp_path / "a.nc"), assembly)
    assembly.to_dataset().to_zarr(tmp_path / "a.zarr", zarr_format=2, consolidated=False)
    check(open_recording(tmp_path / "a.zarr"), assembly)


def test_a_missing_repetition_is_absent(assembly):
    gone = assembly.copy()
    gone.values[2, 4] = np.nan
    counts = from_assembly(gone.isel(presentation=slice(1, None))).trials
    assert counts.n_trials()[:, 2].tolist() == [2, 2] + [3] * 6
    assert counts.n_trials()[:, 0].tolist() == [2] + [3] * 7


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda a: a.drop_vars("image_id"), {}, BadInput, "No coordinate of the presentations .* names the stimulus"),
        (
            lambda a: a.drop_vars("region"),
            {},
            BadInput,
            r"Unit 'n0' \(row 0 .*\) has no area: no coordinate of the neuroids",
        ),
        (lambda a: a.rename(neuroid="cell"), {}, BadInput, "has 9 entries along 'cell'"),
        (lambda a: xr.concat([a, a], "time_bin"), {}, BadInput, "has 2 entries along 'time_bin'.*average"),
        (lambda a: a, {"stimulus": "image"}, BadInput, "no column 'image' for the stimulus; it has 'image_id'"),
        (lambda a: a, {"areas": ["V1"]}, UnknownName, "called 'V1'"),
    ],
)
def test_what_an_assembly_lacks_is_named(assembly, change, options, error, message):
    with pytest.raises(error, match=message):
        from_assembly(change(assembly), **options)


def test_an_area_can_be_given_for_all(assembly):
    assert from_assembly(assembly.drop_vars("region"), area="IT").areas == ("IT",)


def test_files_without_an_assembly_with_two_or_damaged_ones_are_refused(assembly, tmp_path):
    xr.Dataset({"x": ("time", [1.0])}).to_netcdf(tmp_path / "x.nc")
    with pytest.raises(BadInput, match=r"x.nc has no array with dimensions \(presentation, neuroid\)"):
        open_recording(tmp_path / "x.nc")
    xr.Dataset({"a": assembly, "b": assembly}).to_netcdf(tmp_path / "two.nc")
    with pytest.raises(BadInput, match="several arrays of responses: a, b"):
        open_recording(tmp_path / "two.nc")
    check(open_recording(tmp_path / "two.nc", counts="b"), assembly)
    with pytest.raises(UnknownName, match="called 'c'"):
        open_recording(tmp_path / "two.nc", counts="c")
    whole = (tmp_path / "two.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cut.nc' cannot be read"):
        open_recording(tmp_path / "cut.nc")
