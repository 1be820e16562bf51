"""The plain records that a report is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.figure import Figure

from stratoscope.figures import THEME, to_svg
from stratoscope.figures.panels import live_panels


@dataclass(frozen=True)
class Drawn:
    """A figure with what is written around it; `live` is the same as JSON, for the page to draw, or empty; `wide` has panels."""

    anchor: str
    title: str
    svg: str
    caption: str
    misleads: str = ""
    live: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Grid:
    """A table as words: a head, and rows of cells."""

    head: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One section of the report of a study: what it says first, tables with their titles, figures."""

    title: str
    lead: str = ""
    tables: tuple[tuple[str, Grid], ...] = ()
    figures: tuple[Drawn, ...] = ()


def drawn(title: str, figure: Figure, written: str, misleads: str = "", live: Mapping[str, Any] | None = None) -> Drawn:
    """Turn a figure into SVG whose colours are those of the page, light or dark; `live` is the same as plain data."""
    anchor = re.sub(r"\W+", "-", title)
    svg = to_svg(figure, anchor, f"{title}. {written}".replace("`", ""))
    for name, colour in THEME.items():
        svg = svg.replace(colour, f"var(--{name})")
    return Drawn(anchor, title[0].upper() + title[1:], svg, written, misleads, "" if live is None else as_json(live))


def panelled(title: str, figure: Figure, written: str, stages: Sequence[str] | None = None) -> Drawn:
    """Turn a figure of several panels into SVG, and into plain data read from what is drawn: see `figures.panels`."""
    return replace(drawn(title, figure, written, live=live_panels(figure, stages)), wide=True)


def as_json(data: Any) -> str:
    """Return `data` as JSON that may stand in a script of a page: no tag can end it."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
