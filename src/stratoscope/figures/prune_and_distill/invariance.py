"""How well objects are told apart along the stages, trained against untrained."""

from __future__ import annotations

from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.prune_and_distill.kept import Kept
from stratoscope.figures.prune_and_distill.panel import draw_curves, finish, grid
from stratoscope.figures.style import THEME, house_style
from stratoscope.results import Results


def invariance_over_depth(results: Results) -> Figure:
    """Draw read-out of pairs of objects above chance: over all views, and in views that were not learnt.

    A, B: populations. C: accuracy of the populations in views not learnt, grey: with shuffled labels. D, E: single units. F:
    unit information about the object, grey: what luminance alone tells.

    Parameters
    ----------
    results : Results
        Of a prune-and-distill study.

    Raises
    ------
    BadInput
        For a study without objects.
    """
    kept = Kept(results)
    item = str(kept.protocol["readout"])
    if not item:
        raise BadInput("This study has no objects that are read out, so there is nothing to draw.")
    shown = [
        ("population_separability", item, "", f"{item}: all views", "bits"),
        ("population_generalization", item, "", f"{item}: views not learnt", "bits"),
        ("population_generalization", item, "accuracy", f"{item}: views not learnt", "accuracy"),
        ("unit_separability", "", "", "single units: all views", "bits"),
        ("unit_generalization", "", "", "single units: views not learnt", "bits"),
        ("object_information", "", "", "unit information about objects", "bits"),
    ]
    grey = {
        2: ("population_generalization", item, "chance accuracy"),
        5: ("object_information", "", "what luminance alone tells"),
    }
    figure, axes = grid(len(shown), kept.stages)
    with house_style():
        for place, (metric, of, control, words, unit) in enumerate(shown):
            if place in grey:
                axes[place].plot(kept.trained(*grey[place]).mean, color=THEME["control"], lw=1, ls=(0, (1, 1.5)))
            draw_curves(axes[place], kept.curves(metric, of, control), legend=place == 0)
            finish(axes[place], kept.stages, chr(ord("A") + place), words, unit, from_zero=unit == "bits")
            if unit == "accuracy":
                axes[place].set_ylim(0.45, 1.0)
    return figure
