"""Fit a decoder on every training set, with true and with shuffled labels, and count what it says of the test sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stratoscope.metrics.readout.confusion import counted
from stratoscope.metrics.readout.decoders import Fitting, logistic, predicted_labels, rescaled
from stratoscope.metrics.readout.folds import Split, is_partition
from stratoscope.metrics.readout.kernels import train_centred
from stratoscope.metrics.readout.ridge import grid_of, held_out, predicted_scores, targets
from stratoscope.types import Floats, Integers


@dataclass(frozen=True)
class Reading:
    """What is the same for true and for shuffled labels.

    Attributes
    ----------
    gram : array (stimulus, stimulus)
        Inner products; not read in the primal form.
    responses : array (stimulus, unit), or None
        For the primal form alone.
    splits : sequence of Split
    n_labels : int
    fitting : Fitting
    seed : int
        Seed of the folds within which a penalty is chosen.
    """

    gram: Floats
    responses: Floats | None
    splits: Sequence[Split]
    n_labels: int
    fitting: Fitting
    seed: int


def read(task: Reading, codes: Integers, shuffled: Sequence[Integers]) -> tuple[Integers, Floats, str]:
    """Return confusion matrices (1 + shuffle, label, predicted), penalties (fold,) with true labels, and a note."""
    every = [codes, *shuffled]
    if task.fitting.decoder == "ridge":
        return _read_ridge(task, np.stack(every, axis=1))
    confusions, penalties, notes = [], np.empty(0), []
    for at, labels in enumerate(every):
        confusion = np.zeros((task.n_labels, task.n_labels), dtype=np.int64)
        taken = []
        for split in task.splits:
            predicted, note, strength = _predict(task, labels, split)
            confusion += counted(labels[split.test], predicted, task.n_labels)
            taken.append(strength)
            notes += [note] if note and at == 0 else []
        confusions.append(confusion)
        penalties = np.array(taken) if at == 0 else penalties
    return np.stack(confusions), penalties, _summed(notes, len(task.splits))


def _summed(notes: Sequence[str], n: int) -> str:
    counts = {note: notes.count(note) for note in notes}
    return "; ".join(f"{note} ({count} of {n} folds)" for note, count in counts.items())


def _predict(task: Reading, labels: Integers, split: Split) -> tuple[Integers, str, float]:
    if task.responses is not None:
        strength = task.fitting.strengths[0]
        parts = task.responses[split.train], task.responses[split.test]
        return *logistic(*parts, labels[split.train], strength, task.fitting), strength
    train, test = train_centred(task.gram, split.train, split.test)
    return predicted_labels(train, test, labels[split.train], task.fitting, seed=task.seed)


def _read_ridge(task: Reading, every: Integers) -> tuple[Integers, Floats, str]:
    wanted = targets(every, task.n_labels)
    confusions = np.zeros((every.shape[1], task.n_labels, task.n_labels), dtype=np.int64)
    if task.fitting.scale == "none" and is_partition(task.splits, len(every)):
        scores, chosen = held_out(task.gram, wanted, [one.test for one in task.splits], _penalties(task, task.gram))
        _count(confusions, every, scores)
        return confusions, chosen[:, 0], ""
    taken = []
    for split in task.splits:
        train, test = rescaled(*train_centred(task.gram, split.train, split.test), task.fitting.scale)
        scores, chosen = predicted_scores(train, test, wanted[split.train], _penalties(task, train))
        _count(confusions, every[split.test], scores)
        taken.append(chosen[0])
    return confusions, np.array(taken), ""


def _penalties(task: Reading, products: Floats) -> tuple[float, ...]:
    return grid_of(task.fitting.penalties, products)


def _count(confusions: Integers, true: Integers, scores: Floats) -> None:
    best_of_each = np.argmax(np.round(scores, 9), axis=1)  # scores that differ by rounding are equal: the first label
    for at, best in enumerate(best_of_each.T):
        confusions[at] += counted(true[:, at], best, scores.shape[1])
