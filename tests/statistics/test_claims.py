"""Claims: the rule of the verdict, what is told, controls, and how often nothing is called something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.results import Results, Row, StageResult, Values
from stratoscope.statistics.claims import Claim, Control, Reading, claims_table, decide, judge, judge_all
from stratoscope.statistics.comparison import Comparison
from stratoscope.testing.results import toy_results
from stratoscope.types import Estimate, Stage

PAPER = "An invented paper (2026)."
PSI = Reading("psi")
RISES = Claim("rises", "Sparseness rises along the stages", PAPER, PSI, "within_replicates")


def run(table, lesion="", seed=0, accuracy=None):
    """Results with one array (category,) a stage from a table (stage, category)."""
    stages = []
    for index, row in enumerate(np.asarray(table, dtype=float)):
        units = 16 * (index + 1)
        stage = Stage(f"relu{index}", index / 10, "relu", (units,), "channel", units, hierarchy="toy")
        about = {"n": len(row), "item": "median over categories", "lesion": lesion, "seed": seed}
        rows = [Row.of(stage, "psi", float(np.median(row)), **about)]
        rows.append(Row.of(stage, "psi", 0.5, 0.4, 0.6, **about, control="size-matched to 16 units"))
        arrays = {"psi": Values(row, ("category",))}
        if accuracy is not None:
            arrays["accuracy"] = Values(accuracy, ("category",))
        stages.append(StageResult(stage, arrays, tuple(rows)))
    names = np.array([f"category {i}" for i in range(np.shape(table)[1])])
    return Results.build({"seed": seed}, stages, {"category": names})


def rising(rng, slope=1.0, n=12, stages=6, **about):
    return run(slope * np.arange(stages)[:, None] + rng.normal(size=(stages, n)), **about)


@pytest.mark.parametrize(
    ("numbers", "p", "direction", "verdict"),
    [
        ((1.0, 0.5, 1.5), 0.01, "above", "supported"),
        ((1.0, 0.5, 1.5), 0.01, "below", "contradicted"),
        ((-1.0, -1.5, -0.5), 0.01, "below", "supported"),
        ((-1.0, -1.5, -0.5), 0.01, "above", "contradicted"),
        ((1.0, 0.5, 1.5), 0.06, "above", "undecided"),
        ((1.0, -0.1, 2.0), 0.01, "above", "undecided"),
        ((1.0, 0.5, 1.5), np.nan, "above", "undecided"),
        ((np.nan, np.nan, np.nan), 0.01, "above", "undecided"),
        ((1.0, np.nan, np.nan), 0.01, "above", "supported"),
        ((0.0, 0.0, 0.0), 1.0, "above", "undecided"),
        ((0.1, -0.1, 0.2), 0.3, "none", "supported"),
        ((1.0, 0.5, 1.5), 0.01, "none", "contradicted"),
        ((0.1, -0.4, 0.5), 0.9, "none", "undecided"),
        ((0.1, np.nan, np.nan), 0.9, "none", "undecided"),
    ],
)
def test_the_rule_of_the_verdict(numbers, p, direction, verdict):
    comparison = Comparison(Estimate(*numbers, 10), p, "made up")
    assert decide(comparison, direction, p, margin=0.25)[0] == verdict


def test_too_few_to_tell_and_a_blocked_test_are_undecided_with_the_reason():
    estimate = Estimate(1.0, 0.5, 1.5, 4)
    few = Comparison(estimate, 0.01, "exact", smallest_p=0.083)
    assert decide(few, "above", 0.01) == ("undecided", "too few to tell: the smallest p possible is 0.083")
    blocked = Comparison(estimate, 0.01, "exact", blocked="it is still there")
    assert decide(blocked, "above", 0.01) == ("undecided", "it is still there")
    assert decide(blocked, "below", 0.01)[0] == "contradicted"


def test_a_rise_is_supported_a_fall_contradicts_it_and_noise_leaves_it_open(rng):
    assert judge(RISES, rising(rng)).verdict == "supported"
    assert judge(RISES, rising(rng, slope=-1)).verdict == "contradicted"
    assert judge(RISES, rising(rng, slope=0)).verdict == "undecided"


@pytest.mark.parametrize("test", ["kendall_points", "within_replicates", "permute_stages", "last_against_first"])
def test_nothing_is_called_something_in_five_percent_at_most(test, rng):
    options = {} if test == "last_against_first" else {"n_resamples": 40}
    claim = replace(RISES, test=test, options=options)
    verdicts = [judge(claim, rising(rng, slope=0, stages=5, n=9), seed=seed).verdict for seed in range(60)]
    assert np.mean([verdict != "undecided" for verdict in verdicts]) <= 0.13


def test_a_finding_never_hides_its_n():
    found = judge(RISES, run(np.arange(5.0)[:, None] + np.linspace(0, 3, 10)))
    assert found.sentence() == (
        "Sparseness rises along the stages: supported (mean tau-b along stages within each replicate: "
        "1 [1, 1], p = 0.002, n = 5 stages and 10 categories)."
    )
    assert (found.itself.n, found.itself.estimate.seed, found.survives) == (10, 0, None)
    nothing = judge(replace(RISES, reads=Reading("psi", lesion="x")), run(np.ones((3, 4))))
    assert "not tested, n = 0" in nothing.sentence()
    assert "There are no values by category for 'psi' (lesion 'x'" in nothing.sentence()


def test_controls_are_judged_beside_the_claim_and_told(rng):
    claim = replace(
        RISES,
        controls=(
            Control("size-matched units", {"control": "size-matched*"}, test="kendall_medians"),
            Control("last stages alone", {"stages": ("relu3", "relu4", "relu5")}),
        ),
    )
    found = judge(claim, rising(rng))
    sizes, late = found.controls
    assert (found.verdict, sizes.verdict, late.verdict) == ("supported", "undecided", "supported")
    assert found.survives is False
    assert late.comparison.counted == {"stage": 3, "category": 12}
    assert "size-matched*: one number a stage, from the table" in sizes.note
    assert "Under controls: size-matched units: undecided (" in found.sentence()
    assert found.sentence().count("n = ") == 3


def test_a_lesion_that_takes_the_rise_supports_that_it_abolishes_it(rng):
    claim = Claim(
        "gating", "Removing the gating abolishes the rise", PAPER, PSI, "abolished_trend",
        compared=replace(PSI, lesion="remove_gating"),
    )  # fmt: skip
    intact = rising(rng)
    assert judge(claim, Results.combine([intact, rising(rng, -0.1, lesion="remove_gating")])).verdict == "supported"
    weaker = judge(claim, Results.combine([rising(rng, 4), rising(rng, 0.7, lesion="remove_gating")]))
    assert weaker.verdict == "undecided"
    assert weaker.sentence().count("the trend is weaker and still there") == 1
    kept = judge(claim, Results.combine([intact, rising(rng, 1, lesion="remove_gating")]))
    assert kept.verdict == "undecided"


def test_trained_against_ten_untrained_counts_ten(rng):
    runs = [rising(rng, 0, lesion="reinitialize", seed=seed) for seed in range(1, 11)]
    claim = Claim(
        "learning", "Training raises sparseness", PAPER, Reading("psi", over="seed"), "level_difference",
        compared=Reading("psi", over="seed", lesion="reinitialize"),
    )  # fmt: skip
    found = judge(claim, Results.combine([rising(rng, 1), *runs]))
    assert (found.verdict, found.itself.n) == ("supported", 10)
    five = judge(claim, Results.combine([rising(rng, 1), *runs[:5]]))
    assert five.verdict == "undecided"
    assert five.itself.note == "too few to tell: the smallest p possible is 0.062"


def test_a_correlation_by_category_its_trend_its_difference_and_its_covariate(rng):
    accuracy = rng.normal(size=60)
    table = np.array([w * accuracy + rng.normal(size=60) for w in (-1.5, -0.5, 0.0, 0.6, 1.5, 4.0)])
    results = run(table, accuracy=accuracy)
    scored = Reading("accuracy", stages="relu5")
    claims = [
        Claim("goes-with", "Sparse goes with accurate", PAPER, replace(PSI, stages="relu5"), "correlation",
              compared=scored, controls=(Control("given the stage before", covariates=(replace(PSI, stages="relu4"),)),)),
        Claim("more-so", "More so along the stages", PAPER, PSI, "correlation_trend", compared=scored),
        Claim("last-more", "More at the last than at the first", PAPER, PSI, "correlation_difference", compared=scored),
    ]  # fmt: skip
    found = judge_all(claims, results)
    assert [one.verdict for one in found] == ["supported"] * 3
    partial = found[0].controls[0]
    assert partial.estimate.method.startswith("partial pearson correlation given 1 covariate")
    assert partial.estimate.value < found[0].itself.estimate.value


def test_dimension_that_rises_and_falls_is_judged_by_the_intervals_of_the_stages():
    claim = Claim("hump", "Dimension rises, then falls", PAPER, Reading("two_nn", over="stage"), "rise_then_fall")
    found = judge(claim, toy_results())
    assert (found.verdict, found.itself.comparison.counted) == ("supported", {"stage": 7})
    assert "fc8: no value (120 stimuli have 4 distinct responses" in found.itself.note
    assert judge(claim, toy_results().table()).itself.estimate == found.itself.estimate
    both = Results.combine([toy_results(), toy_results(lesion="x", seed=1)])
    compared = replace(claim, test="level_difference", compared=Reading("two_nn", over="stage", lesion="x"))
    assert judge(compared, both).verdict == "supported"
    assert "only one side has: fc8" in judge(compared, both).itself.note


def test_claims_judged_together_are_corrected_together(rng):
    weak = run(np.vstack([np.zeros(6), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]))
    claim = replace(RISES, test="last_against_first")  # p = 2/64 by six equal signs
    alone = judge(claim, weak)
    assert (alone.verdict, alone.itself.p) == ("supported", pytest.approx(0.03125))
    twice = judge_all([claim, replace(claim, id="again")], weak)
    assert [one.verdict for one in twice] == ["undecided"] * 2
    assert twice[0].itself.p_corrected == pytest.approx(0.0625)
    assert "corrected for 2 claims (holm)" in twice[0].sentence()
    assert judge_all([claim, replace(claim, id="again")], weak, correction="none")[0].verdict == "supported"


def test_the_table_has_a_row_for_every_claim_and_control(rng):
    claim = replace(RISES, controls=(Control("late", {"stages": ("relu4", "relu5")}),))
    table = claims_table(judge_all([claim, replace(RISES, id="other")], rising(rng)))
    assert table["claim"].tolist() == ["rises", "rises", "other"]
    assert table["control"].tolist() == ["", "late", ""]
    assert table["counted"].tolist()[0] == "6 stages, 12 categories"
    assert set(table.columns) >= {"value", "low", "high", "p", "p_corrected", "n", "verdict", "seed", "note", "paper"}
    assert (table["n"] > 0).all()


def test_the_same_seed_gives_the_same_findings(rng):
    results = rising(rng, 0.3)
    one, again = (claims_table([judge(RISES, results, seed=5)]) for _ in range(2))
    assert one.equals(again)


def test_claims_that_make_no_sense_are_refused_when_they_are_written():
    with pytest.raises(
        UnknownName, match=r"No test of a claim is called 'kendall_point'\. Did you mean 'kendall_points'"
    ):
        replace(RISES, test="kendall_point")
    with pytest.raises(UnknownName, match=r"No direction of a claim is called 'up'\. Known: 'above', 'below', 'none'"):
        replace(RISES, direction="up")
    with pytest.raises(BadInput, match="Claim 'rises' gives one reading, but its test 'level_difference' takes two"):
        replace(RISES, test="level_difference")
    with pytest.raises(BadInput, match="gives two readings, but its test 'within_replicates' takes one"):
        replace(RISES, compared=PSI)
    with pytest.raises(BadInput, match=r"the direction 'none' and the margin 0\.0\. Absence needs a margin"):
        replace(RISES, direction="none")
    with pytest.raises(BadInput, match="need names of their own"):
        replace(RISES, controls=(Control("a"), Control("a")))
    with pytest.raises(UnknownName, match=r"No field of a reading is called 'stage'\. Did you mean 'stages'"):
        Control("late", {"stage": "relu4"})
    with pytest.raises(UnknownName, match="No reading of a control is called 'all'"):
        Control("late", of="all")


def test_families_that_make_no_sense_are_refused(rng):
    with pytest.raises(BadInput, match="Every claim has an id of its own, but these came: rises, rises"):
        judge_all([RISES, RISES], rising(rng))
    with pytest.raises(UnknownName, match="No correction is called 'bonf'"):
        judge_all([RISES], rising(rng), correction="bonf")
    with pytest.raises(BadInput, match="level of an interval lies between 0 and 1"):
        judge(RISES, rising(rng), level=5)
