"""A run is built, read by name, and tells what went wrong."""

import math

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.results import COLUMNS, Results, Row, StageResult, Values, estimate_arrays
from stratoscope.types import Estimate, Stage

NAN = float("nan")


def stage(name, depth=0.5, unit="channel", hierarchy="toy"):
    return Stage(name, depth, "relu", (4, 2, 2), unit, 4, "channels-first", hierarchy)


def result(name="conv1", *, lesion="", unit="channel", note="", value=0.5, **arrays):
    place = stage(name, unit=unit)
    rows = (Row.of(place, "sparseness", value, 0.4, 0.6, n=6, item="mean", lesion=lesion, note=note),)
    return StageResult(place, arrays or {"sparseness": Values(np.arange(4.0), ("unit",))}, rows)


def built(*stages, **keywords):
    return Results.build({"seed": 0}, stages or (result(),), {"stimulus": np.array(["a", "b"])}, **keywords)


def test_table_has_the_columns_of_a_row_in_order_of_execution():
    table = built(result("conv2"), result("conv1")).table()
    assert tuple(table.columns) == COLUMNS
    expected = "hierarchy stage depth unit n_units metric item value low high n lesion control seed note"
    assert tuple(expected.split()) == COLUMNS
    assert table["stage"].tolist() == ["conv2", "conv1"]
    assert table["seed"].isna().all()


def test_table_of_no_rows_keeps_its_columns_and_kinds():
    table = Results.build({}, [], {}).table()
    assert tuple(table.columns) == COLUMNS
    assert table["value"].dtype == "float64"


def test_stage_is_found_by_name_with_the_shared_coordinates():
    results = built(result(norms=Values(np.array([1.0, 2.0]), ("stimulus",))))
    assert results["conv1"]["norms"].sel(stimulus="b") == 2.0


def test_a_mistyped_stage_offers_the_nearest_names():
    with pytest.raises(UnknownName, match=r"^No stage is called 'conv11'\. Did you mean 'conv1'\?$"):
        built()["conv11"]


def test_two_units_of_one_stage_must_be_told_apart():
    results = built(result(), result(unit="position"))
    message = (
        r"^Stage 'conv1' is there 2 times\. Say which: \['conv1', 'channel', 'toy'\] or "
        r"\['conv1', 'position', 'toy'\]; '' stands for intact\.$"
    )
    with pytest.raises(UnknownName, match=message):
        results["conv1"]
    assert results["conv1", "position"].attrs["unit"] == "position"


def test_a_unit_that_is_not_there_is_said():
    with pytest.raises(
        UnknownName, match=r"^Stage 'conv1' is not there with 'token'\. There is \['conv1', 'channel', 'toy'\]\.$"
    ):
        built()["conv1", "token"]


def test_combined_runs_follow_one_another_and_keep_their_own_coordinates():
    intact = built()
    other = Results.build(
        {"seed": 1}, [result(lesion="permuted")], {"stimulus": np.array(["x", "y", "z"])}, remarks=["r"]
    )
    both = Results.combine([intact, other])
    assert both.table()["lesion"].tolist() == ["", "permuted"]
    assert both.lesions == ("", "permuted")
    assert [run["seed"] for run in both.run["runs"]] == [0, 1]
    assert both["conv1", "permuted"].sizes["stimulus"] == 3
    assert both["conv1", ""].sizes["stimulus"] == 2
    assert len(Results.combine([both, intact]).stages) == 3
    assert both.remarks == ("r",)


def test_combining_nothing_is_refused():
    with pytest.raises(BadInput, match=r"^There are no results to combine\. Give at least one\.$"):
        Results.combine([])


def test_properties_of_stimuli_are_columns_whatever_they_are_called():
    columns = {"category": np.array(["猫", "dog"], dtype=object), "view angle/°": np.array([1.5, 2.5])}
    frame = built(columns=columns).stimuli
    assert frame.loc["a", "category"] == "猫"
    assert frame["view angle/°"].tolist() == [1.5, 2.5]


