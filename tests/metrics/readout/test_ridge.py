"""Penalties are judged in single precision first, and what is chosen is what double precision chooses."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from stratoscope.metrics.readout import leaving_out, ridge, screening

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
    monkeypatch.setattr(screening, "FEW", 2)
    scores, chosen = ridge.held_out(gram, wanted, folds, penalties)
    assert np.array_equal(chosen, taken)
    np.testing.assert_allclose(scores, double, atol=1e-9)


@pytest.mark.parametrize("kind", ["noise", "few dimensions", "some duplicates"])
def test_scores_are_those_of_refits_with_the_penalty_that_leaving_one_out_chooses(kind, monkeypatch):
    gram, wanted, folds = task(kind, n=60, shuffles=1)
    monkeypatch.setattr(screening, "FEW", 2)
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
                found.append(without.left_out(maker, spectrum.largest_terms(penalty, maker)))
            true, single_found = found
            outside += np.count_nonzero(np.abs(single_found.error - true.error) > single_found.doubt)
    return outside


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_says_how_far_its_errors_are_off(kind):
    assert errors_outside(kind) == 0


def test_a_doubt_that_is_too_small_is_caught(monkeypatch):
    monkeypatch.setattr(leaving_out, "ROUNDING", 1e-9)
    assert sum(errors_outside(kind) for kind in KINDS) > 100


def test_where_single_precision_can_tell_one_penalty_is_left(monkeypatch):
    monkeypatch.setattr(screening, "FEW", 2)
    left = {}
    for kind in KINDS:
        gram, wanted, folds = task(kind)
        order, cuts = ridge._one_after_the_other(folds)
        spectrum = leaving_out.Spectrum(gram[np.ix_(order, order)])
        left[kind] = screening.may_be_best(spectrum, wanted[order], cuts, ridge.grid_of(None, gram)).sum(axis=0).mean()
    assert left["noise"] == left["falling spectrum"] == 1
    assert max(left.values()) < 4
    assert left["duplicates"] > 1  # half of all stimuli twice: only double precision can tell


def judged_in_order(kind, n=N):
    """Return the spectrum, the penalties, and what is judged of each."""
    gram, wanted, folds = task(kind, n)
    order, cuts = ridge._one_after_the_other(folds)
    spectrum = leaving_out.Spectrum(gram[np.ix_(order, order)])
    penalties = ridge.grid_of(None, gram)
    single = wanted[order].astype(np.float32)
    return spectrum, penalties, [screening._judge(spectrum, single, cuts, penalty) for penalty in penalties]


def bounds_broken(kind):
    """Count how often a neighbour's bound is above the error itself, of how many that say anything."""
    spectrum, penalties, judged = judged_in_order(kind)
    broken = said = 0
    for penalty, one in zip(penalties, judged, strict=True):
        for other, true in zip(penalties, judged, strict=True):
            if other != penalty:
                least = one.least_at(penalty, other, spectrum.smallest)
                broken += np.count_nonzero(least > true.high)
                said += np.count_nonzero(least > 0.5 * true.low)
    return broken, said


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_neighbour_says_of_a_penalty_is_true(kind):
    broken, _ = bounds_broken(kind)
    assert broken == 0


def test_neighbours_have_something_to_say():
    assert bounds_broken("noise")[1] > 200


def test_a_bound_that_leaves_no_room_for_the_change_is_caught(monkeypatch):
    monkeypatch.setattr(screening, "ROOM", 0.0)
    assert sum(bounds_broken(kind)[0] for kind in KINDS) > 20


def test_penalties_that_their_neighbours_rule_out_are_not_looked_at(monkeypatch):
    gram, wanted, folds = task("noise", n=600)
    order, cuts = ridge._one_after_the_other(folds)
    spectrum, looked_at = leaving_out.Spectrum(gram[np.ix_(order, order)]), []
    judge = screening._judge
    monkeypatch.setattr(screening, "_judge", lambda *given: looked_at.append(given[-1]) or judge(*given))
    penalties = ridge.grid_of(None, gram)
    found = screening.may_be_best(spectrum, wanted[order], cuts, penalties)
    assert looked_at == list(penalties[:2:-1])  # six of nine, from the largest down
    monkeypatch.setattr(screening, "_ruled_out", lambda *_: False)
    assert np.array_equal(found, screening.may_be_best(spectrum, wanted[order], cuts, penalties))
    assert len(looked_at) == 6 + 9


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
