"""Support vector machines of all pairs of objects and all folds, trained at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from stratoscope.metrics.readout.decoders import Fitting, rescaled
from stratoscope.metrics.readout.kernels import train_centred
from stratoscope.metrics.readout.one_against_one import pair_decisions, votes
from stratoscope.metrics.readout.support_vectors import trained_machines
from stratoscope.types import Floats, Integers

#: Numbers in the matrices that are worked on at a time (8 MiB).
_ELEMENTS = 1 << 20


@dataclass(frozen=True)
class _Task:
    """One machine: a pair of objects in one fold.

    Attributes
    ----------
    pair : int
        Place of the pair.
    products : array (train, train)
    signs : array (train,)
        1 for the first object of the pair, -1 for the second.
    tested : array (test, train)
    truth : array (test,) of int
        0 for the first object, 1 for the second.
    """

    pair: int
    products: Floats
    signs: Floats
    tested: Floats
    truth: Integers


def confusions_at_once(
    products: Floats, codes: Integers, groups: Sequence[tuple[Integers, Integers]], fold: Integers, fitting: Fitting
) -> Floats:
    """Return confusion matrices (pair, 2, 2) pooled over folds.

    Parameters
    ----------
    products : array (stimulus, stimulus)
        Inner products.
    codes : array (stimulus,) of int
        Objects.
    groups : sequence of (array of int, array (pair, 2))
        Rows that are centred and scaled together, and the pairs of objects among them.
    fold : array (stimulus,) of int
    fitting : Fitting
        With one penalty.
    """
    result = np.zeros((sum(len(pairs) for _, pairs in groups), 2, 2))
    every = _tasks(products, codes, groups, fold, fitting)
    largest = max(np.isin(codes[rows], pair).sum() for rows, pairs in groups for pair in pairs)
    while some := list(islice(every, max(1, _ELEMENTS // int(largest) ** 2))):
        for task, decisions in zip(some, _decided(some, fitting.strengths[0]), strict=True):
            first = votes(decisions, 1.0)
            for true in (0, 1):
                called = first[task.truth == true]
                result[task.pair, true] += [called.sum(), len(called) - called.sum()]
    return result


def _decided(tasks: Sequence[_Task], strength: float) -> Iterator[Floats]:
    """Yield the decisions of each machine on what it is tested on, above 0 for the first object."""
    largest = max(len(task.signs) for task in tasks)
    matrices, signs = np.zeros((len(tasks), largest, largest)), np.zeros((len(tasks), largest))
    for at, task in enumerate(tasks):
        n = len(task.signs)
        matrices[at, :n, :n], signs[at, :n] = task.products, task.signs
    trained = trained_machines(matrices, signs, strength)
    for task, weights, bias, settled in zip(tasks, trained.weights, trained.bias, trained.settled, strict=True):
        yield task.tested @ weights[: len(task.signs)] + bias if settled else _by_libsvm(task, strength)


def _tasks(
    products: Floats, codes: Integers, groups: Sequence[tuple[Integers, Integers]], fold: Integers, fitting: Fitting
) -> Iterator[_Task]:
    done = 0
    for rows, pairs in groups:
        for k in np.unique(fold[rows]):
            train, test = rows[fold[rows] != k], rows[fold[rows] == k]
            learnt, tested = rescaled(*train_centred(products, train, test), fitting.scale)
            places = [
                {code: np.flatnonzero(codes[part] == code) for code in np.unique(pairs)} for part in (train, test)
            ]
            for at, (a, b) in enumerate(pairs, done):
                own, asked = (np.concatenate([where[a], where[b]]) for where in places)
                signs, truth = np.ones(len(own)), np.zeros(len(asked), dtype=np.int64)
                signs[len(places[0][a]) :], truth[len(places[1][a]) :] = -1.0, 1
                yield _Task(at, learnt[own[:, None], own], signs, tested[asked[:, None], own], truth)
        done += len(pairs)


def _by_libsvm(task: _Task, strength: float) -> Floats:
    decisions, _ = pair_decisions(task.products, task.tested, (task.signs < 0).astype(np.int64), strength)
    return decisions[:, 0]
