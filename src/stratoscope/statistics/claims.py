"""The sentences of a paper as data, and a verdict on each: supported, contradicted or undecided.

The rule, see docs/decisions/0091-what-supports-a-claim.md: a claim with a direction is *supported* where its p-value, corrected
for the number of claims judged together, is at most 1 - level, and its interval lies wholly on the claimed side of zero;
*contradicted* where the same holds on the other side; *undecided* else, also where it could not be tested. Where no interval
is known the sign of the estimate stands for it. A claim that something is absent is *supported* where the interval lies within
its margin around zero, *contradicted* where it lies outside. No star never counts as absence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from stratoscope.errors import BadInput, StratoscopeError, unknown_name
from stratoscope.statistics.claim_records import Claim, ClaimVerdict, Control, Finding
from stratoscope.statistics.claim_tests import CLAIM_TESTS
from stratoscope.statistics.comparison import Comparison, checked_level
from stratoscope.statistics.correct import CORRECTIONS, correct
from stratoscope.statistics.reading import Measured, Reading, read
from stratoscope.types import Estimate
from stratoscope.words import number_of

__all__ = [
    "CLAIM_TESTS",
    "Claim",
    "ClaimVerdict",
    "Control",
    "Finding",
    "Reading",
    "claims_table",
    "decide",
    "judge",
    "judge_all",
]

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"


def judge(claim: Claim, measured: Measured, *, level: float = 0.95, seed: int = 0) -> Finding:
    """Judge one claim by itself; claims of one study belong into `judge_all`, which corrects for their number.

    Parameters
    ----------
    claim : Claim
        The claim.
    measured : Results or pandas.DataFrame
        Results of a run, or of several put together by `Results.combine`; a table alone where no category is read.
    level : float
        Level of intervals; p-values are compared with 1 - level.
    seed : int
        Seed of every resampling.

    Returns
    -------
    Finding
    """
    return judge_all((claim,), measured, correction="none", level=level, seed=seed)[0]


def judge_all(
    claims: Sequence[Claim], measured: Measured, *, correction: str = "holm", level: float = 0.95, seed: int = 0
) -> tuple[Finding, ...]:
    """Judge the claims of a study, correcting for their number.

    Parameters
    ----------
    claims : sequence of Claim
        All claims that are judged together, also those that may fail.
    measured, level, seed
        As in `judge`.
    correction : str
        ``holm``, ``benjamini-hochberg``, ``bonferroni`` or ``none``. The claims themselves are one family, and the same
        control of all claims is another.

    Returns
    -------
    tuple of Finding
        In the order of the claims. A claim that cannot be tested on these results is undecided, and its note says why.

    When it misleads
    ----------------
    The correction knows the claims it is given, not those that were tried before.
    """
    checked_level(level)
    if correction not in CORRECTIONS:
        raise unknown_name("correction", correction, CORRECTIONS)
    ids = [claim.id for claim in claims]
    if len(set(ids)) < len(ids):
        raise BadInput(f"Every claim has an id of its own, but these came: {', '.join(ids)}.")
    tested = {(claim.id, control): found for claim in claims for control, found in _tests(claim, measured, level, seed)}
    corrected = _corrected({key: found[0].p for key, found in tested.items()}, correction)

    def verdict(claim: Claim, control: str) -> ClaimVerdict:
        comparison, note = tested[claim.id, control]
        p = corrected[claim.id, control]
        decided, why = decide(comparison, claim.direction, p, level=level, margin=claim.margin)
        said = "; ".join(
            part for part in (why, note, comparison.estimate.note) if part and (part is why or part not in why)
        )
        return ClaimVerdict(control, comparison, decided, p, said)

    return tuple(
        Finding(
            claim,
            verdict(claim, ""),
            tuple(verdict(claim, control.name) for control in claim.controls),
            len(claims),
            correction,
        )
        for claim in claims
    )


def decide(
    comparison: Comparison, direction: str, p_corrected: float, *, level: float = 0.95, margin: float = 0.0
) -> tuple[str, str]:
    """Return the verdict by the rule at the head of this file, and why where it is undecided."""
    estimate = comparison.estimate
    if not np.isfinite(estimate.value):
        return UNDECIDED, "" if estimate.note else "there is no estimate"
    known = bool(np.isfinite([estimate.low, estimate.high]).all())
    if direction == "none":
        return _decide_absence(estimate, margin) if known else (UNDECIDED, "no interval, so absence cannot be shown")
    low, high = (estimate.low, estimate.high) if known else (estimate.value, estimate.value)
    side = "above" if low > 0 else "below" if high < 0 else ""
    alpha = 1 - level
    if comparison.smallest_p > alpha + 1e-12:
        return UNDECIDED, f"too few to tell: the smallest p possible is {comparison.smallest_p:.2g}"
    if not p_corrected <= alpha + 1e-12 or not side:
        return UNDECIDED, ""
    if side == direction and comparison.blocked:
        return UNDECIDED, comparison.blocked
    return (
        SUPPORTED if side == direction else CONTRADICTED
    ), "" if known else "no interval is known: p and sign decide"


def claims_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return one row for every claim and control: numbers, n, verdict, seed and notes."""
    return pd.DataFrame([_row(finding, one) for finding in findings for one in (finding.itself, *finding.controls)])


