"""What claims read: arrays by category, rows by seed, one row a stage, and the controls of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.results import Results, Row, StageResult, Values
from stratoscope.statistics.reading import Reading, read
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage

PSI = Reading("population_sparseness")
PSI_TOY = Reading("psi")


def seeded(lesion="permute_weights", seeds=(1, 2, 3), level=0.0):
    """Runs with a seed in every row, 2 stages of 4 and 8 units, 3 categories."""
    return Results.combine([_run(lesion, seed, level) for seed in seeds])


def _run(lesion, seed, level):
    stages = []
    for index, units in enumerate((4, 8)):
        stage = Stage(f"relu{index}", float(index), "relu", (units,), "channel", units, hierarchy="toy")
        about = {"n": 3, "item": "median over categories", "lesion": lesion, "seed": seed}
        value = level + index + 0.1 * seed
        rows = [Row.of(stage, "psi", value, value - 0.2, value + 0.2, **about)]
        if units > 4:
            rows.append(Row.of(stage, "psi", value + 5, **about, control="size-matched to 4 units"))
        arrays = {
            "psi": Values(value + np.arange(3.0), ("category",)),
            "info": Values(np.full(units, value), ("unit",)),
        }
        stages.append(StageResult(stage, arrays, tuple(rows)))
    return Results.build({"seed": seed}, stages, {"category": np.array(["cup", "dog", "egg"])})


def test_categories_are_read_from_the_arrays_with_their_names():
    toy = toy_results()
    values, notes = read(PSI, toy)
    assert values.values.shape == (8, 10)
    assert values.replicates[:2] == ("anchor", "bicycle")
    np.testing.assert_array_equal(values.values[7], toy["fc8", "channel"]["population_sparseness"].to_numpy())
    assert notes == ()


def test_a_lesion_is_read_for_itself_and_intact_is_the_empty_name():
    both = Results.combine([toy_results(), toy_results(lesion="permute_weights[kernel]", seed=4)])
    intact, _ = read(PSI, both)
    lesioned, _ = read(replace(PSI, lesion="permute_weights[kernel]"), both)
    np.testing.assert_array_equal(intact.values, read(PSI, toy_results())[0].values)
    assert intact.medians[-1] > lesioned.medians[-1]
    np.testing.assert_array_equal(read(replace(PSI, lesion="permute*"), both)[0].values, lesioned.values)


def test_several_seeds_by_category_are_averaged_and_it_is_said():
    values, notes = read(Reading("psi", lesion="permute_weights"), seeded())
    assert values.values[0] == pytest.approx([0.2, 1.2, 2.2])
    assert notes == ("mean over 3 runs of 'psi' (lesion 'permute_weights', stages '*')",)


def test_seeds_are_the_replicates_of_rows():
    values, _ = read(Reading("psi", over="seed", lesion="permute_weights"), seeded())
    assert values.stages == ("relu0", "relu1")
    assert values.replicates == ("1", "2", "3")
    assert values.values == pytest.approx(np.array([[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]]))


def test_repeats_without_a_seed_are_counted_and_it_is_said():
    runs = Results.combine([toy_results(lesion="x", seed=1), toy_results(lesion="x", seed=2)])
    values, notes = read(replace(PSI, over="seed", lesion="x"), runs)
    assert values.replicates == ("repeat 1", "repeat 2")
    assert notes == ("no seeds were kept: repeats are taken in the order of rows",)


def test_one_row_a_stage_brings_its_interval_and_a_table_is_enough():
    run = toy_results()
    values, notes = read(Reading("two_nn", over="stage"), run.table())
    assert values.values.shape == (7, 1)
    assert (values.low < values.values[:, 0]).all()
    assert notes == ("fc8: no value (120 stimuli have 4 distinct responses; TwoNN needs 10.)",)
    np.testing.assert_array_equal(read(Reading("two_nn", over="stage"), run)[0].values, values.values)


def test_the_smallest_stage_is_its_own_size_match():
    run = seeded(lesion="", seeds=(0,))
    values, notes = read(Reading("psi", over="stage", control="size-matched*"), run)
    assert values.values[:, 0] == pytest.approx([0.0, 6.0])
    assert notes == ()
    by_category, notes = read(Reading("psi", control="size-matched*"), run)
    assert by_category.values[:, 0] == pytest.approx([0.0, 6.0])
    assert notes == ("size-matched*: one number a stage, from the table",)


def test_a_stage_without_values_is_left_out_and_said():
    run = seeded(lesion="", seeds=(0,))
    stage = Stage("relu2", 2.0, "relu", (9,), "channel", 9, hierarchy="toy")
    failed = Row.of(stage, "psi", np.nan, n=0, note="everything is silent")
    silent = StageResult(stage, {}, (failed,))
    nan = StageResult(stage, {"psi": Values(np.full(3, np.nan), ("category",))}, (failed,))
    for extra in (silent, nan):
        names = {"category": np.array(["cup", "dog", "egg"])}
        values, notes = read(PSI_TOY, Results.build({}, [*_stage_results(run), extra], names))
        assert values.stages == ("relu0", "relu1")
        assert notes == ("relu2: no value (everything is silent)",)


def _stage_results(run):
    arrays = [{"psi": Values(run[name]["psi"].to_numpy(), ("category",))} for name in ("relu0", "relu1")]
    return [
        StageResult(stage, array, tuple(row for row in run.rows if row.stage == stage.name))
        for stage, array in zip(run.stages, arrays, strict=True)
    ]


def test_units_are_not_paired_between_stages():
    values, _ = read(Reading("info", over="unit"), seeded(lesion="", seeds=(0,)))
    assert not values.paired
    assert (~np.isnan(values.values)).sum(axis=1).tolist() == [4, 8]
    several, notes = read(Reading("info", over="unit", stages="relu1", lesion="p"), seeded(lesion="p"))
    assert several.values.shape == (1, 24)
    assert len(notes) == 1


def test_stages_are_chosen_by_name_or_pattern_in_the_order_of_the_hierarchy():
    assert read(replace(PSI, stages="conv*"), toy_results())[0].n_stages == 5
    assert read(replace(PSI, stages=("fc8", "fc6")), toy_results())[0].stages == ("fc6", "fc8")


def test_what_is_not_there_is_said_with_what_is():
    toy = toy_results()
    with pytest.raises(UnknownName, match=r"No metric is called 'population_sparsenes'\. Did you mean"):
        read(Reading("population_sparsenes"), toy)
    with pytest.raises(UnknownName, match=r"No metric is called 'two_n'\. Did you mean 'two_nn'"):
        read(Reading("two_n", over="stage"), toy)
    with pytest.raises(
        TooFew, match=r"no values by category for 'population_sparseness' \(lesion 'none', stages 'fc9'\)"
    ):
        read(replace(PSI, stages="fc9"), toy)
    with pytest.raises(
        TooFew, match=r"Nothing was measured for 'two_nn' \(lesion 'x', stages '\*'\)\. There is lesion"
    ):
        read(Reading("two_nn", over="stage", lesion="x"), toy)


def test_what_fits_twice_is_refused():
    two = Results.combine([toy_results(), toy_results(hierarchy="other")])
    for reading in (PSI, Reading("two_nn", over="stage")):
        with pytest.raises(BadInput, match=r"is there for several: hierarchy 'toynet', 'other'\. Say which"):
            read(reading, two)
    lesions = Results.combine([toy_results(lesion="permute_weights"), toy_results(lesion="permute_biases", seed=1)])
    for reading in (PSI, replace(PSI, over="seed")):
        with pytest.raises(BadInput, match="several: lesion 'permute_weights', 'permute_biases'"):
            read(replace(reading, lesion="permute*"), lesions)
    assert read(Reading("two_nn", over="stage", hierarchy="other"), two)[0].n_stages == 7
    with pytest.raises(BadInput, match="several: item 'n1=1', 'n1=2'"):
        read(Reading("gride", over="stage"), toy_results())
    again = Results.combine([_run("p", 1, 0.0), _run("p", 1, 1.0)])
    with pytest.raises(BadInput, match="Stage 'relu0' has two values for the seed '1'"):
        read(Reading("psi", over="seed", lesion="p"), again)


def test_a_table_has_no_categories_and_needs_its_columns():
    with pytest.raises(BadInput, match=r"A table has no values by category\. Give the results themselves"):
        read(PSI, toy_results().table())
    with pytest.raises(BadInput, match="item, control are missing"):
        read(replace(PSI, over="stage"), toy_results().table().drop(columns=["item", "control"]))
