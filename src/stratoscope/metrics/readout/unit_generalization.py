"""How well a threshold that one unit learnt on one view of two objects tells their other views apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, unknown_name
from stratoscope.metrics.readout.confusion import confusion_accuracy, confusion_bits
from stratoscope.metrics.readout.labels import check_shufflable, coded, view_codes, view_coordinates
from stratoscope.metrics.readout.pairs import Pairs, resolve_pairs
from stratoscope.metrics.readout.unit_conditions import Conditions
from stratoscope.metrics.readout.unit_design import (
    Layout,
    mean_over_pairs,
    n_stimuli_of,
    shuffled_rows,
    unit_blocks,
    unit_rows,
)
from stratoscope.metrics.readout.unit_record import UnitReadout, summarise
from stratoscope.metrics.readout.view_splits import check_views, view_lines
from stratoscope.types import Floats, Integers

NAME = "unit_generalization"


def unit_generalization(
    responses: Any,
    objects: Any,
    views: Any,
    *,
    axis: str | None = None,
    distance: str | None = None,
    pairs: Any = None,
    luminance: Any = None,
    threshold: float = 0.9,
    n_draws: int | None = 1000,
    n_shuffles: int = 1,
    seed: int = 0,
) -> UnitReadout:
    """How well single units tell two objects apart in views that were not learnt.

    For every unit and pair of objects a threshold is learnt on one view of each object, drawn independently, and tested
    on all other views of both; confusion matrices of all draws are pooled. With one response a view the threshold is the
    midpoint of the two; with trials it is that of two Gaussians, as in `unit_separability`.

    Parameters
    ----------
    responses : array (stimulus, unit) or (trial, stimulus, unit)
        Responses, finite; with trials, NaN stands for an absent one. float32 is worked on as it is.
    objects : array (stimulus,)
        Object of every stimulus.
    views : array (stimulus,) or mapping of str to array
        View of every stimulus, by name or as columns (see `splits_across_views`).
    axis : str, optional
        Learn and test among views that differ along this axis alone: position, size, rotation, in_plane, in_depth,
        luminance, or a column of `views`.
    distance : str, optional
        Learn both objects at one value of this numeric column of `views` and test them at every other, other
        coordinates alike; results then have a first dimension, the distance between the two values.
    pairs, luminance, threshold
        Which pairs of objects, see `unit_separability`.
    n_draws : int, or None
        Draws of training views for every pair, the same for all units; None takes every combination once.
    n_shuffles : int
        Repetitions with objects shuffled within each view, 0 for none.
    seed : int
        Seed of draws and shuffles.

    Returns
    -------
    UnitReadout
        Bits and accuracy (unit,), with `distance` (distance, unit), and the same with shuffled labels.

    Raises
    ------
    TooFew
        One object, one view of an object, no two views along `axis` or `distance`, no pair that passes.
    BadInput
        NaN, wrong shapes, views in which no two objects are shown where shuffles are asked for.

    When it misleads
    ----------------
    A unit that hardly answers is at chance, whatever it prefers. A threshold learnt from one response to each object
    carries the full noise of both. Draws are shared between units, so that their errors are alike: compare areas or
    stages by several seeds. With random views, each shown for one object, there is nothing to shuffle within views.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794, Figure 6.

    Examples
    --------
    >>> objects, views = np.repeat(["jug", "star"], 6), np.tile(np.arange(6), 2)
    >>> gain = np.array([1.0, 1.2, 0.8, 1.1, 0.9, 1.0])
    >>> invariant, of_view = np.concatenate([gain, 3 * gain]), np.concatenate([np.arange(6), np.arange(6)])
    >>> found = unit_generalization(np.stack([invariant, of_view], axis=1), objects, views, n_shuffles=0)
    >>> found.accuracy.round(2).tolist()
    [1.0, 0.42]
    """
    if axis is not None and distance is not None:
        raise BadInput(
            "Views along an axis and views at a distance are two protocols. Give axis or distance, not both."
        )
    if (n_draws is not None and n_draws < 1) or n_shuffles < 0:
        raise BadInput(
            f"Generalization needs at least 1 draw, or None for all, and no negative number of shuffles; n_draws is "
            f"{n_draws}, n_shuffles {n_shuffles}."
        )
    n = n_stimuli_of(responses, objects)
    view_of = view_codes(views, n)
    rows, codes, names, view_rows = unit_rows(responses, objects, view_of, NAME)
    check_views(codes, names, view_rows)
    chosen = resolve_pairs(names, objects, pairs, luminance, threshold, rows.shape[1])
    note = check_shufflable(codes, view_rows) if n_shuffles else ""
    lines, values = _lines(coded(objects, n, "object")[0], view_coordinates(views, n), view_of, axis, distance)
    distances = _distances(lines, values)
    measure = _Measure(rows, len(names), chosen, lines, values, distances, n_draws, seed)
    true = measure.bits(Layout.of(codes, view_rows))
    false = [measure.bits(Layout.of(shuffled_rows(codes, view_rows, seed, k), view_rows)) for k in range(n_shuffles)]
    how = "every pair of training views" if n_draws is None else f"{n_draws} draws of training views"
    how = f"both objects at one {distance}" if distance else how
    return summarise(true, false, chosen, rows, f"threshold, {how}", seed, note, distances)


def _lines(
    codes: Integers, table: Mapping[str, NDArray[Any]], view_of: Integers, axis: str | None, distance: str | None
) -> tuple[list[Integers], Floats | None]:
    """Return sets of view codes that are learnt and tested together and, for a distance, the value of every view."""
    if distance is not None:
        if distance not in table:
            raise unknown_name("column of these views", distance, table)
        if table[distance].dtype.kind not in "iuf":
            raise BadInput(f"Distance needs numbers, but the column {distance!r} holds {table[distance].dtype}.")
    lines = [np.unique(view_of[rows]) for rows in view_lines(codes, table, distance or axis)]
    if distance is None:
        return lines, None
    values = np.zeros(int(view_of.max()) + 1)
    values[view_of] = table[distance]
    return lines, values


def _distances(lines: Sequence[Integers], values: Floats | None) -> Floats:
    if values is None:
        return np.empty(0)
    found = np.concatenate([np.abs(np.subtract.outer(values[one], values[one])).ravel() for one in lines])
    return np.unique(np.round(found[found > 0], 9))


class _Measure:
    """Everything that true and shuffled labels have in common."""

    def __init__(
        self,
        rows: NDArray[Any],
        n_objects: int,
        pairs: Pairs,
        lines: Sequence[Integers],
        values: Floats | None,
        distances: Floats,
        n_draws: int | None,
        seed: int,
    ) -> None:
        self.rows, self.n_objects, self.pairs, self.lines = rows, n_objects, pairs, lines
        self.values, self.distances, self.n_draws, self.seed = values, distances, n_draws, seed

    def bits(self, layout: Layout) -> tuple[Floats, Floats]:
        """Return bits and accuracy, (unit,) or (distance, unit), mean over pairs."""
        plans = [self._plan(layout, int(a), int(b)) for a, b in self.pairs.index]
        parts = []
        for block in unit_blocks(len(self.rows), self.rows.shape[1]):
            conditions = Conditions(self.rows[layout.order, block], layout)
            confusion = np.stack([self._pooled(conditions, plan) for plan in plans])
            of_units = None if self.pairs.of_units is None else self.pairs.of_units[:, block]
            both = (confusion_bits(confusion), confusion_accuracy(confusion))
            parts.append([mean_over_pairs(values, of_units) for values in both])
        found = [np.concatenate([one[at] for one in parts], axis=-1) for at in (0, 1)]
        return (found[0], found[1]) if len(self.distances) else (found[0][0], found[1][0])

    def _plan(self, layout: Layout, a: int, b: int) -> list[Any]:
        """Return what is learnt and tested for one pair: draws on every line, or transfers over every distance."""
        at_view = layout.views[layout.starts[:-1]]
        own = [np.flatnonzero(layout.objects == code) for code in (a, b)]
        lines = [tuple(one[np.isin(at_view[one], line)] for one in own) for line in self.lines]
        lines = [line for line in lines if min(map(len, line)) > 1]
        if self.values is None:
            return list(_drawn(lines, self.n_draws, (self.seed, a, b)))
        return list(_transfers(lines, self.values[at_view], self.distances))

    def _pooled(self, conditions: Conditions, plan: Sequence[Any]) -> Floats:
        """Return confusion matrices (distance, unit, 2, 2); without distances the first dimension is 1."""
        result = np.zeros((max(1, len(self.distances)), conditions.rows.shape[1], 2, 2))
        for slot, step in plan:
            result[slot] += conditions.draws(*step) if self.values is None else conditions.transfer(*step)
        return result


def _transfers(
    lines: Sequence[tuple[Integers, ...]], values: Floats, distances: Floats
) -> Iterator[tuple[int, tuple[tuple[int, int], tuple[Integers, ...]]]]:
    """Learn both objects at one value and be tested at another, over every distance."""
    for first, second in lines:
        for value in np.intersect1d(values[first], values[second]):
            learnt = (int(first[values[first] == value][0]), int(second[values[second] == value][0]))
            for slot, distance in enumerate(distances):
                tested = tuple(own[np.isclose(np.abs(values[own] - value), distance)] for own in (first, second))
                if min(map(len, tested)):
                    yield slot, (learnt, tested)


def _drawn(
    lines: Sequence[tuple[Integers, ...]], n_draws: int | None, key: tuple[int, int, int]
) -> Iterator[tuple[int, tuple[Integers, Integers, Floats]]]:
    """Draw a line and one view of each object on it, over and over; return how often each combination came."""
    rng = np.random.default_rng(key)
    times = (
        None if n_draws is None else np.bincount(rng.integers(max(len(lines), 1), size=n_draws), minlength=len(lines))
    )
    for at, (first, second) in enumerate(lines):
        size = (len(first), len(second))
        if times is None:
            yield 0, (first, second, np.ones(size))
            continue
        drawn = rng.integers(size[0], size=times[at]) * size[1] + rng.integers(size[1], size=times[at])
        yield 0, (first, second, np.bincount(drawn, minlength=size[0] * size[1]).reshape(size).astype(np.float64))
