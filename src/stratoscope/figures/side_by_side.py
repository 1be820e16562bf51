"""Every stage of one hierarchy against every stage of another: matrices, and the best match of each stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stratoscope.errors import BadInput
from stratoscope.figures.style import THEME, WIDTH, house_style, shorten, title_axis
from stratoscope.results import Results
from stratoscope.results.tree import run_nodes
from stratoscope.types import Floats

#: Names of stages that fit beside a matrix.
_NAMES = 24
#: Cells up to which their numbers are written.
_WRITTEN = 160


@dataclass(frozen=True)
class Matrix:
    """One measure of similarity between two hierarchies, as results hold it: arrays (first stage, second stage)."""

    measure: str
    first: str
    second: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    n: int
    value: Floats
    low: Floats
    high: Floats
    best_share: Floats
    ceiling: Floats | None
    over: str = "stimuli"
    n_draws: int = 0

    @property
    def drawn(self) -> str:
        """What its interval is over, in words; empty without one."""
        return f"{self.n_draws} halves of {self.over}" if self.n_draws else ""


def matrices_of(results: Results) -> list[Matrix]:
    """Return the matrices between hierarchies that results of a comparison hold, in order."""
    # Arrays come back from a folder in another order than they were put in.
    measures = results.run.get("study", {}).get("protocol", {}).get("measures", ())
    found = []
    for run in run_nodes(results.tree):
        cross = run.children["cross"].to_dataset()
        if "first_stage" in cross.dims:
            found += [_matrix(cross, name) for name in measures if name in cross]
    return found


def stage_similarity(results: Results, index: int = 0) -> Figure:
    """Draw one matrix of a comparison: first hierarchy along the rows, second along the columns.

    A ring marks for each column the most similar row; its size is the share of draws (of stimuli, units, or both) in which it is.
    Numbers are written where there is room.

    Parameters
    ----------
    results : Results
        Of `stratoscope.studies.compare`.
    index : int
        Which of the matrices, in order of pairs of hierarchies and of measures.

    Raises
    ------
    BadInput
        For results without such a matrix.
    """
    every = matrices_of(results)
    if index >= len(every):
        raise BadInput(
            f"These results hold {len(every)} matrices between hierarchies; number {index + 1} was asked for."
        )
    one = every[index]
    height = min(max(1.6, 0.24 * len(one.rows) + 1.1), 7.5)
    with house_style():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        _paint(axes, one)
        _ring(axes, one)
        _name(axes, one)
        title_axis(axes, f"{_measure(one.measure)}, {one.n} stimuli")
    return figure


def _paint(axes: Axes, one: Matrix) -> None:
    reach = _reach(one)
    image = axes.imshow(one.value, cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest")
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02)
    bar.outline.set_visible(False)
    axes.grid(visible=False)
    if one.value.size <= _WRITTEN:
        for (row, column), value in np.ndenumerate(one.value):
            if np.isfinite(value):
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=_ink(value, reach))


def _ring(axes: Axes, one: Matrix) -> None:
    for column in range(one.value.shape[1]):
        values = one.value[:, column]
        if np.isfinite(values).any():
            row = int(np.nanargmax(values))
            size = 15 + 9 * float(np.nan_to_num(one.best_share[row, column]))
            ink = _ink(float(values[row]), _reach(one))
            axes.plot(column, row, marker="o", ms=size, mfc="none", mec=ink, mew=1.6, ls="", clip_on=False)


def _reach(one: Matrix) -> float:
    return max(float(np.abs(one.value[np.isfinite(one.value)]).max(initial=0.0)), 1e-9)


def _ink(value: float, reach: float) -> str:
    """Return the colour that can be read on the cell of `value`; the map is white at 0 and dark at both ends."""
    return "white" if abs(value) > 0.65 * reach else "#1f2430"


def _name(axes: Axes, one: Matrix) -> None:
    for names, ticks, label in (
        (one.columns, axes.set_xticks, axes.set_xlabel), (one.rows, axes.set_yticks, axes.set_ylabel),
    ):  # fmt: skip
        step = max(1, -(-len(names) // _NAMES))
        kept = range(0, len(names), step)
        words = [shorten(names[i]) for i in kept]
        turned: Any = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if names is one.columns else {}
        ticks(list(kept), words, fontsize=7.5, **turned)
        label(one.second if names is one.columns else one.first, fontsize=8, color=THEME["soft"])


def _matrix(cross: xr.Dataset, name: str) -> Matrix:
    def part(end: str) -> Floats:
        return np.asarray(cross[f"{name}{end}"].to_numpy(), dtype=np.float64)

    about = cross[name].attrs
    return Matrix(
        name, str(about["first"]), str(about["second"]), _labels(cross, "first_stage"), _labels(cross, "second_stage"),
        int(about["n"]), part(""), part(".low"), part(".high"), part(".best_share"),
        part(".ceiling") if f"{name}.ceiling" in cross else None, str(about.get("over", "stimuli")),
        int(about.get("n_draws", 0)),
    )  # fmt: skip


def _labels(cross: xr.Dataset, dim: str) -> tuple[str, ...]:
    return tuple(str(one) for one in cross.coords[dim].to_numpy())


def _measure(name: str) -> str:
    return {"rsa-spearman": "RSA (rank correlation)", "rsa-pearson": "RSA (correlation)", "cka": "CKA (debiased)"}[name]
