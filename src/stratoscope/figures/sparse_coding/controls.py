"""The controls that the paper lacked: the same curve at matched size, without structure, without dead units, by other indices."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.figures.sparse_coding.kept import PSI, Run, runs
from stratoscope.figures.sparse_coding.panel import name_places, panels_figure, room_for, title
from stratoscope.figures.style import CONTROL_LINES, SERIES, THEME, house_style
from stratoscope.results import Results

_CONTROLS = {
    "size-matched": "size-matched",
    "without-constant-units": "without constant units",
    "structureless": "structureless",
}
_INDICES = {"raw_treves_rolls": "raw Treves-Rolls", "hoyer_sparseness": "Hoyer", "gini_sparseness": "Gini"}


def controls_of_sparseness(results: Results) -> Figure:
    """Draw median PSI beside its controls (A), beside other indices (B), and the dead and constant fractions (C).

    Parameters
    ----------
    results : Results
        Of a sparse-coding study.
    """
    run = runs(results)[0]
    figure, axes = panels_figure(3, bottom=room_for(run.stages))
    with house_style():
        for (name, words), dash in zip(_CONTROLS.items(), CONTROL_LINES, strict=False):
            axes[0, 0].plot(run.medians(f"{PSI}.{name}"), color=THEME["control"], ls=dash, lw=1.2, label=words)
        _measured(axes[0, 0], run, "PSI")
        for (name, words), colour in zip(_INDICES.items(), SERIES[1:], strict=False):
            axes[0, 1].plot(run.medians(name), color=colour, lw=1.2, label=words)
        _measured(axes[0, 1], run, "PSI")
        axes[0, 2].plot(run.scalars("dead_fraction"), color=SERIES[1], marker="o", mew=0, label="dead")
        axes[0, 2].plot(run.scalars("constant_fraction"), color=SERIES[2], ls=(0, (4, 2)), label="constant")
        titles = ("PSI and its controls", "PSI and other indices", "units that say nothing")
        for panel, letter, words in zip(axes[0], "ABC", titles, strict=True):
            panel.set_ylim(0, 1)
            panel.legend(frameon=False, fontsize=6.8)
            name_places(panel, run.stages)
            title(panel, letter, words)
        axes[0, 0].set_ylabel("median over categories")
        axes[0, 2].set_ylabel("fraction of units")
    return figure


def _measured(axes: Axes, run: Run, words: str) -> None:
    axes.plot(run.medians(), color=SERIES[0], marker="o", mew=0, label=words, zorder=3)