def _row(finding: Finding, one: ClaimVerdict) -> dict[str, Any]:
    claim, estimate = finding.claim, one.estimate
    return {
        "claim": claim.id,
        "sentence": claim.sentence,
        "control": one.control,
        "verdict": one.verdict,
        "value": float(estimate.value),
        "low": float(estimate.low),
        "high": float(estimate.high),
        "p": one.p,
        "p_corrected": one.p_corrected,
        "n": one.n,
        "counted": ", ".join(number_of(name, count) for name, count in one.comparison.counted.items()),
        "expected": claim.direction,
        "test": claim.test,
        "method": estimate.method,
        "null": one.comparison.null,
        "level": estimate.level,
        "seed": estimate.seed,
        "paper": claim.paper,
        "note": one.note,
    }


def _tests(claim: Claim, measured: Measured, level: float, seed: int) -> list[tuple[str, tuple[Comparison, str]]]:
    conditions: list[tuple[str, Claim]] = [("", claim)]
    conditions += [(control.name, _under(claim, control)) for control in claim.controls]
    return [(name, _test(changed, measured, level, seed)) for name, changed in conditions]


def _under(claim: Claim, control: Control) -> Claim:
    reads = claim.reads if control.of == "compared" else replace(claim.reads, **control.changes)
    compared = claim.compared
    if compared is not None and control.of != "reads":
        compared = replace(compared, **control.changes)
    covariates = (*claim.covariates, *control.covariates)
    test = control.test or claim.test
    options = claim.options if test == claim.test else {}
    return replace(
        claim, reads=reads, compared=compared, covariates=covariates, test=test, options=options, controls=()
    )


def _test(claim: Claim, measured: Measured, level: float, seed: int) -> tuple[Comparison, str]:
    """Read and test; a claim that these results cannot answer is one without an estimate, with the reason as note."""
    try:
        readings = (claim.reads,) if claim.compared is None else (claim.reads, claim.compared)
        found = [read(reading, measured) for reading in (*readings, *claim.covariates)]
        options: dict[str, Any] = {**claim.options, "level": level, "seed": seed}
        values = [one for one, _ in found]
        if claim.covariates:
            options["covariates"] = tuple(values[len(readings) :])
        comparison = CLAIM_TESTS[claim.test].function(*values[: len(readings)], **options)
    except StratoscopeError as error:
        nothing = Estimate(np.nan, np.nan, np.nan, 0, level, seed=seed, note=str(error))
        return Comparison(nothing, float("nan"), "not tested"), ""
    return comparison, "; ".join(dict.fromkeys(note for _, notes in found for note in notes))


def _corrected(p: Mapping[tuple[str, str], float], correction: str) -> dict[tuple[str, str], float]:
    """Correct within each control; tests that could not be made do not count."""
    found: dict[tuple[str, str], float] = {}
    for control in dict.fromkeys(control for _, control in p):
        keys = [key for key in p if key[1] == control]
        found |= zip(keys, map(float, correct(np.array([p[key] for key in keys]), correction)), strict=True)
    return found


def _decide_absence(estimate: Estimate, margin: float) -> tuple[str, str]:
    if -margin <= estimate.low and estimate.high <= margin:
        return SUPPORTED, f"within the margin of {margin:g}"
    if estimate.low > margin or estimate.high < -margin:
        return CONTRADICTED, f"outside the margin of {margin:g}"
    return UNDECIDED, f"the interval crosses the margin of {margin:g}"
