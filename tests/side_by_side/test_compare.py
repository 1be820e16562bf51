from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import stratoscope as st
from stratoscope.cli import main
from stratoscope.errors import BadInput, UnknownName
from stratoscope.figures.side_by_side import matrices_of, stage_similarity
from stratoscope.metrics import rdm, split_half_ceiling
from stratoscope.report import write_report
from stratoscope.studies import compare, given_rdms, open_study

IDS = tuple(f"image-{row}" for row in range(60))


@pytest.fixture(scope="module")
def study(pair, tmp_path_factory):
    return compare(pair, n_draws=40, out=tmp_path_factory.mktemp("compare") / "run")


def test_the_summary_names_the_best_stage_and_how_often_it_wins(study):
    one = matrices_of(study.results)[0]
    assert study.findings[0] == (
        "cortex IT is most similar to network layer3 (rsa-spearman "
        f"{one.value[2, 1]:.2f} [{one.low[2, 1]:.2f}, {one.high[2, 1]:.2f}], "
        "the best in 100% of 40 halves of stimuli and units; 60 stimuli)."
    )


def test_claims_of_both_hierarchies_stand_in_one_table(study):
    claims = study.claims.query("control == ''").set_index("claim")
    assert list(claims.index) == [
        "sparseness-rises-network", "dimension-rises-then-falls-network",
        "sparseness-rises-cortex", "dimension-rises-then-falls-cortex",
    ]  # fmt: skip
    assert claims["sentence"].str.startswith(("network:", "cortex:")).all()
    assert "at least" in claims.loc["dimension-rises-then-falls-cortex", "note"] or (
        claims.loc["dimension-rises-then-falls-cortex", "verdict"] == "undecided"
    )


def test_what_is_saved_opens_and_draws_again(study, tmp_path, pair):
    study.save(tmp_path / "run")
    again = open_study(tmp_path / "run")
    for ours, theirs in zip(matrices_of(study.results), matrices_of(again.results), strict=True):
        np.testing.assert_array_equal(ours.value, theirs.value)
        np.testing.assert_array_equal(ours.low, theirs.low)
    page = write_report(again.results, tmp_path / "report.html").read_text("utf-8")
    assert "network against cortex" in page
    assert "Curves over depth" in page
    assert "TwoNN dimension" in page


def test_the_same_seed_gives_the_same_numbers(pair, study):
    again = compare(pair, n_draws=40)
    other = compare(pair, n_draws=40, seed=1)
    low = [matrices_of(one.results)[0].low for one in (study, again, other)]
    np.testing.assert_array_equal(low[0], low[1])
    assert (low[0] != low[2]).any()


def test_the_figure_shows_every_number_and_rings_the_best_row_of_each_column(study):
    axes = stage_similarity(study.results, 0).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), matrices_of(study.results)[0].value)
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[0, 0]], [[1, 2]]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["V1", "IT"]
    with pytest.raises(BadInput, match="hold 2 matrices between hierarchies; number 3 was asked for"):
        stage_similarity(study.results, 2)


def test_halves_give_the_noise_ceiling(pair, layers, profiled):
    network, cortex = layers
    rng = np.random.default_rng(0)
    halves = [{name: one + 2 * rng.normal(size=one.shape) for name, one in cortex.items()} for _ in range(2)]
    study = compare(pair, halves=[tuple(profiled("cortex", half) for half in halves)], n_draws=0)
    expected = [split_half_ceiling(rdm(halves[0][area]), rdm(halves[1][area])) for area in ("V1", "IT")]
    found = matrices_of(study.results)
    np.testing.assert_allclose(found[0].ceiling, np.tile(expected, (3, 1)))
    assert found[1].ceiling is None  # none is defined for CKA
    with pytest.raises(UnknownName, match="No stage of the other half is called 'V1'"):
        compare(pair, halves=[(profiled("cortex", cortex), profiled("cortex", network))], n_draws=0)


def test_two_runs_of_one_name_are_told_apart(pair):
    study = compare([pair[0], pair[0]], n_draws=0)
    assert study.protocol["hierarchies"] == ["network", "network #2"]
    np.testing.assert_allclose(np.diag(matrices_of(study.results)[0].value), 1)


