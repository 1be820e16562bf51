from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stratoscope.summaries import drawn
from stratoscope.summaries.products import Product
from stratoscope.testing.product_laws import check_product

ALL = [
    Product("numpy", "float64"),
    Product("numpy", "float32"),
    Product("torch", "float32"),
    Product("torch", "bfloat16"),
    Product("torch", "int8"),
]


@pytest.mark.parametrize("product", ALL, ids=lambda product: product.name)
def test_true_distances_lie_within_the_bounds_of_every_product(product):
    check_product(product)


class NoBound(Product):
    """Says that sums do not round."""

    def bound(self, width, n_units):
        return 0.0


class NoRest(Product):
    """Says that rounding the coordinates took nothing away."""

    def factor(self, points, read=None, seed=0):
        rounded = super().factor(points, read, seed)
        return replace(
            rounded,
            size2=rounded.norm2,
            rest2=np.zeros(len(points)),
            noise2=np.zeros(len(points)),
            step=np.zeros(len(points)),
        )


class NoNoise(Product):
    """Says that what was added at random has no length of its own."""

    def factor(self, points, read=None, seed=0):
        return replace(super().factor(points, read, seed), noise2=np.zeros(len(points)))


class Nearest(Product):
    """Rounds to the nearest whole number, and says that it drew."""

    def factor(self, points, read=None, seed=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                drawn.Draws, "of", lambda self, rows: np.zeros((rows.stop - rows.start, points.shape[1]), np.int32)
            )
            return super().factor(points, read, seed)


class NoOutput(Product):
    """Says that the products themselves were not rounded."""

    @property
    def output(self):
        return 0.0


@pytest.mark.parametrize(
    "broken",
    [
        NoBound("numpy", "float32"),
        NoBound("torch", "float32"),
        NoRest("torch", "bfloat16"),
        NoOutput("torch", "bfloat16"),
        NoRest("torch", "int8"),
        NoNoise("torch", "int8"),
        Nearest("torch", "int8"),
    ],
    ids=lambda product: f"{type(product).__name__} {product.name}",
)
def test_a_bound_that_is_too_small_breaks_the_law(broken):
    with pytest.raises(
        AssertionError, match=f"{broken.name} breaks the law 'the true distance lies within the bounds' on"
    ):
        check_product(broken)


@pytest.mark.gpu
def test_products_of_a_gpu_keep_the_law():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    check_product(Product("torch", "float32", "cuda"))
    check_product(Product("torch", "bfloat16", "cuda"))
