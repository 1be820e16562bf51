"""The sentences of the paper as data, for the stages and lesions of one study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stratoscope.statistics.claim_tests import CLAIM_TESTS, ClaimTest
from stratoscope.statistics.claims import Claim, Control, Finding, Reading
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.stage_values import StageValues
from stratoscope.statistics.tau import replicate_taus
from stratoscope.studies.liu2020.protocol import INDICES, PAPER, PSI
from stratoscope.types import Stage


def abolished_rise(reads: StageValues, compared: StageValues, **options: Any) -> Comparison:
    """Test whether a rise is gone, see `abolished_trend`; where nothing rises there is nothing to lose, and no estimate."""
    found = CLAIM_TESTS["abolished_trend"].function(reads, compared, **options)
    taus = replicate_taus(reads) if reads.paired else np.array([np.nan])
    rise = float(np.nanmean(taus)) if np.isfinite(taus).any() else 0.0
    if rise > 0:
        return found
    note = f"there is no rise to lose: {found.estimate.note}"
    nothing = replace(found.estimate, value=np.nan, low=np.nan, high=np.nan, note=note)
    return replace(found, estimate=nothing, p=float("nan"), null="not tested")


CLAIM_TESTS.add("abolished_rise", ClaimTest(abolished_rise, "tau-b lost", compares=True))

_SIZE = Control("size-matched units", {"control": "size-matched"})
_ALIVE = Control("without constant units", {"control": "without-constant-units"})


@dataclass(frozen=True)
class Layout:
    """What the claims are about.

    Attributes
    ----------
    stages : tuple of Stage
        The stages, in order.
    lesions : tuple of str
        Names of the lesions that were made.
    base : str
        Lesion of the source the study began with, empty for intact.
    readout_stage : str
        Name of the read-out stage, empty for none.
    readout_hierarchy : str
        Hierarchy that holds the read-out and the sparseness it is correlated with.
    """

    stages: tuple[Stage, ...]
    lesions: tuple[str, ...] = ()
    base: str = ""
    readout_stage: str = ""
    readout_hierarchy: str = ""

    @property
    def panels(self) -> dict[str, tuple[Stage, ...]]:
        """Stages with maps (``conv``) and without (``fc``), where the hierarchy has both; else all under ``all``."""
        maps = tuple(stage for stage in self.stages if len(stage.shape) > 1)
        flat = tuple(stage for stage in self.stages if len(stage.shape) <= 1)
        return {"conv": maps, "fc": flat} if maps and flat else {"all": self.stages}


def sparse_coding_claims(layout: Layout, n_resamples: int = 1000) -> tuple[Claim, ...]:
    """Return the claims of Liu, Zhen & Liu 2020 that these stages, lesions and read-out can answer.

    Parameters
    ----------
    layout : Layout
        What they are about.
    n_resamples : int
        Resamples of categories for the intervals.
    """
    hierarchy = layout.stages[0].hierarchy
    psi = Reading(PSI, lesion=layout.base, hierarchy=hierarchy)
    claims = [_rise("sparseness-rises", "Sparseness rises along the stages", psi)]
    for name, stages in layout.panels.items():
        if name != "all" and len(stages) > 1:
            words = {"conv": "convolutional", "fc": "fully connected"}[name]
            reading = replace(psi, stages=tuple(stage.name for stage in stages))
            claims.append(_rise(f"sparseness-rises-{name}", f"Sparseness rises along the {words} stages", reading))
    found = (*claims, *_performance(layout), *_lesions(layout, psi))
    return tuple(replace(claim, options={"n_resamples": n_resamples}) for claim in found)


def _rise(name: str, sentence: str, psi: Reading) -> Claim:
    others = (Control(f"by {index.replace('_', ' ')}", {"metric": index}) for index in INDICES)
    controls = (
        _SIZE,
        _ALIVE,
        Control("above the structureless baseline", {"control": "above-structureless"}),
        Control("on medians of stages", test="kendall_medians"),
        Control("stages permuted", test="permute_stages"),
        *others,
    )
    return Claim(name, sentence, PAPER, psi, "kendall_points", controls=controls)


def _performance(layout: Layout) -> tuple[Claim, ...]:
    if not layout.readout_stage:
        return ()
    psi = Reading(PSI, lesion=layout.base, hierarchy=layout.readout_hierarchy)
    last = replace(psi, stages=layout.stages[-1].name)
    accuracy = replace(psi, metric="readout_accuracy", stages=layout.readout_stage)
    mean = Control("mean activation held constant", covariates=(replace(last, metric="mean_activation"),))
    reads = Control("without constant units", _ALIVE.changes, of="reads")
    correlated = Claim(
        "sparse-is-read-out-better", "Categories that are coded more sparsely at the last stage are read out better", PAPER,
        last, "correlation", compared=accuracy, controls=(mean, reads),
    )  # fmt: skip
    if len(layout.stages) < 2:
        return (correlated,)
    sizes = Control("size-matched units", _SIZE.changes, of="reads")
    rising = Claim(
        "correlation-rises", "Sparseness goes with read-out more and more along the stages", PAPER,
        psi, "correlation_trend", compared=accuracy, controls=(sizes, reads),
    )  # fmt: skip
    return correlated, rising


def _lesions(layout: Layout, psi: Reading) -> tuple[Claim, ...]:
    def lost(name: str, sentence: str, lesion: str, others: dict[str, str]) -> Claim:
        compared = replace(psi, lesion=_after(layout.base, lesion))
        instead = (
            Control(words, {"lesion": _after(layout.base, other)}, of="compared")
            for other, words in others.items()
            if other in layout.lesions
        )
        return Claim(
            name, sentence, PAPER, psi, "abolished_rise", compared=compared, controls=(_SIZE, _ALIVE, *instead)
        )

    claims = []
    if "permute_weights" in layout.lesions:
        others = {
            "reinitialize": "against fresh initialisation",
            "permute_weights[channels]": "against permuted channels",
            "permute_weights[kernels]": "against permuted kernels",
        }
        sentence = "The rise needs learning: with permuted weights it is gone"
        claims.append(lost("rise-needs-learning", sentence, "permute_weights", others))
    if "remove_gating" in layout.lesions:
        sentence = "The rise needs gating: without non-linearities it is gone"
        claims.append(lost("rise-needs-gating", sentence, "remove_gating", {}))
    return tuple(claims)


def _after(base: str, lesion: str) -> str:
    """Name of a lesion that came after the one the source had already, with any seed."""
    return f"{base}* + {lesion}" if base else lesion


def survival(findings: Sequence[Finding]) -> str:
    """Say in one sentence whether the rise along the stages survives size matching and the exclusion of dead units."""
    rise = findings[0]
    by_name = {one.control: one for one in rise.controls}
    parts = [
        f"{words} ({by_name[control.name].verdict}; tau-b {by_name[control.name].numbers})"
        for control, words in ((_SIZE, "size matching"), (_ALIVE, "the exclusion of dead and constant units"))
    ]
    kept = [by_name[control.name].verdict == rise.verdict for control in (_SIZE, _ALIVE)]
    told = f"tau-b {rise.itself.numbers}"
    if rise.verdict != "supported":
        return f"The rise of sparseness along the stages is {rise.verdict} to begin with ({told}); after {' and after '.join(parts)}."
    words = {2: "survives both", 1: "does not survive both of", 0: "survives neither of"}[sum(kept)]
    return f"The rise of sparseness along the stages ({told}) {words} {' and '.join(parts)}."
