"""Points as a product takes them: rounded to its format a few rows at a time, with what rounding did to each.

Rows are shared out among threads. What is drawn at random is drawn by the number of the point, so that threads change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.blocks import few_rows, squared_norms
from stratoscope.summaries.drawn import Codes, Draws, draw
from stratoscope.summaries.threads import in_threads
from stratoscope.types import Floats

#: Largest relative error of rounding one number to a format.
ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "bfloat16": 2.0**-8}
#: Takes some rows, and returns their centred coordinates (point, unit) in the precision that products are added up in.
Read: TypeAlias = Callable[[slice], NDArray[Any]]
_Writer: TypeAlias = "Callable[[Rounded, slice, NDArray[Any]], None]"
#: Rows of one share of a thread, and coordinates that it rounds at a time: each step costs some microseconds to begin.
_SHARE, _AT_A_TIME = 512, 1 << 18


@dataclass(frozen=True)
class Rounded:
    """Points as a product takes them, and what rounding did to them.

    Attributes
    ----------
    factor
        What `Product.multiply` and `Product.add` multiply.
    size2, norm2 : array (point,)
        Squared norms of the centred points before and after rounding; before it as they are on average, where it is drawn.
    rest2 : array (point,)
        Of what rounding took away for certain.
    noise2, step : array (point,)
        Of what it added at random, and the size of one step of that; 0 where nothing is drawn.
    """

    factor: Any
    size2: Floats
    norm2: Floats
    rest2: Floats
    noise2: Floats
    step: Floats


def round_points(read: Read, shape: tuple[int, int], rounding: str, seed: int = 0, threads: int = 1) -> Rounded:
    """Return the points that `read` gives in the format `rounding`: an array, or for bfloat16 a tensor, or `Codes`.

    Parameters
    ----------
    read : callable
        Gives the centred coordinates of some rows.
    shape : tuple
        Points and units.
    rounding : {"float64", "float32", "bfloat16", "int8"}
    seed : int
        Of the draws for int8; the same points with the same seed are rounded in the same way.
    threads : int
    """
    into = Rounded(_room(shape, rounding), *np.zeros((5, shape[0])))
    write = _writer(shape[1], rounding, seed)

    def share(start: int) -> None:
        for rows in few_rows(min(start + _SHARE, shape[0]), shape[1], start, _AT_A_TIME):
            write(into, rows, read(rows))

    for _ in in_threads(share, range(0, shape[0], _SHARE), threads):
        pass
    return into


def _room(shape: tuple[int, int], rounding: str) -> Any:
    if rounding == "int8":
        return Codes.of(shape)
    if rounding != "bfloat16":
        return np.empty(shape, dtype=rounding)
    import torch

    return torch.from_numpy(np.empty(shape, dtype=np.int16)).view(
        torch.bfloat16
    )  # numpy asks for large pages, torch does not


def _writer(n_units: int, rounding: str, seed: int) -> _Writer:
    """Return what rounds some centred coordinates, and writes them and their norms into a `Rounded`."""
    if rounding == "int8":
        draws = Draws(n_units, seed)
        return lambda into, rows, whole: _draw(into, rows, whole, draws.of(rows))
    return _halve if rounding == "bfloat16" else _keep


def _keep(into: Rounded, rows: slice, whole: NDArray[Any]) -> None:
    into.factor[rows] = whole
    into.size2[rows] = into.norm2[rows] = squared_norms(whole)
    into.rest2[rows] = into.norm2[rows] * ROUNDOFF[whole.dtype.name] ** 2


def _halve(into: Rounded, rows: slice, whole: NDArray[Any]) -> None:
    import torch

    into.factor[rows] = torch.from_numpy(whole)
    back = into.factor[rows].float().numpy()
    into.size2[rows], into.norm2[rows] = squared_norms(whole), squared_norms(back)
    # and the rounding of the centred coordinates before
    centred = into.size2[rows] * ROUNDOFF["float32"] ** 2
    into.rest2[rows] = squared_norms(np.subtract(whole, back, out=back)) + centred


def _draw(into: Rounded, rows: slice, whole: NDArray[Any], numbers: NDArray[np.int32]) -> None:
    into.norm2[rows], into.noise2[rows], into.step[rows] = draw(whole, numbers, into.factor[rows])
    into.size2[rows] = into.norm2[rows] - into.noise2[rows]
    # the rounding of the centred coordinates before, of a norm that is bounded by the triangle inequality
    into.rest2[rows] = 2 * (into.norm2[rows] + into.noise2[rows]) * ROUNDOFF["float32"] ** 2
