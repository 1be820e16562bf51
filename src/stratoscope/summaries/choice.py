"""Which product a search takes: the one that is expected to end first, here and on these points.

Which library and which precision multiply fastest differs by a factor of ten between processors, so it is measured,
once a process, on one square block. How much a coarse product leaves to be measured by differences differs as much
between points, so it is found out on some of them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import unknown_name
from stratoscope.summaries.drawn import bytes_multiply_exactly
from stratoscope.summaries.products import Product
from stratoscope.summaries.settle import NEARLY

#: Name of the environment variable that names the product for every search of the process.
CHOICE = "STRATOSCOPE_PRODUCT"
#: Multiply-adds of a search below which measuring would cost more than it saves, and above which torch is worth importing.
SMALL, LARGE = 2e10, 1e12
#: Seconds that measuring one coordinate of one candidate by differences takes, near enough everywhere.
MEASURE = 1.5e-9
_PROBE = 768


def choose_product(
    n_points: int,
    n_units: int,
    k: int,
    exact: int | None = None,
    *,
    asked: str | None = None,
    trial: Callable[[Product], float] | None = None,
) -> Product:
    """Return the product with which a search is expected to take the least time.

    The time is that of the products at the rate measured in this process, and that of measuring candidates: all `k` of
    every point, unless the products are float64. Small searches are not worth measuring a rate for.

    Parameters
    ----------
    n_points, n_units, k : int
        Size of the search.
    exact : int, optional
        Neighbours that are measured exactly, if not all; the others are measured in single precision, and only where the
        product is coarse.
    asked : str, optional
        Name of a product (``numpy float32``) to take instead; by default what `CHOICE` in the environment says.
    trial : callable, optional
        Takes a coarse product and returns how many pairs a point it leaves to be measured, on some of the points. It is
        asked before a coarse product is taken, and believed.

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
    speeds = rates(_with_torch(work))
    products = [product for product in _installed(work) if product.name in speeds]
    expected = {product: _seconds(speeds[product.name], n_points, _measured(product, k, exact)) for product in products}
    first = min(products, key=lambda product: expected[product])
    tried: set[Product] = set()
    while trial is not None and first.coarse and first not in tried:
        expected[first] = _seconds(speeds[first.name], n_points, trial(first))
        tried.add(first)
        first = min(products, key=lambda product: expected[product])
    return first


def _measured(product: Product, k: int, exact: int | None) -> float:
    """Pairs to be measured for every point, on points that are easy; a coarse product leaves the loose ones open too."""
    if exact is not None:
        return max(exact, 3) + (NEARLY * (k - exact) if product.coarse else 0)
    return 3 if product.rounding == "float64" else 1.2 * k


def _seconds(rate: float, n_points: int, measured: float) -> float:
    """Seconds for every unit; half the products are needed, and a pair of mutual neighbours is measured once."""
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
        found += [Product("torch", "int8")] if bytes_multiply_exactly() else []
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
    factor = product.factor(points.astype(product.dtype)).factor
    other = factor.copy() if hasattr(factor, "copy") else factor.clone()  # numpy halves the product of one array
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
