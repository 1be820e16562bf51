"""Where dimension grew with training, against what was pruned there."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.prune_and_distill.kept import ALL, WORDS, Kept
from stratoscope.figures.sparse_coding.panel import panels_figure, ramp, title
from stratoscope.figures.style import THEME, house_style, shorten
from stratoscope.results import Results


def pruning_against_expansion(results: Results) -> Figure:
    """Draw every stage by the growth of its dimension with training and by its pruning index, for each meaning of untrained.

    Parameters
    ----------
    results : Results
        Of a prune-and-distill study.

    Raises
    ------
    BadInput
        For a study without untrained models.
    """
    kept = Kept(results)
    if not kept.kinds:
        raise BadInput("This study has no untrained models, so nothing can be compared.")
    figure, axes = panels_figure(len(kept.kinds), bottom=0.5)
    with house_style():
        for place, kind in enumerate(kept.kinds):
            _draw(axes[0, place], kept, f"against {_control(kind)}" if place else "")
            title(axes[0, place], chr(ord("A") + place), f"against {WORDS[kind]}")
    return figure


def _control(kind: str) -> str:
    return "the first checkpoint" if kind == "checkpoint" else WORDS[kind]


def _draw(axes: Axes, kept: Kept, control: str) -> None:
    grown = kept.trained("dimension_expansion", str(kept.protocol["estimator"]), control)
    pruned = kept.trained("pruning_index", ALL, control)
    axes.axhline(0, color=THEME["soft"], lw=0.6)
    axes.axvline(0, color=THEME["soft"], lw=0.6)
    axes.grid(visible=False)
    x, y = grown.mean, pruned.mean
    for place, (name, colour) in enumerate(zip(kept.stages, ramp(len(kept.stages)), strict=True)):
        axes.plot([grown.low[place], grown.high[place]], [y[place]] * 2, color=colour, lw=0.7, alpha=0.7)
        axes.plot([x[place]] * 2, [pruned.low[place], pruned.high[place]], color=colour, lw=0.7, alpha=0.7)
        axes.plot(x[place], y[place], "o", color=colour, ms=4.5, mew=0, label=name)
        if len(kept.stages) <= 12:
            axes.annotate(
                shorten(name, 14), (x[place], y[place]), xytext=(3, 3), textcoords="offset points", fontsize=6.4,
                color=THEME["soft"],
            )  # fmt: skip
    axes.set_xlabel("growth of dimension with training")
    axes.set_ylabel("pruning index, bits" if kept.protocol["pruning"] == "difference" else "pruning index, log2 ratio")
