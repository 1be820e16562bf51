"""What silencing channels costs: accuracy over the fraction silenced."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.style import SERIES, THEME, Label, house_style, new_figure, title_axis, write_labels
from stratoscope.results import Results, Row

_LESION = re.compile(r"ablate (?P<percent>[\d.e+-]+)% (?:(?P<end>highest|lowest) )?(?P<criterion>\w+) at ")
_DASHES = {"highest": "-", "lowest": (0, (4, 2))}


def accuracy_over_ablated(results: Results) -> Figure:
    """Draw accuracy over the fraction of channels silenced: a line for each criterion and end, random as a grey band.

    Full lines: the highest channels of a criterion silenced; dashed: the lowest. The band is the range of the random draws,
    the grey line their mean; every line starts at the intact network.

    Parameters
    ----------
    results : Results
        Of `stratoscope.studies.ablate_by_rank`.

    Raises
    ------
    BadInput
        For results without ablations.
    """
    rows = [row for row in results.rows if row.metric == "accuracy" and _LESION.search(row.lesion)]
    if not rows:
        raise BadInput("These results hold no ablations of units. Run the unit-lesions study first.")
    intact = next(row for row in results.rows if row.metric == "accuracy" and not _LESION.search(row.lesion))
    figure, axes = new_figure(labels=True, height=3.2)
    with house_style():
        labels = [*_random(axes, rows, intact.value), *_ranked(axes, rows, intact.value)]
        axes.set_xlim(0, max(_percent(row) for row in rows))
        axes.set_ylim(0, 1)
        axes.set_xlabel(f"channels of {intact.stage} silenced, %")
        title_axis(axes, "accuracy")
        write_labels(axes, labels)
    return figure


def _random(axes: Axes, rows: Sequence[Row], intact: float) -> list[Label]:
    means = sorted((row for row in rows if row.control and row.item), key=_percent)
    if not means:
        return []
    x = [0.0, *map(_percent, means)]
    low, high = ([intact, *(getattr(row, end) for row in means)] for end in ("low", "high"))
    axes.fill_between(x, low, high, color=THEME["control"], alpha=0.25, lw=0, zorder=1)
    axes.plot(x, [intact, *(row.value for row in means)], color=THEME["control"], lw=1.2, zorder=1.5, label="random")
    return [Label("random", means[-1].value, THEME["control"])]


def _ranked(axes: Axes, rows: Sequence[Row], intact: float) -> list[Label]:
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found = _LESION.search(row.lesion)
        if found and not row.control:
            lines.setdefault((found["criterion"], found["end"]), []).append(row)
    criteria = list(dict.fromkeys(criterion for criterion, _ in lines))
    labels = []
    for (criterion, end), members in lines.items():
        ordered = sorted(members, key=_percent)
        colour = SERIES[criteria.index(criterion) % len(SERIES)]
        values = np.array([intact, *(row.value for row in ordered)])
        name = f"{end} {criterion.replace('_', ' ')}"
        x = [0.0, *map(_percent, ordered)]
        axes.plot(x, values, color=colour, ls=_DASHES[end], marker="o", mew=0, zorder=3, clip_on=False, label=name)
        labels.append(Label(name, float(values[-1]), colour))
    return labels


def _percent(row: Row) -> float:
    found = _LESION.search(row.lesion)
    return float(found["percent"]) if found else 0.0
