"""Every figure that results can give, by name, and each of them at the width of a journal's column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from stratoscope.errors import BadInput, StratoscopeError, unknown_name
from stratoscope.figures.curves import metric_over_depth
from stratoscope.figures.matrices import stage_matrix, stage_metrics, stimulus_matrix, stimulus_metrics
from stratoscope.figures.prune_and_distill import (
    dimension_over_depth,
    distillation_over_depth,
    information_over_depth,
    invariance_over_depth,
    over_training,
    pruning_against_expansion,
)
from stratoscope.figures.scales import scale_curves
from stratoscope.figures.side_by_side import matrices_of, stage_similarity
from stratoscope.figures.sparse_coding import (
    activation_distributions,
    controls_of_sparseness,
    hierarchy_of_sparseness,
    lesioned_sparseness,
    sparseness_and_performance,
    stagewise_lesions,
)
from stratoscope.figures.style import STYLE, house_style
from stratoscope.figures.unit_lesions import accuracy_over_ablated
from stratoscope.figures.units import paired_names, sorted_units, unit_metrics, units_against
from stratoscope.results import Results

#: A figure that is drawn when it is asked for.
Draw = Callable[[], Figure]
#: Width of a figure over one and two columns of a page, in inches: 89 and 183 mm.
WIDTHS: Mapping[str, float] = {"one": 89 / 25.4, "two": 183 / 25.4}
FORMATS = ("pdf", "svg", "png")
#: Figures of a study, in the order of its report.
STUDY_FIGURES: dict[str, tuple[Callable[[Results], Figure], ...]] = {
    "prune-and-distill": (
        information_over_depth,
        distillation_over_depth,
        dimension_over_depth,
        invariance_over_depth,
        pruning_against_expansion,
        over_training,
    ),
    "sparse-coding": (
        hierarchy_of_sparseness,
        controls_of_sparseness,
        sparseness_and_performance,
        lesioned_sparseness,
        stagewise_lesions,
        activation_distributions,
    ),
    "unit-lesions": (accuracy_over_ablated,),
}

#: Every figure there is, by the name of its function.
_EVERY: tuple[Callable[..., Figure], ...] = (
    metric_over_depth,
    scale_curves,
    stage_similarity,
    stage_matrix,
    stimulus_matrix,
    sorted_units,
    units_against,
    *(one for figures in STUDY_FIGURES.values() for one in figures),
)
FIGURES: dict[str, Callable[..., Figure]] = {one.__name__: one for one in _EVERY}


def figures_of(results: Results) -> dict[str, Draw]:
    """Return the figures of `results` by name, each a function without arguments that draws it.

    A study has the figures of its paper; every run has its metrics over depth, and its dimensions over scales; a comparison has
    the matrices between its hierarchies. Whatever holds them has matrices of stages and of stimuli, and single units.
    """
    said = results.run.get("study", {})
    found: dict[str, Draw] = {
        one.__name__: partial(one, results) for one in STUDY_FIGURES.get(str(said.get("name")), ())
    }
    if said.get("name") not in STUDY_FIGURES:
        found |= dict(_curves(results))
    found |= {_plain(f"{name}_between_stages"): partial(stage_matrix, results, name) for name in stage_metrics(results)}
    found |= {
        _plain(f"{name}_of_stimuli"): partial(stimulus_matrix, results, name) for name in stimulus_metrics(results)
    }
    found |= {_plain(f"{name}_of_units"): partial(sorted_units, results, name) for name in unit_metrics(results)}
    found |= {_plain(f"{y}_against_{x}"): partial(units_against, results, x, y) for x, y in paired_names(results)}
    for index, one in enumerate(matrices_of(results)):
        found[_plain(f"{one.measure}_{one.first}_{one.second}")] = partial(stage_similarity, results, index)
    return found


def _curves(results: Results) -> Iterator[tuple[str, Draw]]:
    for metric in dict.fromkeys(row.metric for row in results.rows):
        yield _plain(f"{metric}_over_depth"), partial(metric_over_depth, results, metric)
    scaled = {
        str(name) for node in results.tree.subtree for name, array in node.data_vars.items() if array.dims == ("n1",)
    }
    for metric in sorted(name for name in scaled if "." not in name):
        yield _plain(f"{metric}_over_scales"), partial(scale_curves, results, metric)


def to_width(figure: Figure, width: float) -> Figure:
    """Scale `figure`, in place, to `width` inches: axes, words, lines and marks alike, so that it looks the same.

    Returns
    -------
    Figure
        The same figure.
    """
    factor = width / figure.get_size_inches()[0]
    figure.set_size_inches(*(figure.get_size_inches() * factor))
    for artist in figure.findobj():
        for name in ("linewidth", "markersize", "markeredgewidth"):
            if hasattr(artist, f"set_{name}") and not isinstance(artist, Text):
                size = getattr(artist, f"get_{name}")()
                getattr(artist, f"set_{name}")(
                    [one * factor for one in size] if hasattr(size, "__len__") else size * factor
                )
        if isinstance(artist, Text):
            artist.set_fontsize(artist.get_fontsize() * factor)
    for axes in figure.axes:
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            _scale_ticks(name, axis, factor)
    return figure


def _scale_ticks(name: str, axis: Axis, factor: float) -> None:
    """Scale what ticks are made with, since more of them may be made when the figure is drawn."""
    for which in ("major", "minor"):
        given: dict[str, Any] = dict(axis.get_tick_params(which=which))
        plain, rc = f"{name}tick.{which}", _plain_settings()
        words = given.get("labelsize", STYLE.get("font.size"))
        sizes = {
            "length": given.get("length", STYLE.get(f"{plain}.size", rc[f"{plain}.size"])),
            "width": given.get("width", STYLE.get(f"{plain}.width", rc[f"{plain}.width"])),
            "pad": given.get("pad", rc[f"{plain}.pad"]),
            "labelsize": words
            if isinstance(words, (int, float))
            else float(axis.get_ticklabels()[0].get_fontsize()) / factor,
        }
        axis.set_tick_params(which=which, **{key: size * factor for key, size in sizes.items()})


def _plain_settings() -> dict[str, Any]:
    settings: Any = mpl.rcParams
    return dict(settings)


def write_figures(
    results: Results, folder: str | Path, *, format: str = "pdf", columns: str = "one"
) -> tuple[list[Path], list[str]]:
    """Write every figure of `results` into `folder`, as vector graphics at the width of one or two columns.

    Parameters
    ----------
    format : str
        ``pdf``, ``svg`` or ``png`` (300 dots an inch).
    columns : str
        ``one`` (89 mm) or ``two`` (183 mm). Letters keep their size relative to the figure: 7 points in one column
        for a single panel. Figures of many panels need two.

    Returns
    -------
    paths : list of Path
    left_out : list of str
        Figures that these results cannot give, each with the reason.

    Raises
    ------
    UnknownName
        For another format or number of columns.
    BadInput
        Where the folder cannot be written to.
    """
    if format not in FORMATS:
        raise unknown_name("format of figures", format, FORMATS)
    if columns not in WIDTHS:
        raise unknown_name("number of columns", columns, WIDTHS)
    place, paths, left_out = Path(folder).expanduser(), [], []
    for name, draw in figures_of(results).items():
        try:
            figure = to_width(draw(), WIDTHS[columns])
        except StratoscopeError as error:
            left_out.append(f"{name}: {error}")
            continue
        try:
            place.mkdir(parents=True, exist_ok=True)
            paths.append(_save(figure, place / f"{name}.{format}", format))
        except OSError as error:
            raise BadInput(f"Figures cannot be written to {place}: {error.strerror}. Choose another folder.") from error
    return paths, left_out


def _save(figure: Figure, path: Path, format: str) -> Path:
    stamp = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(format, {})  # the same results, the same bytes
    with house_style():
        figure.savefig(path, format=format, dpi=300, metadata=stamp)
    return path


def _plain(name: str) -> str:
    """Return `name` as a file name that every system takes."""
    return "".join(one if one.isalnum() or one in "-_." else "-" for one in name)[:120]
