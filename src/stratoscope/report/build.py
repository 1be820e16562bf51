"""Results into the parts of a report, as plain records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stratoscope.figures import caption, metric_over_depth, pretty, pretty_lesion, scale_caption, scale_curves
from stratoscope.figures.live import live_curves
from stratoscope.figures.scales import scales_of
from stratoscope.report.bibtex import bibtex
from stratoscope.report.closer import closer_sections
from stratoscope.report.methods import methods_paragraph
from stratoscope.report.parts import Drawn, Grid, Section, drawn, panelled
from stratoscope.report.sentences import Finding, answer, details, is_paper, number
from stratoscope.report.stimuli import Shown, shown_stimuli
from stratoscope.report.studies import study_sections
from stratoscope.results import COLUMNS, Results, Row
from stratoscope.types import Stage


@dataclass(frozen=True)
class Report:
    """Everything the page shows, in its order."""

    title: str
    facts: tuple[tuple[str, str], ...]
    answer: str
    details: tuple[Finding, ...]
    figures: tuple[Drawn, ...]
    overview: Grid
    table: Grid
    notes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    methods: tuple[tuple[str, str], ...]
    citations: tuple[tuple[str, str], ...]
    paragraph: str = ""
    bibtex: str = ""
    sections: tuple[Section, ...] = ()
    closer: tuple[Section, ...] = ()
    shown: Shown | None = None


def build_report(results: Results) -> Report:
    """Put the report of `results` together: sentences, figures, tables, notes, methods, citations.

    A study has sections of its own, its claims first; the numbers at every stage are then those of the intact run.
    """
    sections = study_sections(results)
    shown = [row for row in results.rows if not row.lesion] if sections else results.rows
    return Report(
        title=", ".join(dict.fromkeys(stage.hierarchy for stage in _places(results))) or "An empty run",
        facts=tuple(_facts(results)),
        answer="" if sections else answer(results),
        details=() if sections else tuple(details(results)),
        figures=() if sections else tuple(_figures(results)),
        overview=_overview(shown or results.rows),
        table=Grid(COLUMNS, tuple(tuple(_cell(getattr(row, name)) for name in COLUMNS) for row in results.rows)),
        notes=results.notes,
        skipped=results.skipped,
        methods=tuple(_flat(_asked(results.run))),
        citations=_citations(results),
        paragraph=methods_paragraph(results),
        bibtex=bibtex(said.paper for said in results.metrics.values()),
        sections=sections,
        closer=closer_sections(results),
        shown=shown_stimuli(results),
    )


def _citations(results: Results) -> tuple[tuple[str, str], ...]:
    """Return each paper once, with the metrics it stands for; a source without a year is a definition, no paper."""
    papers: dict[str, list[str]] = {}
    for name, said in results.metrics.items():
        if is_paper(said.paper):
            papers.setdefault(said.paper, []).append(pretty(name))
    return tuple((", ".join(names), paper) for paper, names in papers.items())


def _places(results: Results) -> list[Stage]:
    """Return the stages of networks and recordings; a study also keeps points in training as stages of their own."""
    return [stage for stage in results.stages if stage.kind != "checkpoint"]


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    names = dict.fromkeys((stage.hierarchy, stage.name) for stage in _places(results))
    yield "stages", f"{len(names):,}"
    if len(results.stimuli):
        yield "stimuli", f"{len(results.stimuli):,}"
    if results.skipped:
        yield "stimuli left out", f"{len(results.skipped):,}"
    yield "unit", " and ".join(dict.fromkeys(stage.unit for stage in results.stages)) or "none"
    lesions = [pretty_lesion(lesion) for lesion in dict.fromkeys(results.lesions)]
    yield "lesion", "intact" if lesions == ["intact"] else ", ".join(lesions) or "none"
    if "seed" in results.run:
        yield "seed", str(results.run["seed"])


def _figures(results: Results) -> Iterator[Drawn]:
    scaled = {
        str(name) for node in results.tree.subtree for name, array in node.data_vars.items() if array.dims == ("n1",)
    }
    for metric in dict.fromkeys(row.metric for row in results.rows):
        said = results.metrics.get(metric)
        misleads = said.misleads if said else ""
        title = f"{pretty(metric)} over depth"
        live = live_curves(results, metric)
        yield drawn(title, metric_over_depth(results, metric), caption(results, metric), misleads, live)
        if metric in scaled:
            title = f"{pretty(metric)} over scales"
            stages = list(dict.fromkeys(curve.stage for curve in scales_of(results, metric)))
            yield panelled(title, scale_curves(results, metric), scale_caption(results, metric), stages)


def _overview(rows: Sequence[Row]) -> Grid:
    """Lay the measurements out as stage by metric, each metric's first item."""
    measured = [row for row in rows if not row.control]
    first: dict[str, str] = {}
    for row in measured:
        first.setdefault(row.metric, row.item)
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in measured:
        if row.item == first[row.metric]:
            place = (row.hierarchy, row.stage, pretty_lesion(row.lesion))
            cells.setdefault(place, {}).setdefault(row.metric, _interval(row))
    kept = [index for index in range(3) if index == 1 or len({place[index] for place in cells}) > 1]
    head = [("hierarchy", "stage", "lesion")[index] for index in kept]
    titles = [f"{pretty(name)}{f' ({item})' if item else ''}" for name, item in first.items()]
    body = [
        (*(place[index] for index in kept), *(found.get(name, "") for name in first)) for place, found in cells.items()
    ]
    return Grid((*head, *titles), tuple(body))


def _interval(row: Row) -> str:
    ends = f" [{number(row.low)}, {number(row.high)}]" if row.low == row.low else ""
    return number(row.value) + ends


def _cell(value: Any) -> str:
    return "" if value is None else number(value) if isinstance(value, float) else str(value)


def _asked(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what was asked; of a study its protocol and its first run, which all others share but for their lesions."""
    if "study" not in run:
        return run
    first: Mapping[str, Any] = next(iter(run.get("runs", [])), {})
    return {"study": {key: run["study"][key] for key in ("name", "protocol")}, **first}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Go through everything that was asked as pairs of dotted name and words; single values before groups, as saved."""
    for key, value in sorted(values.items(), key=lambda entry: _grouped(entry[1])):
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif _grouped(value):
            for index, entry in enumerate(value):
                yield from _flat(entry, f"{prefix}{key}.{index + 1}.")
        else:
            yield prefix + key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _grouped(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(entry, Mapping) for entry in value)
    return isinstance(value, Mapping)
