from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.statistics.single_case import case_against_models, correlation_over_stages
from stratoscope.statistics.stage_values import StageValues


def by_stage(values):
    return {f"stage{i}": row for i, row in enumerate(np.asarray(values, dtype=float))}


def test_it_is_the_t_test_of_one_further_case(rng):
    models, one = rng.normal(size=(3, 6)), np.array([[2.0], [1.0], [4.0]])
    found = case_against_models(by_stage(one), by_stage(models))
    y, x = models.mean(axis=0), one.mean()
    t = (x - y.mean()) / (y.std(ddof=1) * np.sqrt(1 + 1 / 6))
    assert found.estimate.value == pytest.approx(x - y.mean())
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), 5))
    half = stats.t.ppf(0.975, 5) * y.std(ddof=1) * np.sqrt(1 + 1 / 6)
    assert found.estimate.high - found.estimate.value == pytest.approx(half)
    assert found.counted == {"stage": 3, "replicate": 6}


def test_a_case_that_is_one_of_the_models_is_called_different_as_often_as_the_level_says(rng):
    p = np.array([
        case_against_models(by_stage(draw[:, :1]), by_stage(draw[:, 1:])).p for draw in rng.normal(size=(400, 2, 6))
    ])  # fmt: skip
    assert abs((p <= 0.05).mean() - 0.05) < 0.035
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("summary", "expected"), [("hump", 3.0), ("mean", 5 / 3), ("trend", 1.0)])
def test_summaries_are_taken_over_the_stages(summary, expected, rng):
    one = {"mean": [0, 5, 0], "hump": [0, 3, -1], "trend": [1, 2, 3]}[summary]
    flat = np.zeros((3, 5)) + rng.normal(0, 1e-9, size=(1, 5)) * (summary == "mean")
    if summary != "mean":  # models that fall all the way: no hump above their first stage, and a trend of -1
        flat = np.array([[3.0] * 5, [2.0] * 5, [1.0] * 5])
    found = case_against_models(by_stage(np.array(one)[:, None]), by_stage(flat), summary=summary)
    base = {"mean": 0.0, "hump": -1.0, "trend": -1.0}[summary]
    assert found.estimate.value == pytest.approx(expected - base, abs=1e-6)


def test_models_that_do_not_differ_give_no_p_and_say_so():
    found = case_against_models(by_stage([[1.0], [2.0]]), by_stage(np.zeros((2, 4))))
    assert np.isnan(found.p)
    assert "the models do not differ" in found.estimate.note


def test_one_model_alone_is_compared_by_both_intervals():
    def one(value):
        ends = np.array([value - 0.1, value - 0.1]), np.array([value + 0.1, value + 0.1])
        return StageValues(np.full((2, 1), value), ("a", "b"), "stage", low=ends[0], high=ends[1])

    found = case_against_models(one(1.0), one(0.0))
    assert found.p < 0.01
    assert 0.8 < found.estimate.low < found.estimate.value == 1.0
    bare = case_against_models(by_stage([[1.0], [1.0]]), by_stage([[0.0], [0.0]]))
    assert np.isnan(bare.p)


def test_stages_without_a_value_are_left_out_and_named(rng):
    models = rng.normal(size=(3, 4))
    models[1] = np.nan
    found = case_against_models(by_stage(np.ones((3, 1))), by_stage(models))
    assert found.counted["stage"] == 2
    assert "left out, as one side has no value: stage1" in found.estimate.note


def test_what_cannot_be_compared_is_refused(rng):
    with pytest.raises(BadInput, match="One case is compared with models, but 2 replicates"):
        case_against_models(by_stage(np.ones((3, 2))), by_stage(np.ones((3, 4))))
    with pytest.raises(TooFew, match="The hump over stages needs more of them, but 2 stages came"):
        case_against_models(by_stage(np.ones((2, 1))), by_stage(rng.normal(size=(2, 4))), summary="hump")
    with pytest.raises(UnknownName, match="mean"):
        case_against_models(by_stage(np.ones((2, 1))), by_stage(np.ones((2, 4))), summary="means")
    with pytest.raises(BadInput, match="have no stage in common"):
        case_against_models({"a": [1.0]}, {"b": [1.0, 2.0]})


def test_correlation_over_stages_is_that_of_ranks_with_an_exact_p():
    x = by_stage(np.array([1.0, 2, 3, 4, 5])[:, None])
    found = correlation_over_stages(x, by_stage(np.array([1.0, 4, 9, 16, 25])[:, None]))
    assert found.estimate.value == pytest.approx(1)
    assert found.p == pytest.approx(2 / 120)
    assert found.counted == {"stage": 5}
    with pytest.raises(TooFew, match="at least 4 of them, but 3 stages"):
        correlation_over_stages(by_stage(np.ones((3, 1))), by_stage(np.ones((3, 1))))
