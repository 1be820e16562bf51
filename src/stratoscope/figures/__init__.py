"""Figures: functions from results to a `matplotlib.figure.Figure`; they read and never compute a metric."""

from stratoscope.figures.captions import caption, pretty, pretty_lesion, scale_caption
from stratoscope.figures.curves import metric_over_depth, metrics_over_depth
from stratoscope.figures.scales import scale_curves
from stratoscope.figures.style import THEME
from stratoscope.figures.svg import to_svg

__all__ = [
    "THEME",
    "caption",
    "metric_over_depth",
    "metrics_over_depth",
    "pretty",
    "pretty_lesion",
    "scale_caption",
    "scale_curves",
    "to_svg",
]
