"""Many small support vector machines at once, from inner products alone, to the optimum and not to a loose tolerance.

    min over a   a' Q a / 2 - Σ a,    0 <= a <= C,   y'a = 0,   Q_ij = y_i y_j K_ij

by Mehrotra's predictor and corrector (an interior point method): ten or so factorisations of a matrix of training stimuli,
however small the margin is, where sequential minimal optimisation takes thousands of steps. Decision record 0184.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs

from stratoscope.summaries.threads import products_of_few
from stratoscope.types import Floats

#: Most training stimuli of a machine that is solved here; larger ones are left to libsvm, which never factorises.
LARGEST = 256
#: Where the iteration stops: largest error of a margin, which is 1 by definition; that of libsvm.
TOLERANCE = 1e-3
_MOST_STEPS = 60
_SHORT_OF_THE_EDGE = 0.99


@dataclass(frozen=True)
class Machines:
    """Machines that were trained.

    Attributes
    ----------
    weights : array (machine, stimulus)
        Weight of every training stimulus, its sign included; 0 beyond the stimuli of the machine.
    bias : array (machine,)
        A stimulus is called first where its products with the training stimuli, weighted, plus the bias are above 0.
    settled : array (machine,) of bool
        Whether the optimum was reached; a machine that did not reach it has to be trained in another way.
    """

    weights: Floats
    bias: Floats
    settled: NDArray[np.bool_]


def trained_machines(products: Floats, signs: Floats, strength: float) -> Machines:
    """Train every machine by itself.

    Parameters
    ----------
    products : array (machine, stimulus, stimulus)
        Inner products of the training stimuli of each.
    signs : array (machine, stimulus)
        1 for stimuli of the first label, -1 for those of the second, 0 where a machine has fewer stimuli than others.
    strength : float
        C, the weight of errors against the norm.

    Returns
    -------
    Machines
        Where no stimulus lies on the margin, any bias within an interval is optimal; its middle is taken, as libsvm does.
    """
    with products_of_few(signs.shape[1]):
        return _trained(products, signs, strength)


def _trained(products: Floats, signs: Floats, strength: float) -> Machines:
    found = Machines(np.zeros_like(signs), np.zeros(len(signs)), np.zeros(len(signs), dtype=bool))
    every = products * (signs[:, :, None] * signs[:, None, :])
    point, at = _start(every, signs, strength), np.arange(len(signs))
    for _ in range(_MOST_STEPS):
        matrix = every[at]
        slope = point.slope(matrix)
        there = point.there(slope)
        if there.any():
            ready, left = point.take(there), ~there
            found.weights[at[there]], found.bias[at[there]] = ready.a * ready.y, ready.bias(slope[there])
            found.settled[at[there]] = True
            point, at, slope, matrix = point.take(left), at[left], slope[left], matrix[left]
        if not len(at):
            break
        with np.errstate(all="ignore"):  # a machine that fails is left out, and said
            point, going = _stepped(point, slope, matrix)
        if not going.all():
            point, at = point.take(going), at[going]
    return found


@dataclass(frozen=True)
class _Point:
    """Where machines are: `a` and its multipliers, `z` of a >= 0 and `w` of a <= C, (machine, stimulus), and the bias `b`.

    `y` are the signs, and `scale` (machine, 1) is the typical size of an `a`.
    """

    y: Floats
    scale: Floats
    strength: float
    a: Floats
    z: Floats
    w: Floats
    b: Floats

    @property
    def u(self) -> Floats:
        """Room that `a` has to its upper bound."""
        return self.strength - self.a

    def slope(self, matrix: Floats) -> Floats:
        """Return the derivative by `a` of the objective and of the bias times y'a; `matrix` is Q of these machines."""
        return (matrix @ self.a[:, :, None])[:, :, 0] - np.abs(self.y) + self.b * self.y

    def gap(self) -> Floats:
        """Return the mean product of a bound's room and its multiplier (machine, 1): 0 at the optimum."""
        both: Floats = np.mean(self.a * self.z + self.u * self.w, axis=1, keepdims=True) / 2
        return both

    def there(self, slope: Floats) -> NDArray[np.bool_]:
        """Say which machines have reached the optimum."""
        widest = np.maximum(self.a * self.z, self.u * self.w).max(axis=1)
        apart = np.abs(slope - self.z + self.w).max(axis=1)
        unbalanced = np.abs((self.y * self.a).sum(axis=1))
        scale = self.scale[:, 0]
        there: NDArray[np.bool_] = (
            (widest <= TOLERANCE**2 * scale) & (apart <= TOLERANCE) & (unbalanced <= TOLERANCE * scale)
        )
        return there

    def take(self, kept: NDArray[np.bool_]) -> _Point:
        """Return some of the machines."""
        return replace(self, **{name: value[kept] for name, value in vars(self).items() if name != "strength"})

    def moved(self, step: _Step, length: Floats) -> _Point:
        """Go `length` (machine, 1) of a step."""
        return replace(self, **{name: getattr(self, name) + length * by for name, by in vars(step).items()})

    def bias(self, slope: Floats) -> Floats:
        """Return the middle of the biases that leave every margin on its side of 1 (machine,)."""
        level = self.b - self.y * slope  # the bias at which the margin of a stimulus is 1
        some, room = self.a / self.scale > self.z, self.u / self.scale > self.w
        first, second = self.y > 0, self.y < 0
        lowest = np.where((first & room) | (second & some), level, -np.inf).max(axis=1)
        highest = np.where((second & room) | (first & some), level, np.inf).min(axis=1)
        return np.asarray((lowest + highest) / 2)


