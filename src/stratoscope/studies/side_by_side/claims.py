"""What both studies claim of every hierarchy that is compared, network or cortex: judged here, or by a study before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stratoscope.results import Results
from stratoscope.results.tree import run_nodes, stage_of
from stratoscope.statistics.claims import Claim, Control, Finding, Reading, judge_all
from stratoscope.types import Stage

LIU = "Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158"
MURATORE = "after Muratore et al. 2022, arXiv:2205.13816"

_MEDIANS = Control("on medians of stages", test="kendall_medians")
_PERMUTED = Control("stages permuted", test="permute_stages")
_SIZE = Control("size-matched units", {"control": "size-matched*"}, test="kendall_medians")
_SCALE = Control("at a coarser scale (Gride, n1 = 16)", {"metric": "gride", "item": "n1=16"})
_LINEAR = Control("by the participation ratio", {"metric": "participation_ratio"})
_EQUAL = Control("equal units and trials", {"control": "equal units and trials"})
_CONTROLLED = Control("controlled for units, trials and noise", {"metric": "controlled_dimension"})


@dataclass(frozen=True)
class Kind:
    """One claim as it is made of any hierarchy.

    Attributes
    ----------
    id, sentence, paper, test, direction, over
        As in `Claim` and `Reading`.
    metrics : tuple of str
        Any of these answers it.
    ask : str
        What to profile with for it.
    controls : tuple of (Control, (metric, control))
        Controls, each with the metric and control that the table must hold for it; empty for nothing.
    told : mapping of str to tuple of str
        Claims of whole studies that are the same, by name of the study.
    """

    id: str
    sentence: str
    paper: str
    metrics: tuple[str, ...]
    ask: str
    test: str
    direction: str
    over: str
    controls: tuple[tuple[Control, tuple[str, str]], ...]
    told: Mapping[str, tuple[str, ...]]


KINDS = (
    Kind(
        "sparseness-rises", "sparseness rises along the stages", LIU, ("population_sparseness",), "population_sparseness",
        "kendall_points", "above", "category",
        ((_SIZE, ("population_sparseness", "size-matched")), (_MEDIANS, ("", "")), (_PERMUTED, ("", ""))),
        {"sparse-coding": ("sparseness-rises",)},
    ),
    Kind(
        "dimension-rises-then-falls", "dimension rises, then falls along the stages", MURATORE, ("two_nn",), "two_nn",
        "rise_then_fall", "above", "stage",
        ((_EQUAL, ("two_nn", "equal units and trials")), (_CONTROLLED, ("controlled_dimension", "")),
         (_SCALE, ("gride", "")), (_LINEAR, ("participation_ratio", ""))),
        {"prune-and-distill": ("dimension-rises-and-falls",)},
    ),
    Kind(
        "luminance-information-falls", "units tell less about luminance along the stages", MURATORE,
        ("luminance_information", "unit_information.luminance"), "\"unit_information:values='luminance'\"",
        "kendall_points", "below", "unit", ((_MEDIANS, ("", "")), (_PERMUTED, ("", ""))),
        {"unit-information": ("luminance-information-falls",)},
    ),
    Kind(
        "read-out-rises", "categories are read out better and better along the stages", MURATORE,
        ("cross_validated_readout",), "cross_validated_readout", "permute_stages", "above", "stage", (),
        {"prune-and-distill": ("objects-generalise-along-stages",)},
    ),
)  # fmt: skip


def told_already(results: Results, name: str) -> list[dict[str, Any]]:
    """Return the rows of the claims table of a study, each sentence led by the hierarchy it is about."""
    said: Mapping[str, Any] = results.run.get("study", {})
    compared = said.get("name") == "compare"  # whose sentences name their hierarchy already
    lead = "" if compared else f"{name}: "
    return [{**row, "sentence": f"{lead}{row['sentence']}"} for row in said.get("claims", ())]


def plain_claims(results: Results) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """Return the claims of both studies that a run's tables can answer, for each intact hierarchy, and what is missing.

    Claims that the run was judged on as a study, or in a comparison, are left to it.
    """
    claims: dict[str, Claim] = {}
    missing: list[str] = []
    there = {(row.hierarchy, row.metric, row.control.split(" to ")[0]) for row in results.rows if not row.lesion}
    for name, stages in _hierarchies(results).items():
        kinds = [kind for kind in KINDS if not _told(results, kind, name)]
        for kind in kinds:
            metric = next((one for one in kind.metrics if any(one in arrays for _, arrays in stages)), "")
            having = [stage for stage, arrays in stages if metric in arrays]
            if having:
                claim = _claim(kind, metric, having, there)
                claims.setdefault(claim.id, claim)
        answered = {id_.removesuffix(f"-{name}") for id_ in claims}
        missing += [f"{name}: {kind.sentence} (needs {kind.ask})" for kind in kinds if kind.id not in answered]
    return tuple(claims.values()), tuple(missing)


def judge_plain(
    parts: Sequence[Results], *, correction: str, level: float, seed: int
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Judge the claims of both studies on all runs as one family, and say in a remark what could not be judged."""
    joined = Results.combine(parts)
    found = [plain_claims(part) for part in parts]
    claims = {claim.id: claim for made, _ in found for claim in made}
    missing = [one for _, lost in found for one in lost]
    remark = (
        f"Not judged, for want of metrics: {'; '.join(missing)}. Profile with these beside the others."
        if missing
        else ""
    )
    if not claims:
        return (), (remark,) if remark else ()
    judged = judge_all(tuple(claims.values()), joined, correction=correction, level=level, seed=seed)
    return judged, (remark,) if remark else ()


def _hierarchies(results: Results) -> dict[str, list[tuple[Stage, frozenset[str]]]]:
    """Return the stages of every intact hierarchy with responses, each with the names of its arrays."""
    found: dict[str, list[tuple[Stage, frozenset[str]]]] = {}
    for run in run_nodes(results.tree):
        for name, node in run.children.items():
            if name.startswith("stage_") and not node.attrs["lesion"] and node.attrs["n_units"]:
                stage = stage_of(node)
                found.setdefault(stage.hierarchy, []).append((stage, frozenset(map(str, node.data_vars))))
    return found


def _told(results: Results, kind: Kind, hierarchy: str) -> bool:
    said: Mapping[str, Any] = results.run.get("study", {})
    same = (*kind.told.get(str(said.get("name", "")), ()), f"{kind.id}-{hierarchy}")
    return any(row["claim"] in same for row in said.get("claims", ()))


def _claim(kind: Kind, metric: str, stages: Sequence[Stage], there: set[tuple[str, str, str]]) -> Claim:
    """Make the claim about one hierarchy, with the controls that its table holds."""
    where = stages[0].hierarchy
    reads = Reading(metric, over=kind.over, hierarchy=where, unit=stages[0].unit)
    kept = tuple(control for control, (needs, under) in kind.controls if not needs or (where, needs, under) in there)
    claim = Claim(
        f"{kind.id}-{where}", f"{where}: {kind.sentence}", kind.paper, reads, kind.test, kind.direction, controls=kept
    )
    return replace(claim, options={"statistic": "medians"}) if kind.test == "permute_stages" else claim
