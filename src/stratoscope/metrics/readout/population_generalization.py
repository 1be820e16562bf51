"""How well populations of units that learnt one view of two objects tell their other views apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.readout.confusion import confusion_accuracy, confusion_bits
from stratoscope.metrics.readout.decoders import Fitting, asked_penalties, predicted_labels, require_sklearn, rescaled
from stratoscope.metrics.readout.kernels import train_centred
from stratoscope.metrics.readout.labels import group_codes, view_coordinates
from stratoscope.metrics.readout.one_against_one import pair_decisions, votes
from stratoscope.metrics.readout.pairs import resolve_pairs
from stratoscope.metrics.readout.population import (
    SIZES,
    Population,
    checked_numbers,
    checked_sizes,
    n_stimuli,
    resampled,
    shuffle_note,
)
from stratoscope.metrics.readout.population_record import Collected, PopulationReadout, record
from stratoscope.metrics.readout.ridge import grid_of, predicted_scores, targets
from stratoscope.metrics.readout.view_splits import check_views, view_lines
from stratoscope.types import Floats, Integers

NAME = "population_generalization"


def population_generalization(
    responses: Any,
    objects: Any,
    views: Any,
    *,
    axis: str | None = None,
    sizes: Any = SIZES,
    n_resamplings: int = 50,
    decoder: str = "svm",
    penalty: float | Sequence[float] | None = None,
    scale: str = "none",
    pairs: Any = None,
    luminance: Any = None,
    threshold: float = 0.8,
    n_vectors: int | None = None,
    gram: Any = None,
    n_shuffles: int = 1,
    seed: int = 0,
) -> PopulationReadout:
    """How well populations of units tell two objects apart in views that were not learnt.

    For every pair of objects a linear decoder learns one view of each, for all combinations of the two views, and is
    tested on all other views of both; confusion matrices of all combinations are pooled.

    With one response a view every decoder with an L2 penalty and a free intercept learns the same from two points: the
    plane half way between them. So `decoder` and `penalty` matter with trials alone.

    Parameters
    ----------
    responses, objects, sizes, n_resamplings, decoder, penalty, scale, pairs, luminance, threshold, n_vectors, gram
        See `population_separability`.
    views : array (stimulus,) or mapping of str to array
        View of every stimulus, by name or as columns (see `splits_across_views`).
    axis : str, optional
        Learn and test among views that differ along this axis alone: position, size, rotation, in_plane, in_depth,
        luminance, or a column of `views`.
    n_shuffles : int
        Repetitions of each resampling with objects shuffled within each view, 0 for none.
    seed : int
        Seed of units, vectors and shuffles.

    Returns
    -------
    PopulationReadout

    Raises
    ------
    TooFew
        One object, one view of an object, no two views along `axis`, no pair that passes, fewer units than every size.
    BadInput
        NaN, wrong shapes, one view of an object twice without trials, views in which no two objects are shown.
    MissingExtra
        For ``svm`` and ``logistic`` with trials, without scikit-learn.

    When it misleads
    ----------------
    Near chance, bits are dominated by their bias; look at them less chance, and at accuracy. A plane between two points
    is a poor test of what more views would allow: `cross_validated_readout` with `splits_across_views` learns from many.
    Intervals are over resamplings, which share units: close to the full number of units they shrink to nothing.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794, Figure 8.

    Examples
    --------
    >>> objects, views = np.repeat(["jug", "star"], 6), np.tile(np.arange(6), 2)
    >>> rng = np.random.default_rng(0)
    >>> responses = rng.standard_normal((12, 40)) + 2 * rng.standard_normal((2, 40))[(objects == "star").astype(int)]
    >>> found = population_generalization(responses, objects, views, sizes=(30,), n_resamplings=3)
    >>> bool(found.accuracy.value[0] > 0.9)
    True
    """
    fitting = Fitting(decoder, asked_penalties(penalty), scale)
    checked_numbers(n_resamplings, n_shuffles)
    n = n_stimuli(responses, gram, NAME)
    table = view_coordinates(views, n)
    view_of = group_codes(table, n)
    population = Population.of(responses, objects, view_of, gram, n_vectors, NAME)
    if population.n_vectors > 1 and decoder != "ridge":
        require_sklearn()
    check_views(population.codes, population.names, population.views)
    _check_single(population)
    chosen = resolve_pairs(population.names, objects, pairs, luminance, threshold, None)
    asked, note = checked_sizes(sizes, population, NAME)
    notes = [note, shuffle_note(population, n_shuffles, views_given=True)]
    codes_given = np.searchsorted(population.names, np.asarray(objects).astype(population.names.dtype))
    lines = [np.unique(view_of[rows]) for rows in view_lines(codes_given, table, axis)]
    collected = Collected(len(asked), n_resamplings, len(chosen), n_shuffles)
    reader = _Reader(population, lines, fitting)
    for at, k, products, labels, _ in resampled(population, asked, n_resamplings, n_shuffles, seed):
        tests = np.stack(
            [[reader.confusion(products, one, *map(int, pair)) for pair in chosen.index] for one in labels]
        )
        collected.put(at, k, confusion_bits(tests), confusion_accuracy(tests))
    how = f"{decoder}, every pair of training views{f' along {axis}' if axis else ''}"
    return record(collected, population, asked, chosen, how, seed, notes)


def _check_single(population: Population) -> None:
    conditions = np.stack([population.codes, population.views], axis=1)
    twice = len(conditions) - len(np.unique(conditions, axis=0))
    if twice:
        raise BadInput(
            f"{NAME} expects each object once in each view, but {twice} of {len(conditions)} stimuli repeat one. Put "
            "repeats along a first axis (trial, stimulus, unit), or add a column that tells the views apart."
        )


class _Reader:
    """Reads pairs of objects out across views; rows are the vectors of a population."""

    def __init__(self, population: Population, lines: Sequence[Integers], fitting: Fitting) -> None:
        self.views, self.lines, self.fitting = population.row_views, lines, fitting
        self.single = population.n_vectors == 1

    def confusion(self, products: Floats, codes: Integers, a: int, b: int) -> Floats:
        """Return the confusion matrix (2, 2) of one pair, pooled over lines and training views."""
        result = np.zeros((2, 2))
        for line in self.lines:
            on = np.isin(self.views, line)
            rows = [np.flatnonzero(on & (codes == code)) for code in (a, b)]
            if min(len(np.unique(self.views[own])) for own in rows) > 1:
                result += self._nearer(products, *rows) if self.single else self._learnt(products, *rows)
        return result

    def _nearer(self, products: Floats, first: Integers, second: Integers) -> Floats:
        """Call every test view after the nearer of two learnt ones: half way between them is where decoders decide."""
        own = np.diag(products)
        counts = []
        for tested in (first, second):
            near = [own[None, learnt] - 2 * products[np.ix_(tested, learnt)] for learnt in (first, second)]
            for distances, learnt in zip(near, (first, second), strict=True):
                distances[tested[:, None] == learnt[None]] = np.nan  # a learnt view is not tested
            margin = near[1][:, None, :] - near[0][:, :, None]
            tie = 1e-12 * max(float(own.max()), 1e-300)
            called = (np.count_nonzero(margin > tie) + np.count_nonzero(margin >= -tie)) / 2  # a tie is half of each
            n = len(tested) * len(first) * len(second) - len(first) * len(second)
            counts.append([called, n - called])
        return np.array(counts, dtype=np.float64)

    def _learnt(self, products: Floats, first: Integers, second: Integers) -> Floats:
        """Learn all vectors of one view of each object, for every combination."""
        if self.fitting.decoder == "svm" and len(self.fitting.strengths) == 1 and self.fitting.scale == "none":
            return self._machines(products, first, second)
        result = np.zeros((2, 2))
        for i in np.unique(self.views[first]):
            for j in np.unique(self.views[second]):
                learnt = [own[self.views[own] == view] for own, view in ((first, i), (second, j))]
                tested = [np.setdiff1d(own, part) for own, part in zip((first, second), learnt, strict=True)]
                called = self._called(products, np.concatenate(learnt), len(learnt[0]), np.concatenate(tested))
                for true, part in enumerate((called[: len(tested[0])], called[len(tested[0]) :])):
                    result[true] += [part.sum(), len(part) - part.sum()]
        return result

    def _called(self, products: Floats, train: Integers, n_first: int, test: Integers) -> Floats:
        """Return 1 for every test vector that is called the first object, else 0; a half where undecided."""
        labels = (np.arange(len(train)) >= n_first).astype(np.int64)
        learnt, tested = train_centred(products, train, test)
        if self.fitting.decoder != "ridge":
            return np.asarray(predicted_labels(learnt, tested, labels, self.fitting, seed=0)[0] == 0, dtype=np.float64)
        learnt, tested = rescaled(learnt, tested, self.fitting.scale)
        penalties = grid_of(self.fitting.penalties, learnt)
        scores = predicted_scores(learnt, tested, targets(labels[:, None], 2), penalties)[0][:, :, 0]
        return votes(scores[:, 0] - scores[:, 1], 1.0)

    def _machines(self, products: Floats, first: Integers, second: Integers) -> Floats:
        """Train the machines of all combinations in one call: every object in every view is a label of its own."""
        rows = np.concatenate([first, second])
        n_views = int(self.views.max()) + 1
        labels = self.views[rows] + n_views * (np.arange(len(rows)) >= len(first))
        own, _ = train_centred(products, rows, rows[:1])
        decisions, pairs = pair_decisions(own, own, labels, self.fitting.strengths[0])
        across = (pairs[:, 0] < n_views) & (pairs[:, 1] >= n_views)
        called, pairs = votes(decisions[:, across], 1.0), pairs[across]
        fresh = (labels[:, None] != pairs[None, :, 0]) & (labels[:, None] != pairs[None, :, 1])
        parts = [
            (called[labels < n_views], fresh[labels < n_views]),
            (called[labels >= n_views], fresh[labels >= n_views]),
        ]
        return np.array([[(vote * new).sum(), ((1 - vote) * new).sum()] for vote, new in parts])
