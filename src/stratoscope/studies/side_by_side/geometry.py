"""The dissimilarity matrices that results hold, by hierarchy and stage, and the stimuli that hierarchies share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import squareform

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.group_sums import UnitGroups
from stratoscope.metrics.rsa import FEWEST
from stratoscope.results import Results, StageResult, Values
from stratoscope.results.tree import run_nodes, stage_of
from stratoscope.types import Floats, Stage

RDM, GROUPS = "rdm", "unit_groups"
#: Distances whose matrix gives inner products back, and the power that makes it squared Euclidean.
_EUCLIDEAN = {"euclidean": 2, "sqeuclidean": 1, "correlation": 1, "cosine": 1}


@dataclass(frozen=True)
class Geometry:
    """What one hierarchy's stages make of their stimuli.

    Attributes
    ----------
    name : str
        Name of the hierarchy, with its lesion where it has one.
    stages : tuple of Stage
        Its stages that have a dissimilarity matrix, in order.
    ids : tuple of str
        Ids of the stimuli.
    rdms : tuple of array (stimulus, stimulus)
        One for each stage.
    distances : tuple of str
        Distance of each, as `stratoscope.metrics.rdm` names it; ``unknown`` for matrices given from outside.
    groups : tuple of UnitGroups or None
        What is known of groups of the units of each (metric ``unit_groups``); None where the run kept none.
    """

    name: str
    stages: tuple[Stage, ...]
    ids: tuple[str, ...]
    rdms: tuple[Floats, ...]
    distances: tuple[str, ...]
    groups: tuple[UnitGroups | None, ...]

    def at(self, ids: Sequence[str]) -> list[Floats]:
        """Return the matrices restricted to the stimuli `ids`, in that order."""
        place = {name: row for row, name in enumerate(self.ids)}
        rows = np.array([place[name] for name in ids])
        return [rdm[np.ix_(rows, rows)] for rdm in self.rdms]


def geometries(results: Results) -> list[Geometry]:
    """Return the geometry of every hierarchy in `results` that holds dissimilarity matrices; repeats are numbered."""
    found: list[Geometry] = []
    for run in run_nodes(results.tree):
        groups: dict[str, list[Any]] = {}
        for child in run.children.values():
            if RDM in child.data_vars and "hierarchy" in child.attrs:
                lesion = f" ({child.attrs['lesion']})" if child.attrs["lesion"] else ""
                groups.setdefault(f"{child.attrs['hierarchy']}{lesion}", []).append(child)
        for name, nodes in groups.items():
            rdms = tuple(np.asarray(node[RDM].to_numpy(), dtype=np.float64) for node in nodes)
            played = _played([str(one) for one in run.coords["stimulus"].to_numpy()], rdms, results.skipped)
            ids = tuple(played)
            rdms = tuple(rdm[np.ix_(rows, rows)] for rdm in rdms for rows in [list(played.values())])
            distances = tuple(_distance(node) for node in nodes)
            kept = tuple(_kept_groups(node, len(ids)) for node in nodes)
            found.append(Geometry(name, tuple(map(stage_of, nodes)), ids, rdms, distances, kept))
    return found


def given_rdms(name: str, rdms: Mapping[str, Any], ids: Sequence[str], *, distance: str = "unknown") -> Results:
    """Make results of dissimilarity matrices that exist already, such as published ones of cortical areas.

    Parameters
    ----------
    name : str
        Name of the hierarchy.
    rdms : mapping of str to array
        Area or stage, in order, to its matrix: square (stimulus, stimulus), or condensed (pair,), row by row above the
        diagonal.
    ids : sequence of str
        Ids of the stimuli, the same as in the results they are compared with.
    distance : str
        Which distance it is, as `stratoscope.metrics.rdm` names it. ``unknown`` allows comparison by ranks and
        correlation, but not by CKA, which needs a Euclidean one.

    Returns
    -------
    Results
        To be saved, or given to `compare`.

    Raises
    ------
    BadInput
        For a matrix that does not fit the ids, is not symmetric, or holds values that are not finite or below zero.
    """
    if distance not in ("unknown", *_EUCLIDEAN):
        raise BadInput(
            f"The distance {distance!r} is none of {', '.join(('unknown', *_EUCLIDEAN))}. Give one of these."
        )
    n, depth = len(ids), np.linspace(0, 1, len(rdms) + 1)[1:]
    stages = [
        Stage(area, float(depth[i]), "area", (n,), f"rdm:{distance}", 0, hierarchy=name) for i, area in enumerate(rdms)
    ]
    dims, about = ("stimulus", "other_stimulus"), {"distance": distance}
    closed = [
        StageResult(stage, {RDM: Values(_square(rdms[stage.name], n, stage.name), dims, about)}) for stage in stages
    ]
    run = {"source": {"name": name, "kind": "dissimilarity matrices", "distance": distance}}
    return Results.build(run, closed, {"stimulus": np.asarray(ids, dtype=str)})


def shared(first: Geometry, second: Geometry) -> tuple[str, ...]:
    """Return the ids of the stimuli both have, in the order of the first; refuses too few of them."""
    other = set(second.ids)
    both = tuple(name for name in first.ids if name in other)
    if len(both) < FEWEST:
        raise TooFew(
            f"{first.name!r} and {second.name!r} share {len(both)} stimuli, and at least {FEWEST} are needed to compare "
            f"them. Stimuli are told by their ids: the first has {_few(first.ids)}, the second {_few(second.ids)}. "
            "Give both the same set, or the same ids."
        )
    return both


def gram_of(rdm: Floats, distance: str) -> Floats | None:
    """Return the centred inner products behind a Euclidean matrix, None where the distance has none.

    Correlation and cosine distances are half the squared Euclidean distances of standardised responses.
    """
    if distance not in _EUCLIDEAN:
        return None
    squared = rdm ** _EUCLIDEAN[distance]
    means = squared.mean(axis=0)
    return np.asarray(-0.5 * (squared - means[None, :] - means[:, None] + means.mean()))


def _square(matrix: Any, n: int, area: str) -> Floats:
    array = np.asarray(matrix, dtype=np.float64)
    if array.shape == (n * (n - 1) // 2,):
        array = np.asarray(squareform(array))
    if array.shape != (n, n):
        raise BadInput(
            f"The dissimilarities of {area!r} have the shape {array.shape}, and there are {n} stimuli. Give "
            f"({n}, {n}), or the {n * (n - 1) // 2} pairs above the diagonal."
        )
    if not np.isfinite(array).all() or array.min() < 0 or not np.allclose(array, array.T):
        raise BadInput(
            f"The dissimilarities of {area!r} must be finite, at least 0 and symmetric, and they are not. Leave out "
            "stimuli without data, and average both triangles first."
        )
    return array


def _distance(node: Any) -> str:
    """Return the distance of a stage's matrix as the run wrote it down."""
    said = node[RDM].attrs
    if "distance" in said:
        return str(said["distance"])
    options = str(said.get("options", ""))
    return next((name for name in ("sqeuclidean", "correlation", "cosine") if name in options), "euclidean")


def _played(ids: Sequence[str], rdms: Sequence[Floats], skipped: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the rows of the stimuli that were played: those that were skipped have no dissimilarity at any stage."""
    lost = {name for name, _ in skipped}
    return {
        name: row
        for row, name in enumerate(ids)
        if name not in lost or any(np.isfinite(rdm[row]).any() for rdm in rdms)
    }


def _kept_groups(node: Any, n_stimuli: int) -> UnitGroups | None:
    return UnitGroups.of(node[GROUPS].to_numpy(), n_stimuli) if GROUPS in node.data_vars else None


def _few(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:2])) + (" ..." if len(ids) > 2 else "")
