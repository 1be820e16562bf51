from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stratoscope.errors import BadInput, TooFew
from stratoscope.summaries import candidates, nearest_neighbours, neighbours, pairs


def brute(points, k):
    distance = cdist(points.astype(float), points.astype(float))
    np.fill_diagonal(distance, np.inf)
    index = np.lexsort((np.broadcast_to(np.arange(len(points)), distance.shape), distance), axis=1)[:, :k]
    return np.take_along_axis(distance, index, axis=1), index


def check_exact(points, k, table):
    distance, index = brute(points, k)
    exact = table.n_exact
    np.testing.assert_allclose(table.distance[:, :exact], distance[:, :exact], rtol=1e-12, atol=0)
    np.testing.assert_allclose(table.distance, distance, rtol=2e-7)
    assert np.array_equal(table.index[:, :exact], index[:, :exact])


def test_uniform_cube_gives_the_golden_dimension():
    cube = np.random.default_rng(12345).random((1000, 3))
    points = cube @ np.array([[1, 0, 0, 1, 1], [0, 1, 0, 1, -1], [0, 0, 1, 1, 0.5]])
    assert points[0, 0] == pytest.approx(0.22733602, abs=1e-8)
    table = nearest_neighbours(points, 2)
    ratio = table.distance[:, 1] / table.distance[:, 0]
    assert len(points) / np.log(ratio).sum() == pytest.approx(2.988198258396, abs=1e-11)
    deep = nearest_neighbours(points, 129).distance
    assert np.array_equal(deep[:, :2], table.distance)


@pytest.mark.parametrize("k", [1, 2, 5, 64, 199])
@pytest.mark.parametrize("offset", [0, 1e4])
def test_distances_are_those_of_brute_force(rng, k, offset):
    points = (rng.standard_normal((200, 30)) + offset).astype(np.float32)
    check_exact(points, k, nearest_neighbours(points, k))


@pytest.mark.parametrize("spread", [1 / 386, 1 / 3858, 1e-6])
def test_near_duplicates_far_from_the_centre_are_exact(rng, spread):
    """Tight pairs: norm / r1 is 1 / spread, where products in single precision are garbage."""
    centres = rng.standard_normal((150, 20))
    points = np.concatenate([centres, centres + spread * rng.standard_normal((150, 20))])
    for array in (points, points.astype(np.float32), points + 1e3):
        check_exact(array, 40, nearest_neighbours(array, 40))


def test_distant_clusters_fall_back_to_measuring_all(rng):
    points = 1e-7 * rng.standard_normal((120, 10))
    points[:60] += 1e3
    table = nearest_neighbours(points, 10)
    distance, index = brute(points, 10)
    np.testing.assert_allclose(table.distance, distance, rtol=1e-12)
    assert np.array_equal(table.index, index)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("size", [1.0, 1e-25, 1e25])
def test_both_precisions_of_products_give_the_same_table(rng, monkeypatch, precision, size):
    points = (rng.standard_normal((300, 8)) * size).astype(np.float32)
    monkeypatch.setattr(neighbours, "product_precision", lambda *_: precision)
    check_exact(points, 12, nearest_neighbours(points, 12))


def test_strips_and_tiles_give_the_same_table(rng, monkeypatch):
    points = rng.standard_normal((130, 40))
    expected = nearest_neighbours(points, 7)
    monkeypatch.setattr(neighbours, "WHOLE", 60)
    monkeypatch.setattr(candidates, "_TILE", 1000)
    monkeypatch.setattr(candidates, "_PAIRS", 100)
    monkeypatch.setattr(pairs, "WIDTH", 16)
    table = nearest_neighbours(points, 7)
    assert np.array_equal(table.index, expected.index)
    np.testing.assert_allclose(table.distance, expected.distance, rtol=1e-14)


def test_exact_ties_go_to_the_lower_index():
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    check_exact(grid, 3, nearest_neighbours(grid, 3))
    simplex = np.eye(9, dtype=np.float32)
    table = nearest_neighbours(simplex, 4)
    assert np.array_equal(table.index[0], [1, 2, 3, 4])
    assert np.array_equal(table.index[8], [0, 1, 2, 3])
    assert np.unique(table.distance[:, :3]).size == 1


