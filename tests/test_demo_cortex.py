"""The made-up cortex beside the bundled network, from one command."""

from __future__ import annotations

import pytest

from stratoscope.demo_cortex import REMARK, run_cortex_demo
from stratoscope.figures.side_by_side import matrices_of
from stratoscope.results import open_results


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_cortex_demo(tmp_path_factory.mktemp("demo") / "run", size=0.04, progress=False)


def test_claims_of_network_and_rat_stand_in_one_table(study):
    claims = study.claims.query("control == ''")
    assert claims["sentence"].str.startswith("simulated rat, seed 0: ").sum() == 6
    assert claims["sentence"].str.startswith("bundled:alexnet: ").sum() == 2
    assert "equal trials" in set(study.claims["control"])


def test_both_are_compared_on_the_380_views_with_ceilings_and_over_units(study):
    for one in matrices_of(study.results):
        assert (one.n, one.columns) == (380, ("V1", "LM", "LI", "LL"))
        assert one.over == "stimuli and units"
    assert matrices_of(study.results)[0].ceiling is not None


def test_whatever_is_shown_says_that_the_rat_was_simulated(study, tmp_path):
    assert REMARK in study.results.remarks
    names = {row.hierarchy for row in study.results.rows}
    assert names == {"bundled:alexnet", "simulated rat, seed 0"}
    page = open_results(study.save(tmp_path / "again")).report(tmp_path / "report.html").read_text("utf-8")
    assert "SIMULATED, not recorded" in page


def test_areas_have_their_controls(study):
    rows = study.results.table().query("metric == 'two_nn' and stage == 'V1'")
    assert {"equal units and trials", "trial-split noise"} <= set(rows["control"])
