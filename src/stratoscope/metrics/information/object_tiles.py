"""One tile of units: information about objects by pairs, its null, and what luminance alone would tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.information.bins import Codes, Values, bin_codes, checked_bins
from stratoscope.metrics.information.counting import Counts, Packing
from stratoscope.metrics.information.measure import Null
from stratoscope.metrics.information.pairs import Pair, PairMean, luminosity_ratios
from stratoscope.metrics.information.plan import PARTS, Plan
from stratoscope.metrics.information.properties import default_bins, of_units
from stratoscope.metrics.responses import checked_finite
from stratoscope.types import Floats


@dataclass(frozen=True)
class Luminance:
    """Luminance (stimulus,) or (stimulus, unit), the smallest ratio of a pair, and bins for the control."""

    values: Floats
    threshold: float
    bins: int

    def of_units(self, start: int, stop: int) -> Floats:
        """Return the luminance (stimulus, unit) for the units `start` to `stop`."""
        if self.values.ndim == 1:
            return np.broadcast_to(self.values[:, None], (len(self.values), stop - start))
        return of_units(self.values, start, stop, "Luminance")


@dataclass(frozen=True)
class Setup:
    """Objects in a plan of one property, their pairs, and luminance where it is known."""

    names: tuple[str, ...]
    pairs: list[Pair]
    plan: Plan
    luminance: Luminance | None


@dataclass(frozen=True)
class MeasuredPairs:
    """A tile's numbers (unit,), and of each pair (pair, unit) where asked for."""

    plugin: Floats
    corrected: Floats
    control: Floats
    n_pairs: NDArray[np.int64]
    null_mean: Floats
    null_sd: Floats
    p: Floats
    z: Floats
    by_pair: Floats | None


def read_luminance(values: Any, threshold: float, bins: int | None, n: int, response_bins: int) -> Luminance | None:
    """Check luminance for `n` stimuli and the threshold; None without luminance."""
    if not 0.0 <= threshold < 1.0:
        raise BadInput(
            f"The threshold of luminosity ratios lies from 0 to below 1, but {threshold!r} came. "
            "0.9 is usual for single units, 0 keeps every pair."
        )
    if values is None:
        return None
    array = checked_finite(values, "object_information", "luminance")
    if array.ndim not in (1, 2) or len(array) != n or array.min(initial=0.0) < 0:
        raise BadInput(
            f"Luminance is not negative and has one value for each of the {n} stimuli, as (stimulus,) or (stimulus, "
            f"unit), but shape {array.shape} with smallest value {array.min(initial=0.0):g} came. Ratios of luminance "
            "need the light itself, not a z-score."
        )
    chosen = default_bins(n, response_bins) if bins is None else bins
    checked_bins(chosen, n, "equipopulated", "luminance_bins")
    return Luminance(array, threshold, chosen)


def measure_pairs(start: int, tile: Values, setup: Setup, *, keep_pairs: bool) -> MeasuredPairs:
    """Measure the units of `tile` (stimulus, unit), the first being unit `start` of all."""
    plan, options = setup.plan, setup.plan.options
    codes = bin_codes(tile, options.response_bins, binning=options.binning, atom=options.atom)
    packed = plan.packing.pack(codes)
    counts = np.stack(plan.packing.count(plan.columns, packed))
    passing, control = _by_luminance(start, tile.shape[1], setup)
    mean = PairMean(setup.pairs, passing, plan.table)
    plugin = mean.plugin(counts)
    null = Null(plugin[None])
    for number, columns in plan.permuted_columns():
        permuted = np.stack(plan.packing.count(columns, packed))
        by_object = permuted.reshape(options.response_bins, len(setup.names), number, -1)
        null.add(slice(1), mean.plugin(by_object)[None])
    corrected = _corrected(codes, counts, plugin, null, mean, plan)
    bayes = {"none": None, "panzeri-treves-naive": False, "miller-madow": False}.get(options.correction, True)
    by_pair = mean.one_by_one(counts, bayes=bayes) if keep_pairs else None
    some = passing.any(axis=0)
    average, sd, p, z = (np.where(some, row[0], np.nan) for row in null.summary(options.n_shuffles))
    return MeasuredPairs(plugin, corrected, control, passing.sum(axis=0), average, sd, p, z, by_pair)


def _by_luminance(start: int, units: int, setup: Setup) -> tuple[NDArray[np.bool_], Floats]:
    """Return which pairs pass (pair, unit), and I(L;O) over them (unit,)."""
    luminance, plan = setup.luminance, setup.plan
    if luminance is None:
        return np.ones((len(setup.pairs), units), dtype=bool), np.full(units, np.nan)
    light = luminance.of_units(start, start + units)
    columns = plan.columns.astype(np.float64)
    means = columns @ light / columns.sum(axis=1, keepdims=True)
    passing = (luminosity_ratios(means, setup.pairs) > luminance.threshold) | (luminance.threshold == 0.0)
    codes = bin_codes(np.ascontiguousarray(light), luminance.bins, binning="equipopulated", atom=False)
    packing = Packing.of(luminance.bins, int(columns.sum(axis=1).max()))
    counts = np.stack(packing.count(plan.columns.astype(packing.dtype), packing.pack(codes)))
    mean = PairMean(setup.pairs, passing, plan.table)
    return passing, mean.plugin(counts) - mean.bias(counts, bayes=True)


def _corrected(codes: Codes, counts: Counts, plugin: Floats, null: Null, mean: PairMean, plan: Plan) -> Floats:
    correction = plan.options.correction
    if correction == "none":
        return plugin
    if correction == "shuffle":
        return np.asarray(-null.sums[0] / plan.options.n_shuffles)
    if correction != "quadratic-extrapolation":
        return np.asarray(plugin - mean.bias(counts, bayes=correction == "panzeri-treves"))
    quarters = [_counts_in(part, codes, plan) for part in plan.parts()]
    halves = [quarters[i] + quarters[i + 1] for i in range(0, PARTS, 2)]
    of_quarters, of_halves = (np.mean([mean.plugin(one) for one in parts], axis=0) for parts in (quarters, halves))
    return np.asarray((8 * plugin - 6 * of_halves + of_quarters) / 3)


def _counts_in(part: NDArray[np.bool_], codes: Codes, plan: Plan) -> Counts:
    return np.stack(plan.packing.count(np.ascontiguousarray(plan.columns[:, part]), plan.packing.pack(codes[part])))
