"""Ways to multiply points with points, and which of them is the fastest on this machine.

A product only proposes neighbours, so it may round coordinates as coarsely as it likes, as long as it says how far it
may be off. Which library and which precision multiply fastest differs by a factor of ten between processors, so it is
measured, once a process, on one square block.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import unknown_name
from stratoscope.types import Floats

#: Name of the environment variable that names the product for every search of the process.
CHOICE = "STRATOSCOPE_PRODUCT"
#: Multiply-adds of a search below which measuring would cost more than it saves, and above which torch is worth importing.
SMALL, LARGE = 2e10, 1e12
#: Seconds that measuring one coordinate of one candidate by differences takes, near enough everywhere.
MEASURE = 2e-9
_PROBE = 768
_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "bfloat16": 2.0**-8}


@dataclass(frozen=True)
class Product:
    """One way to multiply: a library, and the format that coordinates are rounded to before.

    Attributes
    ----------
    library : {"numpy", "torch"}
        Whose matrix multiplication.
    rounding : {"float64", "float32", "bfloat16"}
        Format of the factors. Sums are float32, or float64 for float64.
    device : str
        ``cpu``, or a device of torch.
    """

    library: str
    rounding: str
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Library, format and device, as they are asked for and printed."""
        return f"{self.library} {self.rounding}" + ("" if self.device == "cpu" else f" {self.device}")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision that products are added up in."""
        return np.dtype(np.float64 if self.rounding == "float64" else np.float32)

    @property
    def factor_bytes(self) -> int:
        """Bytes of one coordinate of a factor."""
        return {"float64": 8, "float32": 4, "bfloat16": 2}[self.rounding]

    @property
    def unit(self) -> float:
        """Unit roundoff of the sums; matrix units may round another way than to the nearest, or align and cut first."""
        if self.rounding == "float64":
            return 2.0**-53
        if self.device != "cpu":
            return 2.0**-22
        return 2.0**-24 if self.rounding == "float32" else 2.0**-23

    @property
    def output(self) -> float:
        """Relative error of what one multiplication hands back: torch rounds bfloat16 products to bfloat16 again."""
        rounded = self.rounding == "bfloat16" and self.device == "cpu"
        return _ROUNDOFF["bfloat16"] * 1.01 if rounded else 0.0  # of what is handed back, not of what it should be

    def bound(self, width: int, n_units: int) -> float:
        """Return g such that squared distances of factors are off by at most ``g (|x|^2 + |y|^2)`` beyond `output`.

        A sum of w products is off by at most w u |x| |y|, whatever the order of its terms; every block of `width`
        coordinates adds one more rounding. The constant covers norms that are summed in the same precision.
        """
        width = max(1, min(width, n_units))
        blocks = n_units / width + 1
        norms = (256 if self.rounding != "float64" else width + blocks) * self.unit
        return 1.01 * ((width + blocks + 16) * self.unit + norms)

    def factor(
        self, piece: NDArray[Any], centred: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray
    ) -> tuple[Any, Floats, Floats, Floats]:
        """Round coordinates (point, unit), after `centred` has taken their centre away.

        Returns
        -------
        factor
            What `multiply` and `add` multiply.
        size2, norm2, rest2 : array (point,)
            Squared norms of the centred points before and after rounding, and of what rounding took away.
        """
        if self.rounding == "bfloat16":
            return self._halved(piece, centred)
        whole = centred(piece)
        norm2 = _squares(whole)
        return self._owned(whole), norm2, norm2, norm2 * _ROUNDOFF[self.rounding] ** 2

    def multiply(self, left: Any, right: Any) -> NDArray[Any]:
        """Return ``left @ right.T`` in the precision of the sums."""
        if self.library == "numpy":
            with np.errstate(over="ignore", invalid="ignore"):  # points out of range are seen in their norms
                return np.asarray(left @ right.T)
        return np.asarray(self._by_torch(left, right).float().cpu().numpy())

    def add(self, total: NDArray[Any], spread: NDArray[Any] | None, left: Any, right: Any) -> None:
        """Add ``left @ right.T`` to `total` and, where products are rounded, its magnitude to `spread`."""
        if self.library == "numpy":
            with np.errstate(over="ignore", invalid="ignore"):
                total += left @ right.T
            return
        import torch

        into = torch.from_numpy(total)
        if self.device == "cpu" and self.rounding == "float32":
            torch.addmm(into, left, right.T, out=into)
            return
        product = self._by_torch(left, right)
        into += product.cpu()
        if spread is not None:
            torch.from_numpy(spread).add_(product.abs_())

    def _by_torch(self, left: Any, right: Any) -> Any:
        import torch

        # on a device sums come back as they are; on the processor torch has nothing of the kind
        exact = self.rounding == "bfloat16" and self.device != "cpu"
        return torch.mm(left, right.T, out_dtype=torch.float32) if exact else torch.mm(left, right.T)

    def _owned(self, piece: NDArray[Any]) -> Any:
        if self.library == "numpy":
            return piece
        import torch

        return torch.from_numpy(piece).to(self.device)

    def _halved(
        self, piece: NDArray[Any], centred: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> tuple[Any, Floats, Floats, Floats]:
        """Round to bfloat16, a few rows at a time so that everything stays in cache."""
        import torch

        half = torch.empty(piece.shape, dtype=torch.bfloat16)
        norms = np.empty((3, len(piece)))
        step = max(1, (1 << 16) // max(piece.shape[1], 1))
        for start in range(0, len(piece), step):
            rows = slice(start, start + step)
            whole = centred(piece[rows])
            half[rows] = torch.from_numpy(whole)
            back = half[rows].float().numpy()
            norms[0, rows], norms[1, rows] = _squares(whole), _squares(back)
            norms[2, rows] = _squares(np.subtract(whole, back, out=back))
        norms[2] += norms[0] * _ROUNDOFF["float32"] ** 2  # the rounding of the centred coordinates before
        return half.to(self.device), norms[0], norms[1], norms[2]


def _squares(piece: NDArray[Any]) -> Floats:
    """Return squared norms (point,), summed in pairs in the precision of `piece`, so within 256 roundings."""
    norm2, step = np.empty(len(piece)), max(1, (1 << 16) // max(piece.shape[1], 1))
    for start in range(0, len(piece), step):
        rows = piece[start : start + step]
        with np.errstate(over="ignore"):  # infinite norms are seen by who asked
            norm2[start : start + step] = np.multiply(rows, rows, order="C").sum(axis=1)
    return norm2


def choose_product(
    n_points: int, n_units: int, k: int, exact: int | None = None, *, asked: str | None = None
) -> Product:
    """Return the product with which a search is expected to take the least time.

    The time is that of the products at the rate measured in this process, and that of measuring candidates: all `k` of
    every point, unless the products are float64. Small searches are not worth measuring a rate for.

    Parameters
    ----------
    n_points, n_units, k : int
        Size of the search.
    exact : int, optional
        Neighbours that are measured exactly, if not all; the others are measured in half the time, and only where the
        product is coarse.
    asked : str, optional
        Name of a product (``numpy float32``) to take instead; by default what `CHOICE` in the environment says.

    Raises
    ------
    UnknownName
        A product that this machine does not have.
    """
    asked = asked or os.environ.get(CHOICE) or None
    if asked:
        return _named(asked)
    work = float(n_points) ** 2 * n_units
    if work < SMALL:
        return Product("numpy", "float32" if n_points > 100 * k else "float64")
    return min(
        (product for product in _installed(work) if product.name in rates(_with_torch(work))),
        key=lambda product: _seconds(product, rates(_with_torch(work))[product.name], n_points, k, exact),
    )


def _seconds(product: Product, rate: float, n_points: int, k: int, exact: int | None) -> float:
    """Seconds for every unit; half the products are needed, and a pair of mutual neighbours is measured once."""
    if exact is not None:
        measured = max(exact, 3) + (0.6 * (k - exact) if product.rounding == "bfloat16" else 0)
    else:
        measured = 3 if product.rounding == "float64" else 1.2 * k
    return n_points**2 / rate + 0.7 * min(measured, n_points) * n_points * MEASURE


def _with_torch(work: float) -> bool:
    return "torch" in sys.modules or (work > LARGE and importlib.util.find_spec("torch") is not None)


def _installed(work: float) -> list[Product]:
    """List the products of the libraries that are loaded, or worth loading for this much work."""
    found = [Product("numpy", "float64"), Product("numpy", "float32")]
    if _with_torch(work):
        import torch

        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            found += [Product("torch", "float32", device)] if _torch_is_exact() else []
            found += [Product("torch", "bfloat16", device)]
    return found


def _torch_is_exact() -> bool:
    """Say whether torch multiplies float32 as float32: it may be told to round it to fewer bits, for the whole process."""
    import torch

    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # set by library, not for all: not known
        return False


def _named(name: str) -> Product:
    known = {product.name: product for product in _installed(2 * LARGE)}
    if name not in known:
        raise unknown_name("product", name, known)
    return known[name]


@cache
def rates(with_torch: bool) -> Mapping[str, float]:
    """Measure, once a process, the floating-point operations a second of every product on one square block."""
    points = np.random.default_rng(0).standard_normal((_PROBE, _PROBE), dtype=np.float32)
    return {product.name: _rate(product, points) for product in _installed(2 * LARGE if with_torch else 0)}


def _rate(product: Product, points: NDArray[Any]) -> float:
    factor = product.factor(points.astype(product.dtype))[0]
    other = factor.copy() if product.library == "numpy" else factor.clone()  # numpy halves the product of one array
    total = np.zeros((_PROBE, _PROBE), dtype=product.dtype)
    spread = np.zeros_like(total) if product.output else None
    # the time of this thread does not count what other processes do on its core; on a device it would only count waiting
    clock = time.thread_time if product.device == "cpu" else time.perf_counter
    seconds = []
    for _ in range(6):
        start = clock()
        product.add(total, spread, factor, other)
        seconds.append(clock() - start)
    return 2 * _PROBE**3 / min(seconds)
