"""Similarities of hierarchies as results: one run without stages for each pair, with its matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stratoscope.results import Declared, Results, Values
from stratoscope.studies.side_by_side.geometry import Geometry
from stratoscope.studies.side_by_side.likeness import Likeness
from stratoscope.types import Floats

RSA_PAPER = "Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008"
CKA_PAPER = "Kornblith et al. 2019, arXiv:1905.00414"
#: Noise ceiling of (hierarchy, stage, measure).
Ceilings = Mapping[tuple[str, str, str], float]


def matrices(alike: Sequence[Likeness], ceilings: Ceilings, level: float) -> list[Results]:
    """Return one part without stages for each pair of hierarchies, with its matrices."""
    pairs: dict[tuple[str, str], list[Likeness]] = {}
    for one in alike:
        pairs.setdefault((one.first.name, one.second.name), []).append(one)
    made = []
    for (first, second), every in pairs.items():
        run = {"source": {"name": f"{first} against {second}", "kind": "comparison"}, "shared_stimuli": every[0].n}
        coords = {
            side: np.array([stage.name for stage in geometry.stages], dtype=str)
            for side, geometry in (("first_stage", every[0].first), ("second_stage", every[0].second))
        }
        arrays = {name: values for one in every for name, values in _arrays(one, ceilings, level).items()}
        made.append(Results.build(run, (), coords, arrays, metrics=[_declared(one.measure) for one in every]))
    return made


def _arrays(one: Likeness, ceilings: Ceilings, level: float) -> dict[str, Values]:
    dims = ("first_stage", "second_stage")
    about = {"first": one.first.name, "second": one.second.name, "n": one.n, "level": level, "n_draws": len(one.draws),
             "over": one.over}  # fmt: skip
    low, high = one.interval(level)
    parts = {"": one.value, ".low": low, ".high": high, ".best_share": one.best_share()}
    top = [_ceiling(geometry, one.measure, ceilings) for geometry in (one.first, one.second)]
    if np.isfinite(np.concatenate(top)).any():
        parts[".ceiling"] = np.outer(*(np.where(np.isfinite(side), side, 1.0) for side in top))
    return {f"{one.measure}{part}": Values(values, dims, about) for part, values in parts.items()}


def _ceiling(geometry: Geometry, measure: str, ceilings: Ceilings) -> Floats:
    return np.array([ceilings.get((stage.hierarchy, stage.name, measure), np.nan) for stage in geometry.stages])


def _declared(measure: str) -> Declared:
    words = {
        "rsa-spearman": "Rank correlation of dissimilarities over all pairs of shared stimuli.",
        "rsa-pearson": "Correlation of dissimilarities over all pairs of shared stimuli.",
        "cka": "Debiased linear CKA on the shared stimuli.",
    }
    paper = CKA_PAPER if measure == "cka" else RSA_PAPER
    return Declared(measure, words[measure], "gram", ("first_stage", "second_stage"), "1", (-1.0, 1.0), "", (), paper)
