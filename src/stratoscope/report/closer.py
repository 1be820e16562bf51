"""A closer look: stages against each other, stimuli against each other, and single units."""

from __future__ import annotations

from collections.abc import Iterator

from stratoscope.figures import pretty
from stratoscope.figures.matrices import (
    LEAST_CATEGORIES,
    MOST_STIMULI,
    squares_of_stages,
    squares_of_stimuli,
    stage_matrix,
    stage_metrics,
    stimulus_matrix,
    stimulus_metrics,
)
from stratoscope.figures.units import (
    MOST_PAIRED,
    MOST_PANELS,
    paired_names,
    sorted_units,
    unit_metrics,
    units_against,
    units_of,
)
from stratoscope.report.parts import Drawn, Section, panelled
from stratoscope.results import Results


def closer_sections(results: Results) -> tuple[Section, ...]:
    """Return a section for every kind of closer look that these results hold arrays for; none where they hold none."""
    found = (
        Section("Stages beside each other", figures=tuple(_stages(results))),
        Section("Stimuli beside each other", figures=tuple(_stimuli(results))),
        Section("Single units", figures=tuple(_units(results))),
    )
    return tuple(section for section in found if section.figures)


def _stages(results: Results) -> Iterator[Drawn]:
    for name in stage_metrics(results):
        metric, _, unit = name.partition(".")
        squares = squares_of_stages(results, name)
        written = (
            f"{_capital(pretty(metric))} of every stage with every other on the same stimuli, unit: {unit or 'as measured'}. "
            f"{_panels(len(squares), 'run')} The diagonal is a stage with itself."
        )
        stages = {stage for square in squares for stage in square.names}
        yield panelled(f"{pretty(metric)} between stages, {unit}", stage_matrix(results, name), written, sorted(stages))


def _stimuli(results: Results) -> Iterator[Drawn]:
    for name in stimulus_metrics(results):
        squares = squares_of_stimuli(results, name)
        written = (
            f"{_capital(pretty(name))} of the responses to every two stimuli, at {len(squares)} stages of the first run that has it; the same "
            f"colours in all panels. Up to {MOST_STIMULI} stimuli stand as they are, in order of category. Of more, {MOST_STIMULI} at "
            f"even distances in that order are shown; of {LEAST_CATEGORIES} categories or more each stands for its stimuli, as the "
            "mean over pairs of different ones. All values are in the arrays of the run."
        )
        yield panelled(f"{pretty(name)} of stimuli", stimulus_matrix(results, name), written, ())


def _units(results: Results) -> Iterator[Drawn]:
    for name in unit_metrics(results):
        found = units_of(results, name)
        owners = dict.fromkeys(one.owner for one in found)
        widest = max(len(one.values) for one in found)
        left = (
            f" The first {MOST_PANELS} of {len(owners)} runs and definitions of a unit."
            if len(owners) > MOST_PANELS
            else ""
        )
        written = (
            f"{_capital(_named(name))} of every unit of a stage, largest first; stages have up to {widest:,} units. A curve is drawn "
            f"through its largest, its smallest and units at even distances between them.{left} Units without a value are left out."
        )
        yield panelled(f"{_named(name)} of single units", sorted_units(results, name), written, _names(results, name))
    for x, y in paired_names(results):
        written = (
            f"Each dot is a unit, each colour a stage. At most {MOST_PAIRED:,} units are drawn in all, as many from each stage, at "
            "random (seed 0) where a stage has more. Units without one of the two values are left out. A relation over units of one "
            "network is a description: units are no independent sample."
        )
        yield panelled(f"{_named(y)} against {_named(x)}", units_against(results, x, y), written, _names(results, y))


def _names(results: Results, name: str) -> list[str]:
    return list(dict.fromkeys(one.stage for one in units_of(results, name)))


def _named(name: str) -> str:
    metric, _, column = name.partition(".")
    return f"{pretty(metric)} about {column}" if column else pretty(metric)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _panels(count: int, of: str) -> str:
    return f"One panel a {of}." if count > 1 else ""
