from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from stratoscope.errors import BadInput, BudgetTooSmall, ResultsError, TooFew, UnknownName
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.network import Network
from stratoscope.studies import Readout, open_study, sparse_coding
from stratoscope.studies.liu2020.protocol import PSI


def golden():
    c, u = np.meshgrid(np.arange(6), np.arange(8), indexing="ij")
    values = ((7 * c**2 + 3 * u**2 * (c + 1) + 5 * c * u) % 11).astype(float)
    values[:, 3] = 0
    return values


def test_golden_values_come_through_the_whole_study(how):
    source = Arrays({"a": golden(), "b": golden()}, columns={"category": np.arange(6).astype(str)})
    found = sparse_coding(source, source.stimuli(), **how).results["a"]
    expected = [0.34984514, 0.26398315, 0.22789920, 0.30218606, 0.47602950, 0.48534001]
    raw = [0.51260504, 0.36494598, 0.35888502, 0.30918073, 0.35128806, 0.61949266]
    np.testing.assert_allclose(found[PSI], expected, atol=1e-8)
    assert float(np.median(found[PSI])) == pytest.approx(0.3260156034, abs=1e-10)
    np.testing.assert_allclose(found["raw_treves_rolls"], raw, atol=1e-8)
    assert float(found["dead_fraction"]) == 1 / 8


def test_degenerate_stages_are_measured_and_say_so(how):
    one_hot, dead = np.eye(6, 8), np.zeros((6, 8))
    source = Arrays({"one-hot": one_hot, "dead": dead}, columns={"category": np.arange(6).astype(str)})
    results = sparse_coding(source, source.stimuli(), **how).results
    np.testing.assert_allclose(results["one-hot"]["raw_treves_rolls"], 1)
    np.testing.assert_array_equal(results["dead"][PSI], 0)
    assert float(results["dead"]["constant_fraction"]) == 1
    notes = "\n".join(results.notes)
    assert "dead, population_sparseness, median over categories, without constant units" in notes
    assert "needs at least 2 units that vary over categories, but 0 of 8 do" in notes


def test_each_source_is_played_once_and_each_stimulus_decoded_once(network, stimuli, small, how):
    small.batches.clear()
    study = sparse_coding(network, stimuli, **how)
    models = 1 + 2 + 2 + 1 + 2
    # Batches of one or two stimuli are those that a network is prepared with.
    assert [size for size in small.batches if size > 2] == models * [16, 16, 8]
    assert len(study.results.tree.children) == models
    assert (stimuli.load.counts[1:] == 1).all()


def test_the_table_has_every_control_beside_the_sparseness(study):
    table = study.table().query("lesion == '' and stage == 'gate3'")
    controls = set(table.query("metric == @PSI")["control"])
    assert controls == {"", "size-matched to 8 units", "without constant units", "structureless"}
    assert {"dead_fraction", "constant_fraction", "raw_treves_rolls", "hoyer_sparseness", "gini_sparseness"} <= set(
        table["metric"]
    )
    median = table.query("metric == @PSI and control == ''").iloc[0]
    assert median["low"] <= median["value"] <= median["high"]
    assert median["n"] == 5


def test_stages_are_the_gates_and_fall_into_two_panels(study):
    assert study.protocol["panels"] == {"conv": ["gate1", "gate2"], "fc": ["gate3", "gate4"]}
    assert study.protocol["readout"]["stage"] == "gate4"


def test_lesions_keep_their_seeds_and_differ_between_them(study):
    table = study.table().query("metric == @PSI and control == '' and lesion == 'permute_weights' and stage == 'gate2'")
    assert list(table["seed"]) == [0, 1]
    assert table["value"].nunique() == 2


def test_models_are_counted_by_the_name_of_their_lesion(network, stimuli, how):
    asked = {"permute_weights": 3, "reinitialize": 1}
    study = sparse_coding(network, stimuli, lesions=list(asked), **{**how, "n_models": asked})
    assert study.protocol["n_models"] == asked
    table = study.table().query("metric == @PSI and control == '' and stage == 'gate2'")
    assert table["lesion"].value_counts().to_dict() == {**asked, "": 1}


