"""One tile of units: counts, plug-in information, its correction, and the same under permutations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.information.bias import panzeri_treves_bias
from stratoscope.metrics.information.bins import Codes, Values, bin_codes
from stratoscope.metrics.information.counting import Columns, Counts, paired_counts
from stratoscope.metrics.information.entropies import margins, plug_in
from stratoscope.metrics.information.plan import PARTS, Plan
from stratoscope.metrics.information.properties import Property
from stratoscope.types import Floats

#: Information closer than this, in bits, is the same: sums over pairs are rounded.
TIE = 1e-12


@dataclass(frozen=True)
class Measured:
    """A tile's numbers, (property, unit); the null is NaN without permutations. `occurring` is (unit,)."""

    plugin: Floats
    corrected: Floats
    null_mean: Floats
    null_sd: Floats
    p: Floats
    z: Floats
    occurring: NDArray[np.int64]


def measure_tile(start: int, tile: Values, plan: Plan) -> Measured:
    """Measure the units of `tile` (stimulus, unit), the first being unit `start` of all."""
    options = plan.options
    codes = bin_codes(tile, options.response_bins, binning=options.binning, atom=options.atom)
    packed = plan.packing.pack(codes) if plan.shared else []
    counts = [*_shared_counts(packed, plan), *(_own_counts(start, codes, one, plan) for one in plan.own)]
    plugin = np.stack([plug_in(one, plan.table) for one in counts])
    null = Null(plugin)
    for these, bits in _permuted(start, codes, packed, counts, plan):
        null.add(these, bits)
    corrected = _corrected(start, codes, counts, plugin, null, plan)
    occurring = (counts[0].sum(axis=1) > 0).sum(axis=0)
    return Measured(plugin, corrected, *null.summary(options.n_shuffles), occurring)


def _shared_counts(packed: list[NDArray[np.floating]], plan: Plan) -> Iterator[Counts]:
    if plan.shared:
        counts = np.stack(plan.packing.count(plan.columns, packed))
        for rows in plan.slices:
            yield counts[:, rows]


def _own_counts(start: int, codes: Codes, one: Property, plan: Plan, order: NDArray[np.int64] | None = None) -> Counts:
    values = one.of_units(start, start + codes.shape[1])
    values = values if order is None else values[order]
    return paired_counts(codes, values, plan.options.response_bins, one.n_bins)


def _permuted(
    start: int, codes: Codes, packed: list[NDArray[np.floating]], counts: list[Counts], plan: Plan
) -> Iterator[tuple[slice, Floats]]:
    """Yield which properties, and their plug-in information under permutations (property, permutation, unit)."""
    if plan.options.n_shuffles == 0:
        return
    fixed = np.stack([margins(one, plan.table) for one in counts])
    if plan.shared:
        these = slice(len(plan.shared))
        for number, columns in plan.permuted_columns():
            by_bin = permuted_sums(columns, packed, plan).reshape(len(plan.columns), number, -1)
            joint = np.stack([by_bin[rows].sum(axis=0) for rows in plan.slices])
            yield these, (joint - fixed[these, None]) / plan.n
    for index, one in enumerate(plan.own, len(plan.shared)):
        for number in range(plan.options.n_shuffles):
            permuted = _own_counts(start, codes, one, plan, plan.permutation(number))
            yield slice(index, index + 1), plug_in(permuted, plan.table)[None, None]


def permuted_sums(columns: Columns, packed: list[NDArray[np.floating]], plan: Plan) -> Floats:
    """Return the sum of n log n over response bins of each of `columns` (column, unit)."""
    if plan.sums is not None:
        return plan.sums.look_up(columns, packed[0])
    return np.asarray(sum(plan.table.take(one) for one in plan.packing.count(columns, packed)))


class Null:
    """Sums over permutations: differences from the observed, their squares, and how many reach it."""

    def __init__(self, observed: Floats) -> None:
        self.observed = observed
        self.sums = np.zeros_like(observed)
        self.squares = np.zeros_like(observed)
        self.reached = np.zeros(observed.shape, dtype=np.int64)

    def add(self, these: slice, bits: Floats) -> None:
        """Take in information about `these` properties under some permutations (property, permutation, unit)."""
        apart = bits - self.observed[these, None]
        self.reached[these] += (apart >= -TIE).sum(axis=1)
        for number in range(apart.shape[1]):  # one by one, so that the order of sums does not depend on blocks
            self.sums[these] += apart[:, number]
            self.squares[these] += apart[:, number] ** 2

    def summary(self, n: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return mean, standard deviation, p and z over `n` permutations; NaN where they are not defined."""
        nothing = np.full(self.observed.shape, np.nan)
        if n == 0:
            return nothing, nothing, nothing, nothing
        mean = self.sums / n
        spread = np.maximum(self.squares - n * mean**2, 0.0)
        sd = np.sqrt(spread / (n - 1)) if n > 1 else nothing
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(sd > 0, -mean / sd, np.nan)
        return self.observed + mean, sd, (1 + self.reached) / (1 + n), z


def _corrected(start: int, codes: Codes, counts: list[Counts], plugin: Floats, null: Null, plan: Plan) -> Floats:
    correction = plan.options.correction
    if correction == "none":
        return plugin
    if correction == "shuffle":
        return np.asarray(-null.sums / plan.options.n_shuffles)
    if correction == "quadratic-extrapolation":
        return _extrapolated(start, codes, plugin, plan)
    bayes = correction == "panzeri-treves"
    return np.stack([bits - panzeri_treves_bias(one, bayes=bayes) for bits, one in zip(plugin, counts, strict=True)])


def _extrapolated(start: int, codes: Codes, plugin: Floats, plan: Plan) -> Floats:
    """Return the value at infinitely many stimuli of the parabola in 1/n through the whole, halves and quarters."""
    quarters = [_counts_in(part, start, codes, plan) for part in plan.parts()]
    halves = [[a + b for a, b in zip(quarters[i], quarters[i + 1], strict=True)] for i in range(0, PARTS, 2)]
    of_quarters, of_halves = (
        np.mean([[plug_in(one, plan.table) for one in part] for part in parts], axis=0) for parts in (quarters, halves)
    )
    return np.asarray((8 * plugin - 6 * of_halves + of_quarters) / 3)


def _counts_in(part: NDArray[np.bool_], start: int, codes: Codes, plan: Plan) -> list[Counts]:
    chosen = codes[part]
    found: list[Counts] = []
    if plan.shared:
        columns = np.ascontiguousarray(plan.columns[:, part])
        counts = np.stack(plan.packing.count(columns, plan.packing.pack(chosen)))
        found += [counts[:, rows] for rows in plan.slices]
    for one in plan.own:
        values = one.of_units(start, start + codes.shape[1])[part]
        found.append(paired_counts(chosen, values, plan.options.response_bins, one.n_bins))
    return found
