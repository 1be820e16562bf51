"""Information, dimension and read-out in the course of training."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.prune_and_distill.kept import ALL, Kept
from stratoscope.figures.prune_and_distill.panel import finish, grid
from stratoscope.figures.style import SERIES, THEME, house_style
from stratoscope.results import Results
from stratoscope.types import Floats


def over_training(results: Results) -> Figure:
    """Draw what checkpoints measure, as means over the stages, up to the trained network.

    A: unit information about every property. B: their mean. C: concentration of information. D: dimension. E: read-out across
    views. F: unit information about objects.

    Parameters
    ----------
    results : Results
        Of a prune-and-distill study.

    Raises
    ------
    BadInput
        For a study without checkpoints.
    """
    kept = Kept(results)
    if not kept.points:
        raise BadInput("This study has no checkpoints, so training cannot be followed. Give --checkpoints.")
    estimator = str(kept.protocol["estimator"])
    item, readout = ("n1=2" if estimator == "gride" else ""), str(kept.protocol["readout"])
    shown = [
        ("property_information", ALL, "all properties", "bits a unit"),
        ("information_concentration", ALL, "concentration over units", "index"),
        (estimator, item, f"dimension, {estimator}", "dimensions"),
        ("population_generalization", readout, f"{readout}: views not learnt", "bits"),
        ("object_information", "", "unit information about objects", "bits"),
    ]
    found = [(kept.along_training(metric, of), words, unit) for metric, of, words, unit in shown]
    found = [one for one in found if np.isfinite(one[0][0]).any()]
    figure, axes = grid(len(found) + 1, kept.points)
    with house_style():
        for place, name in enumerate(kept.properties):
            line = kept.along_training("property_information", name)[0]
            dash = "-" if place < len(SERIES) else (0, (3, 1.5))
            axes[0].plot(
                line,
                color=SERIES[place % len(SERIES)],
                ls=dash,
                lw=1.2,
                marker="o",
                ms=2,
                mew=0,
                label=name.replace("_", " "),
            )
        if len(kept.properties) <= 10:
            axes[0].legend(frameon=False, fontsize=5.8, handlelength=1.4, ncols=2)
            axes[0].set_ylim(top=axes[0].get_ylim()[1] * 1.35)
        finish(axes[0], kept.points, "A", "each property", "bits a unit")
        for place, (values, words, unit) in enumerate(found, start=1):
            _draw(axes[place], values)
            finish(axes[place], kept.points, chr(ord("A") + place), words, unit)
    return figure


def _draw(axes: Axes, values: tuple[Floats, Floats, Floats]) -> None:
    middle, low, high = values
    axes.fill_between(np.arange(len(middle)), low, high, color=SERIES[0], alpha=0.16, lw=0)
    axes.plot(middle, color=SERIES[0], marker="o", mew=0)
    axes.axhline(middle[-1], color=THEME["control"], lw=0.7, ls=(0, (1, 1.5)))