def test_the_same_seed_gives_the_same_study(network, stimuli, how):
    study, again = (sparse_coding(network, stimuli, lesions=["permute_weights"], **how) for _ in range(2))
    assert again.claims.equals(study.claims)
    assert again.table().drop(columns="note").equals(study.table().drop(columns="note"))


def test_the_first_finding_says_what_the_controls_leave(study):
    assert "size matching" in study.findings[0]
    assert "the exclusion of dead and constant units" in study.findings[0]
    assert "n = 4 stages and 5 categories" in study.findings[0]


def test_claims_hold_every_control_with_its_n(study):
    claims = study.claims.set_index(["claim", "control"])
    rise = claims.loc["sparseness-rises"]
    assert {"", "size-matched units", "without constant units", "stages permuted", "on medians of stages"} <= set(
        rise.index
    )
    assert set(study.claims["claim"]) == {
        "sparseness-rises", "sparseness-rises-conv", "sparseness-rises-fc", "sparse-is-read-out-better",
        "correlation-rises", "rise-needs-learning", "rise-needs-gating",
    }  # fmt: skip
    assert (study.claims["counted"].where(study.claims["value"].notna(), "said") != "").all()
    assert ("rise-needs-learning", "against fresh initialisation") in claims.index


def test_a_study_opens_as_it_was_saved(study, tmp_path):
    folder = study.save(tmp_path / "run")
    opened = open_study(folder)
    assert opened.findings == study.findings
    assert opened.claims["value"].equals(study.claims["value"])
    assert (folder / "claims.csv").is_file()
    assert repr(opened).startswith("Study sparse-coding.\nThe rise")


def test_results_that_are_no_study_are_not_opened_as_one(study, tmp_path):
    plain = replace(study.results, run={"made": "today"})
    plain.save(tmp_path / "run")
    with pytest.raises(ResultsError, match="are those of a run, not of a study"):
        open_study(tmp_path / "run")


def test_other_stimuli_can_be_read_out(network, stimuli, make_stimuli, how):
    other = replace(make_stimuli(7, 6), name="others")
    study = sparse_coding(network, stimuli, readout_stimuli=other, lesions="none", **how)
    assert set(study.table()["hierarchy"]) == {"small", "small on others"}
    claims = study.claims.query("control == ''").set_index("claim")
    assert claims.loc["sparse-is-read-out-better", "n"] == 7
    assert claims.loc["sparseness-rises", "n"] == 5
    assert len(study.results["gate4", "small on others"]["readout_accuracy"]) == 7


def test_accuracy_and_correlations_are_in_the_table(study):
    table = study.table().query("lesion == ''")
    assert len(table.query("metric == 'readout_accuracy'")) == 2
    assert len(table.query("metric == 'correlation_with_accuracy'")) == 4 * 3


def test_unlabelled_stimuli_are_refused(network, stimuli, how):
    with pytest.raises(BadInput, match="compares categories, and 'random images' has no column 'category'"):
        sparse_coding(network, replace(stimuli, columns={}), **how)


def test_one_category_is_refused(network, make_stimuli, how):
    with pytest.raises(TooFew, match=r"needs at least 2 categories, .* has 1 \(category 0\). Add class folders"):
        sparse_coding(network, make_stimuli(1), **how)


def test_a_category_with_one_image_has_sparseness_and_no_read_out(network, make_stimuli, how):
    stimuli = make_stimuli(3, 4)
    stimuli.columns["category"][0] = "alone"
    study = sparse_coding(network, stimuli, lesions="none", **how)
    assert "readout_accuracy" not in set(study.table()["metric"])
    remark = next(one for one in study.results.remarks if one.startswith("There is no read-out."))
    assert "at least 2 stimuli of every category, but 1 of 4 have fewer: 'alone' (1)" in remark
    with pytest.raises(TooFew, match="'alone' \\(1\\)"):
        sparse_coding(network, stimuli, readout_stimuli=stimuli, lesions="none", **how)


