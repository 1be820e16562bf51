"""Fig. 2 of the paper: read-out of every category, and how it goes with sparseness."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.counts import count
from stratoscope.figures.sparse_coding.kept import PSI, Run, readout_run, rows
from stratoscope.figures.sparse_coding.panel import name_places, panels_figure, room_for, title
from stratoscope.figures.style import SERIES, THEME, house_style
from stratoscope.results import Results
from stratoscope.types import Floats

_LINES = {"pearson": "-", "spearman": (0, (4, 2)), "partial pearson given mean activation": (0, (1, 1.5))}


def sparseness_and_performance(results: Results) -> Figure:
    """Draw accuracy by category (A), against PSI at the last stage (B), and its correlation with PSI at every stage (C).

    Parameters
    ----------
    results : Results
        Of a sparse-coding study with a read-out.

    Raises
    ------
    BadInput
        For a study without a read-out.
    """
    run = readout_run(results)
    if run is None:
        raise BadInput("This study has no read-out, so there is nothing to draw. Its remarks say why.")
    accuracy = next(values for values in run.arrays("readout_accuracy") if len(values))
    figure, axes = panels_figure(3, bottom=room_for(run.stages))
    with house_style():
        _by_category(axes[0, 0], accuracy)
        _against_sparseness(axes[0, 1], run, accuracy)
        _over_stages(axes[0, 2], results, run)
    return figure


def _by_category(axes: Axes, accuracy: Floats) -> None:
    ordered = np.sort(accuracy[np.isfinite(accuracy)])[::-1]
    axes.plot(np.arange(1, len(ordered) + 1), ordered, color=SERIES[0], marker="o", ms=2.6, lw=1, mew=0)
    axes.axhline(1 / len(ordered), color=THEME["control"], ls=(0, (4, 2)), lw=1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"category, of {len(ordered)}, best first")
    axes.set_ylabel("accuracy (dashed: chance)")
    title(axes, "A", "read-out of each category")


def _against_sparseness(axes: Axes, run: Run, accuracy: Floats) -> None:
    psi = run.arrays(PSI)[-1]
    if len(psi) == len(accuracy):
        axes.plot(psi, accuracy, ls="", marker="o", ms=3, mew=0, color=SERIES[0], alpha=0.7)
    axes.set_xlabel("PSI at the last stage")
    axes.set_ylabel("accuracy")
    axes.set_ylim(0, 1)
    title(axes, "B", run.stages[-1])


def _over_stages(axes: Axes, results: Results, run: Run) -> None:
    for (item, line), colour in zip(_LINES.items(), SERIES, strict=False):
        found = {row.stage: row for row in rows(results, run, "correlation_with_accuracy", item=item)}
        places = [place for place, name in enumerate(run.stages) if name in found]
        kept = [found[run.stages[place]] for place in places]
        if item == "pearson":
            axes.fill_between(
                places, [row.low for row in kept], [row.high for row in kept], color=colour, alpha=0.18, lw=0
            )
        words = item.replace(" pearson given mean activation", ", given mean")
        lines = axes.plot(
            places, [row.value for row in kept], color=colour, ls=line, marker="o", ms=2.6, mew=0, lw=1.3, label=words
        )
        count(lines, [row.n for row in kept])
    axes.axhline(0, color=THEME["control"], lw=0.8)
    axes.set_ylim(-1, 1)
    axes.set_ylabel("correlation with accuracy")
    axes.legend(frameon=False, fontsize=6.8, loc="lower right", handlelength=2.2)
    name_places(axes, run.stages)
    title(axes, "C", "PSI at each stage and accuracy")
