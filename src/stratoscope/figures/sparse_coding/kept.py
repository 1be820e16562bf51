"""What the figures of the study read from its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from stratoscope.errors import BadInput
from stratoscope.results import Results, Row
from stratoscope.results.tree import run_nodes
from stratoscope.types import Floats

PSI = "population_sparseness"


@dataclass(frozen=True)
class Run:
    """The stages of one run of a study.

    Attributes
    ----------
    hierarchy, lesion : str
        Of all its stages.
    stages : tuple of str
        Names of the stages, in order.
    nodes : tuple of xarray.DataTree
        Their arrays.
    """

    hierarchy: str
    lesion: str
    stages: tuple[str, ...]
    nodes: tuple[xr.DataTree, ...]

    def arrays(self, name: str) -> list[Floats]:
        """Return array `name` of every stage; an empty one where the stage has none."""
        return [_array(node, name) for node in self.nodes]

    def medians(self, name: str = PSI) -> Floats:
        """Return the median over categories of array `name` (stage,)."""
        known = [values[np.isfinite(values)] for values in self.arrays(name)]
        return np.array([np.median(values) if len(values) else np.nan for values in known])

    def scalars(self, name: str) -> Floats:
        """Return the number `name` of every stage (stage,), NaN where there is none."""
        return np.array([float(values) if values.ndim == 0 else np.nan for values in self.arrays(name)])


def runs(results: Results) -> list[Run]:
    """Return the runs of a study in order: the intact one, that of the read-out where it is apart, and the lesioned ones."""
    found = [_run(node) for node in run_nodes(results.tree)]
    kept = [run for run in found if run.nodes]
    if "study" not in results.run or not kept:
        raise BadInput("These results are those of a run, not of a sparse-coding study. Give those of a study.")
    return kept


def lesioned(results: Results) -> dict[str, list[Run]]:
    """Return the models of every lesion, in the order they were made."""
    first, *others = runs(results)
    grouped: dict[str, list[Run]] = {}
    for run in others:
        if run.hierarchy == first.hierarchy:
            grouped.setdefault(run.lesion, []).append(run)
    return grouped


def readout_run(results: Results) -> Run | None:
    """Return the run that holds the read-out, or None."""
    return next((run for run in runs(results) if any(len(array) for array in _accuracy(run))), None)


def panels(results: Results) -> dict[str, list[int]]:
    """Return the positions of the stages of each panel: ``conv`` and ``fc`` where there are both, else ``all``."""
    names = runs(results)[0].stages
    said: Mapping[str, Sequence[str]] = results.run["study"]["protocol"]["panels"]
    return {panel: [names.index(name) for name in group if name in names] for panel, group in said.items()}


def rows(results: Results, run: Run, metric: str, **fields: Any) -> list[Row]:
    """Return the rows of `metric` of the stages of `run`, in order, whose other fields are as given."""
    wanted = {"metric": metric, "hierarchy": run.hierarchy, "lesion": run.lesion, "control": "", **fields}
    return [row for row in results.rows if all(getattr(row, name) == value for name, value in wanted.items())]


def _run(node: xr.DataTree) -> Run:
    held = [node.children[name] for name in sorted(node.children) if name.startswith("stage_")]
    first = held[0].attrs if held else {"hierarchy": "", "lesion": ""}
    return Run(
        str(first["hierarchy"]), str(first["lesion"]), tuple(str(one.attrs["name"]) for one in held), tuple(held)
    )


def _array(node: xr.DataTree, name: str) -> Floats:
    return node.data_vars[name].to_numpy().astype(np.float64) if name in node.data_vars else np.empty(0)


def _accuracy(run: Run) -> list[Floats]:
    return run.arrays("readout_accuracy")