def test_a_network_without_gates_is_measured_and_says_that_none_was_removed(stimuli, small, how):
    source = Network(small(gating=nn.Identity), name="linear")
    how = {**how, "stages": ["conv1", "conv2", "fc1", "fc2"]}
    study = sparse_coding(source, stimuli, **how)
    assert any(re.match("remove_gating was left out: The lesion changed nothing", one) for one in study.results.remarks)
    assert "rise-needs-gating" not in set(study.claims["claim"])
    with pytest.raises(BadInput, match="The lesion 'remove_gating' cannot be made of 'linear'"):
        sparse_coding(source, stimuli, lesions=["remove_gating"], **how)


def test_a_network_without_biases_says_that_none_were_permuted(stimuli, small, how):
    study = sparse_coding(
        Network(small(biases=False), name="unbiased"), stimuli, lesions="paper", **{**how, "n_models": 1}
    )
    assert any(one.startswith("permute_biases was left out:") for one in study.results.remarks)


def test_a_read_out_that_does_not_converge_is_in_the_notes(network, stimuli, how):
    study = sparse_coding(network, stimuli, readout=Readout(max_iter=1), lesions="none", **how)
    assert any("did not converge in 1 iterations" in note for note in study.results.notes)


def test_responses_that_exist_already_are_studied_without_lesions(rng, how):
    source = Arrays(
        {"V1": rng.random((12, 9)), "IT": rng.random((12, 7))}, columns={"category": np.tile(["a", "b", "c"], 4)}
    )
    study = sparse_coding(source, source.stimuli(), **how)
    assert any(one.startswith("No lesions were made") for one in study.results.remarks)
    with pytest.raises(BadInput, match="only a network can be lesioned"):
        sparse_coding(source, source.stimuli(), lesions="paper", **how)


def test_a_budget_that_is_too_small_says_which_would_do(network, stimuli, how):
    with pytest.raises(
        BudgetTooSmall, match=r"needs at least 9\.8 kB .* but the budget is 1\.0 kB. Give --budget 9\.8kB"
    ):
        sparse_coding(network, stimuli, budget="1kB", **how)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"readout_stage": "gate5"}, UnknownName, "No stage of this study is called 'gate5'. Did you mean 'gate4'"),
        (
            {"lesions": "permute_weight"},
            UnknownName,
            "No lesion is called 'permute_weight'. Did you mean 'permute_weights'",
        ),
        ({"n_models": 0}, BadInput, "at least 1 model, but n_models is 0"),
        ({"n_models": {"reinitialize": 0}}, BadInput, "at least 1 model, but n_models of 'reinitialize' is 0"),
        ({"n_models": {"reinitialise": 2}}, UnknownName, "No random lesion of this study is called 'reinitialise'"),
        ({"n_models": {"remove_gating": 2}}, UnknownName, "No random lesion of this study is called 'remove_gating'"),
        ({"correction": "holms"}, UnknownName, "No correction is called 'holms'. Did you mean 'holm'"),
        ({"unit": ["channel", "position"]}, BadInput, "reads one definition of a unit, but channel, position came"),
    ],
)
def test_wrong_wishes_are_refused_before_the_pass(network, stimuli, small, wrong, error, message, how):
    small.batches.clear()
    with pytest.raises(error, match=re.escape(message)):
        sparse_coding(network, stimuli, **{**how, **wrong})
    assert max(small.batches, default=0) <= 2


def test_responses_that_are_not_finite_cost_one_stage(rng, how):
    values = rng.random((12, 9))
    broken = values.copy()
    broken[3, 2] = np.nan
    source = Arrays({"whole": values, "broken": broken}, columns={"category": np.tile(["a", "b", "c"], 4)})
    study = sparse_coding(source, source.stimuli(), readout_stage="whole", **how)
    assert any("broken, population_sparseness" in line and "not finite" in line for line in study.results.failures)
    assert np.isfinite(study.results["whole"][PSI]).all()
