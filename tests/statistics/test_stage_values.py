"""Values know their stage: what is taken, and what is refused because it does not say which axis is which."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from stratoscope.errors import BadInput, TooFew
from stratoscope.statistics.stage_values import StageValues, long_form, stage_values


def test_a_mapping_keeps_the_order_of_its_stages():
    found = stage_values({"late": [3.0, 4.0], "early": [1.0, 2.0]}, over="category")
    assert found.stages == ("late", "early")
    assert found.values.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert (found.n_stages, found.n_replicates, found.over, found.paired) == (2, 2, "category", True)


def test_the_index_of_a_point_is_the_place_of_its_stage():
    index, values = stage_values({"a": [1.0, np.nan, 3.0], "b": [4.0, 5.0, 6.0]}).points()
    assert index.tolist() == [0, 0, 1, 1, 1]
    assert values.tolist() == [1.0, 3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize("dims", [("stage", "model"), ("model", "stage")])
def test_a_labelled_array_is_read_by_its_names_whichever_axis_comes_first(dims):
    rising = xr.DataArray(np.arange(7.0)[:, None] + np.zeros(10), dims=("stage", "model")).transpose(*dims)
    found = stage_values(rising)
    assert found.values.shape == (7, 10)
    assert found.medians.tolist() == list(range(7))
    assert found.over == "model"


def test_labels_of_a_labelled_array_are_kept():
    array = xr.DataArray([[1.0, 2.0]], dims=("stage", "category"), coords={"stage": ["V1"], "category": ["dog", "cup"]})
    found = stage_values(array)
    assert (found.stages, found.replicates) == (("V1",), ("dog", "cup"))
    assert stage_values(xr.DataArray([1.0, 2.0], dims="stage")).stages == ("0", "1")


def test_a_plain_array_is_refused_because_its_axes_have_no_names():
    with pytest.raises(BadInput, match=r"which axis the stages are, but a plain ndarray came\. Give a mapping"):
        stage_values(np.zeros((10, 10)))


def test_stages_of_unequal_size_are_not_paired():
    found = stage_values({"conv1": np.ones(3), "conv2": np.ones(5)}, over="unit")
    assert not found.paired
    assert (found.n_replicates, found.undefined) == (5, 0)
    with pytest.raises(BadInput, match=r"Replicates cannot be paired: stages have \[3, 5\] values"):
        stage_values({"conv1": np.ones(3), "conv2": np.ones(5)}, paired=True)


def test_long_form_fills_what_is_missing_and_keeps_names():
    found = long_form(
        [1.0, 2.0, 3.0], stage=["a", "b", "b"], replicate=["dog", "cup", "dog"], over="category", order=["b", "a"]
    )
    assert found.stages == ("b", "a")
    assert found.replicates == ("dog", "cup")
    np.testing.assert_array_equal(found.values, [[3.0, 2.0], [1.0, np.nan]])
    assert found.undefined == 1


def test_long_form_refuses_doubles_strangers_and_unequal_lengths():
    with pytest.raises(BadInput, match=r"Stage 'a' has two values for the seed '1'\. Choose one"):
        long_form([1.0, 2.0], stage=["a", "a"], replicate=["1", "1"], over="seed")
    with pytest.raises(BadInput, match=r"no place in the order: \['c'\]"):
        long_form([1.0], stage=["c"], replicate=["1"], over="seed", order=["a"])
    with pytest.raises(BadInput, match="1 values, 2 stages and 1 replicates came"):
        long_form([1.0], stage=["a", "b"], replicate=["1"], over="seed")


@pytest.mark.parametrize(
    ("values", "stages", "message"),
    [
        (np.zeros((2, 3)), ("a", "b", "c"), r"shape \(stage=3, replicate\), but \(2, 3\) came"),
        (np.zeros((2, 3)), ("a", "a"), "Every stage is there once, but these came: 'a', 'a'"),
        (np.full((1, 2), np.inf), ("a",), "infinite numbers"),
    ],
)
def test_records_that_contradict_themselves_are_refused(values, stages, message):
    with pytest.raises(BadInput, match=message):
        StageValues(values, stages)


def test_a_stage_without_values_and_arrays_without_stages_are_refused():
    with pytest.raises(TooFew, match="Stage 'b' has no value at all"):
        _ = stage_values({"a": [1.0, 2.0], "b": [np.nan, np.nan]}).medians
    with pytest.raises(BadInput, match=r"the dimension 'stage' and at most one other, but \('layer', 'model'\)"):
        stage_values(xr.DataArray(np.zeros((2, 2)), dims=("layer", "model")))
    with pytest.raises(BadInput, match=r"values \(replicate,\) of each stage, but \[\(2, 2\)\] came"):
        stage_values({"a": np.zeros((2, 2))})
