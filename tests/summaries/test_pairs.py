from __future__ import annotations

import numpy as np
import pytest

from stratoscope.summaries import pairs
from stratoscope.summaries.duplicates import add_checksum, expand, first_identical
from stratoscope.summaries.inner_products import inner_products, unit_means
from stratoscope.summaries.products import Product


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_inner_products_stay_within_their_bound(rng, precision):
    points = rng.standard_normal((60, 3000)) + 5
    found = inner_products(pairs.slices_of(points, 700), *points.shape, precision=precision)
    exact = (points - points.mean(axis=0)).astype(np.longdouble)
    exact = exact @ exact.T
    size = np.sqrt(np.outer(exact.diagonal(), exact.diagonal()))
    bound = Product("numpy", precision).bound(700, 3000)
    assert (np.abs(found.products - exact) <= bound * size).all()
    assert np.array_equal(found.products, found.products.T)
    np.testing.assert_allclose(found.mean, points.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.points.norm2, exact.diagonal().astype(float), rtol=1e-5)


def test_inner_products_of_large_offsets_do_not_round(rng):
    points = rng.standard_normal((20, 50))
    found = inner_products(pairs.slices_of(points + 1e4), 20, 50)
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(found.products, centred @ centred.T, atol=1e-9)


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_single_precision_follows_the_size_of_the_coordinates(rng, size):
    points = rng.standard_normal((30, 40)) * size
    found = inner_products(pairs.slices_of(points), 30, 40, precision="float32")
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(found.products, centred @ centred.T, atol=1e-4 * size**2)
    assert found.precision == "float32"


def test_coordinates_that_single_precision_cannot_hold_are_multiplied_in_double(rng):
    points = rng.standard_normal((30, 40)) * np.where(np.arange(40) < 20, 1.0, 1e25)
    found = inner_products(pairs.slices_of(points, 20), 30, 40, precision="float32")
    assert found.precision == "float64"
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(found.products, centred @ centred.T, rtol=1e-9, atol=1e-9 * 1e50)


def test_inner_products_say_when_a_coordinate_is_not_finite(rng):
    points = rng.standard_normal((5, 6))
    points[2, 4] = np.inf
    assert inner_products(pairs.slices_of(points, 2), 5, 6) is None


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_products_are_the_same_to_the_last_digit_on_any_number_of_threads(rng, monkeypatch, precision):
    points = rng.standard_normal((1500, 900)).astype(np.float32) + 3
    found = []
    for threads in (1, 3):
        monkeypatch.setattr("stratoscope.summaries.inner_products.threads_of_products", lambda threads=threads: threads)
        found.append(inner_products(pairs.slices_of(points, 256), 1500, 900, precision=precision))
    for one in ("products", "mean", "sums"):
        assert np.array_equal(getattr(found[0], one), getattr(found[1], one))
    centred = points.astype(np.float64) - points.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(found[0].products, centred @ centred.T, atol=2e-3 if precision == "float32" else 1e-9)


def test_unit_means_keep_what_a_large_offset_would_round(rng):
    points = (rng.standard_normal((70, 5)) + 1e6).astype(np.float32)
    np.testing.assert_allclose(unit_means(points), points.astype(np.longdouble).mean(axis=0).astype(float), rtol=1e-15)


@pytest.mark.parametrize("width", [9, 8])
def test_checksums_tell_content_and_its_order(rng, width):
    points = rng.standard_normal((4, width)).astype(np.float32)
    points[1] = points[0]
    points[2] = points[0][::-1]
    points[0, 3] = 0.0
    points[1, 3] = -0.0
    checksum = np.zeros(4, dtype=np.uint64)
    add_checksum(checksum, points, np.random.default_rng(0))
    assert checksum[0] == checksum[1]
    assert len(np.unique(checksum)) == 3


def test_content_decides_where_checksums_collide():
    points = np.array([[1.0], [2.0], [1.0], [2.0], [3.0]])
    first = first_identical(pairs.slices_of(points), np.zeros(5, dtype=np.uint64))
    assert np.array_equal(first, [0, 1, 0, 1, 4])


def test_copies_are_put_back_in_order_of_index():
    distance, index = np.array([[1.0], [1.0]]), np.array([[1], [0]])
    full_distance, full_index = expand(distance, index, np.array([0, 1, 0, 1]), 3)
    assert np.array_equal(full_index, [[2, 1, 3], [3, 0, 2], [0, 1, 3], [1, 0, 2]])
    assert np.array_equal(full_distance, [[0, 1, 1]] * 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squares_are_the_same_however_many_threads_measure_them(rng, monkeypatch, dtype):
    points = rng.standard_normal((40, 3000)).astype(np.float32)
    first, second = rng.integers(0, 40, (2, 500))
    alone = pairs.exact_squares(pairs.slices_of(points, 700), first, second, dtype)
    monkeypatch.setattr(pairs, "_WORTH_THREADS", 0)
    monkeypatch.setattr(pairs, "threads_of_products", lambda: 3)
    assert np.array_equal(pairs.exact_squares(pairs.slices_of(points, 700), first, second, dtype), alone)
    exact = ((points[first].astype(float) - points[second]) ** 2).sum(axis=1)
    np.testing.assert_allclose(alone, exact, rtol=1e-13 if dtype is np.float64 else 1e-5)
