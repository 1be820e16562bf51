"""Indices of sparseness along the last axis, from values or from their power sums.

Each is written once, for a population (along units) and for a lifetime (along stimuli) alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.responses import checked_choice
from stratoscope.types import Floats

#: Power sums along an axis: n, mean, m2, m4 (sums of powers of deviations), l1, active, and gini where it is known.
Sums: TypeAlias = Mapping[str, Any]

#: What each index needs beside n, of the power sums.
FIELDS: dict[str, tuple[str, ...]] = {
    "treves-rolls": ("mean", "m2"),
    "vinje-gallant": ("mean", "m2"),
    "hoyer": ("mean", "m2", "l1"),
    "gini": ("gini",),
    "kurtosis": ("mean", "m2", "m4"),
    "fraction-active": ("active",),
}
INDICES = tuple(FIELDS)


def sums_of(values: Floats, fields: Collection[str]) -> dict[str, Any]:
    """Return the power sums `fields` of `values` along their last axis."""
    sums: dict[str, Any] = {"n": values.shape[-1]}
    if "l1" in fields:
        sums["l1"] = np.abs(values).sum(axis=-1)
    if "active" in fields:
        sums["active"] = (values > 0).sum(axis=-1)
    if "mean" in fields:
        sums["mean"] = values.mean(axis=-1)
        square = np.square(values - sums["mean"][..., None])
        sums["m2"] = square.sum(axis=-1)
        if "m4" in fields:
            sums["m4"] = np.square(square, out=square).sum(axis=-1)
    return sums


def index_of_values(values: Floats, index: str) -> Floats:
    """Return sparseness `index` of `values` along their last axis; NaN where all are zero."""
    checked_choice(index, INDICES, "sparseness index")
    if index == "gini":
        return gini(values)
    return index_of_sums(sums_of(values, FIELDS[index]), index)


def index_of_sums(sums: Sums, index: str) -> Floats:
    """Return sparseness `index` from power sums; NaN where all values are zero."""
    checked_choice(index, INDICES, "sparseness index")
    missing = [name for name in FIELDS[index] if name not in sums]
    if missing:
        raise BadInput(
            f"The index {index!r} needs {' and '.join(map(repr, missing))}, which this summary does not keep. "
            "Ask for another index, such as 'treves-rolls', or give the responses to the function directly."
        )
    functions = {
        "treves-rolls": treves_rolls,
        "vinje-gallant": treves_rolls,
        "hoyer": hoyer,
        "gini": lambda s: np.asarray(s["gini"], dtype=np.float64),
        "kurtosis": excess_kurtosis,
        "fraction-active": fraction_active,
    }
    return functions[index](sums)


def treves_rolls(sums: Sums) -> Floats:
    """Return (1 - mean² / mean square) / (1 - 1/n): 0 uniform, 1 one-hot, NaN where all are zero."""
    n = np.asarray(sums["n"], dtype=np.float64)
    squared_mean = np.asarray(sums["mean"], dtype=np.float64) ** 2
    variance = np.asarray(sums["m2"], dtype=np.float64) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip(variance / (squared_mean + variance) / (1 - 1 / n), 0.0, 1.0))


def hoyer(sums: Sums) -> Floats:
    """Return (√n - l1 / l2) / (√n - 1): 0 uniform, 1 one-hot, NaN where all are zero."""
    n = np.asarray(sums["n"], dtype=np.float64)
    l2 = np.sqrt(np.asarray(sums["m2"]) + n * np.asarray(sums["mean"]) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip((np.sqrt(n) - np.asarray(sums["l1"]) / l2) / (np.sqrt(n) - 1), 0.0, 1.0))


def excess_kurtosis(sums: Sums) -> Floats:
    """Return n m4 / m2² - 3: 0 for a Gaussian, NaN where all values are equal."""
    n, m2 = np.asarray(sums["n"], dtype=np.float64), np.asarray(sums["m2"], dtype=np.float64)
    rounding = n * (8 * np.finfo(np.float64).eps * np.asarray(sums["mean"])) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(m2 > rounding, n * np.asarray(sums["m4"]) / m2**2 - 3.0, np.nan))


def fraction_active(sums: Sums) -> Floats:
    """Return the fraction of values above zero (small when the code is sparse)."""
    return np.asarray(sums["active"], dtype=np.float64) / np.asarray(sums["n"], dtype=np.float64)


def gini(values: Floats) -> Floats:
    """Return the Gini index of |values| along the last axis: 0 uniform, 1 - 1/n one-hot, NaN where all are zero."""
    n = values.shape[-1]
    ordered = np.sort(np.abs(values), axis=-1)
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((ordered * weights).sum(axis=-1) / (n * ordered.sum(axis=-1)))