def test_a_run_without_stimuli_has_an_empty_frame_of_them():
    assert Results.build({}, [result()], {}).stimuli.empty
    assert built().stimuli.index.tolist() == ["a", "b"]


def test_coordinates_have_names_that_folders_can_have():
    with pytest.raises(BadInput, match=r"^A run: an array cannot be called 'a/b'\. Use letters"):
        Results.build({}, [], {"a/b": np.arange(2)})


def test_cross_matrices_are_labelled_with_the_stages():
    cross = {"cka": Values(np.eye(2), ("stage", "other_stage"))}
    results = Results.build({}, [result("a:1"), result("b/2")], {}, cross)
    assert results.cross["cka"].sel(stage="a:1", other_stage="b/2") == 0


def test_an_array_that_does_not_fit_is_refused_with_its_stage():
    message = r"^Stage 'conv1': array 'norms' has 3 values along 'stimulus', and there are 2\. "
    with pytest.raises(BadInput, match=message):
        built(result(norms=Values(np.zeros(3), ("stimulus",))))


def test_dimensions_must_be_named_one_by_one():
    message = r"^An array of shape \(2, 3\) came with 1 names of dimensions \('unit',\)\. Give one name for each"
    with pytest.raises(BadInput, match=message):
        Values(np.zeros((2, 3)), ("unit",))


@pytest.mark.parametrize("name", ["a/b", "", "stimulus", "1st"])
def test_names_that_no_folder_can_have_are_refused(name):
    with pytest.raises(BadInput, match=r"^Stage 'conv1': an array cannot be called "):
        built(result(**{name: Values(np.zeros(2), ("stimulus",))}))


def test_values_that_are_neither_numbers_nor_words_are_refused():
    data = np.array([{}, []], dtype=object)
    with pytest.raises(BadInput, match=r"^Stage 'conv1': array 'odd' holds object values\. Results keep numbers"):
        built(result(odd=Values(data, ("unit",))))


def test_failures_are_measurements_without_value_and_stimuli_left_out():
    results = built(result(value=NAN, note="too few stimuli"), result("conv2", note="fine"), skipped=[("c", "torn")])
    assert results.failures == ("conv1, sparseness, mean: too few stimuli", "Stimulus 'c' was left out: torn")
    assert results.notes == ("conv1, sparseness, mean: too few stimuli", "conv2, sparseness, mean: fine")


def test_what_has_a_value_at_one_item_has_not_failed():
    note = "n1 = 64 left out"
    items = (("n1=1", 3.0), ("n1=64", NAN))
    rows = [Row.of(stage("conv1"), "gride", value, NAN, NAN, n=9, item=item, note=note) for item, value in items]
    results = built(StageResult(stage("conv1"), {}, tuple(rows)))
    assert results.failures == ()
    assert results.notes == ("conv1, gride: n1 = 64 left out",)


def test_a_note_about_many_places_is_told_once():
    many = [result(f"conv{i}", value=NAN, note="not finite") for i in range(1, 7)]
    assert built(*many).failures == ("conv1, conv2, conv3 and 3 more; sparseness; mean: not finite",)


def test_an_estimate_becomes_arrays_with_its_ends_and_scale():
    estimate = Estimate(np.array([2.0, 3.0]), NAN, NAN, n=9, method="fit", scale=np.array([0.1, 0.2]))
    arrays = estimate_arrays("gride", ("n1",), estimate)
    assert list(arrays) == ["gride", "gride.low", "gride.high", "gride.scale"]
    assert math.isnan(arrays["gride.low"].data[1])
    assert arrays["gride"].attrs == {"method": "fit", "level": 0.95, "n": 9}


def test_it_says_in_words_what_it_holds():
    results = built(remarks=["<b>"], skipped=[("c", "torn")])
    assert repr(results).splitlines() == [
        "Results of 'toy': 1 stage (1 by channel), 1 row.",
        "Metrics: sparseness.",
        "There is 1 note, 1 stimulus left out.",
    ]
    assert "<td>conv1</td>" in results._repr_html_()
