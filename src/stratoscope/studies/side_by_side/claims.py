"""What is claimed of every hierarchy that is compared: the claims its study judged, or those its table can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stratoscope.results import Results
from stratoscope.results.tree import run_nodes, stage_of
from stratoscope.statistics.claims import Claim, Control, Finding, Reading, judge_all
from stratoscope.types import Stage

LIU = "Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158"
MURATORE = "after Muratore et al. 2022, arXiv:2205.13816"


def told_already(results: Results, name: str) -> list[dict[str, Any]]:
    """Return the rows of the claims table of a study, each sentence led by the hierarchy it is about."""
    said: Mapping[str, Any] = results.run.get("study", {})
    return [{**row, "sentence": f"{name}: {row['sentence']}"} for row in said.get("claims", ())]


def plain_claims(results: Results) -> tuple[Claim, ...]:
    """Return the claims of both studies that the tables of plain runs can answer, one set for each intact hierarchy."""
    found: dict[str, Claim] = {}
    for run in run_nodes(results.tree):
        nodes = [node for name, node in run.children.items() if name.startswith("stage_") and not node.attrs["lesion"]]
        for metric, make in (("population_sparseness", _sparseness_rises), ("two_nn", _dimension_humps)):
            having = [stage_of(node) for node in nodes if metric in node.data_vars]
            if having:
                claim = make(having)
                found.setdefault(claim.id, claim)
    return tuple(found.values())


def judge_plain(parts: Sequence[Results], *, correction: str, level: float, seed: int) -> tuple[Finding, ...]:
    """Judge the claims of all plain runs as one family."""
    plain = [part for part in parts if "study" not in part.run]
    if not plain:
        return ()
    joined = Results.combine(plain)
    return judge_all(plain_claims(joined), joined, correction=correction, level=level, seed=seed)


def _sparseness_rises(stages: Sequence[Stage]) -> Claim:
    where = stages[0].hierarchy
    reads = Reading("population_sparseness", hierarchy=where, unit=stages[0].unit)
    controls = (
        Control("on medians of stages", test="kendall_medians"),
        Control("stages permuted", test="permute_stages"),
    )
    return Claim(
        f"sparseness-rises-{where}", f"{where}: sparseness rises along the stages", LIU, reads, "kendall_points",
        controls=controls,
    )  # fmt: skip


def _dimension_humps(stages: Sequence[Stage]) -> Claim:
    where = stages[0].hierarchy
    reads = Reading("two_nn", over="stage", hierarchy=where, unit=stages[0].unit)
    coarser = Control("at a coarser scale (Gride, n1 = 16)", {"metric": "gride", "item": "n1=16"})
    linear = Control("by the participation ratio", {"metric": "participation_ratio"})
    return Claim(
        f"dimension-rises-then-falls-{where}", f"{where}: dimension rises, then falls along the stages", MURATORE,
        reads, "rise_then_fall", controls=(coarser, linear),
    )  # fmt: skip
