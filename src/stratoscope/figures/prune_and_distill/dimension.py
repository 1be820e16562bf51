"""Intrinsic dimension along the stages, trained against untrained."""

from __future__ import annotations

from matplotlib.figure import Figure

from stratoscope.figures.prune_and_distill.kept import Kept
from stratoscope.figures.prune_and_distill.panel import draw_curves, finish, grid
from stratoscope.figures.style import SERIES, house_style
from stratoscope.results import Results

#: Estimators beside each other in the trained network, with their words.
ESTIMATORS = (
    ("two_nn", "", "TwoNN"),
    ("gride", "n1=2", "Gride, n1 = 2"),
    ("gride", "n1=16", "Gride, n1 = 16"),
    ("levina_bickel", "", "Levina-Bickel"),
    ("two_nn_calibrated", "", "TwoNN, calibrated"),
    ("ess", "", "ESS"),
    ("participation_ratio", "", "participation ratio"),
)


def dimension_over_depth(results: Results) -> Figure:
    """Draw intrinsic dimension over depth, trained against untrained, and how far estimators disagree.

    A: TwoNN on all units. B: at matched numbers of units. C: mean over single objects. D: the participation ratio. E: several
    estimators in the trained network.

    Parameters
    ----------
    results : Results
        Of a prune-and-distill study.

    Raises
    ------
    BadInput
        For results that are no such study.
    """
    kept = Kept(results)
    matched = f"matched to {kept.protocol['matched_units']} units"
    shown = [
        ("two_nn", "", "", "TwoNN, all units"),
        ("two_nn", "", matched, f"TwoNN, {matched}"),
        ("object_dimension", "mean over objects", "", "TwoNN of single objects"),
        ("participation_ratio", "", "", "participation ratio"),
    ]
    curves = [kept.curves(metric, item, control) for metric, item, control, _ in shown]
    drawn = [
        (one, words)
        for one, (*_, words) in zip(curves, shown, strict=True)
        if any((c.value == c.value).any() for c in one)
    ]
    figure, axes = grid(len(drawn) + 1, kept.stages, spare=(len(drawn) + 1) % 3 == 0)
    with house_style():
        for place, (one, words) in enumerate(drawn):
            draw_curves(axes[place], one, legend=place == 0)
            finish(axes[place], kept.stages, chr(ord("A") + place), words, "dimensions")
        last = axes[-1]
        for place, (metric, item, words) in enumerate(ESTIMATORS):
            curve = kept.trained(metric, item)
            last.plot(
                curve.mean,
                color=SERIES[place % len(SERIES)],
                ls="-" if place < len(SERIES) else "--",
                lw=1.2,
                label=words,
            )
        last.legend(frameon=False, fontsize=6.6, handlelength=1.6, loc="upper left", bbox_to_anchor=(1.02, 1.02))
        finish(last, kept.stages, chr(ord("A") + len(drawn)), "estimators, trained network", "dimensions")
    return figure
