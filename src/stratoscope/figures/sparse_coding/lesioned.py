"""Fig. 3 of the paper: sparseness along the stages of lesioned models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.captions import pretty_lesion
from stratoscope.figures.sparse_coding.kept import Run, lesioned, runs
from stratoscope.figures.sparse_coding.panel import name_places, panels_figure, ramp, room_for, title
from stratoscope.figures.style import SERIES, THEME, house_style, shorten
from stratoscope.results import Results

#: Panels beside each other.
_COLUMNS = 3


def lesioned_sparseness(results: Results) -> Figure:
    """Draw, for every lesion of the whole network, box plots over its models of the median PSI at every stage.

    In grey the intact network; dotted the fraction of units that are constant (dead ones are among them), because a stage
    that says nothing reads 0 and is not distributed.

    Parameters
    ----------
    results : Results
        Of a sparse-coding study.

    Raises
    ------
    BadInput
        For a study without lesions of the whole network.
    """
    found = {name: models for name, models in lesioned(results).items() if " at " not in name}
    if not found:
        raise BadInput("This study has no lesions of the whole network, so there is nothing to draw.")
    return _figure(runs(results)[0], found)


def stagewise_lesions(results: Results) -> Figure:
    """Draw the median PSI along the stages for lesions of one stage each: a panel a lesion, a line a lesioned stage.

    Several models of a lesion are their median, in a band from the lowest to the highest of them; boxes of every stage
    for every lesioned stage would hide each other.

    Raises
    ------
    BadInput
        For a study without lesions of single stages.
    """
    found: dict[str, list[Run]] = {}
    for name, models in lesioned(results).items():
        if " at " in name:
            found.setdefault(name.partition(" at ")[0], []).extend(models)
    if not found:
        raise BadInput("This study has no lesions of single stages. Ask for one with ' at STAGE' or ' at each'.")
    intact = runs(results)[0]
    figure, axes = _grid(len(found), intact)
    with house_style():
        for place, (name, models) in enumerate(found.items()):
            panel = axes[place]
            _intact(panel, intact)
            wheres = list(dict.fromkeys(model.lesion for model in models))
            for where, colour in zip(wheres, ramp(len(wheres)), strict=True):
                of_stage = np.array([model.medians() for model in models if model.lesion == where])
                label = shorten(where.partition(" at ")[2])
                panel.plot(np.median(of_stage, axis=0), color=colour, lw=1, label=label)
                if len(of_stage) > 1:
                    ends = of_stage.min(axis=0), of_stage.max(axis=0)
                    panel.fill_between(range(len(ends[0])), *ends, color=colour, alpha=0.2, lw=0)
            if len(wheres) <= 8:
                panel.legend(frameon=False, fontsize=6.4, handlelength=1.2)
            _finish(panel, intact, chr(ord("A") + place), f"{pretty_lesion(name)}, one stage at a time")
    return figure


def _figure(intact: Run, found: Mapping[str, Sequence[Run]]) -> Figure:
    figure, axes = _grid(len(found), intact)
    with house_style():
        for place, (name, models) in enumerate(found.items()):
            _intact(axes[place], intact)
            _boxes(axes[place], models)
            n = f", n = {len(models)}" if len(models) > 1 else ""
            _finish(axes[place], intact, chr(ord("A") + place), f"{pretty_lesion(name)}{n}")
    return figure


def _grid(count: int, intact: Run) -> tuple[Figure, list[Axes]]:
    columns = min(count, _COLUMNS)
    figure, axes = panels_figure(columns, -(-count // columns), bottom=room_for(intact.stages))
    for unused in axes.flat[count:]:
        unused.remove()
    return figure, list(axes.flat[:count])


def _intact(axes: Axes, intact: Run) -> None:
    axes.plot(intact.medians(), color=THEME["control"], lw=1.4, marker="o", ms=2.4, mew=0, zorder=1.5)


def _boxes(axes: Axes, models: Sequence[Run]) -> None:
    medians = np.array([model.medians() for model in models])
    colour = SERIES[1]
    if len(models) == 1:
        axes.plot(medians[0], color=colour, marker="o", mew=0, zorder=3)
    else:
        shown = [column[np.isfinite(column)] for column in medians.T]
        places = [place for place, column in enumerate(shown) if len(column)]
        axes.boxplot(
            [shown[place] for place in places], positions=places, widths=0.55, manage_ticks=False, patch_artist=True,
            boxprops={"facecolor": "none", "edgecolor": colour, "linewidth": 0.9},
            medianprops={"color": colour, "linewidth": 1.6}, whiskerprops={"color": colour, "linewidth": 0.8},
            capprops={"color": colour, "linewidth": 0.8}, flierprops={"marker": ".", "markersize": 3, "markeredgecolor": colour},
        )  # fmt: skip
    # Without gating a unit may answer below zero alone, so "dead" has no meaning there and "constant" has.
    constant = np.array([model.scalars("constant_fraction") for model in models])
    if np.isfinite(constant).all():
        axes.plot(constant.mean(axis=0), color=SERIES[3], lw=0.9, ls=(0, (1, 1.5)), zorder=2)


def _finish(axes: Axes, intact: Run, letter: str, words: str) -> None:
    axes.set_ylim(0, 1)
    axes.set_ylabel("median PSI")
    name_places(axes, intact.stages)
    title(axes, letter, shorten(words, 44))
