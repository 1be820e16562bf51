from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.statistics.claim_records import ClaimVerdict, Finding
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.stage_values import StageValues
from stratoscope.statistics.trend import kendall_points
from stratoscope.studies.liu2020.claims import Layout, abolished_rise, sparse_coding_claims, survival
from stratoscope.types import Estimate, Stage

CONV = tuple(Stage(f"conv{i}", i / 5, "relu", (8, 4, 4), "channel", 8, hierarchy="net") for i in range(3))
FC = tuple(Stage(f"fc{i}", 0.6 + i / 5, "relu", (16,), "channel", 16, hierarchy="net") for i in range(2))


def found(verdicts):
    claim = sparse_coding_claims(Layout(CONV))[0]

    def verdict(control, said):
        comparison = Comparison(Estimate(0.4, 0.3, 0.5, 20), 0.001, "null", counted={"stage": 3, "category": 20})
        return ClaimVerdict(control, comparison, said, 0.002)

    itself, size, alive = verdicts
    controls = (verdict("size-matched units", size), verdict("without constant units", alive))
    return (Finding(claim, verdict("", itself), controls),)


def test_conv_and_fc_are_claims_of_their_own_where_both_are_there():
    ids = [claim.id for claim in sparse_coding_claims(Layout(CONV + FC))]
    assert ids == ["sparseness-rises", "sparseness-rises-conv", "sparseness-rises-fc"]
    assert [claim.id for claim in sparse_coding_claims(Layout(CONV))] == ["sparseness-rises"]
    assert [claim.id for claim in sparse_coding_claims(Layout(CONV + FC[:1]))][1:] == ["sparseness-rises-conv"]


def test_panels_hold_the_stages_with_and_without_maps():
    assert {name: len(group) for name, group in Layout(CONV + FC).panels.items()} == {"conv": 3, "fc": 2}
    assert list(Layout(CONV).panels) == ["all"]


def test_claims_of_lesions_are_there_for_the_lesions_that_were_made():
    layout = Layout(CONV, ("permute_weights", "reinitialize"))
    claims = {claim.id: claim for claim in sparse_coding_claims(layout)}
    assert "rise-needs-gating" not in claims
    assert [control.name for control in claims["rise-needs-learning"].controls] == [
        "size-matched units", "without constant units", "against fresh initialisation"
    ]  # fmt: skip


def test_a_source_that_is_lesioned_already_is_the_baseline():
    layout = Layout(CONV, ("remove_gating",), base="checkpoint at step 0")
    claim = next(claim for claim in sparse_coding_claims(layout) if claim.id == "rise-needs-gating")
    assert claim.reads.lesion == "checkpoint at step 0"
    assert claim.compared.lesion == "checkpoint at step 0* + remove_gating"


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (("supported", "supported", "supported"), "survives both size matching (supported"),
        (("supported", "undecided", "supported"), "does not survive both of size matching (undecided"),
        (("supported", "contradicted", "undecided"), "survives neither of size matching (contradicted"),
        (("contradicted", "supported", "undecided"), "is contradicted to begin with"),
    ],
)
def test_one_sentence_says_what_survives_and_never_without_n(verdicts, words):
    sentence = survival(found(verdicts))
    assert words in sentence
    assert sentence.count("n = 3 stages and 20 categories") == 3
    assert sentence.endswith(".")


def test_the_index_of_the_stage_cannot_lie_along_the_wrong_axis():
    """With 7 stages and 10 models, a profile that rises in every model has tau-b 1, not 0.950."""
    rising = np.arange(7.0)[:, None] + np.zeros(10)
    named = {f"stage {i}": row for i, row in enumerate(rising)}
    assert kendall_points(named, n_resamples=2).estimate.value == pytest.approx(1.0)
    for plain in (rising, rising.T):
        with pytest.raises(BadInput, match="which axis the stages are"):
            kendall_points(plain)


def test_where_nothing_rises_there_is_nothing_to_lose(rng):
    names = tuple("abcdef")
    noise = 0.1 * rng.normal(size=(5, 6))
    falling = StageValues(-np.arange(5.0)[:, None] + noise, tuple("12345"), "category", replicates=names)
    rising = replace(falling, values=-falling.values)
    flat = replace(falling, values=noise)
    how = {"level": 0.95, "seed": 0}
    lost = abolished_rise(falling, flat, **how)
    assert np.isnan(lost.estimate.value)
    assert lost.estimate.note.startswith("there is no rise to lose: tau -")
    assert abolished_rise(rising, flat, **how).estimate.value > 0.5


def test_the_options_of_claims_carry_the_number_of_resamples():
    claims = sparse_coding_claims(Layout(CONV, readout_stage="conv2", readout_hierarchy="net"), 50)
    assert {claim.options["n_resamples"] for claim in claims} == {50}
