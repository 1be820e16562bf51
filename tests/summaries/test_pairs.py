from __future__ import annotations

import numpy as np
import pytest

from stratoscope.summaries import pairs
from stratoscope.summaries.duplicates import expand, first_identical


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_products_stay_within_their_bound(rng, precision):
    points = rng.standard_normal((60, 3000)) + 5
    blocks = pairs.slices_of(points, 700)
    products = pairs.gram(blocks, 60, precision=precision, scale=2.0)
    exact = (points - points.mean(axis=0)).astype(np.longdouble)
    exact = exact @ exact.T
    size = np.sqrt(np.outer(exact.diagonal(), exact.diagonal()))
    bound = pairs.relative_bound(precision, 3000)
    error = np.abs(products - exact)
    assert (error <= bound / 2 * size).all()
    assert np.array_equal(products, products.T)
    rows = pairs.gram(blocks, 60, precision=precision, scale=2.0, rows=slice(50, 70))
    np.testing.assert_allclose(rows, products[50:], atol=float(bound * size.max()))


def test_squared_norms_are_the_diagonal_of_the_products(rng):
    blocks = pairs.slices_of(rng.standard_normal((20, 50)) + 1e4)
    np.testing.assert_allclose(pairs.squared_norms(blocks, 20), pairs.gram(blocks, 20).diagonal(), rtol=1e-13)


def test_typical_size_of_nothing_is_one():
    assert pairs.typical_size(np.zeros(3), 5) == 1.0
    assert pairs.typical_size(np.array([8.0, 8.0]), 2) == 2.0


def test_checksums_tell_content_and_its_order(rng):
    points = rng.standard_normal((4, 9)).astype(np.float32)
    points[1] = points[0]
    points[2] = points[0][::-1]
    checksum, n_units = pairs.checksums(pairs.slices_of(points, 4), 4)
    assert n_units == 9
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
