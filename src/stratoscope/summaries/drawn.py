"""Points rounded to bytes at random: products at twice the rate of bfloat16, with bounds that the draws make tight.

A coordinate x is written as s q, with q a whole number from -127 to 127 and s the step of its point: q is one of the two
next to x / s, drawn so that it is right on average. Products of whole numbers are exact, so all that is wrong is
e = s q - x, and the e of different coordinates and points are independent. By Hoeffding's inequality a sum of a e over
coordinates is then beyond ``c s |a|`` with a probability of ``2 exp(-2 c^2)`` at most, whatever the points are: for c near 5
once in 1e21. Cauchy-Schwarz, which must hold for any e, could only say ``s |a| sqrt(D)`` of D coordinates, ten times as much.

For two points that are d apart, and of whose rounded selves the squared distance is v,

    W = v - |e_i|^2 - |e_j|^2,    |d^2 - W| <= 2 c (d sqrt(s_i^2 + s_j^2) + |e_i| s_j),

from one sum over the difference of the points, and one over the errors of one point for given errors of the other. The
norms of e are summed up while points are rounded, and are no part of what is left to chance.

References
----------
Hoeffding W. Probability inequalities for sums of bounded random variables. J. Am. Stat. Assoc. 58, 13-30 (1963).
https://doi.org/10.1080/01621459.1963.10500830
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.types import Floats

#: Probability, over the draws of one search, that any of its bounds on any pair of points fails.
CHANCE = 1e-12
#: How far draws may be from right on average, in steps: single precision and 16 random bits are not quite enough.
DRIFT = 2.0**-14
_LARGEST, _SMALLEST_STEP = 127, 1e-30
_BITS = 16


@dataclass(frozen=True)
class Codes:
    """Points (point, unit) as whole numbers of one byte, `values`, times a `step` (point,) of each point."""

    values: Any
    step: Any

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
    """Return c such that no bound fails among `n_points`, but for `CHANCE`: three sums of every pair, each on two sides."""
    return math.sqrt(math.log(3 * float(n_points) ** 2 / CHANCE) / 2) + DRIFT * math.sqrt(n_units)


def draw(
    piece: NDArray[Any], centred: Callable[[NDArray[Any]], NDArray[Any]], seed: int
) -> tuple[Codes, Floats, Floats]:
    """Round coordinates (point, unit) to bytes, a few rows at a time so that everything stays in cache.

    Parameters
    ----------
    piece : array (point, unit)
    centred : callable
        Takes the centre away from some rows, and returns float32.
    seed : int
        Of the draws; the same piece with the same seed is rounded in the same way.

    Returns
    -------
    codes : Codes
    norm2, noise2 : array (point,)
        Squared norms of the rounded points, and of what rounding added.
    """
    import torch

    rng = np.random.Generator(np.random.SFC64(seed))
    codes = Codes(torch.empty(piece.shape, dtype=torch.int8), torch.empty(len(piece), dtype=torch.float32))
    norms, height = np.empty((2, len(piece))), max(1, (1 << 16) // max(piece.shape[1], 1))
    for start in range(0, len(piece), height):
        rows = slice(start, min(start + height, len(piece)))
        whole = centred(piece[rows])
        step = _finest(whole)
        random = torch.from_numpy(_random(rng, whole.shape)).float()
        one = torch.from_numpy(whole)
        rounded = torch.addcmul(random.mul_(2.0**-_BITS), one, torch.from_numpy(1 / step)[:, None]).floor_()
        codes.values[rows], codes.step[rows] = rounded, torch.from_numpy(step)
        norms[0, rows] = squares(rounded.numpy()) * step.astype(np.float64) ** 2
        norms[1, rows] = squares(rounded.mul_(codes.step[rows, None]).sub_(one).numpy())
    return codes, norms[0], norms[1]


def _finest(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return the finest step (point,) that lets the coordinates of each of `rows` (point, unit) fit into a byte."""
    import torch

    one = torch.from_numpy(rows)
    largest = torch.maximum(one.amax(1), one.amin(1).neg_()).numpy()
    # a little coarser, so that neither the division nor the draw rounds beyond a byte
    return np.maximum(largest * np.float32((1 + 1e-6) / _LARGEST), np.float32(_SMALLEST_STEP))


def _random(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return numbers of 16 random bits, four from every draw of 64."""
    size = math.prod(shape)
    return rng.bit_generator.random_raw(-(-size // 4)).view(np.uint16)[:size].reshape(shape)


def multiply_codes(left: Codes, right: Codes) -> Any:
    """Return ``left @ right.T`` as a float32 tensor: exact whole numbers, times both steps."""
    import torch

    if left.shape[1] == 1:  # torch 2.13 multiplies single columns wrongly
        whole = left.values.float() @ right.values.float().T
    else:
        whole = torch._int_mm(left.values, right.values.T)  # noqa: SLF001 - there is no other product of bytes
    return whole.float().mul_(right.step).mul_(left.step[:, None])


@cache
def bytes_multiply_exactly() -> bool:
    """Say whether this torch multiplies bytes on this processor, without losing what 16 bits cannot hold."""
    import torch

    multiply = getattr(torch, "_int_mm", None)
    if multiply is None:
        return False
    hard = torch.arange(-_LARGEST, _LARGEST + 1, dtype=torch.int8).repeat(33, 4)
    hard[:16] = _LARGEST
    try:
        whole = multiply(hard, hard.neg().T)
    except RuntimeError:  # not on this processor
        return False
    return bool((whole == -(hard.double() @ hard.double().T)).all())


def squares(rows: NDArray[Any]) -> Floats:
    """Return squared norms (point,) of `rows` (point, unit), in float32 within 256 roundings and then in float64."""
    whole = rows.shape[1] // 256 * 256
    with np.errstate(over="ignore", invalid="ignore"):  # infinite norms are seen by who asked
        parts = rows[:, :whole].reshape(len(rows), -1, 256)
        rest = rows[:, whole:]
        return np.asarray(np.vecdot(parts, parts).sum(axis=1, dtype=np.float64) + np.vecdot(rest, rest))
