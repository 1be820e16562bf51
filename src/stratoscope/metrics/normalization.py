"""What is done to responses before the sparseness of a population is read from them."""

from __future__ import annotations

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_choice
from stratoscope.types import Floats

NORMALIZATIONS = ("liu2020", "none", "minmax", "zscore", "absolute-zscore", "rectify")
DEAD = ("zero", "drop", "keep")

#: Normalisations that compare each unit with itself over the rows, and so need more than one row.
Z_SCORED = ("liu2020", "zscore", "absolute-zscore")


def constant_units(rows: Floats, variance_floor: float) -> np.ndarray:
    """Say which units (unit,) have a variance of at most `variance_floor` times their mean square over `rows`."""
    if not 0.0 <= variance_floor < 1.0:
        raise BadInput(
            f"variance_floor is a fraction of a unit's mean square, from 0 to below 1, but {variance_floor!r} came."
        )
    same = rows.max(axis=0) == rows.min(axis=0)
    return np.asarray(same | (rows.var(axis=0) <= variance_floor * (rows**2).mean(axis=0)))


def normalized(rows: Floats, normalization: str, dead: str, variance_floor: float, noun: str) -> Floats:
    """Return `rows` (row, unit) normalised; with ``dead="drop"`` constant units are gone."""
    checked_choice(normalization, NORMALIZATIONS, "normalization")
    checked_choice(dead, DEAD, "way with dead units")
    constant = constant_units(rows, variance_floor)
    if dead == "drop":
        rows, constant = rows[:, ~constant], constant[~constant]
    if rows.shape[1] < 2:
        raise TooFew(
            f"population_sparseness needs at least 2 units, but {rows.shape[1]} came"
            f"{' after constant units were dropped' if dead == 'drop' else ''}."
        )
    if normalization in Z_SCORED:
        rows = _zscored(rows, constant, keep=dead == "keep", noun=noun)
    if normalization == "absolute-zscore":
        return np.abs(rows)
    if normalization == "rectify":
        return np.maximum(rows, 0.0)
    return _minmax(rows) if normalization in ("liu2020", "minmax") else rows


def _zscored(rows: Floats, constant: np.ndarray, *, keep: bool, noun: str) -> Floats:
    if len(rows) < 2:
        raise TooFew(
            f"Z-scoring a unit needs at least 2 {noun}, but {len(rows)} came. "
            "Give more, or choose a normalization without z-scores, such as 'minmax' or 'none'."
        )
    deviation = np.where(constant, 1.0, rows.std(axis=0))
    z = (rows - rows.mean(axis=0)) / deviation
    z[:, constant] = rows[:, constant] if keep else 0.0
    return np.asarray(z)


def _minmax(rows: Floats) -> Floats:
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    spread = high - low
    return np.asarray((rows - low) / np.where(spread > 0, spread, 1.0))
