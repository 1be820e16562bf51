"""Ridge regression on labels in closed form: held-out predictions of every fold from one decomposition.

What a fit without a fold predicts for it, and how well it predicts the others left out one at a time, follows from the
fit to all stimuli (`leaving_out`). Which penalty does that best is judged in single precision (`screening`), which says how
far it may be off, and again in double precision where it cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.readout.kernels import typical_size
from stratoscope.metrics.readout.leaving_out import Spectrum, Without
from stratoscope.metrics.readout.screening import may_be_best
from stratoscope.summaries.threads import in_threads, products_of_few, threads_of_products
from stratoscope.types import Floats, Integers

#: Penalties that are tried where none is given, in units of the mean squared distance of stimuli from their mean.
GRID = tuple(10.0 ** np.arange(-6, 3))


def targets(codes: Integers, n_labels: int) -> Floats:
    """Return +1 for a stimulus's own label and -1 for the others, (stimulus, label) or (stimulus, label, shuffle)."""
    return np.where(codes[:, None] == np.arange(n_labels)[:, *(None,) * (codes.ndim - 1)], 1.0, -1.0)


def held_out(
    gram: Floats, wanted: Floats, folds: Sequence[Integers], penalties: Sequence[float]
) -> tuple[Floats, Floats]:
    """Predict every fold from all other stimuli, with the penalty that predicts those best when left out one by one.

    Parameters
    ----------
    gram : array (stimulus, stimulus)
        Inner products; where their origin lies does not matter.
    wanted : array (stimulus, label, shuffle)
        Targets; each shuffle is fitted by itself.
    folds : sequence of array of int
        Rows that are held out together; every stimulus is in one fold.
    penalties : sequence of float
        Penalties to choose from, for each fold and shuffle alone.

    Returns
    -------
    scores : array (stimulus, label, shuffle)
        What a fit without the fold of a stimulus predicts for it.
    chosen : array (fold, shuffle)
        Penalty that was taken.
    """
    with products_of_few(len(gram)):
        return _held_out(gram, wanted, folds, penalties, threads_of_products())


def _held_out(
    gram: Floats, wanted: Floats, folds: Sequence[Integers], penalties: Sequence[float], threads: int
) -> tuple[Floats, Floats]:
    order, cuts = _one_after_the_other(folds)
    spectrum, in_order = Spectrum(gram[np.ix_(order, order)]), wanted[order]
    possible = may_be_best(spectrum, in_order, cuts, penalties, threads)
    scores, labels = np.empty_like(wanted), np.arange(wanted.shape[1])
    best = np.full(possible.shape[1:], np.inf)
    chosen = np.full(best.shape, float(penalties[0]))
    for penalty, asked in zip(penalties, possible, strict=True):
        contested = bool((asked & (possible.sum(axis=0) > 1)).any())
        for at, predicted, error in _predicted(spectrum, in_order, cuts, penalty, asked, threads, judge=contested):
            better = asked[at] & (error < best[at])
            scores[np.ix_(order[cuts[at]], labels, np.flatnonzero(better))] = predicted[:, :, better]
            best[at], chosen[at] = np.where(better, error, best[at]), np.where(better, penalty, chosen[at])
    return scores, chosen


def _predicted(
    spectrum: Spectrum,
    wanted: Floats,
    cuts: Sequence[slice],
    penalty: float,
    asked: NDArray[np.bool_],
    threads: int,
    *,
    judge: bool,
) -> Iterator[tuple[int, Floats, Floats]]:
    """Yield each fold in which a shuffle asks for `penalty`, what is predicted for it, and the errors that judge it.

    Errors are 0 where they need not be known: P is then made for the folds alone.
    """
    of = np.flatnonzero(asked.any(axis=0))
    if not of.size:
        return
    maker = spectrum.residual_maker(penalty) if judge else None
    solved = np.zeros_like(wanted)
    solved[:, :, of] = spectrum.residuals(penalty, wanted[:, :, of])

    def without_fold(at: int) -> tuple[int, Floats, Floats]:
        fold = cuts[at]
        block = spectrum.residual_maker(penalty, rows=fold) if maker is None else maker[fold, fold]
        without = Without(block, solved, fold)
        error = np.zeros(wanted.shape[2]) if maker is None else without.left_out(maker, np.diag(maker)).error
        return at, wanted[fold] - without.lost, error

    yield from in_threads(without_fold, np.flatnonzero(asked.any(axis=1)).tolist(), threads)


def _one_after_the_other(folds: Sequence[Integers]) -> tuple[Integers, list[slice]]:
    """Return the stimuli fold by fold, and where each fold lies among them."""
    ends = np.cumsum([len(fold) for fold in folds])
    return np.concatenate(folds), [slice(end - len(fold), end) for end, fold in zip(ends.tolist(), folds, strict=True)]


def predicted_scores(train: Floats, test: Floats, wanted: Floats, penalties: Sequence[float]) -> tuple[Floats, Floats]:
    """Predict test stimuli from a training set; products are centred on it (see `train_centred`).

    Returns scores (test, label, shuffle) and the penalty taken for each shuffle (shuffle,), the one that predicts the
    training stimuli best when left out one by one.
    """
    with products_of_few(len(train)):
        return _predicted_scores(train, test, wanted, penalties)


def _predicted_scores(train: Floats, test: Floats, wanted: Floats, penalties: Sequence[float]) -> tuple[Floats, Floats]:
    spectrum = Spectrum(train)
    level = wanted.mean(axis=0)
    best = np.full(wanted.shape[2], np.inf)
    chosen = np.full(best.shape, float(penalties[0]))
    scores = np.empty((len(test), *wanted.shape[1:]))
    for penalty in penalties:
        maker = spectrum.residual_maker(penalty)
        solved = np.tensordot(maker, wanted, axes=1)
        error = ((solved / np.diag(maker)[:, None, None]) ** 2).sum(axis=(0, 1))
        better = error < best
        scores[:, :, better] = level[:, better] + np.tensordot(test, solved[:, :, better], axes=1)
        best, chosen = np.where(better, error, best), np.where(better, penalty, chosen)
    return scores, chosen


def grid_of(penalty: float | Sequence[float] | None, products: Floats) -> tuple[float, ...]:
    """Return the penalties to try: those given, or `GRID` times the typical squared size of `products`, centred here."""
    if penalty is not None:
        return tuple(float(one) for one in np.atleast_1d(np.asarray(penalty, dtype=np.float64)))
    size = typical_size(products - products.mean(axis=0)[:, None])
    return tuple(size * one for one in GRID)
