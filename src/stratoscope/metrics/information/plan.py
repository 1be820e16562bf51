"""What information every tile of units is measured about, prepared once: columns, tables and permutations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.information.bias import CORRECTIONS
from stratoscope.metrics.information.bins import checked_bins
from stratoscope.metrics.information.counting import CellSums, Columns, Packing, one_hot
from stratoscope.metrics.information.entropies import n_log_n
from stratoscope.metrics.information.properties import Property, read_property
from stratoscope.metrics.responses import checked_choice
from stratoscope.types import Floats

#: Columns of one product under permutation, and bytes of permuted columns that are kept for all tiles.
COLUMNS_AT_A_TIME = 600
_KEPT_BYTES = 128 << 20
PARTS = 4


@dataclass(frozen=True)
class Options:
    """How information is estimated; `information_table` says what each means."""

    response_bins: int = 3
    binning: str = "equipopulated"
    correction: str = "panzeri-treves"
    atom: bool = True
    n_shuffles: int = 0
    seed: int = 0

    def check(self, n: int) -> None:
        """Refuse what cannot be done with `n` stimuli."""
        checked_choice(self.correction, CORRECTIONS, "correction")
        checked_bins(self.response_bins, n, self.binning, "response_bins")
        if self.n_shuffles < 0 or (self.correction == "shuffle" and self.n_shuffles < 1):
            raise BadInput(
                f"The correction {self.correction!r} was asked for with n_shuffles={self.n_shuffles}. "
                "A number of shuffles is 0 or more, and the shuffle correction needs some: give n_shuffles=100."
            )


@dataclass(frozen=True)
class Plan:
    """Properties in bins, and what their counting needs.

    Attributes
    ----------
    n : int
        Stimuli.
    options : Options
    shared : tuple of Property
        Properties that are the same for all units; their bins are rows of `columns`, one property after the other.
    own : tuple of Property
        Properties with values for every unit.
    columns : array (bin, stimulus)
        One-hot bins of the shared properties.
    packing : Packing
    table : array
        n log2 n.
    sums : CellSums, or None
        What permutations need of the shared properties, where it can be looked up.
    """

    n: int
    options: Options
    shared: tuple[Property, ...]
    own: tuple[Property, ...]
    columns: Columns
    packing: Packing
    table: Floats
    sums: CellSums | None
    _kept: dict[int, Columns] = field(default_factory=dict, repr=False)

    @property
    def properties(self) -> tuple[Property, ...]:
        """All properties, those shared by all units first."""
        return self.shared + self.own

    @property
    def slices(self) -> tuple[slice, ...]:
        """Rows of `columns` of every shared property."""
        ends = np.cumsum([0, *(one.n_bins for one in self.shared)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    def permuted_columns(self) -> Iterator[tuple[int, Columns]]:
        """Yield the columns under some permutations at a time, and how many these are; (bin and permutation, stimulus).

        The number at a time depends on the columns alone, so that sums over permutations come in one order.
        """
        at_a_time = max(1, COLUMNS_AT_A_TIME // max(len(self.columns), 1))
        keep = self.columns.nbytes * self.options.n_shuffles <= _KEPT_BYTES
        for first in range(0, self.options.n_shuffles, at_a_time):
            numbers = range(first, min(first + at_a_time, self.options.n_shuffles))
            made = self._kept.get(first)
            if made is None:
                orders = np.stack([self.permutation(number) for number in numbers])
                made = self.columns[:, orders].reshape(-1, self.n)
                if keep:
                    self._kept[first] = made
            yield len(numbers), made

    def permutation(self, number: int) -> NDArray[np.int64]:
        """Return permutation `number` of the stimuli, the same for every property, unit and block."""
        return np.random.default_rng([self.options.seed, number]).permutation(self.n)

    def parts(self) -> NDArray[np.bool_]:
        """Return four parts of the stimuli (part, stimulus) at random."""
        order = np.random.default_rng([self.options.seed, 0]).permutation(self.n)
        part = np.empty(self.n, dtype=np.int64)
        part[order] = np.arange(self.n) % PARTS
        return np.asarray(np.arange(PARTS)[:, None] == part)


def make_plan(
    properties: Mapping[str, Any], n: int, value_bins: int | Mapping[str, int | None] | None, options: Options
) -> Plan:
    """Read the properties of `n` stimuli and prepare their counting."""
    options.check(n)
    if not properties:
        raise BadInput("Information needs a property, but none came. Give a mapping of names to arrays (stimulus,).")
    read = [
        read_property(
            name,
            values,
            n=n,
            value_bins=value_bins.get(name) if isinstance(value_bins, Mapping) else value_bins,
            response_bins=options.response_bins,
            binning=options.binning,
        )
        for name, values in properties.items()
    ]
    return plan_of(read, n, options)


def plan_of(read: Sequence[Property], n: int, options: Options) -> Plan:
    """Prepare the counting of properties that are in bins already."""
    shared = tuple(one for one in read if not one.per_unit)
    largest = max((int(np.bincount(one.codes).max()) for one in shared), default=1)
    packing = Packing.of(options.response_bins, largest)
    blocks = [one_hot(one.codes, one.n_bins, packing.dtype) for one in shared]
    columns = np.concatenate(blocks) if blocks else np.zeros((0, n), dtype=packing.dtype)
    own = tuple(one for one in read if one.per_unit)
    table = n_log_n(n)
    sums = CellSums.of(packing, columns.sum(axis=1, dtype=np.float64).astype(np.int64), table) if shared else None
    return Plan(n, options, shared, own, columns, packing, table, sums)
