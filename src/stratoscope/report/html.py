"""The parts of a report as one HTML file that asks for nothing from anywhere."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from stratoscope.errors import ResultsError
from stratoscope.report.build import Report, build_report
from stratoscope.report.parts import as_json
from stratoscope.results import Results

#: Rows of the whole table that stand in the page as they are; more are built when the table is opened.
MOST_ROWS = 1500
_DOI = re.compile(r"\b(?:doi:\s*|https?://doi\.org/)(10\.\d{4,9}/[^\s,;]*[^\s,;.)])", re.IGNORECASE)
_CODE = re.compile(r"(``?)([^`]+)\1(?!`)")


def write_report(results: Results, path: str | Path) -> Path:
    """Write the report of `results` to the file `path`, whole or not at all; nothing is recomputed.

    Parameters
    ----------
    results : Results
        One run, or several combined.
    path : str or Path
        The HTML file; one that is there is replaced.

    Returns
    -------
    Path
        Absolute path of the file.

    Raises
    ------
    ResultsError
        If the file cannot be written.
    """
    path = Path(path).expanduser().absolute()
    text = render(build_report(results))
    made: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        made = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        made.chmod(0o644)
        made.replace(path)
    except OSError as error:
        raise ResultsError(
            f"The report could not be written to {path}: {(error.strerror or str(error)).lower()}. Choose another file."
        ) from error
    finally:
        if made is not None:
            made.unlink(missing_ok=True)
    return path


def render(report: Report) -> str:
    """Return `report` as HTML text."""
    environment = Environment(
        loader=PackageLoader("stratoscope.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["linked"] = linked
    environment.filters["prose"] = prose
    return environment.get_template("report.html").render(report=report, library=_library(report), rows=_rows(report))


def _rows(report: Report) -> Markup:
    """Return the rows of the whole table as data where there are so many that the page builds them when they are asked for."""
    if len(report.table.body) <= MOST_ROWS:
        return Markup("")
    return Markup(as_json(report.table.body))  # noqa: S704 - no tag can end it, see `as_json`


def _library(report: Report) -> Markup:
    """Return the plotting library as it stands in the page, once, as text that is run when a figure is first seen; or nothing."""
    figures = [
        *report.figures,
        *(figure for section in (*report.sections, *report.closer) for figure in section.figures),
    ]
    if not any(figure.live for figure in figures):
        return Markup("")
    # Plotly ships its own script with the package; it is trusted as it is, but must not end the tag it stands in.
    return Markup(get_plotlyjs().replace("</script", "<\\/script"))  # noqa: S704


def prose(text: str) -> Markup:
    """Return `text` with what stands in single or double backticks as code, and its DOIs as links."""
    parts = []
    end = 0
    for found in _CODE.finditer(text):
        parts += [linked(text[end : found.start()]), Markup("<code>{}</code>").format(found[2])]
        end = found.end()
    return Markup("").join([*parts, linked(text[end:])])


def linked(text: str) -> Markup:
    """Return `text` with its DOIs as links; everything else is escaped."""
    parts = []
    end = 0
    for found in _DOI.finditer(text):
        parts += [escape(text[end : found.start()]), _link(found.group(1))]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _link(doi: str) -> Markup:
    return Markup('<a href="https://doi.org/{0}">doi:{0}</a>').format(doi)
