from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from stratoscope.errors import UnknownName
from stratoscope.summaries import choice, nearest_neighbours
from stratoscope.summaries.choice import choose_product
from stratoscope.summaries.neighbours import trial
from stratoscope.summaries.pairs import slices_of
from stratoscope.summaries.products import Product


def test_small_searches_measure_no_rate_and_import_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from stratoscope.summaries import choice\n"
        "from stratoscope.summaries.neighbours import nearest_neighbours\n"
        "table = nearest_neighbours(np.random.default_rng(0).standard_normal((300, 5)), 2)\n"
        "assert table.product == 'numpy float32', table.product\n"
        "sys.exit('torch' in sys.modules or choice.rates.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rates_are_measured_once_a_process():
    first = choice.rates(True)
    assert first is choice.rates(True)
    assert {"numpy float64", "numpy float32", "torch float32", "torch bfloat16"} <= set(first)
    assert min(first.values()) > 1e7


def test_the_product_that_costs_least_is_chosen(monkeypatch):
    speeds = {"numpy float64": 50e9, "numpy float32": 100e9, "torch float32": 90e9, "torch bfloat16": 600e9}
    monkeypatch.setattr(choice, "rates", lambda _: speeds)
    assert choose_product(5000, 4096, 2).name == "torch bfloat16"
    speeds["torch bfloat16"] = 20e9
    assert choose_product(5000, 4096, 2).name == "numpy float32"
    speeds["numpy float32"] = 10e9
    assert choose_product(5000, 4096, 2).name == "torch float32"
    # measuring 129 candidates of each point costs more than multiplying in double precision
    assert choose_product(2000, 50_000, 129).name == "numpy float64"


def test_a_coarse_product_is_tried_on_the_points_before_it_is_taken(monkeypatch):
    speeds = {"numpy float64": 50e9, "numpy float32": 100e9, "torch float32": 90e9, "torch bfloat16": 200e9}
    monkeypatch.setattr(choice, "rates", lambda _: speeds)
    tried = []
    few = choose_product(5000, 4096, 12, 2, trial=lambda product: tried.append(product.name) or 8.0)
    many = choose_product(5000, 4096, 12, 2, trial=lambda _: 40.0)
    assert (few.name, many.name) == ("torch bfloat16", "numpy float32")
    assert tried == ["torch bfloat16"]
    speeds["torch int8"] = 400e9  # bytes first, and bfloat16 where they leave too much open
    left = {"torch int8": 40.0, "torch bfloat16": 8.0}
    second = choose_product(5000, 4096, 12, 2, trial=lambda product: tried.append(product.name) or left[product.name])
    assert (second.name, tried[1:]) == ("torch bfloat16", ["torch int8", "torch bfloat16"])
    assert choose_product(5000, 4096, 12, 2, trial=lambda _: 8.0).name == "torch int8"
    del speeds["torch int8"]
    speeds["torch bfloat16"] = 20e9  # not fast here: nothing to try
    assert choose_product(5000, 4096, 12, 2, trial=lambda _: pytest.fail("tried")).name == "numpy float32"


def test_a_trial_tells_points_that_rounding_leaves_open_from_others(rng):
    coarse = Product("torch", "bfloat16")
    noise = rng.standard_normal((1200, 5000), dtype=np.float32)
    cube = (rng.random((1200, 12)) @ rng.standard_normal((12, 5000))).astype(np.float32)
    left = [trial(coarse, slices_of(points), *points.shape, 2) for points in (noise, cube)]
    assert left[0] > 2 * left[1] > 0
    measured = nearest_neighbours(noise, 2, product=coarse.name).n_measured / len(noise)
    assert measured / 3 < left[0] < 3 * measured


def test_the_product_may_be_named_for_the_search_or_the_process(rng, monkeypatch):
    points = rng.standard_normal((50, 4))
    assert nearest_neighbours(points, 2, product="torch bfloat16").product == "torch bfloat16"
    monkeypatch.setenv(choice.CHOICE, "torch float32")
    assert nearest_neighbours(points, 2).product == "torch float32"
    assert nearest_neighbours(points, 2, product="numpy float64").product == "numpy float64"


def test_a_product_that_is_not_there_is_refused_with_the_nearest_name(rng):
    with pytest.raises(UnknownName, match="No product is called 'numpy float23'. Did you mean 'numpy float32'"):
        nearest_neighbours(rng.standard_normal((50, 4)), 2, product="numpy float23")


def test_torch_told_to_round_float32_is_not_taken_for_exact(rng):
    torch = pytest.importorskip("torch")
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(UnknownName, match="No product is called 'torch float32'"):
            nearest_neighbours(rng.standard_normal((50, 4)), 2, product="torch float32")
        assert choose_product(5000, 4096, 2).name != "torch float32"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_trial_on_points_that_single_precision_cannot_hold_leaves_everything_open(rng, monkeypatch):
    points = np.ones((60, 5000), dtype=np.float32)
    points[:, 4500:] = 1e25 * rng.standard_normal((60, 500))
    assert trial(Product("torch", "bfloat16"), slices_of(points), *points.shape, 3) == np.inf
    speeds = {"numpy float64": 5e9, "numpy float32": 10e9, "torch float32": 9e9, "torch bfloat16": 200e9}
    monkeypatch.setattr(choice, "rates", lambda _: speeds)
    monkeypatch.setattr(choice, "SMALL", 0)
    assert nearest_neighbours(points, 3).product == "numpy float64"


def test_a_trial_is_a_small_part_of_the_search(rng):
    seen = []

    def blocks():
        yield Rows(points)

    class Rows:
        def __init__(self, array):
            self.array = array

        def __getitem__(self, rows):
            seen.append(len(rows))
            return self.array[rows]

    for n in (100, 4000):
        points = rng.standard_normal((n, 8)).astype(np.float32)
        trial(Product("torch", "bfloat16"), blocks, n, 8, 2)
    assert seen == [25, 320]
