"""Values that know their stage: a labelled (stage, replicate) array, so that no test can mistake the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from stratoscope.errors import BadInput, TooFew
from stratoscope.types import Floats, Integers


@dataclass(frozen=True, eq=False)
class StageValues:
    """One number for each stage and replicate. Made by `stage_values` or `long_form`, which know which axis is which.

    Attributes
    ----------
    values : array (stage, replicate)
        Numbers; NaN where there is none.
    stages : tuple of str
        Names of the stages, in order of the hierarchy.
    over : str
        What a replicate is, in the singular: ``category``, ``seed``, ``unit`` ...
    paired : bool
        Whether a replicate is the same thing at every stage (a category is, a unit is not).
    replicates : tuple of str
        Names of the replicates, where they are paired.
    low, high : array (stage,), optional
        Interval of each stage's number at 95 %, where there is one replicate alone.
    """

    values: Floats
    stages: tuple[str, ...]
    over: str = "replicate"
    paired: bool = True
    replicates: tuple[str, ...] = ()
    low: Floats | None = field(default=None, repr=False)
    high: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.stages):
            raise BadInput(
                f"Values by stage have the shape (stage={len(self.stages)}, replicate), but {self.values.shape} came. "
                "Give a mapping from stage to its values."
            )
        if len(set(self.stages)) != len(self.stages):
            raise BadInput(f"Every stage is there once, but these came: {', '.join(map(repr, self.stages))}.")
        if np.isinf(self.values).any():
            raise BadInput("Values by stage hold infinite numbers. Leave these stages or replicates out first.")

    @property
    def n_stages(self) -> int:
        """Number of stages."""
        return len(self.stages)

    @property
    def n_replicates(self) -> int:
        """Largest number of replicates of a stage."""
        return int((~np.isnan(self.values)).sum(axis=1).max(initial=0))

    @property
    def undefined(self) -> int:
        """Number of values that are not there though their stage and replicate are."""
        return int(np.isnan(self.values).sum()) if self.paired else 0

    @property
    def medians(self) -> Floats:
        """Median of each stage over its replicates (stage,)."""
        if np.isnan(self.values).all(axis=1).any():
            empty = [name for name, row in zip(self.stages, self.values, strict=True) if np.isnan(row).all()]
            raise TooFew(f"Stage {empty[0]!r} has no value at all. Leave it out, and say so.")
        # Where nothing is missing the plain median gives the same, many times faster.
        median = np.nanmedian if np.isnan(self.values).any() else np.median
        return np.asarray(median(self.values, axis=1), dtype=np.float64)

    def points(self) -> tuple[Integers, Floats]:
        """Return the stage index, from the stage's place alone, and the value of every point that is there."""
        index = np.broadcast_to(np.arange(self.n_stages)[:, None], self.values.shape)
        there = ~np.isnan(self.values)
        return index[there].astype(np.int64), self.values[there]

    def with_values(self, values: Floats) -> StageValues:
        """Return other values for the same stages."""
        return replace(self, values=values, replicates=(), low=None, high=None)

    def take(self, columns: Integers) -> StageValues:
        """Return the replicates `columns`, each whole, in that order."""
        names = tuple(self.replicates[i] for i in columns) if self.replicates else ()
        return replace(self, values=self.values[:, columns], replicates=names)

    def at(self, names: Sequence[str]) -> StageValues:
        """Return the stages `names`, in that order."""
        rows = [self.stages.index(name) for name in names]
        low, high = (None if ends is None else ends[rows] for ends in (self.low, self.high))
        return replace(self, values=self.values[rows], stages=tuple(names), low=low, high=high)


#: What the trend tests take: the record itself, a mapping, or an array that names its dimensions.
ByStage: TypeAlias = "StageValues | Mapping[str, Any] | xr.DataArray"


