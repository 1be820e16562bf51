"""Penalties are judged in single precision first, and what is chosen is what double precision chooses."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from stratoscope.metrics.readout import leaving_out, ridge

KINDS = ("noise", "falling spectrum", "few dimensions", "twins", "duplicates", "some duplicates", "separable")
LABELS, N = 5, 150


def task(kind, n=N, shuffles=3):
    """Return inner products, targets and folds of stimuli that are more or less hard for single precision."""
    rng = np.random.default_rng(KINDS.index(kind))
    codes = np.tile(np.arange(LABELS), n // LABELS)
    responses = rng.standard_normal((n, 3 * n))
    if kind == "falling spectrum":
        responses /= np.sqrt(np.arange(1, 3 * n + 1))
    if kind == "few dimensions":
        responses = responses[:, :12]
    if kind == "twins":
        responses[n // 2 :] = responses[: n // 2] + 1e-3 * responses[n // 2 :]
    if kind == "duplicates":
        responses[n // 2 :] = responses[: n // 2]
    responses[:, :LABELS] += (50 if kind == "separable" else 1) * np.eye(LABELS)[codes]
    if kind == "some duplicates":
        responses[-6:] = responses[:6]
    every = np.stack([codes, *(rng.permutation(codes) for _ in range(shuffles))], axis=1)
    folds = np.array_split(rng.permutation(n), 5)
    return responses @ responses.T, ridge.targets(every, LABELS), folds


def refitted(gram, wanted, train, test, penalty):
    """Return what a ridge fitted to `train` by the normal equations predicts for `test`."""
    own, across = gram[np.ix_(train, train)], gram[np.ix_(test, train)]
    centre = np.eye(len(train)) - 1 / len(train)
    level = wanted[train].mean(axis=0)
    dual = np.linalg.solve(centre @ own @ centre + penalty * np.eye(len(train)), wanted[train] - level)
    moved = across - across.mean(axis=1, keepdims=True) - own.mean(axis=0) + own.mean()
    return moved @ dual + level


@pytest.mark.parametrize("kind", KINDS)
def test_penalties_and_scores_are_those_of_double_precision_alone(kind, monkeypatch):
    gram, wanted, folds = task(kind)
    penalties = ridge.grid_of(None, gram)
    double, taken = ridge.held_out(gram, wanted, folds, penalties)
    monkeypatch.setattr(ridge, "FEW", 2)
    scores, chosen = ridge.held_out(gram, wanted, folds, penalties)
    assert np.array_equal(chosen, taken)
    np.testing.assert_allclose(scores, double, atol=1e-9)


@pytest.mark.parametrize("kind", ["noise", "few dimensions", "some duplicates"])
def test_scores_are_those_of_refits_with_the_penalty_that_leaving_one_out_chooses(kind, monkeypatch):
    gram, wanted, folds = task(kind, n=60, shuffles=1)
    monkeypatch.setattr(ridge, "FEW", 2)
    penalties = ridge.grid_of(None, gram)[3:]
    scores, chosen = ridge.held_out(gram, wanted, folds, penalties)
    for at, fold in enumerate(folds):
        train = np.setdiff1d(np.arange(60), fold)
        for shuffle in range(2):
            errors = [
                sum(
                    (
                        (refitted(gram, wanted[..., shuffle], np.delete(train, i), [one], a) - wanted[one, :, shuffle])
                        ** 2
                    ).sum()
                    for i, one in enumerate(train)
                )
                for a in penalties
            ]
            assert chosen[at, shuffle] == penalties[int(np.argmin(errors))]
            expected = refitted(gram, wanted[..., shuffle], train, fold, chosen[at, shuffle])
            np.testing.assert_allclose(scores[fold][:, :, shuffle], expected, atol=1e-7)


def errors_outside(kind):
    """Count the errors that single precision puts further from those of double precision than it says it may."""
    gram, wanted, folds = task(kind)
    order, cuts = ridge._one_after_the_other(folds)
    spectrum, wanted, outside = leaving_out.Spectrum(gram[np.ix_(order, order)]), wanted[order], 0
    for penalty in ridge.grid_of(None, gram):
        double, single = (spectrum.residual_maker(penalty, dtype) for dtype in (np.float64, np.float32))
        for fold in cuts:
            found = []
            for maker, dtype in ((double, np.float64), (single, np.float32)):
                solved = np.tensordot(maker, wanted.astype(dtype), axes=1)
                without = leaving_out.Without(maker[fold, fold], solved, fold)
                found.append(without.error(maker, spectrum.largest_terms(penalty, maker)))
            (true, _), (error, doubt) = found
            outside += np.count_nonzero(np.abs(error - true) > doubt)
    return outside


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_says_how_far_its_errors_are_off(kind):
    assert errors_outside(kind) == 0


def test_a_doubt_that_is_too_small_is_caught(monkeypatch):
    monkeypatch.setattr(leaving_out, "ROUNDING", 1e-9)
    assert sum(errors_outside(kind) for kind in KINDS) > 100


def test_where_single_precision_can_tell_one_penalty_is_left(monkeypatch):
    monkeypatch.setattr(ridge, "FEW", 2)
    left = {}
    for kind in KINDS:
        gram, wanted, folds = task(kind)
        order, cuts = ridge._one_after_the_other(folds)
        spectrum = leaving_out.Spectrum(gram[np.ix_(order, order)])
        left[kind] = ridge._possible(spectrum, wanted[order], cuts, ridge.grid_of(None, gram)).sum(axis=0).mean()
    assert left["noise"] == left["falling spectrum"] == 1
    assert max(left.values()) < 4
    assert left["duplicates"] > 1  # half of all stimuli twice: only double precision can tell


def test_folds_and_penalties_on_two_threads_are_predicted_as_on_one(rng):
    points, codes = rng.standard_normal((520, 30)), rng.integers(0, 3, 520)
    gram, folds = points @ points.T, [np.flatnonzero(np.arange(520) % 4 == fold) for fold in range(4)]
    wanted = ridge.targets(np.stack([codes, rng.permutation(codes)], axis=1), 3)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(ridge.held_out(gram, wanted, folds, ridge.grid_of(None, gram)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(found[0][1], found[1][1])
