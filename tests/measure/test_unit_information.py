"""Unit information in a run: a column of the stimuli by name, from responses in blocks of units."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import stratoscope as st
from stratoscope.errors import BadInput, UnknownName
from stratoscope.measure.request import ask
from stratoscope.metrics import two_nn, unit_information
from stratoscope.metrics.declare import METRICS
from stratoscope.sources import Arrays
from stratoscope.summaries import Spool, UnitBlocks
from stratoscope.testing.metric_laws import check_metric

N = 80
ABOUT_LIGHT, ABOUT_OBJECT = "unit_information:values='light level'", "unit_information:values='category'"


def stage(rng):
    light, objects = rng.random(N), rng.permutation(np.repeat([*"abcd"], N // 4))
    responses = np.maximum(light[:, None] + 0.3 * rng.standard_normal((N, 12)) - 0.4, 0).astype(np.float32)
    return responses, {"light level": light, "category": objects}


def run(responses, columns, metrics, **options):
    ids = tuple(f"s{i}" for i in range(N))
    stimuli = st.Stimuli("noise", ids, lambda row: responses[row], columns)
    return st.profile(Arrays({"V1": responses}, ids=ids), stimuli, metrics=metrics, progress=False, **options)


@pytest.mark.parametrize("budget", ["1GB", "400kB"])
def test_every_column_asked_for_gives_what_the_function_gives(rng, budget):
    responses, columns = stage(rng)
    results = run(responses, columns, [ABOUT_LIGHT, f"{ABOUT_OBJECT},response_bins=2", "two_nn"], budget=budget)
    light = unit_information(responses, columns["light level"])
    objects = unit_information(responses, columns["category"], response_bins=2)
    np.testing.assert_array_equal(results["V1"]["unit_information.light-level"], light)
    np.testing.assert_array_equal(results["V1"]["unit_information.category"], objects)
    rows = {row.item: row for row in results.rows}
    assert rows["light level, median over units"].value == pytest.approx(np.median(light))
    assert rows["category, median over units"].n == 12
    assert results.run["metrics"]["unit_information.category"]["options"] == {"values": "category", "response_bins": 2}
    assert rows[""].value == pytest.approx(two_nn(responses).value)


def test_it_needs_no_other_metric_beside_it(rng, tmp_path):
    responses, columns = stage(rng)
    results = run(responses, columns, [ABOUT_LIGHT], out=tmp_path / "run")
    assert [row.metric for row in results.rows] == ["unit_information"]
    again = st.open_results(tmp_path / "run")
    np.testing.assert_array_equal(
        again["V1"]["unit_information.light-level"], unit_information(responses, columns["light level"])
    )
    assert again.metrics["unit_information"].unit == "bits"


def test_what_it_refuses_is_a_note_and_not_the_end_of_the_run(rng):
    responses, columns = stage(rng)
    columns["id"] = np.array([f"x{i}" for i in range(N)])
    (row,) = run(responses, columns, ["unit_information:values='id'"]).rows
    assert np.isnan(row.value)
    assert "has 80 distinct values over 80 stimuli, so most are seen once" in row.note


def test_a_column_must_be_named_and_be_there():
    columns = ("category", "luminance")
    with pytest.raises(
        BadInput, match=r"none was named\. Write \"unit_information:values='COLUMN'\"; .* 'luminance'\."
    ):
        ask(["unit_information"], None, has_categories=True, columns=columns)
    with pytest.raises(
        UnknownName, match=r"No column of these stimuli is called 'lumnance'\. Did you mean 'luminance'"
    ):
        ask(["unit_information:values='lumnance'"], None, has_categories=True, columns=columns)
    with pytest.raises(UnknownName, match=r"No option of unit_information is called 'value'\. Did you mean 'values'"):
        ask(["unit_information:values='category',value=3"], None, has_categories=True, columns=columns)
    with pytest.raises(UnknownName, match=r"No correction is called 'panzeri'"):
        ask(["unit_information:values='category',correction='panzeri'"], None, has_categories=True, columns=columns)


def test_unit_information_keeps_the_laws_of_metrics():
    def make(rng):
        responses, columns = stage(rng)
        return responses.astype(float), {"values": columns["category"]}

    def state(responses, *, values):
        kept = UnitBlocks(Spool(N, responses.shape[1], panel_units=5))
        kept.update(np.arange(N), responses)
        return {**kept.state(), "columns": {"object": values}}

    declared = METRICS["unit_information"]
    named = replace(declared, through=partial(declared.through, values="object"))
    check_metric(named, make, make_state=state, invariances=("units", "stimuli", "scale"), per_row=("values",))
