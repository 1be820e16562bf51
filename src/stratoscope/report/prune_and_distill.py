"""The report of the prune-and-distill study: figures, what was compared, and what the abstract of the paper leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from matplotlib.figure import Figure

from stratoscope.errors import StratoscopeError
from stratoscope.figures.prune_and_distill import (
    dimension_over_depth,
    distillation_over_depth,
    information_over_depth,
    invariance_over_depth,
    over_training,
    pruning_against_expansion,
)
from stratoscope.report.parts import Grid, Section, panelled
from stratoscope.report.sentences import number
from stratoscope.results import Results, Row

_FIGURES: tuple[tuple[str, str, Callable[[Results], Figure], str], ...] = (
    (
        "Information of single units", "unit information over depth", information_over_depth,
        ("Information of single units about properties of the image, {over_units} over units. Band: {level} interval of a "
        "bootstrap of units for the trained network, range over models for the others. Grey, dotted: the trained network less its "
        "shuffled baseline."),
    ),
    (
        "Distillation", "information over units", distillation_over_depth,
        ("How information about all properties is spread over the sampled units, and how many of them say nothing."),
    ),
    (
        "Intrinsic dimension", "dimension over depth", dimension_over_depth,
        ("Trained against untrained on {dimension} stimuli. The last panel shows how far estimators disagree; all that live on "
        "neighbours read low in high dimension."),
    ),
    (
        "Read-out of objects", "read-out over depth", invariance_over_depth,
        ("Pairs of objects of like luminance, bits above labels shuffled within views. All views: linear separability, whole views "
        "held out. Views not learnt: one view of each object is learnt, all others are tested. Grey: chance, and in the last "
        "panel what luminance alone tells."),
    ),
    (
        "Pruning and expansion", "pruning against expansion", pruning_against_expansion,
        ("Every stage by trained - untrained dimension and untrained - trained unit information, mean over properties. Lines: "
        "{level} intervals. Blue stages are near the input. A relation over so few stages is a description."),
    ),
    (
        "In the course of training", "over training", over_training,
        ("Means over the stages at every checkpoint; the dotted line is the trained network."),
    ),
)  # fmt: skip


def prune_and_distill_sections(results: Results) -> tuple[Section, ...]:
    """Return the sections: information, distillation, dimension, read-out, relation, training, indices, open choices."""
    return tuple(_sections(results))


def _sections(results: Results) -> Iterator[Section]:
    protocol: Mapping[str, Any] = results.run["study"]["protocol"]
    words = {
        "over_units": protocol["over_units"], "level": f"{protocol['level']:.0%}",
        "dimension": f"{protocol['stimuli_of']['dimension']:,}",
    }  # fmt: skip
    for title, name, draw, written in _FIGURES:
        try:
            figure = draw(results)
        except StratoscopeError:  # a study without checkpoints, objects or untrained models has no such figure
            continue
        yield Section(title, figures=(panelled(name, figure, written.format(**words)),))
    indices = _indices(results, protocol)
    if indices.body:
        title = f"Pruning index by property, against {', '.join(map(str, protocol['untrained'][:1]))} models, most pruned first"
        yield Section("What is pruned first", tables=((title, indices),))
    yield Section("What the abstract leaves open", _OPEN, ((_OPEN_TABLE, _choices(protocol)),))


_OPEN = (
    "This study is after Muratore et al. 2022, of which only the abstract could be verified. What it does not settle is a choice, "
    "made here and open to change."
)
_OPEN_TABLE = "Choices, each a field of the protocol"


def _choices(protocol: Mapping[str, Any]) -> Grid:
    body = []
    for name, why in protocol["open_choices"].items():
        value = protocol[name]
        body.append((name, ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value), str(why)))
    return Grid(("choice", "here", "why"), tuple(body))


def _indices(results: Results, protocol: Mapping[str, Any]) -> Grid:
    """Return the pruning index of every property, mean over stages, and how many stages are above and below zero."""
    rows: dict[str, list[Row]] = {}
    for row in results.rows:
        if row.metric == "pruning_index" and not row.control and row.value == row.value:
            rows.setdefault(row.item, []).append(row)
    order = sorted(rows, key=lambda name: -sum(row.value for row in rows[name]) / len(rows[name]))
    body = tuple(
        (
            name.replace("_", " "),
            number(sum(row.value for row in rows[name]) / len(rows[name])),
            f"{sum(row.low > 0 for row in rows[name])}",
            f"{sum(row.high < 0 for row in rows[name])}",
            f"{len(rows[name])}",
        )
        for name in order
    )
    unit = "bits" if protocol["pruning"] == "difference" else "log2 ratio"
    return Grid(("property", f"mean over stages, {unit}", "stages pruned", "stages that gained", "stages"), body)
