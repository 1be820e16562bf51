from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from stratoscope.errors import UnknownName
from stratoscope.summaries import nearest_neighbours, products
from stratoscope.summaries.products import Product, choose_product


def test_small_searches_measure_no_rate_and_import_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from stratoscope.summaries import products\n"
        "from stratoscope.summaries.neighbours import nearest_neighbours\n"
        "table = nearest_neighbours(np.random.default_rng(0).standard_normal((300, 5)), 2)\n"
        "assert table.product == 'numpy float32', table.product\n"
        "sys.exit('torch' in sys.modules or products.rates.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rates_are_measured_once_a_process():
    first = products.rates(True)
    assert first is products.rates(True)
    assert {"numpy float64", "numpy float32", "torch float32", "torch bfloat16"} <= set(first)
    assert min(first.values()) > 1e7


def test_the_product_that_costs_least_is_chosen(monkeypatch):
    speeds = {"numpy float64": 50e9, "numpy float32": 100e9, "torch float32": 90e9, "torch bfloat16": 600e9}
    monkeypatch.setattr(products, "rates", lambda _: speeds)
    assert choose_product(5000, 4096, 2).name == "torch bfloat16"
    speeds["torch bfloat16"] = 20e9
    assert choose_product(5000, 4096, 2).name == "numpy float32"
    speeds["numpy float32"] = 10e9
    assert choose_product(5000, 4096, 2).name == "torch float32"
    # measuring 129 candidates of each point costs more than multiplying in double precision
    assert choose_product(2000, 50_000, 129).name == "numpy float64"


def test_the_product_may_be_named_for_the_search_or_the_process(rng, monkeypatch):
    points = rng.standard_normal((50, 4))
    assert nearest_neighbours(points, 2, product="torch bfloat16").product == "torch bfloat16"
    monkeypatch.setenv(products.CHOICE, "torch float32")
    assert nearest_neighbours(points, 2).product == "torch float32"
    assert nearest_neighbours(points, 2, product="numpy float64").product == "numpy float64"


def test_a_product_that_is_not_there_is_refused_with_the_nearest_name(rng):
    with pytest.raises(UnknownName, match="No product is called 'numpy float23'. Did you mean 'numpy float32'"):
        nearest_neighbours(rng.standard_normal((50, 4)), 2, product="numpy float23")


def test_bfloat16_says_what_rounding_took_away(rng):
    piece = rng.standard_normal((7, 300)).astype(np.float32)
    half, size2, norm2, rest2 = Product("torch", "bfloat16").factor(piece)
    back = half.float().numpy().astype(float)
    np.testing.assert_allclose(size2, (piece.astype(float) ** 2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(norm2, (back**2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(rest2, ((piece - back) ** 2).sum(axis=1), rtol=1e-4)


def test_torch_told_to_round_float32_is_not_taken_for_exact(rng):
    torch = pytest.importorskip("torch")
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(UnknownName, match="No product is called 'torch float32'"):
            nearest_neighbours(rng.standard_normal((50, 4)), 2, product="torch float32")
        assert choose_product(5000, 4096, 2).name != "torch float32"
    finally:
        torch.set_float32_matmul_precision("highest")
