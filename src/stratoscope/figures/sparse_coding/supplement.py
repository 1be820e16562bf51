"""Supplementary figure 1 of the paper: distribution of activations, and how long its tail is."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from stratoscope.figures.sparse_coding.kept import runs
from stratoscope.figures.sparse_coding.panel import name_places, panels_figure, ramp, room_for, title
from stratoscope.figures.style import SERIES, THEME, house_style
from stratoscope.results import Results

_FITS = {"as-published": "as published", "to-activations": "to activations"}


def activation_distributions(results: Results) -> Figure:
    """Draw the density of normalised activations (A), how well norm and Weibull fit (B), and the Weibull shape (C).

    B is the negative log-likelihood a number under the norm minus that under the Weibull: above 0 the Weibull fits better.

    Parameters
    ----------
    results : Results
        Of a sparse-coding study.
    """
    run = runs(results)[0]
    figure, axes = panels_figure(3, bottom=room_for(run.stages))
    with house_style():
        for density, colour in zip(run.arrays("activation_density"), ramp(len(run.stages)), strict=True):
            if len(density):
                axes[0, 0].plot((np.arange(len(density)) + 0.5) / 100, density, color=colour, lw=1)
        axes[0, 0].set_yscale("log")
        axes[0, 0].yaxis.set_minor_formatter(NullFormatter())
        axes[0, 0].set_xlabel("normalised activation (first stage blue, last orange)", fontsize=7.6)
        axes[0, 0].set_ylabel("density")
        title(axes[0, 0], "A", "activations")
        for (key, words), colour in zip(_FITS.items(), SERIES, strict=False):
            gain = run.scalars(f"fit.{key}.norm") - run.scalars(f"fit.{key}.weibull")
            axes[0, 1].plot(gain, color=colour, marker="o", mew=0, label=words)
            axes[0, 2].plot(run.scalars(f"fit.{key}.shape"), color=colour, marker="o", mew=0, label=words)
        for panel, level in zip(axes[0, 1:], (0.0, 1.0), strict=True):
            panel.axhline(level, color=THEME["control"], lw=0.8)
            panel.legend(frameon=False, fontsize=6.8)
            name_places(panel, run.stages)
        axes[0, 1].set_ylabel("gain of the Weibull, nats")
        axes[0, 2].set_ylabel("Weibull shape k")
        title(axes[0, 1], "B", "norm against Weibull")
        title(axes[0, 2], "C", "tail (long below 1)")
    return figure
