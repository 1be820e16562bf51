"""What a metric said about itself at the time of the run, kept with the results so that reports need no code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from stratoscope.errors import ResultsError
from stratoscope.types import Metric


@dataclass(frozen=True)
class Declared:
    """The declaration of a metric as plain values, see `stratoscope.types.Metric` for the fields they share.

    Attributes
    ----------
    title : str
        First line of the docstring: the definition in words.
    misleads : str
        The section "When it misleads" of the docstring.
    """

    name: str
    title: str = ""
    needs: str = ""
    dims: tuple[str, ...] = ()
    unit: str = "1"
    range: tuple[float, float] = (float("-inf"), float("inf"))
    reads: str = ""
    controls: tuple[str, ...] = ()
    paper: str = ""
    misleads: str = ""

    @classmethod
    def load(cls, name: str, values: Mapping[str, Any]) -> Declared:
        """Make the record from what `as_dict` gave, ignoring keys it does not know."""
        if not isinstance(values, Mapping):
            raise ResultsError(f"What run.toml says about the metric {name!r} is no table. It was edited; restore it.")
        known = {field.name for field in fields(cls)} - {"name"}
        kept: dict[str, Any] = {key: value for key, value in values.items() if key in known}
        lists = {key: tuple(value) for key, value in kept.items() if isinstance(value, list)}
        return cls(name=name, **{**kept, **lists})

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the name, for ``run.toml``."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


def declared(metric: Metric) -> Declared:
    """Return what `metric` declares about itself, with the warning of its docstring."""
    return Declared(
        name=metric.name,
        title=metric.title,
        needs=metric.needs,
        dims=tuple(metric.dims),
        unit=metric.unit,
        range=(float(metric.range[0]), float(metric.range[1])),
        reads=metric.reads,
        controls=tuple(metric.controls),
        paper=metric.paper,
        misleads=docstring_section(metric.function, "When it misleads"),
    )


def docstring_section(function: Callable[..., Any], heading: str) -> str:
    """Return the text under `heading` in the numpydoc docstring of `function` as one paragraph, or nothing."""
    text = inspect.getdoc(function) or ""
    found = re.search(
        rf"^{re.escape(heading)}\n-{{3,}}\n(.*?)(?=\n[^\n]+\n-{{3,}}(?:\n|$)|\Z)", text, re.DOTALL | re.MULTILINE
    )
    return " ".join(found.group(1).split()) if found else ""
