"""What a run measured: a tidy table, labelled arrays, and everything that was asked."""

from __future__ import annotations

import html
import importlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from stratoscope.errors import BadInput, UnknownName, unknown_name
from stratoscope.results.declared import Declared, declared
from stratoscope.results.examples import Examples, read_examples
from stratoscope.results.records import COLUMNS, Row, StageResult, Values, plain
from stratoscope.results.table import as_text
from stratoscope.results.tree import build_tree, join_trees, run_nodes, stage_nodes, stage_of
from stratoscope.types import Metric, Stage
from stratoscope.words import number_of


@dataclass(frozen=True, repr=False, eq=False)
class Results:
    """Everything one run measured, or several runs side by side. Made by `build`, `combine` or `open_results`.

    Attributes
    ----------
    run : mapping
        Everything that was asked, as plain values: source, stimuli, stages, unit, seed, versions.
    rows : tuple of Row
        The table, in order of execution.
    tree : xarray.DataTree
        The arrays, laid out as `stratoscope.results.tree` says.
    metrics : mapping of str to Declared
        What each metric said about itself at the time of the run.
    remarks : tuple of str
        What a reader must know about the run as a whole.
    skipped : tuple of (str, str)
        Id of every stimulus that was left out, and why.
    """

    run: Mapping[str, Any]
    rows: tuple[Row, ...]
    tree: xr.DataTree
    metrics: Mapping[str, Declared] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    @classmethod
    def build(
        cls,
        run: Mapping[str, Any],
        stages: Sequence[StageResult],
        coords: Mapping[str, NDArray[Any]],
        cross: Mapping[str, Values] | None = None,
        *,
        columns: Mapping[str, NDArray[Any]] | None = None,
        metrics: Sequence[Metric | Declared] = (),
        remarks: Sequence[str] = (),
        skipped: Sequence[tuple[str, str]] = (),
        examples: Examples | None = None,
    ) -> Results:
        """Put a run together.

        Parameters
        ----------
        run : mapping
            Everything that was asked; nested mappings, lists and plain values. None is left out.
        stages : sequence of StageResult
            In order of execution.
        coords : mapping of str to array
            Labels of the dimensions that stages share: ``stimulus`` (ids), ``category`` (names), ``n1`` ...
        cross : mapping of str to Values, optional
            Matrices between stages; dimensions ``stage`` and ``other_stage`` are labelled with their names.
        columns : mapping of str to array (stimulus,), optional
            Properties of the stimuli.
        metrics : sequence of Metric or Declared, optional
            The metrics that were computed; their declarations are kept for figures and reports.
        remarks : sequence of str, optional
            Notes about the run as a whole.
        skipped : sequence of (str, str), optional
            Id of every stimulus that was left out, and why.
        examples : Examples, optional
            A dozen stimuli as small pictures, for the report; `stratoscope.stimuli.choose_examples` makes them.

        Raises
        ------
        BadInput
            If an array does not fit the coordinates, or holds something other than numbers and strings.
        """
        tree = build_tree(stages, coords, cross or {}, columns or {}, examples)
        rows = tuple(row for stage in stages for row in stage.rows)
        said = [metric if isinstance(metric, Declared) else declared(metric) for metric in metrics]
        return cls(plain(run), rows, tree, {metric.name: metric for metric in said}, tuple(remarks), _pairs(skipped))

    @classmethod
    def combine(cls, parts: Sequence[Results]) -> Results:
        """Put several runs side by side, such as an intact network and its lesions; nothing is averaged.

        Rows and stages follow one another in the order of `parts`; ``run["runs"]`` holds what was asked of each.
        """
        if not parts:
            raise BadInput("There are no results to combine. Give at least one.")
        asked = [run for part in parts for run in part.run.get("runs", [part.run])]
        return cls(
            {"runs": asked},
            tuple(row for part in parts for row in part.rows),
            join_trees([part.tree for part in parts]),
            {name: metric for part in reversed(parts) for name, metric in part.metrics.items()},
            tuple(dict.fromkeys(remark for part in parts for remark in part.remarks)),
            tuple(dict.fromkeys(pair for part in parts for pair in part.skipped)),
        )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order of runs and of execution; once for every unit definition and lesion."""
        return tuple(map(stage_of, stage_nodes(self.tree)))

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion each of `stages` was measured under, empty for intact."""
        return tuple(node.attrs["lesion"] for node in stage_nodes(self.tree))

    @property
    def stimuli(self) -> pd.DataFrame:
        """Properties of the stimuli, one row a stimulus, indexed by id; several runs follow one another."""
        frames = [_columns(run) for run in run_nodes(self.tree)]
        joined = pd.concat(frames) if frames else pd.DataFrame()
        return joined.loc[~joined.index.duplicated()]

    @property
    def examples(self) -> tuple[Examples, ...]:
        """Example stimuli, once for every set of stimuli; none where the runs kept none."""
        return tuple(read_examples(run.children for run in run_nodes(self.tree)))

    @property
    def cross(self) -> xr.Dataset:
        """Matrices between stages, of the first run."""
        return run_nodes(self.tree)[0].children["cross"].to_dataset()

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks about the run, then the notes of rows with the places they are about, each note once."""
        return (*self.remarks, *_told(row for row in self.rows if row.note))

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong without ending the run: measurements without any value, stimuli left out."""
        measured = {_measurement(row) for row in self.rows if not row.control and not math.isnan(row.value)}
        failed = (row for row in self.rows if not row.control and row.note and _measurement(row) not in measured)
        return (*_told(failed), *(f"Stimulus {name!r} was left out: {why}" for name, why in self.skipped))

    def table(self) -> pd.DataFrame:
        """Return the tidy table, one row a number, with the columns `stratoscope.results.COLUMNS`."""
        columns: dict[str, Any] = {name: [getattr(row, name) for row in self.rows] for name in COLUMNS}
        kinds = {"seed": "Int64", "n": "int64", "n_units": "int64"}
        kinds |= dict.fromkeys(("depth", "value", "low", "high"), "float64")
        columns |= {name: as_text(values) for name, values in columns.items() if name not in kinds}
        return pd.DataFrame(columns, columns=list(COLUMNS)).astype(kinds)

    def __getitem__(self, key: str | tuple[str, ...]) -> xr.Dataset:
        """Return the arrays of a stage: ``results["layer3"]``, or ``results["layer3", "position"]``.

        What follows the name must be its unit, its lesion or its hierarchy; ``""`` stands for intact.
        """
        name, *further = (key,) if isinstance(key, str) else key
        nodes = list(stage_nodes(self.tree))
        named = [node for node in nodes if node.attrs["name"] == name]
        if not named:
            raise unknown_name("stage", name, dict.fromkeys(str(node.attrs["name"]) for node in nodes))
        found = [node for node in named if all(word in _words(node) for word in further)]
        if len(found) != 1:
            raise _not_one(name, further, found or named)
        return found[0].to_dataset()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything to the folder `path`, whole or not at all; see `stratoscope.results.folder.save`."""
        from stratoscope.results.folder import save

        return save(self, Path(path), overwrite=overwrite)

    def report(self, path: str | Path) -> Path:
        """Write the report, one self-contained HTML file; see `stratoscope.report.write_report`."""
        # Reports read results, so results must not import them: the name is looked up when it is called.
        write_report = importlib.import_module("stratoscope.report").write_report
        return Path(write_report(self, path))

    def __repr__(self) -> str:
        """Say in a few lines what is there."""
        return "\n".join(self._said())

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self._said())
        shown = self.table().query("control == ''")[["stage", "lesion", "metric", "item", "value", "low", "high", "n"]]
        return said + str(shown.to_html(index=False, max_rows=20, float_format="{:.4g}".format, na_rep=""))

    def _said(self) -> list[str]:
        names = list(dict.fromkeys(stage.hierarchy for stage in self.stages))
        units = Counter(stage.unit for stage in self.stages)
        by_unit = ", ".join(f"{count} by {unit}" for unit, count in units.items()) or "none"
        owner = ", ".join(map(repr, names)) or "no hierarchy"
        lines = [
            f"Results of {owner}: {number_of('stage', len(self.stages))} ({by_unit}), {number_of('row', len(self.rows))}.",
            f"Metrics: {', '.join(dict.fromkeys(row.metric for row in self.rows)) or 'none'}.",
        ]
        noted, skipped = len(self.notes), len(self.skipped)
        told = [number_of("note", noted)] if noted else []
        told += [f"{number_of('stimulus', skipped)} left out"] if skipped else []
        return [*lines, f"There {'is' if told[0].startswith('1 ') else 'are'} {', '.join(told)}."] if told else lines


def _pairs(skipped: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(why)) for name, why in skipped)


def _measurement(row: Row) -> tuple[str, ...]:
    """Return what a metric measured at once; its rows differ by item, such as the scales of `gride`."""
    return (row.hierarchy, row.lesion, row.stage, row.unit, row.metric)


def _told(rows: Iterable[Row]) -> list[str]:
    """Tell every note once, after the places it is about."""
    same: dict[str, list[Row]] = {}
    for row in rows:
        same.setdefault(row.note, []).append(row)
    return [f"{_places(about)}: {note}" for note, about in same.items()]


def _places(rows: Sequence[Row]) -> str:
    """Name what `rows` are about: lesion, stages, metrics, and item and control where all have the same."""
    lesion, stage, metric, item, control = (
        list(dict.fromkeys(getattr(row, part) for row in rows))
        for part in ("lesion", "stage", "metric", "item", "control")
    )
    lesions = [one or "intact" for one in lesion] if len(lesion) > 1 else lesion
    single = [one for words in (item, control) if len(words) == 1 for one in words]
    parts = (*map(_listed, (lesions, stage, metric)), *single)
    apart = "; " if any(len(words) > 1 for words in (lesions, stage, metric)) else ", "
    return apart.join(part for part in parts if part)


def _listed(words: Sequence[str]) -> str:
    """Return up to four words with `and`, or the first three and how many more there are."""
    shown = [*words[:3], f"{len(words) - 3} more"] if len(words) > 4 else list(words)
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)


def _words(node: xr.DataTree) -> tuple[str, str, str]:
    return node.attrs["unit"], node.attrs["lesion"], node.attrs["hierarchy"]


def _not_one(name: str, further: Sequence[str], nodes: Sequence[xr.DataTree]) -> UnknownName:
    known = " or ".join(f"[{name!r}, {', '.join(map(repr, filter(None, _words(node))))}]" for node in nodes[:4])
    if further and any(word not in _words(node) for node in nodes for word in further):
        return UnknownName(f"Stage {name!r} is not there with {', '.join(map(repr, further))}. There is {known}.")
    return UnknownName(f"Stage {name!r} is there {len(nodes)} times. Say which: {known}; '' stands for intact.")


def _columns(run: xr.DataTree) -> pd.DataFrame:
    node = run.children["stimuli"]
    arrays = {str(array.attrs["name"]): array.to_numpy() for array in node.data_vars.values()}
    columns = {name: as_text(array) if array.dtype.kind == "U" else array for name, array in arrays.items()}
    if "stimulus" not in run.coords:
        return pd.DataFrame(columns)
    return pd.DataFrame(columns, index=pd.Index(as_text(run.coords["stimulus"].to_numpy()), name="stimulus"))