def test_duplicates_are_kept_at_distance_zero_or_merged(rng):
    points = rng.standard_normal((50, 6)).astype(np.float32)
    points[[7, 30, 31]] = points[3]
    points[40] = points[20]
    kept = nearest_neighbours(points, 5)
    distance, index = brute(points, 5)
    np.testing.assert_allclose(kept.distance, distance, rtol=1e-12)
    assert np.array_equal(kept.index, index)
    assert kept.duplicates == 4
    assert kept.n_points == 50
    merged = nearest_neighbours(points, 5, duplicates="merge")
    distinct = np.delete(points, [7, 30, 31, 40], axis=0)
    np.testing.assert_allclose(merged.distance, brute(distinct, 5)[0], rtol=1e-12)
    assert np.array_equal(merged.rows, np.delete(np.arange(50), [7, 30, 31, 40]))
    assert merged.duplicates == 4
    assert merged.n_points == 46


def test_half_the_points_repeated_leave_the_dimension_alone(rng):
    points = rng.random((400, 4))
    repeated = np.concatenate([points, points[:200]])
    alone, merged = nearest_neighbours(points), nearest_neighbours(repeated, duplicates="merge")
    assert merged.duplicates == 200
    np.testing.assert_allclose(merged.distance, alone.distance, rtol=1e-14)


def test_duplicates_are_told_by_content_not_by_rounding():
    """A difference whose square underflows is still a difference; minus zero is zero."""
    points = np.array([[0.0, 1.0], [1e-200, 1.0], [-0.0, 1.0], [5.0, 1.0]])
    table = nearest_neighbours(points, 1)
    assert table.duplicates == 1
    assert nearest_neighbours(points, 1, duplicates="merge").n_points == 3


def test_points_that_are_all_the_same_have_neighbours_at_zero():
    table = nearest_neighbours(np.full((5, 3), 0.1), 2)
    assert not table.distance.any()
    assert table.duplicates == 4
    assert np.array_equal(table.index, [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]])
    assert nearest_neighbours(np.full((5, 3), 0.1), 2, duplicates="merge").distance.shape == (1, 0)


def test_integers_halves_and_views_are_points_too(rng):
    counts = rng.poisson(4, size=(40, 12))
    check_exact(counts, 3, nearest_neighbours(counts, 3))
    halves = rng.standard_normal((40, 12)).astype(np.float16)
    check_exact(halves, 3, nearest_neighbours(halves, 3))
    turned = rng.standard_normal((12, 40)).T[::2]
    check_exact(turned, 3, nearest_neighbours(turned, 3))


def test_refusals_are_sentences(rng):
    points = rng.standard_normal((5, 2))
    with pytest.raises(TooFew, match=r"5 neighbours of every point need .* 6 points, but 5 points came"):
        nearest_neighbours(points, 5)
    with pytest.raises(TooFew, match="0 neighbours"):
        nearest_neighbours(points, 0)
    with pytest.raises(BadInput, match=r"shape \(point, unit\), not float64 of shape \(5,\)"):
        nearest_neighbours(points[:, 0])
    with pytest.raises(BadInput, match="Duplicates are 'keep' or 'merge', not 'drop'"):
        nearest_neighbours(points, duplicates="drop")
    points[3, 1] = np.nan
    with pytest.raises(BadInput, match="1 points hold NaN or infinity, the first at row 3"):
        nearest_neighbours(points)


def test_torch_is_not_needed():
    code = "import sys, stratoscope.summaries.neighbours; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.realdata
def test_pixels_of_real_objects_have_the_neighbours_of_brute_force(data):
    with np.load(next(data.rglob("coil20_32x32.npz"))) as file:
        pixels = file["images"].reshape(1440, -1)[::3]
    check_exact(pixels, 129, nearest_neighbours(pixels, 129))
