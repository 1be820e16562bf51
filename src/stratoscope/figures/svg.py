"""A figure as SVG text to be set into a page."""

from __future__ import annotations

import io
import re
import warnings

from matplotlib.figure import Figure

from stratoscope.figures.style import house_style, printable


def to_svg(figure: Figure, name: str, description: str = "") -> str:
    """Return `figure` as an ``<svg>`` element that may stand in a page beside others.

    Parameters
    ----------
    figure : Figure
        The figure.
    name : str
        Put before every id, since ids must be unique in a page.
    description : str
        What readers who cannot see the figure are told.
    """
    buffer = io.StringIO()
    with house_style(), warnings.catch_warnings():
        # Text stays text, and the page's fonts draw it: what our font lacks is no loss.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r' d="[^"]*"', _rounded, svg)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{_attribute(description)}" ', 1).strip()


def _rounded(path: re.Match[str]) -> str:
    """Return a path with coordinates to a hundredth of a point, which nobody can see, on one line: half the bytes."""
    return re.sub(r"(\.\d\d)\d+", r"\1", path[0]).replace("\n", "")


def _attribute(text: str) -> str:
    return printable(text).replace("`", "").replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
