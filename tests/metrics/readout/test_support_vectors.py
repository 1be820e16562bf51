"""Support vector machines trained at once: against scikit-learn, the conditions of an optimum, known answers, ties."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from sklearn.svm import SVC

from stratoscope.metrics import population_separability
from stratoscope.metrics.readout import support_vectors
from stratoscope.metrics.readout.support_vectors import trained_machines
from stratoscope.testing.object_views import object_views

WHOLE = {"sizes": ("all",), "n_resamplings": 1, "n_shuffles": 1}


def points(rng, n, d, apart=1.0, size=1.0):
    """Two clouds of points, and their signs."""
    x, y = rng.standard_normal((n, d)) * size, np.where(np.arange(n) % 3 == 0, 1.0, -1.0)
    x[:, 0] += apart * y
    return x, y


def trained(x, y, strength=1.0):
    found = trained_machines((x @ x.T)[None], y[None], strength)
    assert found.settled.all()
    return found.weights[0], found.bias[0]


@pytest.mark.parametrize("strength", [1e-4, 1.0, 1e3])
@pytest.mark.parametrize(("n", "d"), [(40, 3), (40, 96), (12, 200)])
def test_decisions_are_those_of_scikit_learn(rng, n, d, strength):
    x, y = points(rng, n, d)
    fresh = rng.standard_normal((30, d))
    weights, bias = trained(x, y, strength)
    model = SVC(C=strength, kernel="linear", tol=1e-7).fit(x, y)
    np.testing.assert_allclose(fresh @ x.T @ weights + bias, model.decision_function(fresh), atol=2e-3)


def worst(x, y, weights, bias, strength):
    """Largest violation of the conditions of an optimum, in margins."""
    a, margin = weights * y, y * (x @ x.T @ weights + bias)
    scale = 1 / max((x**2).sum(axis=1).mean(), 1 / strength)
    below, above = np.where(a < strength - 1e-3 * scale, 1 - margin, 0), np.where(a > 1e-3 * scale, margin - 1, 0)
    outside = max(-a.min(), (a - strength).max(), abs(weights.sum())) / scale
    return max(below.max(), above.max(), outside)


@pytest.mark.parametrize("size", [0.01, 1.0, 30.0])
def test_conditions_of_an_optimum_hold_and_are_broken_by_a_machine_that_stopped_early(rng, size, monkeypatch):
    x, y = points(rng, 50, 60, apart=0.1, size=size)
    assert worst(x, y, *trained(x, y), 1.0) < 5e-3
    monkeypatch.setattr(support_vectors, "TOLERANCE", 0.5)
    assert worst(x, y, *trained(x, y), 1.0) > 5e-3


def test_two_points_are_told_apart_half_way():
    x, y = np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([-1.0, 1.0])
    weights, bias = trained(x, y, 100.0)
    np.testing.assert_allclose(weights, [-0.5, 0.5], atol=1e-3)
    assert bias == pytest.approx(-2.0, abs=1e-3)


def test_a_machine_does_not_depend_on_those_beside_it_nor_on_room_that_is_left(rng):
    machines = [points(rng, n, 30, apart=apart) for n, apart in ((20, 0.1), (31, 2.0), (27, 0.0))]
    products, signs = np.zeros((3, 31, 31)), np.zeros((3, 31))
    for at, (x, y) in enumerate(machines):
        products[at, : len(y), : len(y)], signs[at, : len(y)] = x @ x.T, y
    together = trained_machines(products, signs, 1.0)
    for at, (x, y) in enumerate(machines):
        weights, bias = trained(x, y)
        np.testing.assert_allclose(together.weights[at, : len(y)], weights, atol=1e-4)
        assert not together.weights[at, len(y) :].any()
        assert together.bias[at] == pytest.approx(bias, abs=2e-3)


@pytest.mark.parametrize("n_first", [10, 13])
def test_without_a_stimulus_on_the_margin_the_bias_is_that_of_libsvm(rng, n_first):
    y = np.where(np.arange(20) < n_first, 1.0, -1.0)
    x = 1e-3 * rng.standard_normal((20, 4))
    _, bias = trained(x, y)
    assert bias == pytest.approx(SVC(C=1.0, kernel="linear", tol=1e-9).fit(x, y).intercept_[0], abs=1e-3)


def test_units_that_never_answer_leave_a_tie_or_the_commoner_label():
    for n_first, bias in ((10, 0.0), (13, 1.0), (7, -1.0)):
        y = np.where(np.arange(20) < n_first, 1.0, -1.0)
        found = trained_machines(np.zeros((1, 20, 20)), y[None], 1.0)
        assert found.bias[0] == pytest.approx(bias, abs=1e-12)


def test_large_machines_and_those_that_do_not_settle_go_to_libsvm_and_read_the_same(rng, monkeypatch):
    responses, objects, view = object_views(rng, objects=4, views=12, units=40, of_object=0.2, noise=1.0)
    at_once = population_separability(responses, objects, views=view, **WHOLE)
    monkeypatch.setattr(support_vectors, "_MOST_STEPS", 1)
    unsettled = population_separability(responses, objects, views=view, **WHOLE)
    monkeypatch.setattr(importlib.import_module("stratoscope.metrics.readout.population_separability"), "LARGEST", 1)
    large = population_separability(responses, objects, views=view, **WHOLE)
    np.testing.assert_allclose(unsettled.pair_accuracy, at_once.pair_accuracy, atol=1e-12)
    np.testing.assert_allclose(large.pair_accuracy, at_once.pair_accuracy, atol=1e-12)
    assert 0.5 < at_once.accuracy.value[0] < 1.0
