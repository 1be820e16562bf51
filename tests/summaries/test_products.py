from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chisquare

from stratoscope.errors import UnknownName
from stratoscope.summaries import nearest_neighbours
from stratoscope.summaries.drawn import Draws, bytes_multiply_exactly, spread_of_draws
from stratoscope.summaries.products import Product


def test_bfloat16_says_what_rounding_took_away(rng):
    piece = rng.standard_normal((7, 300)).astype(np.float32)
    rounded = Product("torch", "bfloat16").factor(piece)
    back = rounded.factor.float().numpy().astype(float)
    np.testing.assert_allclose(rounded.size2, (piece.astype(float) ** 2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(rounded.norm2, (back**2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(rounded.rest2, ((piece - back) ** 2).sum(axis=1), rtol=1e-4)


def test_bytes_are_right_on_average_and_their_noise_is_summed_up(rng):
    piece = rng.standard_normal((7, 300)).astype(np.float32)
    drawn = [Product("torch", "int8").factor(piece, seed=seed) for seed in range(400)]
    back = np.array([one.factor.values.numpy() * one.factor.step.numpy()[:, None].astype(float) for one in drawn])
    step = drawn[0].step[:, None]
    assert (np.abs(back - piece) <= step * (1 + 1e-4)).all()
    assert np.abs((back.mean(axis=0) - piece) / step).max() < 5 * 0.5 / np.sqrt(len(drawn))
    np.testing.assert_allclose(drawn[3].norm2, (back[3] ** 2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(drawn[3].noise2, ((back[3] - piece) ** 2).sum(axis=1), rtol=1e-4)
    assert (drawn[0].factor.values.numpy().max(axis=1) >= 126).all() or (drawn[0].factor.values.numpy().min() <= -126)
    again = Product("torch", "int8").factor(piece, seed=3).factor.values.numpy()
    assert np.array_equal(again, drawn[3].factor.values.numpy())
    assert not np.array_equal(again, drawn[4].factor.values.numpy())


def test_numbers_of_any_two_points_are_independent_however_they_are_read():
    """Among 200,000 units, cells of 8 x 8 equal parts hold what chance would put there."""
    draws = Draws(200_000, seed=1)
    numbers = {point: draws.of(slice(point, point + 1))[0] for point in (0, 1, 2, 7, 4096, 70_000)}
    np.testing.assert_array_equal(draws.of(slice(0, 8))[7], numbers[7])
    for one, other in itertools.combinations(numbers.values(), 2):
        cells = np.bincount(((one >> 29) + 4) * 8 + (other >> 29) + 4, minlength=64)
        assert chisquare(cells).pvalue > 1e-6
    shared = np.bincount(((numbers[0] >> 29) + 4) * 9, minlength=64)  # what numbers in common would do
    assert chisquare(shared).pvalue < 1e-6


def test_bytes_hold_points_of_any_size(rng):
    """Nothing at all, next to nothing, one unit alone, and numbers near the end of single precision."""
    piece = rng.standard_normal((5, 40)).astype(np.float32)
    piece[0], piece[1], piece[2, 1:] = 0, piece[1] * 1e-38, 0
    piece[3] *= 1e37 / np.abs(piece[3]).max()
    rounded = Product("torch", "int8").factor(piece)
    codes = rounded.factor.values.numpy()
    assert not codes[0].any()
    assert rounded.norm2[0] == rounded.noise2[0] == 0
    assert np.abs(codes[2, 0]) >= 126
    assert not codes[2, 1:].any()
    assert np.abs(codes).max() == 127 or np.abs(codes).max() == 126


def test_bounds_of_draws_hold_with_room_and_without_waste(rng):
    """Of 125,000 pairs the worst error takes a third to two thirds of what is allowed for all pairs of all searches."""
    points = rng.standard_normal((500, 700)).astype(np.float32)
    points -= points.mean(axis=0)
    rounded = Product("torch", "int8").factor(points)
    back = rounded.factor.values.numpy() * rounded.step[:, None]
    distance = cdist(points, points)
    found = cdist(back, back) ** 2 - rounded.noise2[:, None] - rounded.noise2
    allowed = 2 * spread_of_draws(500, 700) * distance * np.hypot(rounded.step[:, None], rounded.step)
    pairs = np.triu_indices(500, 1)
    worst = (np.abs(found - distance**2)[pairs] / allowed[pairs]).max()
    assert 1 / 3 < worst < 2 / 3


def test_a_single_unit_is_multiplied_rightly():
    """torch 2.13 returns nonsense for products of bytes with one column."""
    points = np.arange(-20, 20, dtype=np.float32)[:, None]
    product = Product("torch", "int8")
    codes = product.factor(points).factor
    np.testing.assert_allclose(product.multiply(codes, codes), points @ points.T, rtol=1e-5)


def test_bytes_are_not_offered_where_their_products_lose_digits(monkeypatch, rng):
    """Some processors add two products of bytes in 16 bits, where the largest do not fit."""
    torch = pytest.importorskip("torch")

    def saturated(left, right):
        """Take the left to 0 to 255, as such processors want it, and add pairs of products in 16 bits."""
        parts = (left.int() + 128).unflatten(1, (-1, 2))[:, None] * right.T.int().unflatten(1, (-1, 2))[None]
        return parts.sum(-1).clamp(-(2**15), 2**15 - 1).sum(-1) - 128 * right.int().sum(0)

    small = torch.arange(-8, 8, dtype=torch.int8).repeat(5, 2)
    assert (saturated(small, small.T) == (small.double() @ small.T.double())).all()

    def unable(left, right):
        raise RuntimeError

    points = rng.standard_normal((50, 4))
    for broken in (saturated, unable, None):
        with monkeypatch.context() as patch:
            bytes_multiply_exactly.cache_clear()
            patch.setattr(torch, "_int_mm", broken)
            with pytest.raises(UnknownName, match="No product is called 'torch int8'"):
                nearest_neighbours(points, 2, product="torch int8")
    bytes_multiply_exactly.cache_clear()
    assert nearest_neighbours(points, 2, product="torch int8").product == "torch int8"
