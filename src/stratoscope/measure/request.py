"""What was asked: metrics by name with their options, and the unit definition each one reads."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, StratoscopeError, TooFew, unknown_name
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.halves import neighbours_read
from stratoscope.metrics.resampling import LISTED
from stratoscope.metrics.unit_groups import bytes_kept, kept_whole
from stratoscope.types import Metric, Stage

#: A metric by name (``"two_nn"``, ``"two_nn:fraction=0.8"``) or by name and options.
MetricRequest: TypeAlias = "str | tuple[str, Mapping[str, Any]]"

DEFAULT_METRICS: tuple[str, ...] = (
    "population_sparseness",
    "lifetime_sparseness",
    "dead_fraction",
    "constant_fraction",
    "two_nn",
    "gride",
    "participation_ratio",
)
#: What the run hands over itself, or what only a caller with the stimuli at hand can give.
_FILLED_BY_THE_RUN = ("responses", "categories", "labels", "ids", "gram", "form", "standardise")
#: Options that name a column of the stimuli, whose values the run hands over.
_COLUMNS = ("values",)
#: Options that may name one or several columns of the stimuli: those that agree in all of them belong together.
_GROUPINGS = ("groups", "within")
#: Characters that the options of a metric may have.
LONGEST = 2000
#: Stimuli and units of the toy on which options are tried out.
_TOY = (200, 8)


@dataclass(frozen=True)
class Asked:
    """One metric as it was asked for: the options given, and the unit definitions it is to read."""

    metric: Metric
    options: Mapping[str, Any] = field(default_factory=dict)
    units: tuple[str, ...] = ()

    def reads(self, stage: Stage) -> bool:
        """Say whether this metric is to be computed at `stage`."""
        return not self.units or stage.unit in self.units

    @property
    def column(self) -> str:
        """Name of the stimuli's column that the metric is about, or an empty string."""
        return next((str(self.options[name]) for name in _COLUMNS if name in self.options), "")

    @property
    def name(self) -> str:
        """Name of what comes out: that of the metric, and of the column, as one metric may be about several."""
        column = re.sub(r"[^A-Za-z0-9_-]", "-", self.column)
        return f"{self.metric.name}.{column}" if column else self.metric.name

    @property
    def between_stages(self) -> bool:
        """Whether the metric compares stages with each other, as `cka` does."""
        return self.metric.dims == ("stage", "other_stage")

    def along(self) -> tuple[str, NDArray[Any]] | None:
        """Return the option that labels the result's dimension, as ``n1`` does that of `gride`, and its values."""
        settings = {**_defaults(self.metric), **self.options}
        name = self.metric.dims[0] if len(self.metric.dims) == 1 else ""
        return (name, np.atleast_1d(settings[name])) if name in settings else None


