"""How well one threshold on the response of one unit tells two objects apart, over all their views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.readout.confusion import confusion_accuracy, confusion_bits
from stratoscope.metrics.readout.folds import check_folds, dealt, separability_folds
from stratoscope.metrics.readout.labels import check_shufflable, view_codes
from stratoscope.metrics.readout.pairs import Pairs, resolve_pairs
from stratoscope.metrics.readout.threshold import threshold as between
from stratoscope.metrics.readout.unit_design import (
    Layout,
    called_first,
    confusion_of,
    mean_over_pairs,
    n_stimuli_of,
    shuffled_rows,
    unit_blocks,
    unit_rows,
)
from stratoscope.metrics.readout.unit_record import UnitReadout, summarise
from stratoscope.types import Floats

NAME = "unit_separability"


def unit_separability(
    responses: Any,
    objects: Any,
    *,
    views: Any = None,
    pairs: Any = None,
    luminance: Any = None,
    threshold: float = 0.9,
    folds: str | None = None,
    n_folds: int = 5,
    n_shuffles: int = 1,
    seed: int = 0,
) -> UnitReadout:
    """How well single units tell two objects apart by one threshold, whatever the view (linear separability).

    For every unit and pair of objects: in each fold a Gaussian is fitted to the training responses to each object, the
    threshold lies where both are equally likely, and a held-out response above it is called the object with the larger
    mean. The confusion matrices of all folds are pooled; bits are the mutual information between true and predicted
    object in it. The mean over pairs is returned.

    Parameters
    ----------
    responses : array (stimulus, unit) or (trial, stimulus, unit)
        Responses, finite; with trials, NaN stands for an absent one. float32 is worked on as it is.
    objects : array (stimulus,)
        Object of every stimulus.
    views : array (stimulus,) or mapping of str to array, optional
        View of every stimulus (see `splits_across_views`): chance shuffles objects within it. Without, over all stimuli.
    pairs : array, optional
        Pairs of objects, as names or positions (pair, 2), or masks (object, object) or (unit, object, object). By
        default every pair.
    luminance : array (stimulus,) or (unit, stimulus), optional
        RF luminance: pairs are kept whose luminosity ratio is above `threshold`, for each unit by itself.
    threshold : float
        0 to 1; 0.9 in the source.
    folds : str, optional
        ``stratified``: the responses to every object are dealt out at random, as in the source. ``views``: whole views
        are, so that a test view is not learnt for any object. By default ``views`` where views are given and answered
        once, as by a network, else ``stratified``.
    n_folds : int
        Number of folds.
    n_shuffles : int
        Repetitions with labels shuffled, 0 for none. With many units one each is enough.
    seed : int
        Seed of folds and shuffles.

    Returns
    -------
    UnitReadout
        Bits and accuracy of every unit, and the same with shuffled labels.

    Raises
    ------
    TooFew
        One object, an object with fewer responses than folds or than 4, no pair that passes.
    BadInput
        NaN, wrong shapes, views in which no two objects are shown.

    When it misleads
    ----------------
    Views that resemble each other are in training and test set: this is separability, not generalization. One threshold
    cannot read a unit that answers one object both less and more than the other. Two objects of unequal luminance are
    told apart by any unit that sees brightness: give `luminance`.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794, Figure 5.

    Examples
    --------
    >>> objects = np.repeat(["jug", "star"], 20)
    >>> rng = np.random.default_rng(0)
    >>> responses = rng.standard_normal((40, 2)) + [[5, 0]] * (objects == "star")[:, None]
    >>> found = unit_separability(responses, objects)
    >>> bool(found.accuracy[0] > 0.95), bool(abs(found.accuracy[1] - 0.5) < 0.25)
    (True, True)
    """
    n = n_stimuli_of(responses, objects)
    view_of = view_codes(views, n) if views is not None else np.zeros(n, dtype=np.int64)
    rows, codes, names, view_rows = unit_rows(responses, objects, view_of, NAME)
    chosen = resolve_pairs(names, objects, pairs, luminance, threshold, rows.shape[1])
    check_folds(codes, names, n_folds, NAME, fewest=4)
    check_shuffles(n_shuffles)
    how = separability_folds(folds, None if views is None else view_of, repeated=len(rows) > n)
    note = check_shufflable(codes, view_rows) if n_shuffles and views is not None else ""
    work = _Work(rows, names, chosen, how, n_folds)
    true = work.bits(Layout.of(codes, view_rows), (seed, 0))
    false = [
        work.bits(Layout.of(shuffled_rows(codes, view_rows, seed, k), view_rows), (seed, 1 + k))
        for k in range(n_shuffles)
    ]
    return summarise(true, false, chosen, rows, f"threshold, {n_folds} folds ({how})", seed, note)


def check_shuffles(n_shuffles: int) -> None:
    """Refuse a negative number of shuffles."""
    if n_shuffles < 0:
        raise BadInput(f"The number of shuffles is 0 or more; n_shuffles is {n_shuffles}.")


@dataclass(frozen=True)
class _Work:
    """What true and shuffled labels have in common."""

    rows: NDArray[Any]
    names: NDArray[Any]
    pairs: Pairs
    how: str
    n_folds: int

    def bits(self, layout: Layout, key: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return bits and accuracy (unit,), mean over pairs."""
        fold = dealt(self.how, layout.codes, layout.views, self.names, self.n_folds, np.random.default_rng(key))
        cells = layout.codes * self.n_folds + fold
        parts: list[tuple[Floats, Floats]] = []
        for block in unit_blocks(len(self.rows), self.rows.shape[1]):
            every = range(len(self.names) * self.n_folds)
            tested = [self.rows[layout.order[cells == cell], block] for cell in every]
            confusion = _pooled(tested, len(self.names), self.n_folds, self.pairs)
            of_units = None if self.pairs.of_units is None else self.pairs.of_units[:, block]
            both = (confusion_bits(confusion), confusion_accuracy(confusion))
            parts.append((mean_over_pairs(both[0], of_units), mean_over_pairs(both[1], of_units)))
        return np.concatenate([one[0] for one in parts]), np.concatenate([one[1] for one in parts])


