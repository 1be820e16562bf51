"""Intrinsic dimensions agree with DADApy and scikit-dimension, and differ where the definitions do."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from stratoscope.metrics import correlation_dimension, ess, gride, levina_bickel, two_nn
from stratoscope.metrics.neighbourhoods import neighbourhoods_of

NUMBERS = json.loads(Path(__file__).with_name("dimension.json").read_text())
SKEWNESS = json.loads(Path(__file__).with_name("skewness.json").read_text())
PEERS = ("dadapy", "scikit-dimension")
NAMES = tuple(NUMBERS["dadapy"])


def points(name):
    """Make the point set that ``make_dimension.py`` calls `name`."""
    cubes = {"cube 2 in 2": (100, 400, 2, 2), "cube 5 in 8": (101, 600, 5, 8), "cube 10 in 10": (102, 500, 10, 10)}
    if name in cubes:
        seed, n, d, width = cubes[name]
        rng = np.random.default_rng(seed)
        return rng.random((n, d)) @ rng.standard_normal((d, width))
    if name == "gaussian 4":
        return np.random.default_rng(200).standard_normal((500, 4))
    sphere = np.random.default_rng(300).standard_normal((500, 4))
    return sphere / np.linalg.norm(sphere, axis=1, keepdims=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("peer", PEERS)
def test_two_nn_agrees_with_the_peers(peer, name):
    expected = NUMBERS[peer][name]
    assert two_nn(points(name)).value == pytest.approx(expected["two_nn fit"], rel=1e-6)
    unbiased = two_nn(points(name), method="ml-unbiased").value
    assert unbiased == pytest.approx(expected["two_nn ml-unbiased"], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_levina_bickel_agrees_with_scikit_dimension(name):
    expected = NUMBERS["scikit-dimension"][name]
    for average in ("mackay", "levina"):
        value = levina_bickel(points(name), k=10, average=average).value
        assert value == pytest.approx(expected[f"levina_bickel {average} k=10"], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_simplex_skewness_agrees_with_scikit_dimension(name):
    assert ess(points(name), k=20).value == pytest.approx(SKEWNESS[name]["ess k=20"], rel=1e-6)


def test_simplex_skewness_of_a_hundred_neighbours_agrees_too():
    assert ess(points("cube 2 in 2"), k=100).value == pytest.approx(SKEWNESS["cube 2 in 2"]["ess k=100"], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("k1", "k2"), [(10, 20), (3, 30)])
def test_correlation_dimension_agrees_with_scikit_dimension(name, k1, k2):
    value = correlation_dimension(points(name), k1=k1, k2=k2).value
    assert value == pytest.approx(SKEWNESS[name][f"pairs {k1} {k2}"], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("peer", PEERS)
def test_gride_agrees_with_the_peers_but_for_their_n_minus_1(peer, name):
    x = points(name)
    ours, theirs = gride(x, n1=NUMBERS["n1"]).value, np.array(NUMBERS[peer][name]["gride"])
    np.testing.assert_allclose(ours, theirs, rtol=1.01 / len(x))
    np.testing.assert_allclose([gride_with_n_minus_1(x, n1) for n1 in NUMBERS["n1"]], theirs, rtol=1e-6)


def gride_with_n_minus_1(x, n1):
    """Solve the score with N - 1 in place of N in its first term, as both peers do."""
    near = neighbourhoods_of(x, 2 * n1, "gride", fewest=6)
    ratios = np.log(near.distance[:, 2 * n1 - 1] / near.distance[:, n1 - 1])

    def score(d):
        shared = (n1 - 1) * (ratios / -np.expm1(-d * ratios)).sum()
        return (len(x) - 1) / d + shared - (2 * n1 - 1) * ratios.sum()

    return brentq(score, 0.1, 100, xtol=1e-12)


def test_far_ratios_are_not_clipped_as_the_peers_do(rng):
    x = rng.random((300, 3))
    pairs = x[:5] + 1e-6 * rng.standard_normal((5, 3))  # near duplicates: ratios of 10^5
    ratios = near_ratios(np.vstack([x, pairs]))
    spread = np.subtract(*np.percentile(ratios, [95, 50]))
    assert (ratios > 20 * spread + np.median(ratios)).any()
    used = two_nn(np.vstack([x, pairs]), method="ml")
    assert used.n == 305
    assert used.value == pytest.approx(305 / np.log(ratios).sum())


def near_ratios(x):
    near = neighbourhoods_of(x, 2, "two_nn", fewest=6)
    return near.distance[:, 1] / near.distance[:, 0]


def test_the_numbers_say_what_made_them():
    assert set(NUMBERS["versions"]) == {"dadapy", "scikit-dimension", "numpy", "scipy"}
    assert NUMBERS["made"].startswith("20")
    assert set(SKEWNESS["versions"]) == {"scikit-dimension", "numpy", "scipy"}
    assert SKEWNESS["made"].startswith("20")
