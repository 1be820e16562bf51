"""Fig. 1 of the paper: sparseness of the categories at every stage, as distributions and as medians."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.figures.counts import count
from stratoscope.figures.sparse_coding.kept import PSI, Run, panels, rows, runs
from stratoscope.figures.sparse_coding.panel import TITLES, name_places, panels_figure, ramp, room_for, title
from stratoscope.figures.style import SERIES, THEME, house_style, shorten
from stratoscope.results import Results

#: Equal bins on 0 to 1, as in the paper.
BINS = np.linspace(0, 1, 21)


def hierarchy_of_sparseness(results: Results) -> Figure:
    """Draw the distribution of PSI over categories at every stage (A), and its median with its interval (B).

    Convolutional and fully connected stages have panels of their own where there are both, as in the paper, because PSI
    depends on the number of units.

    Parameters
    ----------
    results : Results
        Of a sparse-coding study.

    Raises
    ------
    BadInput
        For results that are no such study.
    """
    run, groups = runs(results)[0], panels(results)
    figure, axes = panels_figure(len(groups) + 1, bottom=room_for(run.stages))
    with house_style():
        for place, (group, members) in enumerate(groups.items()):
            _distributions(axes[0, place], run, members)
            title(axes[0, place], "A" if not place else "", TITLES[group])
        _medians(axes[0, -1], results, run, list(groups.values()))
        title(axes[0, -1], "B", "median over categories")
    return figure


def _distributions(axes: Axes, run: Run, members: Sequence[int]) -> None:
    arrays = run.arrays(PSI)
    for place, colour in zip(members, ramp(len(members)), strict=True):
        values = arrays[place][np.isfinite(arrays[place])]
        if len(values):
            share = 100 * np.histogram(values, BINS)[0] / len(values)
            axes.plot((BINS[:-1] + BINS[1:]) / 2, share, color=colour, lw=1.3, label=shorten(run.stages[place]))
    axes.set_xlim(0, 1)
    axes.set_xlabel("PSI, 20 bins")
    axes.set_ylabel("% of categories")
    if 0 < len(members) <= 8:
        axes.legend(frameon=False, fontsize=6.8, handlelength=1.2)
    else:
        axes.text(
            0.98, 0.95, "first stage blue,\nlast orange", transform=axes.transAxes, ha="right", va="top", fontsize=7,
            color=THEME["soft"],
        )  # fmt: skip


def _medians(axes: Axes, results: Results, run: Run, groups: Sequence[Sequence[int]]) -> None:
    found = {row.stage: row for row in rows(results, run, PSI)}
    for members in groups:
        here = [(place, found[run.stages[place]]) for place in members if run.stages[place] in found]
        x = [place for place, _ in here]
        axes.fill_between(
            x, [row.low for _, row in here], [row.high for _, row in here], color=SERIES[0], alpha=0.18, lw=0
        )
        lines = axes.plot(x, [row.value for _, row in here], color=SERIES[0], marker="o", mew=0)
        count(lines, [row.n for _, row in here])
    axes.set_ylim(0, 1)
    axes.set_ylabel("median PSI")
    name_places(axes, run.stages)
