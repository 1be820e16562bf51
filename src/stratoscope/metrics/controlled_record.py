"""What controlled dimensions of areas come to: the raw numbers, each beside its controls, as a tidy table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from stratoscope.errors import unknown_name
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.types import Estimate

CONTROLLED = "controlled"


@dataclass(frozen=True)
class ControlRow:
    """One number of one area, raw or under one control.

    Attributes
    ----------
    area : str
        Name of the area.
    quantity : str
        ``two_nn``, ``gride``, ``participation_ratio``, ``margin`` (of squared distances over their noise) or ``dimension``.
    control : str
        What was done; empty for the raw number.
    n1 : int
        Rank of the inner neighbour, 0 where the quantity has none.
    value, low, high : float
        Number and 95 % interval; NaN where there is none.
    n_units, n_trials, n_stimuli : int
        What it stands on.
    note : str
        What a reader must know.
    """

    area: str
    quantity: str
    control: str
    n1: int
    value: float
    low: float
    high: float
    n_units: int
    n_trials: int
    n_stimuli: int
    note: str = ""


@dataclass(frozen=True)
class ControlledDimension:
    """Dimensions of several areas, never without their controls.

    Attributes
    ----------
    rows : tuple of ControlRow
        Everything that was measured.
    n1 : int
        Neighbour rank at which areas are compared: the finest that stands above the noise in all of them; 0 for none.
    seed : int
        Seed of all draws.
    """

    rows: tuple[ControlRow, ...]
    n1: int
    seed: int

    def table(self) -> pd.DataFrame:
        """Return one row a number: area, quantity, control, n1, value, low, high, n_units, n_trials, n_stimuli, note."""
        return pd.DataFrame([asdict(row) for row in self.rows])

    @property
    def areas(self) -> tuple[str, ...]:
        """Names of the areas, in the order they came."""
        return tuple(dict.fromkeys(row.area for row in self.rows))

    @property
    def controlled(self) -> Mapping[str, Estimate]:
        """Controlled dimension of every area; NaN with a note where an area does not stand above its noise."""
        return {row.area: _estimate(row, self.seed) for row in self._of("dimension", CONTROLLED)}

    @property
    def raw(self) -> Mapping[str, Estimate]:
        """Raw TwoNN of every area, which sizes, rates and trials confound; read it beside `controlled` alone."""
        return {row.area: _estimate(row, self.seed) for row in self._of("two_nn", "")}

    def ratio(self, area: str, other: str) -> Estimate:
        """Return the controlled dimension of `area` over that of `other`, 95 % interval from both.

        Errors of the two count as independent. Areas that saw the same stimuli share part of theirs, and the interval is then
        too wide rather than too narrow.
        """
        found = self.controlled
        for name in (area, other):
            if name not in found:
                raise unknown_name("area", name, found)
        one, two = found[area], found[other]
        widths = [np.log(each.high / each.low) / (2 * 1.959963984540054) for each in (one, two)]
        ratio = float(one.value / two.value)
        low, high = log_interval(ratio, ratio * float(np.hypot(*widths)))
        return Estimate(
            ratio, float(low), float(high), min(one.n, two.n), method=f"ratio of {one.method}", seed=self.seed
        )

    def _of(self, quantity: str, control: str) -> Iterator[ControlRow]:
        return (row for row in self.rows if row.quantity == quantity and row.control == control)


def _estimate(row: ControlRow, seed: int) -> Estimate:
    told = f" at n1 = {row.n1}" if row.n1 else ""
    method = f"{row.quantity} {row.control or 'raw'}{told}, {row.n_units} units, {row.n_trials} trials"
    return Estimate(row.value, row.low, row.high, row.n_stimuli, method=method, seed=seed, note=row.note)
