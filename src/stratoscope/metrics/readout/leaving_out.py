"""A ridge regression without some of its stimuli, from the fit to all of them.

With inner products K of the responses and an intercept that is not penalised, the dual solution for targets Y is

    C = P Y,   P = (HKH + a I)^-1 - 1 1' / (n a),   H = I - 1 1' / n

and what is predicted for stimuli B by a fit without B is Y_B - (P_BB)^-1 C_B, exactly. Taking out B leaves the P of the
other stimuli by a Schur complement, in which one stimulus more can be left out at a time to choose the penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, eigh, solve_triangular

from stratoscope.metrics.readout.kernels import SMALLEST
from stratoscope.types import Floats

#: What single precision may be off by, relative to the largest terms of a sum: some roundings of 2^-24.
ROUNDING = 2e-6


class Spectrum:
    """Eigenvectors of centred inner products, from which P of any penalty is one product.

    Where responses span many dimensions P is V (L + a)^-1 V' over all eigenvectors but the constant one: terms of one
    sign, none of which rounding takes from another. Where they span few, it is the identity less few terms.
    """

    def __init__(self, gram: Floats) -> None:
        self.n = len(gram)
        means = gram.mean(axis=0)
        centred = np.asfortranarray(gram - means[:, None] - means[None, :] + means.mean())
        far = 2 * max(float(np.trace(centred)), 1e-300)  # an eigenvalue above all others, for the constant vector
        centred += far / self.n
        values, vectors = eigh(centred, driver="evd", overwrite_a=True, check_finite=False)
        values, vectors = values[:-1], vectors[:, :-1]
        kept = values > SMALLEST * max(float(values[-1]), 1e-300) if self.n > 1 else np.zeros(0, dtype=bool)
        self.complete = 2 * np.count_nonzero(kept) >= self.n
        self.values = np.where(kept, values, 0.0) if self.complete else values[kept]
        self.vectors = vectors if self.complete else vectors[:, kept]

    @property
    def smallest(self) -> float:
        """An eigenvalue that none but the constant vector's is below: 0 where responses span fewer dimensions than stimuli."""
        if not self.complete or not self.values.size:
            return 0.0
        return max(float(self.values[0] - SMALLEST * self.values[-1]), 0.0)

    def residual_maker(
        self, penalty: float, dtype: type[np.floating[Any]] = np.float64, rows: slice = slice(None)
    ) -> NDArray[Any]:
        """Return P (stimulus, stimulus) of the stimuli `rows` for one penalty, multiplied in precision `dtype`."""
        vectors = self.vectors if dtype == np.float64 else self._single
        shrunk = vectors[rows] * np.sqrt(self._shares(penalty)).astype(dtype)
        product = shrunk @ shrunk.T
        if self.complete:
            return np.asarray(product)
        np.negative(product, out=product)
        product -= dtype(1.0 / (self.n * penalty))
        product[np.diag_indices(len(product))] += dtype(1.0 / penalty)
        return np.asarray(product)

    @cached_property
    def _single(self) -> NDArray[np.float32]:
        return np.asarray(self.vectors, dtype=np.float32)

    def residuals(self, penalty: float, wanted: Floats) -> Floats:
        """Return P times targets (stimulus, ...)."""
        targets = wanted.reshape(self.n, -1)
        product = self.vectors @ (self._shares(penalty)[:, None] * (self.vectors.T @ targets))
        if not self.complete:
            product = (targets - targets.mean(axis=0)) / penalty - product
        return np.asarray(product).reshape(wanted.shape)

    def largest_terms(self, penalty: float, maker: NDArray[Any]) -> Floats:
        """Return the size (stimulus,) of what was added up to the diagonal of P: rounding is relative to it."""
        return np.diag(maker).astype(np.float64) if self.complete else np.full(self.n, 1.0 / penalty)

    def _shares(self, penalty: float) -> Floats:
        whole = 1.0 / (self.values + penalty)
        return whole if self.complete else self.values / penalty * whole


