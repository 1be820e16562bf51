"""Reading categories out in a run: the labels come from the stimuli, the products from the Gram summary."""

from __future__ import annotations

import numpy as np
import pytest

import stratoscope as st
from stratoscope.errors import BadInput, UnknownName
from stratoscope.metrics import cross_validated_readout
from stratoscope.sources.arrays import Arrays


def stimuli(n=40, *, categories=True):
    def load(row):
        return np.full((3, 4, 4), row, dtype=np.float32)

    columns = {"category": np.array([f"c{i % 4}" for i in range(n)])} if categories else {}
    return st.Stimuli("toys", tuple(f"s{i:03d}" for i in range(n)), load, columns)


def hierarchy(rng, n=40):
    labels = np.arange(n) % 4
    weak = rng.standard_normal((n, 30)).astype(np.float32)
    return {"weak": weak, "strong": weak + 6 * np.eye(4, 30, dtype=np.float32)[labels]}


def rows_of(results, metric="cross_validated_readout"):
    table = results.table()
    return table[table.metric == metric]


def test_a_run_reads_out_what_the_function_reads_out_of_the_responses(rng):
    images, responses = stimuli(), hierarchy(rng)
    results = st.profile(Arrays(responses, name="toy"), images, metrics=["cross_validated_readout"], progress=False)
    table = rows_of(results)
    for name, array in responses.items():
        expected = cross_validated_readout(array, images.categories, ids=np.array(images.ids))
        row = table[(table.stage == name) & (table.control == "")].iloc[0]
        chance = table[(table.stage == name) & (table.control == "shuffled labels")].iloc[0]
        assert row.value == pytest.approx(expected.accuracy)
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
        assert row.n == 40
        assert (chance.value, chance.low, chance.high) == pytest.approx(
            (expected.chance.value, expected.chance.low, expected.chance.high)
        )
        assert float(results[name]["cross_validated_readout"]) == pytest.approx(expected.accuracy)
    strong = table[(table.stage == "strong") & (table.control == "")].iloc[0]
    assert strong.value > 0.9


def test_options_reach_the_decoder_and_wrong_ones_are_found_before_the_pass(rng):
    images, responses = stimuli(), hierarchy(rng)
    source = Arrays(responses, name="toy")

    def asked(text):
        return rows_of(st.profile(source, images, metrics=[f"cross_validated_readout:{text}"], progress=False))

    found = asked("decoder=svm,penalty=0.1,folds=interleaved,chance=none")
    options = {"decoder": "svm", "penalty": 0.1, "folds": "interleaved", "chance": "none", "ids": np.array(images.ids)}
    expected = cross_validated_readout(responses["weak"], images.categories, **options)
    assert found.value.iloc[0] == pytest.approx(expected.accuracy)
    assert len(found) == 2  # no chance level was asked for
    with pytest.raises(UnknownName, match="Did you mean 'ridge'"):
        asked("decoder=rigde")
    with pytest.raises(UnknownName, match="No option of cross_validated_readout is called 'gram'"):
        asked("gram=3")


def test_without_categories_there_is_nothing_to_read_out(rng):
    images = stimuli(categories=False)
    with pytest.raises(BadInput, match=r"these stimuli have no column 'category'\. Use class folders"):
        st.profile(Arrays(hierarchy(rng), name="toy"), images, metrics=["cross_validated_readout"], progress=False)


def test_a_category_with_too_few_stimuli_costs_the_metric_and_not_the_run(rng):
    images = stimuli(8)
    source = Arrays(hierarchy(rng, 8), name="toy")
    results = st.profile(source, images, metrics=["cross_validated_readout", "participation_ratio"], progress=False)
    row = rows_of(results).iloc[0]
    assert np.isnan(row.value)
    assert "at least 5 stimuli of every label, but 4 of 4 have fewer" in row.note
    assert np.isfinite(rows_of(results, "participation_ratio").value).all()


def test_views_are_held_out_by_the_columns_that_say_where_they_lie(rng):
    images = stimuli()
    columns = {**images.columns, "azimuth": np.arange(40) // 4 % 5, "size": np.arange(40) // 20}
    images = st.Stimuli("toys", images.ids, images.load, columns)
    responses = hierarchy(rng)
    responses["twins"] = np.repeat(rng.standard_normal((10, 30)), 4, axis=0) + 0.1 * rng.standard_normal((40, 30))
    source = Arrays(responses, name="toy")
    options = {"groups": ("azimuth", "size"), "within": ("azimuth", "size"), "n_folds": 5}
    found = rows_of(st.profile(source, images, metrics=[("cross_validated_readout", options)], progress=False))
    view = 2 * columns["azimuth"] + columns["size"]
    for name, array in responses.items():
        expected = cross_validated_readout(
            array, images.categories, ids=np.array(images.ids), groups=view, within=view, n_folds=5
        )
        rows = found[found.stage == name]
        assert rows.value.to_numpy() == pytest.approx([expected.accuracy, expected.chance.value])
    split = rows_of(st.profile(source, images, metrics=["cross_validated_readout"], progress=False))
    accuracy = {name: one[(one.stage == "twins") & (one.control == "")].value.iloc[0] for name, one in
                (("split", split), ("grouped", found))}  # fmt: skip
    assert accuracy["split"] < 0.1  # below chance: the twin of another label was learnt
    assert accuracy["grouped"] > 0.1
    with pytest.raises(UnknownName, match="No column of these stimuli is called 'azimut'. Did you mean 'azimuth'"):
        st.profile(source, images, metrics=["cross_validated_readout:groups=azimut"], progress=False)
