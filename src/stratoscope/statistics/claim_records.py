"""The records of claims: what a paper says, what was found, by itself and under each control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, unknown_name
from stratoscope.statistics.claim_tests import CLAIM_TESTS
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.reading import Reading
from stratoscope.types import Estimate
from stratoscope.words import number_of

DIRECTIONS = ("above", "below", "none")


@dataclass(frozen=True)
class Control:
    """A condition under which a claim is judged again.

    Attributes
    ----------
    name : str
        In words, as it follows "with" or "after": ``size-matched units``.
    changes : mapping of str to str
        Fields of `Reading` to read otherwise: ``{"control": "size-matched*"}``, ``{"lesion": "reinitialize"}``.
    of : str
        Which reading changes: ``reads``, ``compared`` or ``both``.
    covariates : tuple of Reading
        Held constant in addition, for correlations.
    test : str
        Another test, where the claim's own does not fit the control; empty for the same.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    of: str = "both"
    covariates: tuple[Reading, ...] = ()
    test: str = ""

    def __post_init__(self) -> None:
        if self.of not in ("reads", "compared", "both"):
            raise unknown_name("reading of a control", self.of, ("reads", "compared", "both"))
        for name in self.changes:
            if name not in Reading.__dataclass_fields__:
                raise unknown_name("field of a reading", name, Reading.__dataclass_fields__)


@dataclass(frozen=True)
class Claim:
    """One testable sentence of a paper.

    Attributes
    ----------
    id : str
        Short name, unique in a study: ``sparseness-rises``.
    sentence : str
        The claim in our words, without a full stop: ``Sparseness rises along the stages``.
    paper : str
        Source, with DOI.
    reads : Reading
        What it looks at.
    test : str
        Name in `CLAIM_TESTS`, such as ``kendall_points`` or ``abolished_trend``.
    direction : str
        Where the estimate is claimed to be: ``above`` zero, ``below`` it, or ``none`` (absent, within `margin`).
    compared : Reading, optional
        What it is compared or correlated with: differences are reads - compared.
    covariates : tuple of Reading
        Held constant, for ``correlation``.
    controls : tuple of Control
        Conditions under which it is judged again.
    margin : float
        For ``direction="none"``: the largest size, in the units of the estimate, that still counts as absent.
    options : mapping
        Options of the test, such as ``{"kind": "spearman"}``.
    """

    id: str
    sentence: str
    paper: str
    reads: Reading
    test: str
    direction: str = "above"
    compared: Reading | None = None
    covariates: tuple[Reading, ...] = ()
    controls: tuple[Control, ...] = ()
    margin: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise unknown_name("direction of a claim", self.direction, DIRECTIONS)
        for name in filter(None, (self.test, *(control.test for control in self.controls))):
            if CLAIM_TESTS[name].compares != (self.compared is not None):
                given, needed = ("two readings", "one") if self.compared else ("one reading", "two")
                raise BadInput(f"Claim {self.id!r} gives {given}, but its test {name!r} takes {needed}.")
        if (self.direction == "none") != (self.margin > 0):
            raise BadInput(
                f"Claim {self.id!r} has the direction {self.direction!r} and the margin {self.margin!r}. Absence needs a "
                "margin above zero, and only absence has one."
            )
        names = [control.name for control in self.controls]
        if len(set(names)) < len(names) or "" in names:
            raise BadInput(f"The controls of claim {self.id!r} need names of their own, but these came: {names}.")


@dataclass(frozen=True)
class ClaimVerdict:
    """What one test of a claim came to, by itself or under one control.

    Attributes
    ----------
    control : str
        Name of the control, empty for the claim itself.
    comparison : Comparison
        Estimate, p, what was counted, and how p was made.
    verdict : str
        ``supported``, ``contradicted`` or ``undecided``.
    p_corrected : float
        P-value corrected for the claims judged together under this control.
    note : str
        What a reader must know, first of all why it is undecided.
    """

    control: str
    comparison: Comparison
    verdict: str
    p_corrected: float
    note: str = ""

    @property
    def estimate(self) -> Estimate:
        """The quantity tested, with its interval."""
        return self.comparison.estimate

    @property
    def p(self) -> float:
        """P-value before correction."""
        return self.comparison.p

    @property
    def n(self) -> int:
        """What the estimate stands on."""
        return self.comparison.n

    @property
    def numbers(self) -> str:
        """``0.40 [0.33, 0.46], p = 0.002, n = 7 stages and 20 categories``; the n is always there."""
        estimate = self.estimate
        if not np.isfinite(estimate.value):
            return f"not tested, n = {estimate.n}"
        known = np.isfinite([estimate.low, estimate.high]).all()
        ends = f" [{estimate.low:.3g}, {estimate.high:.3g}]" if known else " (no interval)"
        counted = " and ".join(number_of(name, count) for name, count in self.comparison.counted.items())
        return f"{estimate.value:.3g}{ends}, {_p_said(self.p_corrected)}, n = {counted or estimate.n}"


@dataclass(frozen=True)
class Finding:
    """What came of a claim, by itself and under each of its controls.

    Attributes
    ----------
    claim : Claim
        The claim.
    itself : ClaimVerdict
        The test as the paper has it.
    controls : tuple of ClaimVerdict
        The same under each control.
    family : int
        Number of claims that were judged together.
    correction : str
        How p-values were corrected for that number.
    """

    claim: Claim
    itself: ClaimVerdict
    controls: tuple[ClaimVerdict, ...] = ()
    family: int = 1
    correction: str = "none"

    @property
    def verdict(self) -> str:
        """Verdict of the claim itself."""
        return self.itself.verdict

    @property
    def survives(self) -> bool | None:
        """Whether the verdict is the same under every control; None without controls."""
        return all(one.verdict == self.verdict for one in self.controls) if self.controls else None

    def sentence(self) -> str:
        """Say the claim, its verdict and its numbers, and those under the controls; never without n."""
        shared = f", corrected for {self.family} claims ({self.correction})" if self.family > 1 else ""
        quantity = CLAIM_TESTS[self.claim.test].quantity
        told = (
            f"{self.claim.sentence}: {self.verdict} ({quantity}: {self.itself.numbers}{shared}{_noted(self.itself)})."
        )
        after = "; ".join(f"{one.control}: {one.verdict} ({one.numbers}{_noted(one)})" for one in self.controls)
        return f"{told} Under controls: {after}." if after else told


def _p_said(p: float) -> str:
    return "no p" if np.isnan(p) else "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _noted(one: ClaimVerdict) -> str:
    return f"; {one.note}" if one.note else ""