class Without:
    """A fit without one fold, from the fit to all stimuli.

    Parameters
    ----------
    block : array (stimulus of the fold, stimulus of the fold)
        P within the fold.
    solved : array (stimulus, label, shuffle)
        P times the targets, of all stimuli.
    fold : slice
        The stimuli to leave out.
    """

    def __init__(self, block: NDArray[Any], solved: NDArray[Any], fold: slice) -> None:
        self.block, self.solved, self.fold = _Factored(block), solved, fold
        own = solved[fold]
        #: What is lost (stimulus of the fold, label, shuffle): the target less the prediction.
        self.lost: NDArray[Any] = self.block.solve(own.reshape(len(own), -1)).reshape(own.shape)

    def left_out(self, maker: NDArray[Any], terms: Floats) -> LeftOut:
        """Leave one more of the other stimuli out at a time.

        A residual r is C / P, both taken from differences: with q how many times larger the `terms` were (stimulus,) than
        what was left of P, the share q e of r is rounding, and so is q e of the targets, which are 1. So the sum of r^2 is
        off by 2 e (sum q r^2 + sum q |r|), and the last sum is at most the root of sum r^2 times sum q^2; 2 e is `ROUNDING`.
        """
        total, doubt, size, lost_digits = np.zeros((4, self.solved.shape[2]))
        least, most_lost = np.inf, 0.0
        for rest in (slice(0, self.fold.start), slice(self.fold.stop, len(maker))):
            if rest.start == rest.stop:
                continue
            across = maker[self.fold, rest]
            left = self.solved[rest] - np.tensordot(across, self.lost, axes=(0, 0))
            own = np.diag(maker)[rest] - self.block.quadratic(across)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                numerators = np.square(left).sum(axis=1, dtype=np.float64)
                squared = numerators / np.square(own, dtype=np.float64)[:, None]
                digits = np.where(own > 0, terms[rest] / own, np.inf)
                total += squared.sum(axis=0)
                size += numerators.sum(axis=0)
                doubt += digits @ squared
                lost_digits += (digits**2).sum() * left.shape[1]
            least, most_lost = min(least, float(own.min())), max(most_lost, float(digits.max()))
        with np.errstate(invalid="ignore", over="ignore"):
            off = np.asarray(ROUNDING * (doubt + np.sqrt(total * lost_digits)))
        return LeftOut(total, off, np.sqrt(size), least, ROUNDING * most_lost)


@dataclass(frozen=True)
class LeftOut:
    """What leaving one more stimulus out at a time comes to.

    Attributes
    ----------
    error : array (shuffle,)
        Squared error over the stimuli and labels.
    doubt : array (shuffle,)
        How far it may be off in single precision.
    size : array (shuffle,)
        Root of the sum of squares of the residuals' numerators.
    least : float
        Smallest denominator.
    rounding : float
        Largest share of a denominator that is rounding, in single precision.
    """

    error: Floats
    doubt: Floats
    size: Floats
    least: float
    rounding: float


class _Factored:
    """A positive definite matrix, by its Cholesky factor: half the work of a general solution.

    Rounding may leave a matrix that is barely so without a factor; it is then solved as any other.
    """

    def __init__(self, matrix: NDArray[Any]) -> None:
        self.matrix, self.factor = matrix, _cholesky(matrix)

    def solve(self, right: NDArray[Any]) -> NDArray[Any]:
        """Return A^-1 b for columns b (row, column)."""
        if self.factor is None:
            return np.asarray(np.linalg.solve(self.matrix, right))
        return np.asarray(cho_solve((self.factor, True), right, check_finite=False))

    def quadratic(self, columns: NDArray[Any]) -> NDArray[Any]:
        """Return c' A^-1 c (column,) for columns c (row, column)."""
        if self.factor is None:
            return np.asarray((columns * np.linalg.solve(self.matrix, columns)).sum(axis=0))
        half = solve_triangular(self.factor, columns, lower=True, check_finite=False)
        return np.asarray(np.einsum("ij,ij->j", half, half))


def _cholesky(matrix: NDArray[Any]) -> NDArray[Any] | None:
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        return None