def test_a_run_without_matrices_stays_in_the_curves_and_is_told(pair, layers, profiled):
    bare = profiled("bare", layers[1], metrics=["two_nn"])
    study = compare([*pair, bare], n_draws=0)
    assert len({(one.first, one.second) for one in matrices_of(study.results)}) == 1
    assert any(remark.startswith("bare holds no dissimilarity matrices") for remark in study.results.remarks)
    only = compare([bare, profiled("bare too", layers[0], metrics=["two_nn"])], n_draws=0)
    assert only.findings[0].startswith("No two of these hierarchies hold dissimilarity matrices")


def test_claims_of_a_study_are_taken_as_they_were_judged(pair, study, layers):
    both = compare([study.results, given_rdms("published", {"IT": rdm(layers[0]["layer1"])}, IDS)], n_draws=0)
    rows = both.claims
    assert rows["sentence"].str.contains("network: sparseness rises").any()
    assert len(rows) == len(study.claims)


def test_wrong_requests_are_refused_before_anything_is_compared(pair, tmp_path):
    with pytest.raises(UnknownName, match="No measure of similarity is called 'rsa'. Known"):
        compare(pair, measures=["rsa"])
    with pytest.raises(UnknownName, match="No correction is called 'hom'. Did you mean 'holm'"):
        compare(pair, correction="hom")
    with pytest.raises(BadInput, match="n_draws is a number of random halves from 0 up, but -1 came"):
        compare(pair, n_draws=-1)
    with pytest.raises(BadInput, match="at least 2 hierarchies, but 1 came. Give two runs or more"):
        compare([pair[1]])
    with pytest.raises(BadInput, match="A half is the run of one hierarchy"):
        compare(pair, halves=[(st.Results.combine(pair), pair[0])])


def test_the_command_compares_saved_runs_and_writes_the_report(pair, tmp_path):
    for run, name in zip(pair, ("network", "cortex"), strict=True):
        run.save(tmp_path / name)
    words = ["compare", str(tmp_path / "network"), str(tmp_path / "cortex"), "--draws", "10", "--out"]
    found = CliRunner().invoke(main, [*words, str(tmp_path / "both")])
    assert found.exit_code == 0, found.output
    assert "cortex IT is most similar to network layer3" in found.output
    assert (tmp_path / "both" / "report.html").is_file()
    assert (tmp_path / "both" / "claims.csv").is_file()
    again = CliRunner().invoke(main, [*words, str(tmp_path / "both")])
    assert again.exit_code == 2
    assert "holds results already" in again.stderr
    wrong = CliRunner().invoke(main, [*words, str(tmp_path / "new"), "--measure", "rsa-spearmen"])
    assert wrong.exit_code == 2
    assert "Did you mean 'rsa-spearman'" in wrong.stderr


def test_claims_that_no_table_can_answer_are_told_with_what_they_need(pair, study):
    remark = next(one for one in study.results.remarks if one.startswith("Not judged, for want of metrics"))
    assert 'network: units tell less about luminance along the stages (needs "unit_information:values=' in remark
    assert (
        "cortex: categories are read out better and better along the stages (needs cross_validated_readout)" in remark
    )


def test_size_matched_units_are_a_control_of_sparseness(layers, profiled):
    network = {name: one[:, : 40 - 10 * at] for at, (name, one) in enumerate(layers[0].items())}
    runs = [profiled(name, one, metrics=["population_sparseness"]) for name, one in (("a", network), ("b", layers[1]))]
    controls = compare(runs, n_draws=0).claims.query("claim == 'sparseness-rises-a'")["control"]
    assert "size-matched units" in set(controls)


def test_information_and_read_out_are_judged_where_they_were_measured(layers, profiled):
    metrics = ["unit_information:values='luminance'", "cross_validated_readout:n_folds=2"]
    source = st.Arrays(
        layers[0], ids=IDS, name="network",
        columns={"category": np.arange(60) % 3, "luminance": np.linspace(0, 1, 60)},
    )  # fmt: skip
    run = st.profile(source, source.stimuli(), metrics=metrics, progress=False)
    claims = compare([run, profiled("cortex", layers[1])], n_draws=0).claims
    assert {"luminance-information-falls-network", "read-out-rises-network"} == set(claims["claim"])
    assert "stages permuted" in set(claims.query("claim == 'luminance-information-falls-network'")["control"])
