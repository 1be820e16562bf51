"""What is written under a figure: what was measured, in which unit, on how many, with which interval."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stratoscope.errors import unknown_name
from stratoscope.results import Declared, Results, Row

#: Names whose spelling is not their words.
_SPELLED = {
    "two_nn": "TwoNN dimension",
    "gride": "Gride dimension",
    "levina_bickel": "Levina–Bickel dimension",
    "cka": "CKA",
    "rdm": "dissimilarity",
}
#: What each lesion leaves behind, in words.
_LESIONS = {
    "permute_weights": "permuted weights",
    "permute_biases": "permuted biases",
    "reinitialize": "fresh initialisation",
    "remove_gating": "gating removed",
    "replace_gating": "gating replaced",
    "ablate_units": "units ablated",
}
_LESION = re.compile(r"(?P<name>\w+)(?P<option>\[[^\]]*\])?(?P<rest>.*)", re.DOTALL)


def pretty(metric: str) -> str:
    """Return the name of a metric as it is written in sentences."""
    return _SPELLED.get(metric, metric.replace("_", " "))


def pretty_lesion(lesion: str) -> str:
    """Return a lesion as it is written in sentences and beside curves: ``permuted weights (channels) at relu1``.

    No lesion is ``intact``. Names of stages stay as they are; several lesions stay joined by a plus sign.
    """
    return " + ".join(_one_lesion(part) for part in lesion.split(" + ")) if lesion else "intact"


def _one_lesion(lesion: str) -> str:
    found = _LESION.fullmatch(lesion)
    if found is None:
        return lesion
    name = _LESIONS.get(found["name"], found["name"].replace("_", " "))
    option = f" ({found['option'][1:-1]})" if found["option"] else ""
    return name + option + found["rest"]


def rows_of(results: Results, metric: str) -> list[Row]:
    """Return the rows of `metric`; a name that is not there is an error with the nearest ones."""
    rows = [row for row in results.rows if row.metric == metric]
    if not rows:
        raise unknown_name("metric in these results", metric, dict.fromkeys(row.metric for row in results.rows))
    return rows


def drawn_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows a figure over depth shows.

    Where a metric has several items and they come from several hierarchies, lesions or units, only the first item
    is shown, since every item of each would hide them all.
    """
    measured = [row for row in rows if not row.control]
    if len({(row.hierarchy, row.lesion, row.unit) for row in measured}) < 2:
        return list(rows)
    return [row for row in rows if row.item == measured[0].item]


def declaration(results: Results, metric: str) -> Declared:
    """Return what `metric` declared, or an empty declaration where the run kept none."""
    return results.metrics.get(metric, Declared(metric))


def physical(unit: str) -> str:
    """Return a physical unit as written after a comma, nothing for a pure number."""
    return "" if unit in {"1", "", "dimensions"} else f", {unit}"


def axis_label(results: Results, metric: str, rows: Sequence[Row]) -> str:
    """Return the label of the y axis: metric, item, physical unit, and what a unit of the stage is."""
    items = {row.item for row in rows if row.item and not row.control}
    item = f", {items.pop()}" if len(items) == 1 else ""
    units = " and ".join(dict.fromkeys(row.unit for row in rows))
    return f"{pretty(metric)}{item}{physical(declaration(results, metric).unit)}  (unit: {units})"


def caption(results: Results, metric: str) -> str:
    """Return the caption of the figure of `metric`, in sentences.

    Raises
    ------
    UnknownName
        If the results hold no such metric.
    """
    rows = drawn_rows(rows_of(results, metric))
    measured = [row for row in rows if not row.control]
    said = declaration(results, metric)
    parts = [said.title.rstrip(".") + "." if said.title else ""]
    parts.append(f"Unit: {' and '.join(dict.fromkeys(row.unit for row in rows))}; {_counts(measured)}.")
    method, level = _interval(results, metric)
    if any(row.low == row.low for row in measured):
        parts.append(f"Band: {level:.0%} interval{f' ({method})' if method else ''}.")
    controls = list(dict.fromkeys(row.control for row in rows if row.control))
    if controls:
        parts.append(f"Grey: controls ({', '.join(controls)}){_whose(rows)}.")
    if any(row.value != row.value for row in measured):
        parts.append("A cross marks a stage without a value; the notes say why.")
    if len(rows) < len(rows_of(results, metric)):
        parts.append(f"Drawn for {rows[0].item}; the table holds the others.")
    return " ".join(part for part in parts if part)


def controlled_lesion(rows: Sequence[Row]) -> str:
    """Return the lesion whose controls are drawn: none, or the first where every row is lesioned."""
    lesions = dict.fromkeys(row.lesion for row in rows if not row.control)
    return "" if "" in lesions else next(iter(lesions), "")


def _whose(rows: Sequence[Row]) -> str:
    """Say whose controls are drawn where there are several."""
    if len({row.lesion for row in rows if row.control}) < 2:
        return ""
    return f", drawn for {pretty_lesion(controlled_lesion(rows))} alone; the others are in the table"


def scale_caption(results: Results, metric: str) -> str:
    """Return the caption of the figure of `metric` over scales, in sentences."""
    rows = [row for row in rows_of(results, metric) if not row.control]
    several = len({(row.hierarchy, row.lesion, row.unit) for row in rows}) > 1
    panels = "One panel for each network and lesion, on the same axes; one" if several else "One"
    return (
        f"{panels} curve a stage, coloured from the input end (blue) to the output end (orange). Unit: "
        f"{' and '.join(dict.fromkeys(row.unit for row in rows))}; {_counts(rows)}. A flat stretch is a dimension "
        "one can speak of; a fall from small to large neighbourhoods points to noise at small scales."
    )


def _counts(rows: Sequence[Row]) -> str:
    counts, widths = sorted({row.n for row in rows}), sorted({row.n_units for row in rows})
    return f"n = {_span(counts)}; {_span(widths)} units a stage"


def _span(numbers: Sequence[int]) -> str:
    if not numbers:
        return "0"
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"


def _interval(results: Results, metric: str) -> tuple[str, float]:
    """Return how the intervals were made and their level, as the arrays say."""
    for array in (node.data_vars.get(metric) for node in results.tree.subtree):
        if array is not None:
            return str(array.attrs.get("method", "")), float(array.attrs.get("level", 0.95))
    return "", 0.95