@dataclass(frozen=True)
class _Step:
    """A direction for each of the variables of `_Point`."""

    a: Floats
    z: Floats
    w: Floats
    b: Floats


def _start(matrix: Floats, signs: Floats, strength: float) -> _Point:
    size = np.einsum("mii->m", matrix) / np.abs(signs).sum(axis=1)
    scale = (1.0 / np.maximum(size, 1.0 / strength))[:, None]
    ones = np.ones_like(signs)
    return _Point(signs, scale, strength, scale / 2 * ones, ones, ones, np.zeros((len(signs), 1)))


def _stepped(point: _Point, slope: Floats, matrix: Floats) -> tuple[_Point, NDArray[np.bool_]]:
    """Go one step towards the optimum, and say which machines could; `matrix` is overwritten."""
    diagonal = np.arange(matrix.shape[1])
    matrix[:, diagonal, diagonal] += point.z / point.a + point.w / point.u
    found = [dpotrf(one.T, lower=1, overwrite_a=1, clean=0) for one in matrix]
    factors, going = [factor for factor, _ in found], np.array([failed == 0 for _, failed in found])
    solved = _solved(factors, np.stack([-slope, point.y], axis=1))
    of_signs = solved[:, 1]
    ahead = _direction(point, solved[:, 0], of_signs, np.zeros(1), np.zeros(1))
    gap = point.gap()
    expected = point.moved(ahead, _longest(point, ahead)).gap()
    aim = gap * (expected / gap) ** 3
    low, high = aim - ahead.a * ahead.z, aim + ahead.a * ahead.w
    again = _solved(factors, low / point.a - high / point.u - slope)
    step = _direction(point, again, of_signs, low, high)
    return point.moved(step, _SHORT_OF_THE_EDGE * _longest(point, step)), going


def _direction(point: _Point, solved: Floats, of_signs: Floats, low: Floats, high: Floats) -> _Step:
    """Return the step after which a z = `low` and u w = `high`, to first order, and y'a = 0."""
    balance = (point.y * (solved + point.a)).sum(axis=1, keepdims=True)
    b = balance / (point.y * of_signs).sum(axis=1, keepdims=True)
    a = solved - b * of_signs
    return _Step(a, (low - point.z * a) / point.a - point.z, (high + point.w * a) / point.u - point.w, b)


def _longest(point: _Point, step: _Step) -> Floats:
    """Return how much of the step keeps everything above 0, 1 at most, (machine, 1)."""
    pairs = ((point.a, step.a), (point.u, -step.a), (point.z, step.z), (point.w, step.w))
    shrinking = np.max([(-by / value).max(axis=1, keepdims=True) for value, by in pairs], axis=0)
    return np.asarray(1.0 / np.maximum(shrinking, 1.0))


def _solved(factors: list[Floats], right: Floats) -> Floats:
    """Solve for each right side (machine, stimulus) or (machine, side, stimulus), which is overwritten."""
    for factor, sides in zip(factors, right, strict=True):
        dpotrs(factor, sides.T, lower=1, overwrite_b=1)
    return right
