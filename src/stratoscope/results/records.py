"""The frozen records a run is made of: rows of the table, labelled arrays, one stage's share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.types import Estimate, Stage

#: Names of arrays become names of folders, so they keep to characters that every file system takes.
SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Row:
    """One row of the table: one number about one stage, with its interval and where it came from.

    Attributes
    ----------
    hierarchy, stage, depth, unit, n_units
        Of the stage it was measured at, see `stratoscope.types.Stage`.
    metric : str
        Name of the metric.
    item : str
        Which of the metric's numbers: ``"median over categories"``, ``"n1=4"``, or empty where there is one.
    value, low, high : float
        The number and the ends of its interval; NaN where it could not be had, with the reason in `note`.
    n : int
        Number of stimuli, or of categories, units or seeds it summarises, that the number stands on.
    lesion : str
        What was done to the source, empty for intact.
    control : str
        Empty for the measurement itself, else the control this is: ``"structureless"``, ``"size-matched"`` ...
    seed : int or None
        Seed of the draw, where there was one.
    note : str
        What a reader must know beside the number.
    """

    hierarchy: str
    stage: str
    depth: float
    unit: str
    n_units: int
    metric: str
    item: str
    value: float
    low: float
    high: float
    n: int
    lesion: str = ""
    control: str = ""
    seed: int | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        stage: Stage,
        metric: str,
        value: float,
        low: float = float("nan"),
        high: float = float("nan"),
        *,
        n: int,
        item: str = "",
        lesion: str = "",
        control: str = "",
        seed: int | None = None,
        note: str = "",
    ) -> Row:
        """Make the row of one number measured at `stage`; the lesion ``intact`` is written as none."""
        lesion = "" if lesion == "intact" else lesion
        place = (stage.hierarchy, stage.name, float(stage.depth), stage.unit, int(stage.n_units))
        numbers = (float(value), float(low), float(high), int(n))
        return cls(*place, metric, item, *numbers, lesion, control, None if seed is None else int(seed), note)


#: Columns of the tidy table, in order.
COLUMNS: tuple[str, ...] = tuple(column.name for column in fields(Row))


@dataclass(frozen=True)
class Values:
    """An array with the names of its dimensions and what must be known about it.

    Attributes
    ----------
    data : array
        Numbers, truth values or strings.
    dims : tuple of str
        One name a dimension: ``("unit",)``, ``("category",)``, ``("n1",)``, ``("stage", "other_stage")`` ...
    attrs : mapping
        Plain values: ``{"unit": "bits"}``.
    """

    data: NDArray[Any]
    dims: tuple[str, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = np.shape(self.data)
        if len(shape) != len(self.dims):
            raise BadInput(
                f"An array of shape {shape} came with {len(self.dims)} names of dimensions {tuple(self.dims)}. "
                "Give one name for each dimension."
            )


@dataclass(frozen=True)
class StageResult:
    """Everything measured at one stage: arrays by name, and rows for the table, in order."""

    stage: Stage
    arrays: Mapping[str, Values] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()

    @property
    def lesion(self) -> str:
        """Lesion under which the stage was measured, as its rows say."""
        return self.rows[0].lesion if self.rows else ""


def estimate_arrays(name: str, dims: tuple[str, ...], estimate: Estimate) -> dict[str, Values]:
    """Lay out an estimate as arrays `name`, ``name.low``, ``name.high`` and, where it has one, ``name.scale``.

    Parameters
    ----------
    name : str
        Name of the metric.
    dims : tuple of str
        Names of the dimensions of ``estimate.value``.
    estimate : Estimate
        What the metric gave.
    """
    about = {"method": estimate.method, "level": estimate.level, "n": estimate.n}
    parts = {"": estimate.value, ".low": estimate.low, ".high": estimate.high, ".scale": estimate.scale}
    shape = np.shape(estimate.value)
    return {
        name + part: Values(np.broadcast_to(np.asarray(data, dtype=np.float64), shape).copy(), dims, about)
        for part, data in parts.items()
        if data is not None
    }


def storable(data: NDArray[Any], what: str) -> NDArray[Any]:
    """Return `data` as numbers, truth values or fixed-width strings; anything else is refused.

    Missing entries (None) among strings become empty strings, and times become ISO 8601 strings.
    """
    array = np.asarray(data)
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind in "UTM":
        return array.astype(str)
    if array.dtype.kind == "O" and all(entry is None or isinstance(entry, str) for entry in array.flat):
        filled = np.array(["" if entry is None else entry for entry in array.flat], dtype=str)
        return filled.reshape(array.shape)
    raise BadInput(
        f"{what} holds {array.dtype} values. Results keep numbers, truth values and strings: convert it first."
    )


def plain(value: Any) -> Any:
    """Return `value` with numpy scalars, arrays, paths and tuples turned into plain Python values."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        entries = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [plain(entry) for entry in entries if entry is not None]
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)
