"""Lay out stages, coordinates and cross matrices as an `xarray.DataTree`.

::

    /run_0                    coordinates: stimulus, category, n1 ...
    /run_0/stimuli            the properties of the stimuli, column_0, column_1 ... (stimulus,)
    /run_0/cross              matrices between stages
    /run_0/examples           a dozen stimuli as small pictures: `results.examples`; of runs on the same ones the first has it
    /run_0/stage_000          arrays of the first stage; attrs: everything `Stage` says, and the lesion
    /run_0/stage_001          ...

Nodes are numbered because names of stages hold dots, colons and slashes; the names are attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.results.examples import Examples, examples_node, read_examples
from stratoscope.results.records import SAFE_NAME, StageResult, Values, plain, storable
from stratoscope.types import Stage


def build_tree(
    stages: Sequence[StageResult],
    coords: Mapping[str, NDArray[Any]],
    cross: Mapping[str, Values],
    columns: Mapping[str, NDArray[Any]],
    examples: Examples | None = None,
) -> xr.DataTree:
    """Return the tree of one run; arrays that do not fit the coordinates are refused, naming the stage."""
    for name in (*coords, *cross):
        _check_name(name, {}, "A run")
    kept = {name: storable(np.asarray(data), f"Coordinate {name!r}") for name, data in coords.items()}
    root = xr.Dataset(coords=kept)
    nodes = {"/run_0": root, "/run_0/stimuli": _stimuli(columns, kept), "/run_0/cross": _cross(stages, cross, kept)}
    if examples is not None:
        nodes["/run_0/examples"] = examples_node(examples)
    for index, result in enumerate(stages):
        nodes[f"/run_0/stage_{index:03d}"] = _stage(result, kept)
    return xr.DataTree.from_dict(nodes)


def join_trees(trees: Sequence[xr.DataTree]) -> xr.DataTree:
    """Return one tree with the runs of all `trees`, renumbered in order."""
    runs = [run.copy() for tree in trees for run in run_nodes(tree)]
    seen: set[tuple[tuple[str, ...], str]] = set()
    for run in runs:
        for one in read_examples([run.children]):
            if (one.ids, one.note) in seen:
                run.children = {name: node for name, node in run.children.items() if name != "examples"}
            seen.add((one.ids, one.note))
    return xr.DataTree(children={f"run_{index}": run for index, run in enumerate(runs)})


def run_nodes(tree: xr.DataTree) -> list[xr.DataTree]:
    """Return the nodes of the runs in order."""
    return [tree.children[f"run_{index}"] for index in range(len(tree.children))]


def stage_nodes(tree: xr.DataTree) -> Iterator[xr.DataTree]:
    """Go through the nodes of all stages, in order of runs and of execution."""
    for run in run_nodes(tree):
        n_stages = sum(name.startswith("stage_") for name in run.children)
        yield from (run.children[f"stage_{index:03d}"] for index in range(n_stages))


def stage_of(node: xr.DataTree) -> Stage:
    """Return the stage a node is about."""
    about = {str(key): value for key, value in node.attrs.items() if key != "lesion"}
    return Stage(**{**about, "shape": tuple(about["shape"])})


def _stage(result: StageResult, coords: Mapping[str, NDArray[Any]]) -> xr.Dataset:
    arrays = _arrays(result.arrays, coords, f"Stage {result.stage.name!r}")
    return xr.Dataset(arrays, attrs={**plain(asdict(result.stage)), "lesion": result.lesion})


def _stimuli(columns: Mapping[str, NDArray[Any]], coords: Mapping[str, NDArray[Any]]) -> xr.Dataset:
    labelled = {
        f"column_{index}": Values(np.asarray(data), ("stimulus",), {"name": name})
        for index, (name, data) in enumerate(columns.items())
    }
    return xr.Dataset(_arrays(labelled, coords, "The set of stimuli"))


def _cross(
    stages: Sequence[StageResult], cross: Mapping[str, Values], coords: Mapping[str, NDArray[Any]]
) -> xr.Dataset:
    # a place read with several unit definitions is one label: each definition has a matrix of its own
    names = np.array(list(dict.fromkeys(result.stage.name for result in stages)), dtype=str)
    used = {dim for values in cross.values() for dim in values.dims} & {"stage", "other_stage"}
    labels = dict.fromkeys(sorted(used), names)
    return xr.Dataset(_arrays(cross, {**coords, **labels}, "A matrix between stages"), coords=labels)


def _arrays(
    arrays: Mapping[str, Values], coords: Mapping[str, NDArray[Any]], owner: str
) -> dict[str, tuple[tuple[str, ...], NDArray[Any], dict[str, Any]]]:
    sizes = {name: len(data) for name, data in coords.items()}
    laid = {}
    for name, values in arrays.items():
        _check_name(name, coords, owner)
        data = storable(values.data, f"{owner}: array {name!r}")
        _check_sizes(name, dict(zip(values.dims, data.shape, strict=True)), sizes, owner)
        laid[name] = (tuple(values.dims), data, plain(values.attrs))
    return laid


def _check_name(name: str, coords: Mapping[str, NDArray[Any]], owner: str) -> None:
    if not SAFE_NAME.fullmatch(name) or name in coords:
        raise BadInput(
            f"{owner}: an array cannot be called {name!r}. Use letters, digits, '_', '.' and '-', beginning with a "
            "letter, and no name of a coordinate."
        )


def _check_sizes(name: str, shape: Mapping[str, int], sizes: dict[str, int], owner: str) -> None:
    for dim, size in shape.items():
        if sizes.setdefault(dim, size) != size:
            raise BadInput(
                f"{owner}: array {name!r} has {size} values along {dim!r}, and there are {sizes[dim]}. "
                "All arrays of a run share their dimensions."
            )
