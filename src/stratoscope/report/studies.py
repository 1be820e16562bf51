"""The sections of a report that belong to a study, by the name of the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stratoscope.report.parts import Grid, Section
from stratoscope.report.prune_and_distill import prune_and_distill_sections
from stratoscope.report.sentences import number
from stratoscope.report.side_by_side import side_by_side_sections
from stratoscope.report.sparse_coding import sparse_coding_sections
from stratoscope.report.unit_lesions import unit_lesions_sections
from stratoscope.results import Results

#: What shows each study, after its claims.
STUDIES: dict[str, Callable[[Results], tuple[Section, ...]]] = {
    "compare": side_by_side_sections,
    "prune-and-distill": prune_and_distill_sections,
    "sparse-coding": sparse_coding_sections,
    "unit-lesions": unit_lesions_sections,
}

_HEAD = ("claim", "control", "verdict", "estimate", "p", "n", "note")


def study_sections(results: Results) -> tuple[Section, ...]:
    """Return the sections of the study these results are of, claims first where it has any; none where they are no study."""
    said = results.run.get("study")
    if said is None:
        return ()
    show = STUDIES.get(str(said["name"]))
    claims = (claims_section(said),) if said["claims"] else ()
    return (*claims, *(show(results) if show else ()))


def claims_section(said: Mapping[str, Any]) -> Section:
    """Return the claims of a study as one table: each claim, then the same under its controls."""
    grid = Grid(_HEAD, tuple(_cells(row) for row in said["claims"]))
    words = (
        "Supported: the interval lies on the claimed side of zero, and p, corrected for the number of claims, is at most "
        "1 minus the level. Contradicted: the same on the other side. Undecided: neither, which is no proof of absence."
    )
    return Section("What the paper claims, and what was found", str(said["summary"]), ((words, grid),))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    value, low, high, p = (float(row.get(name, "nan")) for name in ("value", "low", "high", "p_corrected"))
    ends = f" [{number(low)}, {number(high)}]" if np.isfinite(low) else ""
    p_said = "–" if np.isnan(p) else "< 0.001" if p < 0.001 else number(p)
    counted = str(row.get("counted") or row.get("n", ""))
    sentence = "" if row["control"] else str(row["sentence"])
    return sentence, str(row["control"]), str(row["verdict"]), number(value) + ends, p_said, counted, str(row["note"])
