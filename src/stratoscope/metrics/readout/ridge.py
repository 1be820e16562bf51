"""Ridge regression on labels in closed form: held-out predictions of every fold from one decomposition.

With inner products K of the responses and an intercept that is not penalised, the dual solution for targets Y is

    C = P Y,   P = (HKH + a I)^-1 - 1 1' / (n a),   H = I - 1 1' / n

and what is predicted for stimuli B by a fit without B is Y_B - (P_BB)^-1 C_B, exactly. Taking out B leaves the P of the
other stimuli by a Schur complement, in which one stimulus more can be left out at a time to choose the penalty.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from stratoscope.metrics.readout.kernels import SMALLEST, typical_size
from stratoscope.types import Floats, Integers

#: Penalties that are tried where none is given, in units of the mean squared distance of stimuli from their mean.
GRID = tuple(10.0 ** np.arange(-6, 3))


def targets(codes: Integers, n_labels: int) -> Floats:
    """Return +1 for a stimulus's own label and -1 for the others, (stimulus, label) or (stimulus, label, shuffle)."""
    return np.where(codes[:, None] == np.arange(n_labels)[:, *(None,) * (codes.ndim - 1)], 1.0, -1.0)


class Spectrum:
    """Eigenvectors of centred inner products, from which P of any penalty is one product."""

    def __init__(self, gram: Floats) -> None:
        self.n = len(gram)
        means = gram.mean(axis=0)
        values, vectors = np.linalg.eigh(gram - means[:, None] - means[None, :] + means.mean())
        kept = values > SMALLEST * max(float(values[-1]), 1e-300)
        self.values, self.vectors = values[kept], vectors[:, kept]

    def residual_maker(self, penalty: float) -> Floats:
        """Return P (stimulus, stimulus) for one penalty."""
        shrunk = self.vectors * np.sqrt(self.values / (penalty * (self.values + penalty)))
        result = -(shrunk @ shrunk.T) - 1.0 / (self.n * penalty)
        result[np.diag_indices(self.n)] += 1.0 / penalty
        return np.asarray(result)


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
    spectrum = Spectrum(gram)
    scores = np.empty_like(wanted)
    best = np.full((len(folds), wanted.shape[2]), np.inf)
    chosen = np.full(best.shape, float(penalties[0]))
    for penalty in penalties:
        maker = spectrum.residual_maker(penalty)
        solved = np.tensordot(maker, wanted, axes=1)
        for at, fold in enumerate(folds):
            predicted, error = _without(maker, solved, wanted, fold, judge=len(penalties) > 1)
            better = error < best[at]
            scores[np.ix_(fold, np.arange(wanted.shape[1]), np.flatnonzero(better))] = predicted[:, :, better]
            best[at], chosen[at] = np.where(better, error, best[at]), np.where(better, penalty, chosen[at])
    return scores, chosen


def _without(maker: Floats, solved: Floats, wanted: Floats, fold: Integers, *, judge: bool) -> tuple[Floats, Floats]:
    """Predict `fold` from the rest; and the squared error over the rest when one more is left out at a time."""
    block = _Factored(maker[np.ix_(fold, fold)])
    lost = block.solve(solved[fold].reshape(len(fold), -1)).reshape(solved[fold].shape)
    predicted = wanted[fold] - lost
    if not judge:
        return predicted, np.zeros(wanted.shape[2])
    rest = np.setdiff1d(np.arange(len(maker)), fold)
    across = maker[np.ix_(fold, rest)]
    left = solved[rest] - np.tensordot(across, lost, axes=(0, 0))
    own = np.diag(maker)[rest] - block.quadratic(across)
    return predicted, np.asarray(((left / own[:, None, None]) ** 2).sum(axis=(0, 1)))


class _Factored:
    """A positive definite matrix, by its Cholesky factor: half the work of a general solution.

    Rounding may leave a matrix that is barely so without a factor; it is then solved as any other.
    """

    def __init__(self, matrix: Floats) -> None:
        self.matrix, self.factor = matrix, _cholesky(matrix)

    def solve(self, right: Floats) -> Floats:
        """Return A^-1 b for columns b (row, column)."""
        if self.factor is None:
            return np.asarray(np.linalg.solve(self.matrix, right))
        return np.asarray(cho_solve((self.factor, True), right, check_finite=False))

    def quadratic(self, columns: Floats) -> Floats:
        """Return c' A^-1 c (column,) for columns c (row, column)."""
        if self.factor is None:
            return np.asarray((columns * np.linalg.solve(self.matrix, columns)).sum(axis=0))
        half = solve_triangular(self.factor, columns, lower=True, check_finite=False)
        return np.asarray(np.einsum("ij,ij->j", half, half))


def _cholesky(matrix: Floats) -> Floats | None:
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None


def predicted_scores(train: Floats, test: Floats, wanted: Floats, penalties: Sequence[float]) -> tuple[Floats, Floats]:
    """Predict test stimuli from a training set; products are centred on it (see `train_centred`).

    Returns scores (test, label, shuffle) and the penalty taken for each shuffle (shuffle,), the one that predicts the
    training stimuli best when left out one by one.
    """
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
