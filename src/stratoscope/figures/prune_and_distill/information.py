"""Unit information about image properties along the stages, and how it is spread over units."""

from __future__ import annotations

from matplotlib.figure import Figure

from stratoscope.figures.prune_and_distill.kept import ALL, Kept
from stratoscope.figures.prune_and_distill.panel import draw_curves, finish, grid
from stratoscope.figures.style import THEME, house_style
from stratoscope.results import Results

INFORMATION = "property_information"


def information_over_depth(results: Results) -> Figure:
    """Draw unit information about all properties together and about each, trained against untrained.

    Grey: the trained network less its shuffled baseline, which agrees with the corrected estimate where that is sound.

    Parameters
    ----------
    results : Results
        Of a prune-and-distill study.
    """
    kept = Kept(results)
    items = (ALL, *kept.properties)
    figure, axes = grid(len(items), kept.stages)
    with house_style():
        for place, item in enumerate(items):
            panel = axes[place]
            panel.plot(
                kept.trained(INFORMATION, item, "minus shuffle").mean, color=THEME["control"], lw=1, ls=(0, (1, 1.5)),
                zorder=1.5, label="trained, minus shuffle",
            )  # fmt: skip
            draw_curves(panel, kept.curves(INFORMATION, item), legend=place == 0)
            finish(panel, kept.stages, chr(ord("A") + place), item.replace("_", " "), "bits a unit")
    return figure


def distillation_over_depth(results: Results) -> Figure:
    """Draw how information is spread over the units of each stage, over all properties, trained against untrained.

    A: concentration. B: share of the best tenth. C: fraction of units that inform. D: fraction of constant units.

    Parameters
    ----------
    results : Results
        Of a prune-and-distill study.
    """
    kept = Kept(results)
    measure = {"gini": "Gini index", "top-share": "share of the best tenth"}[kept.protocol["concentration"]]
    shown = [
        ("information_concentration", ALL, "", f"{measure} over units", "index"),
        ("information_concentration", ALL, "without constant units", "the same without constant units", "index"),
        ("information_top_share", ALL, "", "share of the best tenth", "share"),
        ("informative_fraction", ALL, "", "units that inform", "fraction"),
        ("constant_fraction", "", "", "constant units", "fraction"),
        ("dead_fraction", "", "", "dead units", "fraction"),
    ]
    figure, axes = grid(len(shown), kept.stages)
    with house_style():
        for place, (metric, item, control, words, unit) in enumerate(shown):
            draw_curves(axes[place], kept.curves(metric, item, control), legend=place == 0)
            axes[place].set_ylim(0, 1.6 if place == 0 else 1.02)
            finish(axes[place], kept.stages, chr(ord("A") + place), words, unit)
    return figure