def stage_values(data: ByStage, *, over: str | None = None, paired: bool | None = None) -> StageValues:
    """Return `data` as `StageValues`.

    Parameters
    ----------
    data : mapping, xarray.DataArray or StageValues
        A mapping from the name of each stage, in order, to its values (replicate,) or its one number; or an array
        with a dimension called ``stage`` and at most one other. A plain array is refused: it does not say which axis
        the stages are, and with as many models as layers no check of shapes could tell.
    over : str, optional
        What a replicate is; by default the name of the other dimension, or ``replicate``.
    paired : bool, optional
        Whether a replicate is the same thing at every stage; by default if all stages have as many.

    Returns
    -------
    StageValues

    Raises
    ------
    BadInput
        For a plain array, an array without a dimension ``stage``, or values that are not one dimension a stage.
    """
    if isinstance(data, StageValues):
        return data
    if isinstance(data, xr.DataArray):
        return _from_labelled(data, over, paired)
    if not isinstance(data, Mapping):
        raise BadInput(
            f"A trend needs to know which axis the stages are, but a plain {type(data).__name__} came. Give a mapping "
            "from stage to its values, or an xarray.DataArray with a dimension 'stage'."
        )
    columns = [np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in data.values()]
    if not columns or any(column.ndim != 1 for column in columns):
        raise BadInput(
            f"A trend needs the values (replicate,) of each stage, but {[np.shape(column) for column in columns]} came."
        )
    lengths = {len(column) for column in columns}
    widest = max(lengths)
    padded = [np.pad(column, (0, widest - len(column)), constant_values=np.nan) for column in columns]
    same = len(lengths) == 1 if paired is None else paired
    if same and len(lengths) > 1:
        raise BadInput(f"Replicates cannot be paired: stages have {sorted(lengths)} values.")
    return StageValues(np.stack(padded), tuple(map(str, data)), over or "replicate", same)


def long_form(
    values: Any, *, stage: Sequence[Any], replicate: Sequence[Any], order: Sequence[Any] | None = None, over: str
) -> StageValues:
    """Return values in long form, one row a number, as `StageValues`.

    Parameters
    ----------
    values : array (row,)
        Numbers.
    stage, replicate : sequence (row,)
        Stage and replicate of each row; a pair that is not there is NaN.
    order : sequence, optional
        Stages in the order of the hierarchy; by default in order of first appearance.
    over : str
        What a replicate is.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) == len(stage) == len(replicate):
        raise BadInput(
            f"Long form has one stage and one replicate a value, but {len(numbers)} values, {len(stage)} stages and "
            f"{len(replicate)} replicates came."
        )
    names = list(dict.fromkeys(stage if order is None else order))
    unknown = set(stage) - set(names)
    if unknown:
        raise BadInput(f"These stages have values but no place in the order: {sorted(map(str, unknown))}.")
    columns = list(dict.fromkeys(replicate))
    filled = np.full((len(names), len(columns)), np.nan)
    seen: set[tuple[int, int]] = set()
    for number, at, of in zip(numbers, stage, replicate, strict=True):
        place = (names.index(at), columns.index(of))
        if place in seen:
            raise BadInput(f"Stage {at!r} has two values for the {over} {of!r}. Choose one, by its item or seed.")
        seen.add(place)
        filled[place] = number
    return StageValues(filled, tuple(map(str, names)), over, paired=True, replicates=tuple(map(str, columns)))


def _from_labelled(data: xr.DataArray, over: str | None, paired: bool | None) -> StageValues:
    others = [str(dim) for dim in data.dims if dim != "stage"]
    if "stage" not in data.dims or len(others) > 1:
        raise BadInput(f"A trend needs the dimension 'stage' and at most one other, but {data.dims} came.")
    labelled = data if others else data.expand_dims("replicate", axis=-1)
    other = others[0] if others else "replicate"
    array = labelled.transpose("stage", other).to_numpy().astype(np.float64)
    stages = _labels(labelled, "stage") or tuple(map(str, range(len(array))))
    return StageValues(array, stages, over or other, paired is not False, _labels(labelled, other))


def _labels(data: xr.DataArray, dim: str) -> tuple[str, ...]:
    return tuple(map(str, data[dim].to_numpy())) if dim in data.coords else ()
