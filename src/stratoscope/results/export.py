"""The table in other formats, and a few lines for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from stratoscope.errors import ResultsError, missing_extra, unknown_name
from stratoscope.results.records import Row
from stratoscope.results.results import Results

#: Format by name, with the suffix that files of it have.
FORMATS = {"csv": ".csv", "parquet": ".parquet", "latex": ".tex"}
_BARS = "▁▂▃▄▅▆▇█"
_LATEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
          "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}  # fmt: skip


def export_table(results: Results, path: str | Path, format: str | None = None) -> Path:
    """Write the table of `results` to a file.

    Parameters
    ----------
    results : Results
        A run, several, or a study.
    path : str or Path
        The file.
    format : str, optional
        ``csv`` and ``parquet`` hold every row (see `Results.table`); ``latex`` is what a paper prints, one line a stage
        and one column a metric, value with interval. By default told from the suffix of `path`.

    Returns
    -------
    Path

    Raises
    ------
    UnknownName
        For another format or suffix.
    MissingExtra
        For Parquet without pyarrow.
    ResultsError
        Where the file cannot be written.
    """
    place = Path(path).expanduser()
    known = {suffix: name for name, suffix in FORMATS.items()}
    if format is None and place.suffix not in known:
        raise unknown_name("suffix of a table", place.suffix, known)
    wanted = format or known[place.suffix]
    if wanted not in FORMATS:
        raise unknown_name("format of a table", wanted, FORMATS)
    try:
        if wanted == "latex":
            place.write_text(latex_table(results), encoding="utf-8")
        elif wanted == "csv":
            results.table().to_csv(place, index=False)
        else:
            _to_parquet(results, place)
    except OSError as error:
        raise ResultsError(
            f"The table cannot be written to {place}: {error.strerror}. Choose another place."
        ) from error
    except UnicodeEncodeError as error:
        name = error.object[max(error.start - 20, 0) : error.end + 5]
        raise ResultsError(
            f"The table cannot be written to {place} as {wanted}, since a name in it is no valid Unicode: {name!r}. "
            "Rename it; table.csv of the run holds it as it is."
        ) from error
    return place


def latex_table(results: Results) -> str:
    r"""Return the measurements as a LaTeX table (booktabs): stages down, metrics across, value with its interval below it.

    Hierarchies and lesions stand as lines of their own; of a metric with several items the first is shown.
    """
    measured = [row for row in results.rows if not row.control]
    metrics = list(dict.fromkeys(row.metric for row in measured))
    lines = [rf"\begin{{tabular}}{{l{'r' * len(metrics)}}}", r"\toprule"]
    lines += [" & ".join(["stage", *(_latex(metric.replace("_", " ")) for metric in metrics)]) + r" \\", r"\midrule"]
    owner: tuple[str, str] | None = None
    for (hierarchy, lesion, stage), cells in _by_stage(measured).items():
        if (hierarchy, lesion) != owner:
            owner = (hierarchy, lesion)
            named = f"{hierarchy}, {lesion}" if lesion else hierarchy
            lines.append(rf"\multicolumn{{{len(metrics) + 1}}}{{l}}{{\textit{{{_latex(named)}}}}} \\")
        lines.append(" & ".join([_latex(stage), *(_cell(cells.get(metric)) for metric in metrics)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def summary(results: Results, width: int = 24) -> str:
    """Return a few lines for the terminal: every metric along the stages as a row of bars, with its first and last value.

    A stage without a value is a gap. Bars span the range of the line itself, so their height does not compare lines.

    Parameters
    ----------
    width : int
        Most bars of a line; of more stages those evenly spaced are shown.
    """
    lines: dict[tuple[str, ...], list[Row]] = {}
    for row in results.rows:
        if not row.control:
            lines.setdefault((row.hierarchy, row.lesion, row.unit, row.metric, row.item), []).append(row)
    first: dict[tuple[str, ...], str] = {}
    shown = []
    for key, rows in lines.items():
        if first.setdefault(key[:4], key[4]) == key[4] and len({row.stage for row in rows}) == len(rows) > 1:
            shown.append((key, rows))
    several = {index for index in (0, 1, 2) if len({key[index] for key, _ in shown}) > 1}
    names = [" ".join([key[3].replace("_", " "), *(key[i] or "intact" for i in sorted(several))]) for key, _ in shown]
    room = min(max(map(len, names), default=0), 48)
    return "\n".join(
        f"{name[:room]:<{room}}  {sparkline([row.value for row in rows], width)}  {_number(rows[0])} -> {_number(rows[-1])}"
        for name, (_, rows) in zip(names, shown, strict=True)
    )


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Return `values` as bars ``▁`` to ``█`` between their smallest and largest; a gap where one is not finite.

    Examples
    --------
    >>> sparkline([0.0, 1.0, 2.0, float("nan"), 7.0])
    '▁▂▃ █'
    """
    count = len(values)
    kept = values if count <= width else [values[round(i * (count - 1) / (width - 1))] for i in range(width)]
    known = [one for one in kept if math.isfinite(one)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((one - low) * scale)] if math.isfinite(one) else " " for one in kept)


def _by_stage(rows: Sequence[Row]) -> dict[tuple[str, str, str], dict[str, Row]]:
    found: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        found.setdefault((row.hierarchy, row.lesion, row.stage), {}).setdefault(row.metric, row)
    return found


def _cell(row: Row | None) -> str:
    if row is None or not math.isfinite(row.value):
        return "--"
    ends = f" [{row.low:.3g}, {row.high:.3g}]" if math.isfinite(row.low) else ""
    return f"{row.value:.3g}{ends}"


def _number(row: Row) -> str:
    return f"{row.value:.3g}" if math.isfinite(row.value) else "none"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)


def _to_parquet(results: Results, place: Path) -> None:
    if find_spec("pyarrow") is None:
        raise missing_extra("pyarrow", "parquet", "Writing Parquet")
    results.table().to_parquet(place, index=False)