def parse_metric(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``"two_nn:fraction=0.8,method=ml"`` into a name and options.

    Values are read as Python literals; what is none is taken as text.

    Examples
    --------
    >>> parse_metric("gride:n1=(1, 2, 4)")
    ('gride', {'n1': (1, 2, 4)})
    """
    name, _, rest = text.partition(":")
    try:
        call = ast.parse(f"f({rest})", mode="eval").body if len(rest) <= LONGEST else None
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # a NUL byte, or brackets without end
        call = None
    if not isinstance(call, ast.Call) or call.args or any(word.arg is None for word in call.keywords):
        raise BadInput(f"The metric {text[:200]!r} cannot be read. Write name:option=value,option=value.")
    return name.strip(), {str(word.arg): _literal(word.value) for word in call.keywords}


def ask(
    requests: Sequence[MetricRequest] | None,
    units: Sequence[str] | None,
    *,
    has_categories: bool,
    columns: Collection[str] = (),
) -> tuple[list[Asked], list[str]]:
    """Resolve what was asked into declared metrics, and say what was left out of the default list.

    Parameters
    ----------
    requests : sequence, or None
        Metrics; None asks for the default ones that the stimuli allow.
    units : sequence of str, or None
        Unit definitions that every metric is to read; None lets each read its conventional one.
    has_categories : bool
        Whether the stimuli have categories.
    columns : collection of str
        Names of the stimuli's columns, for metrics that are about one of them.

    Returns
    -------
    asked : list of Asked
    notes : list of str

    Raises
    ------
    UnknownName
        For a metric or option that does not exist.
    BadInput
        For a metric asked by name that needs categories the stimuli do not have.
    """
    notes: list[str] = []
    asked: list[Asked] = []
    for request in DEFAULT_METRICS if requests is None else requests:
        name, options = parse_metric(request) if isinstance(request, str) else (request[0], dict(request[1]))
        metric = METRICS[name]
        _check_options(metric, options)
        _check_columns(metric, options, columns)
        _rehearse(metric, options)
        if needs_categories(metric) and not has_categories:
            sentence = f"{name} compares categories, and these stimuli have no column 'category'."
            if requests is not None:
                raise BadInput(f"{sentence} Use class folders or a CSV with that column, or leave the metric out.")
            notes.append(f"{sentence} It was left out.")
            continue
        asked.append(Asked(metric, options, tuple(units or (metric.reads,))))
    return asked, notes


def needs_categories(metric: Metric) -> bool:
    """Say whether the metric compares categories: it reads their summary, or takes one label a stimulus."""
    return metric.needs == "categories" or "labels" in inspect.signature(metric.function).parameters


def neighbours_needed(asked: Sequence[Asked]) -> int:
    """Return how many nearest neighbours of every stimulus the metrics in `asked` read, their intervals included."""
    needed = [2]
    for one in asked:
        options = {**_defaults(one.metric), **one.options}
        if "n1" in options:
            needed.append(2 * int(np.max(options["n1"])))
        if "share" in options:
            needed.append(LISTED)
        if isinstance(options.get("k"), int):
            needed.append(int(options["k"]))
    return neighbours_read(max(needed))


def neighbours_measured(asked: Sequence[Asked]) -> int | None:
    """Return how many of those neighbours the values themselves read; None where a metric reads all that are kept."""
    reads = [one.metric.nearest for one in asked if one.metric.needs == "gram"]
    known = [nearest for nearest in reads if nearest is not None]
    return max(known, default=0) if len(known) == len(reads) else None


def bytes_of_groups(asked: Sequence[Asked], stage: Stage, n_stimuli: int) -> tuple[int, int]:
    """Return the bytes that groups of units of `stage` take: in the results, and while the stage is closed."""
    sizes = [
        {**_defaults(one.metric), **one.options}["n_groups"]
        for one in asked
        if one.metric.name == "unit_groups" and one.reads(stage)
    ]
    kept = sum(bytes_kept(n_stimuli, stage.n_units, size) for size in sizes)
    whole = all(kept_whole(n_stimuli, stage.n_units, size) for size in sizes)
    return kept, kept if whole else 3 * kept  # square while they are summed, then their upper triangles


def _check_options(metric: Metric, options: Mapping[str, Any]) -> None:
    given = inspect.signature(metric.function).parameters
    known = [
        name
        for name, one in given.items()
        if name in _COLUMNS or (one.default is not one.empty and name not in _FILLED_BY_THE_RUN)
    ]
    for name in options:
        if name not in known:
            raise unknown_name(f"option of {metric.name}", name, known)


def _check_columns(metric: Metric, options: Mapping[str, Any], columns: Collection[str]) -> None:
    """Refuse a metric about a column that is not named, or that the stimuli do not have."""
    for name in (one for one in _COLUMNS if one in inspect.signature(metric.function).parameters):
        if name not in options:
            raise BadInput(
                f"{metric.name} is about a column of the stimuli, and none was named. Write "
                f"\"{metric.name}:{name}='COLUMN'\"; these stimuli have {', '.join(map(repr, columns)) or 'none'}."
            )
        if options[name] not in columns:
            raise unknown_name("column of these stimuli", str(options[name]), columns)
    named = [str(name) for one in _GROUPINGS if one in options for name in np.atleast_1d(options[one])]
    for name in named:
        if name not in columns:
            raise unknown_name("column of these stimuli", name, columns)


def _rehearse(metric: Metric, options: Mapping[str, Any]) -> None:
    """Let the metric read a toy with the options given, so that a wrong value is found before the long pass."""
    if not options:
        return
    rng = np.random.default_rng(0)
    takes = inspect.signature(metric.function).parameters
    toy = {name: np.arange(_TOY[0]) % 4 for name in ("categories", "labels", *_COLUMNS) if name in takes}
    try:
        required = (name for name, one in takes.items() if one.default is one.empty and name not in toy)
        stages = [rng.random(_TOY) for _ in required]  # two, to compare stages
        metric.function(*stages, **{name: one for name, one in {**options, **toy}.items() if name not in _GROUPINGS})
    except TooFew:
        return  # how many stimuli are enough is judged on the real ones
    except StratoscopeError:
        raise
    except (TypeError, ValueError) as error:
        asked = ", ".join(f"{name}={value!r}" for name, value in options.items())
        raise BadInput(
            f"{metric.name} cannot work with {asked}: {error}. See 'stratoscope metrics {metric.name}' for what its "
            "options take."
        ) from error


def _defaults(metric: Metric) -> dict[str, Any]:
    return {name: one.default for name, one in inspect.signature(metric.function).parameters.items()}


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return ast.unparse(node)