def _pooled(tested: list[NDArray[Any]], n_objects: int, n_folds: int, pairs: Pairs) -> Floats:
    """Return confusion matrices (pair, unit, 2, 2) pooled over folds, from the responses of every object and fold."""
    means, variances = _training_moments(tested, n_objects, n_folds)
    counts = [np.isfinite(part).sum(axis=0) for part in tested]
    result = np.zeros((len(pairs), tested[0].shape[1], 2, 2))
    for at, (a, b) in enumerate(pairs.index):
        for fold in range(n_folds):
            m, v = (means[a, fold], means[b, fold]), (variances[a, fold], variances[b, fold])
            limit, sign = between(m, v), np.sign(m[0] - m[1])
            cells = (a * n_folds + fold, b * n_folds + fold)
            called = [
                (called_first((tested[cell] > limit).sum(axis=0), counts[cell], sign), counts[cell]) for cell in cells
            ]
            result[at] += confusion_of(*called)
    return result


def _training_moments(tested: list[NDArray[Any]], n_objects: int, n_folds: int) -> tuple[Floats, Floats]:
    """Return mean and variance (object, fold, unit) of the responses to each object outside each fold."""
    shape = (n_objects, n_folds, tested[0].shape[1])
    finite = [np.isfinite(part) for part in tested]
    counts = np.stack([one.sum(axis=0) for one in finite]).reshape(shape).astype(np.float64)
    # each object's own mean is taken off first, so that squares do not cancel
    sums = np.stack([np.nansum(part, axis=0, dtype=np.float64) for part in tested]).reshape(shape)
    centre = sums.sum(axis=1) / counts.sum(axis=1)
    squares = np.stack(
        [np.nansum((part - centre[cell // n_folds]) ** 2, axis=0) for cell, part in enumerate(tested)]
    ).reshape(shape)
    left = counts.sum(axis=1, keepdims=True) - counts
    moved = sums - counts * centre[:, None]
    mean = (moved.sum(axis=1, keepdims=True) - moved) / left
    square = squares.sum(axis=1, keepdims=True) - squares
    variance = np.maximum(square - left * mean**2, 0.0) / np.maximum(left - 1, 1)
    return mean + centre[:, None], variance
