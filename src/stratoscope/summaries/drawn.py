"""Points rounded to bytes at random: products at twice the rate of bfloat16, with bounds that the draws make tight.

A coordinate x is written as s q, with q a whole number from -127 to 127 and s the step of its point: q is one of the two
next to x / s, drawn so that it is right on average. Products of whole numbers are exact, so all that is wrong is
e = s q - x, and the e of different coordinates are independent, as are those of two points (what single precision makes of
x / s is near x / s, and counts as drift). By Hoeffding's inequality a sum
of a e over coordinates is then beyond ``c s |a|`` with a probability of ``2 exp(-2 c^2)`` at most, whatever the points are:
for c near 5 once in 1e21. Cauchy-Schwarz, which must hold for any e, could only say ``s |a| sqrt(D)`` of D coordinates, which
is 13 times as much for 4,096.

For two points that are d apart, and of whose rounded selves the squared distance is v,

    W = v - |e_i|^2 - |e_j|^2,    |d^2 - W| <= 2 c (d sqrt(s_i^2 + s_j^2) + |e_i| s_j),

from one sum over the difference of the points, and one over the errors of one point for given errors of the other. The
norms of e are summed up while points are rounded, and are no part of what is left to chance.

Each bound is on one pair, so it is enough that points are drawn independently two at a time. Of two random numbers a and b
for every unit, point i takes ``a + i b`` modulo 2^32: any two points have independent numbers but for a lattice as coarse as
their number, and all of them cost one addition.

References
----------
Hoeffding W. Probability inequalities for sums of bounded random variables. J. Am. Stat. Assoc. 58, 13-30 (1963).
https://doi.org/10.1080/01621459.1963.10500830
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import squared_norms
from stratoscope.types import Floats

#: Probability, over the draws of one search, that any of its bounds on any pair of points fails.
CHANCE = 1e-12
#: How far draws may be from right on average, in steps, for what single precision rounds: 1.9e-5 in the quotient, the sum
#: and the number, for each of two points, whose steps together are up to sqrt(2) of their root sum of squares.
DRIFT = 2.0**-15
_LARGEST, _SMALLEST_STEP = 127, 1e-30
_BITS = 32


@dataclass(frozen=True)
class Codes:
    """Points (point, unit) as whole numbers of one byte, `values`, times a `step` (point,) of each point."""

    values: Any
    step: Any

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Codes:
        """Make room for points."""
        import torch

        return cls(torch.from_numpy(np.empty(shape, dtype=np.int8)), torch.empty(shape[0], dtype=torch.float32))

    def __getitem__(self, rows: slice) -> Codes:
        """Return the points `rows`."""
        return Codes(self.values[rows], self.step[rows])

    @property
    def shape(self) -> tuple[int, ...]:
        """Points and units."""
        return tuple(self.values.shape)

    def copy(self) -> Codes:
        """Return the same points in another place."""
        return Codes(self.values.clone(), self.step.clone())


def spread_of_draws(n_points: int, n_units: int) -> float:
    """Return c such that no bound fails among `n_points`, but for `CHANCE`: three sums of every pair, each on two sides.

    Numbers of two points differ by a multiple of how far they are apart, so that draws are right to that part of 2^32.
    """
    drift = DRIFT + n_points * 2.0**-_BITS
    return math.sqrt(math.log(3 * float(n_points) ** 2 / CHANCE) / 2) + drift * math.sqrt(n_units)


class Draws:
    """Random numbers of every point and unit, the same for the same `seed`; those of any two points are independent."""

    def __init__(self, n_units: int, seed: int) -> None:
        rng = np.random.Generator(np.random.SFC64(seed))
        self._first, self._step = rng.integers(0, 1 << _BITS, (2, n_units), dtype=np.uint32)
        self._multiples = np.zeros((0, n_units), dtype=np.uint32)

    def of(self, rows: slice) -> NDArray[np.int32]:
        """Return the numbers (point, unit) of the points `rows`, from -2^31 up."""
        n, multiples = rows.stop - rows.start, self._multiples
        if len(multiples) < n:  # several threads may come here, and each goes on with its own
            self._multiples = multiples = np.arange(n, dtype=np.uint32)[:, None] * self._step
        start = self._first + np.uint32(rows.start) * self._step
        numbers: NDArray[np.int32] = (multiples[:n] + start).view(np.int32)
        return numbers


def draw(whole: NDArray[np.float32], numbers: NDArray[np.int32], codes: Codes) -> tuple[Floats, Floats, Floats]:
    """Round `whole` (point, unit) to bytes, into `codes`, as `numbers` say.

    Returns
    -------
    norm2, noise2, step : array (point,)
        Squared norms of the rounded points and of what rounding added, and the size of its steps.
    """
    import torch

    step = _finest(whole)
    points, steps = torch.from_numpy(whole), torch.from_numpy(step)[:, None]
    rounded = torch.from_numpy(numbers).float().mul_(2.0**-_BITS)
    rounded.addcmul_(points, torch.from_numpy(1 / step)[:, None]).round_()
    codes.values.copy_(rounded)
    codes.step.copy_(steps[:, 0])
    exact = step.astype(np.float64)
    norm2 = squared_norms(rounded.numpy()) * exact**2
    return norm2, squared_norms(torch.addcmul(points, rounded, steps, value=-1, out=rounded).numpy()), exact


def _finest(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the finest step (point,) that lets the coordinates of each of `rows` (point, unit) fit into a byte."""
    # a little coarser, so that neither the division nor the draw rounds beyond a byte
    largest = np.abs(rows).max(axis=1) * np.float32((1 + 1e-6) / _LARGEST)
    return np.asarray(np.maximum(largest, np.float32(_SMALLEST_STEP)))


def multiply_codes(left: Codes, right: Codes) -> Any:
    """Return ``left @ right.T`` as a float32 tensor: exact whole numbers, times both steps."""
    if left.shape[1] == 1:  # torch 2.13 multiplies single columns wrongly
        whole = left.values.float() @ right.values.float().T
    else:
        whole = _multiply_bytes()(left.values, right.values.T)
    return whole.float().mul_(right.step).mul_(left.step[:, None])


def _multiply_bytes() -> Any:
    """Return torch's product of bytes, the only one there is; None where this torch has none."""
    import torch

    return getattr(torch, "_int_mm", None)


@cache
def bytes_multiply_exactly() -> bool:
    """Say whether this torch multiplies bytes on this processor, without losing what 16 bits cannot hold."""
    import torch

    multiply = _multiply_bytes()
    if multiply is None:
        return False
    hard = torch.arange(-_LARGEST, _LARGEST + 1, dtype=torch.int8).repeat(33, 4)
    hard[:16] = _LARGEST
    try:
        whole = multiply(hard, hard.neg().T)
    except RuntimeError:  # not on this processor
        return False
    return bool((whole == -(hard.double() @ hard.double().T)).all())
