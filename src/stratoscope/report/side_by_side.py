"""The report of hierarchies side by side: curves over depth, matrices between them, the best match of every stage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stratoscope.figures import caption, metric_over_depth, pretty
from stratoscope.figures.live import live_curves, live_matrix
from stratoscope.figures.side_by_side import Matrix, matrices_of, stage_similarity
from stratoscope.report.parts import Drawn, Grid, Section, drawn
from stratoscope.report.sentences import number
from stratoscope.results import Results

_HEAD = ("stage", "most similar", "similarity", "best in", "noise ceiling")


def side_by_side_sections(results: Results) -> tuple[Section, ...]:
    """Return the curves of all hierarchies in common axes, then one section for each pair of hierarchies."""
    matrices = matrices_of(results)
    pairs = dict.fromkeys((one.first, one.second) for one in matrices)
    sections = [_pair(results, matrices, first, second) for first, second in pairs]
    curves = tuple(_curves(results))
    if curves:
        lead = "Every metric that at least two of the hierarchies have, over depth from 0 (input) to 1 (output)."
        sections.insert(0, Section("Curves over depth", lead, (), curves))
    return tuple(sections)


def _curves(results: Results) -> Iterator[Drawn]:
    having: dict[str, set[tuple[str, str]]] = {}
    for row in results.rows:
        having.setdefault(row.metric, set()).add((row.hierarchy, row.lesion))
    for metric, owners in having.items():
        if len(owners) > 1:
            live = live_curves(results, metric)
            figure = metric_over_depth(results, metric)
            yield drawn(f"{pretty(metric)} side by side", figure, caption(results, metric), live=live)


def _pair(results: Results, matrices: list[Matrix], first: str, second: str) -> Section:
    own = [(index, one) for index, one in enumerate(matrices) if (one.first, one.second) == (first, second)]
    figures = tuple(
        drawn(
            f"{one.measure} of {first} and {second}", stage_similarity(results, index),
            f"Similarity of every stage of {first} (rows) with every stage of {second} (columns) on {one.n} shared "
            "stimuli. A ring marks the best row of a column, the larger the more often it is the best in "
            f"{one.drawn or 'draws, of which there were none'}.",
            live=live_matrix(one),
        )
        for index, one in own
        if np.isfinite(one.value).any()
    )  # fmt: skip
    tables = tuple(
        (f"{one.measure}: the stage of {first} most similar to each of {second}.", best_matches(one)) for _, one in own
    )
    drawn_from = own[0][1].drawn
    lead = (
        f"{f'Intervals are from {drawn_from}' if drawn_from else 'There are no intervals: nothing was drawn'}. Trials are taken "
        "as they are. A best stage is a maximum over all: read it with the share of draws in which it wins."
    )
    return Section(f"{first} against {second}", lead, tables, figures)


def best_matches(one: Matrix) -> Grid:
    """Return for every stage of the second hierarchy the most similar of the first, with interval, share and ceiling."""
    body = []
    for column, name in enumerate(one.columns):
        values = one.value[:, column]
        if not np.isfinite(values).any():
            body.append(
                (name, "–", "no value: CKA needs Euclidean dissimilarities" if one.measure == "cka" else "–", "–", "–")
            )
            continue
        row = int(np.nanargmax(values))
        ends = (
            f" [{number(one.low[row, column])}, {number(one.high[row, column])}]"
            if np.isfinite(one.low[row, column])
            else ""
        )
        ceiling = "–" if one.ceiling is None else number(float(one.ceiling[row, column]))
        share = f"{one.best_share[row, column]:.0%} of draws" if ends else "–"
        body.append((name, one.rows[row], number(float(values[row])) + ends, share, ceiling))
    return Grid(_HEAD, tuple(body))
