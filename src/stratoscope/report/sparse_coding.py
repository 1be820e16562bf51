"""The report of the sparse-coding study: the figures of the paper, and the controls it lacked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stratoscope.figures.captions import pretty_lesion
from stratoscope.figures.sparse_coding import (
    activation_distributions,
    controls_of_sparseness,
    hierarchy_of_sparseness,
    lesioned_sparseness,
    sparseness_and_performance,
    stagewise_lesions,
)
from stratoscope.figures.sparse_coding.kept import lesioned, readout_run, runs
from stratoscope.report.parts import Grid, Section, panelled
from stratoscope.results import Results


def sparse_coding_sections(results: Results) -> tuple[Section, ...]:
    """Return the sections: hierarchy, controls, performance, lesions, distributions."""
    return tuple(_sections(results))


def _sections(results: Results) -> Iterator[Section]:
    protocol: Mapping[str, Any] = results.run["study"]["protocol"]
    level = f"{protocol['level']:.0%}"
    figure = panelled(
        "sparseness of the hierarchy", hierarchy_of_sparseness(results),
        "After Fig. 1. A: share of the categories in 20 bins of the population sparseness index, PSI, at every stage. "
        f"B: its median over categories with the {level} interval of a bootstrap of the categories. {_unit(results)}",
    )  # fmt: skip
    yield Section("Sparseness along the stages", figures=(figure,))
    figure = panelled(
        "controls of sparseness", controls_of_sparseness(results),
        "A: PSI beside random subsets of units as small as the narrowest stage, without units that are constant over "
        "categories, and with the categories of every unit permuted (structureless). B: beside the raw Treves-Rolls index, "
        "and Hoyer's and the Gini index of the same normalised responses. C: fraction of units that never respond above "
        "zero (dead) and that respond the same to everything (constant).",
    )  # fmt: skip
    yield Section("Controls", figures=(figure,))
    yield from _performance(results, protocol)
    yield from _lesions(results, protocol)
    figure = panelled(
        "activation distributions", activation_distributions(results),
        "After supplementary Fig. 1. A: density of the normalised activations, mean over categories, 99 bins of 0.01. B and "
        "C: norm and Weibull fitted to the heights of that histogram as if they were samples, as published, and to the "
        "activations themselves.",
    )  # fmt: skip
    yield Section("Distribution of activations", figures=(figure,))


def _performance(results: Results, protocol: Mapping[str, Any]) -> Iterator[Section]:
    run = readout_run(results)
    if run is None:
        return
    asked = protocol["readout"]
    figure = panelled(
        "sparseness and performance", sparseness_and_performance(results),
        f"After Fig. 2. Multinomial logistic regression on {asked['stage']}, {asked['n_folds']}-fold {asked['folds']} "
        f"cross-validation, C = {asked['penalty']:g}. A: accuracy of every category. B: against PSI at the last stage. C: "
        "correlation over categories of PSI at each stage with that accuracy; band: bootstrap interval of Pearson's r.",
    )  # fmt: skip
    steps: Mapping[str, Any] = protocol.get("stepwise") or {}
    body = tuple(
        (group, stage, f"{gain:.3f}")
        for group, found in steps.items()
        for stage, gain in zip(found["stages"], found["adjusted_r2"], strict=True)
    )
    table = (("Forward stepwise regression of accuracy on PSI", Grid(("stages", "taken", "adjusted R²"), body)),)
    yield Section("Sparseness and read-out", tables=table if body else (), figures=(figure,))


def _lesions(results: Results, protocol: Mapping[str, Any]) -> Iterator[Section]:
    found = lesioned(results)
    figures = []
    if any(" at " not in name for name in found):
        written = (
            f"After Fig. 3. Box plots over models ({_models(protocol['n_models'])}) of the median PSI at "
            "every stage; grey: intact; dotted: fraction of constant units. Permuted weights keep every weight of a tensor in "
            "a new place; reinitialize is a network that never learnt; they are different things."
        )
        figures.append(panelled("lesioned networks", lesioned_sparseness(results), written))
    if any(" at " in name for name in found):
        written = (
            "Median PSI along the stages where one stage alone is lesioned; grey: intact; colours from input to output. Of a "
            "random lesion the median over its models, in a band from the lowest to the highest."
        )
        figures.append(panelled("lesions of single stages", stagewise_lesions(results), written))
    if figures:
        yield Section("Lesions", figures=tuple(figures))


def _models(asked: int | Mapping[str, int]) -> str:
    """Say how many models there are of each random lesion."""
    if isinstance(asked, int):
        return f"n = {asked} of each random lesion"
    return ", ".join(f"n = {n} of {pretty_lesion(name)}" for name, n in asked.items())


def _unit(results: Results) -> str:
    stages = runs(results)[0].nodes
    units = " and ".join(dict.fromkeys(str(stage.attrs["unit"]) for stage in stages))
    return f"Unit: {units}."
