"""Which stimuli a decoder learns from, and which it is tested on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.types import Integers

FOLDS = ("stratified", "interleaved", "leave-one-out")


@dataclass(frozen=True)
class Split:
    """One training and one test set.

    Attributes
    ----------
    train, test : array of int
        Rows of the stimuli; no row is in both.
    name : str
        What was held out, such as ``size`` or ``azimuth 15 to 30``.
    value : float
        Distance between trained and tested views, where there is one; else NaN.
    """

    train: Integers
    test: Integers
    name: str = ""
    value: float = float("nan")

    def __iter__(self) -> Iterator[Integers]:
        """Unpack as ``train, test``."""
        return iter((self.train, self.test))


def stratified_folds(codes: Integers, n_folds: int, rng: np.random.Generator, order: Integers) -> Integers:
    """Deal the stimuli of every label out to the folds at random; return the fold of each stimulus (stimulus,).

    Every label goes on where the last one ended, so that folds differ by one stimulus at most, as labels do in a fold.
    """
    fold = np.empty(len(codes), dtype=np.int64)
    last = 0
    for code in range(int(codes.max()) + 1):
        rows = rng.permutation(order[codes[order] == code])
        fold[rows] = (last + np.arange(len(rows))) % n_folds
        last += len(rows)
    return fold


def interleaved_folds(codes: Integers, n_folds: int, order: Integers) -> Integers:
    """Deal the stimuli of every label out to the folds in turn, in `order`; return the fold of each (stimulus,)."""
    fold = np.empty(len(codes), dtype=np.int64)
    fold[order] = place_in_label(codes[order]) % n_folds
    return fold


def place_in_label(codes: Integers) -> Integers:
    """Return which stimulus of its label each is (stimulus,), from 0, in the order they come in."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], codes[order])
    places = np.empty(len(codes), dtype=np.int64)
    places[order] = np.arange(len(codes)) - starts
    return places


def grouped_folds(groups: Integers, n_folds: int, rng: np.random.Generator) -> Integers:
    """Deal whole groups out to the folds at random, each to the smallest so far; return the fold of each stimulus."""
    sizes = np.bincount(groups)
    if len(sizes) < n_folds:
        raise TooFew(f"{n_folds} folds need at least {n_folds} groups, but {len(sizes)} came. Ask for fewer folds.")
    filled, fold = np.zeros(n_folds, dtype=np.int64), np.empty(len(sizes), dtype=np.int64)
    mixed = rng.permutation(len(sizes))
    for group in mixed[np.argsort(-sizes[mixed], kind="stable")]:
        fold[group] = int(np.argmin(filled))
        filled[fold[group]] += sizes[group]
    return fold[groups]


def separability_folds(folds: str | None, views: Integers | None, *, repeated: bool) -> str:
    """Return how responses are dealt out: ``views`` where views are known and answered once, else ``stratified``."""
    if folds is None:
        return "stratified" if views is None or repeated else "views"
    if folds not in ("stratified", "views"):
        raise unknown_name("way to make folds", folds, ("stratified", "views"))
    if folds == "views" and views is None:
        raise BadInput("Folds of whole views need the view of every stimulus, and none came. Give views.")
    return folds


def check_folds(codes: Integers, names: NDArray[Any], n_folds: int, what: str, *, fewest: int = 2) -> None:
    """Refuse fewer than two folds, and objects with fewer responses than folds or than `fewest`."""
    if n_folds < 2:
        raise BadInput(f"Cross-validation needs at least 2 folds, but n_folds is {n_folds}.")
    counts, needed = np.bincount(codes, minlength=len(names)), max(n_folds, fewest)
    if counts.min() < needed:
        raise TooFew(
            f"{what} with {n_folds} folds needs at least {needed} responses to every object, but "
            f"{str(names[counts.argmin()])!r} has {counts.min()}. Show more views, or ask for fewer folds."
        )


def dealt(
    how: str, codes: Integers, views: Integers, names: NDArray[Any], n_folds: int, rng: np.random.Generator
) -> Integers:
    """Deal responses to the folds at random, whole views or object by object; return the fold of each."""
    if how == "stratified":
        return stratified_folds(codes, n_folds, rng, np.arange(len(codes)))
    fold = grouped_folds(np.unique(views, return_inverse=True)[1], n_folds, rng)
    for at, split in enumerate(splits_of(fold)):
        check_learnt(codes, split, names, at)
    return fold


def fold_of_each(
    codes: Integers, names: NDArray[Any], folds: str, n_folds: int, *, seed: int, order: Integers, groups: Any
) -> Integers:
    """Return the fold in which each stimulus is tested (stimulus,)."""
    if folds not in FOLDS:
        raise unknown_name("way to make folds", folds, FOLDS)
    if folds == "leave-one-out" and groups is None:
        return np.arange(len(codes))
    if n_folds < 2:
        raise BadInput(f"Cross-validation needs at least 2 folds, but n_folds is {n_folds}.")
    counts = np.bincount(codes, minlength=len(names))
    small = [(name, count) for name, count in zip(names, counts, strict=True) if count < n_folds]
    if small and groups is None:
        few = ", ".join(f"{str(name)!r} ({count})" for name, count in small[:3])
        raise TooFew(
            f"A read-out with {n_folds} folds needs at least {n_folds} stimuli of every label, but {len(small)} of "
            f"{len(names)} have fewer: {few}. Leave these labels out, or ask for fewer folds."
        )
    if groups is not None:
        _, grouped = np.unique(np.asarray(groups), return_inverse=True)
        return grouped_folds(grouped, n_folds, np.random.default_rng(seed))
    if folds == "interleaved":
        return interleaved_folds(codes, n_folds, order)
    return stratified_folds(codes, n_folds, np.random.default_rng(seed), order)


def splits_of(fold: Integers) -> list[Split]:
    """Return one split for every fold: tested on it, trained on all others."""
    return [Split(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(int(fold.max()) + 1)]


def checked_splits(folds: Iterable[Any], codes: Integers, names: NDArray[Any]) -> list[Split]:
    """Return explicit (train, test) pairs as splits, or say what is wrong with them."""
    found = [_checked_split(one, len(codes), at) for at, one in enumerate(folds)]
    if not found:
        raise TooFew("A read-out needs at least one training and test set, but the list of folds is empty.")
    for at, split in enumerate(found):
        check_learnt(codes, split, names, at)
    return found


def _checked_split(one: Any, n: int, at: int) -> Split:
    try:
        train, test = (_rows(part, n) for part in one)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"Fold {at} is no pair of rows (train, test): {error}. Give rows of the stimuli from 0 to {n - 1}, or masks."
        ) from error
    both = np.intersect1d(train, test)
    if len(both):
        raise BadInput(
            f"Fold {at} trains and tests on the same {len(both)} stimuli (first: row {both[0]}), which measures memory. "
            "Take them out of one of the two."
        )
    if not len(train) or not len(test):
        raise TooFew(f"Fold {at} has {len(train)} stimuli to train on and {len(test)} to test on; both need some.")
    return Split(train, test, str(getattr(one, "name", "")), float(getattr(one, "value", np.nan)))


def _rows(part: Any, n: int) -> Integers:
    rows = np.asarray(part)
    if rows.dtype == bool:
        if rows.shape != (n,):
            raise ValueError(f"a mask has one value for every one of the {n} stimuli, and {rows.shape} came")
        return np.flatnonzero(rows).astype(np.int64)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise ValueError(f"rows are whole numbers along one dimension, and {rows.dtype} {rows.shape} came")
    if rows.size and (rows.min() < 0 or rows.max() >= n):
        raise ValueError(f"row {int(rows.max()) if rows.max() >= n else int(rows.min())} is not there")
    return rows.astype(np.int64)


def check_learnt(codes: Integers, split: Split, names: NDArray[Any], at: int) -> None:
    """Refuse a training set that lacks a label that is tested."""
    missing = np.setdiff1d(codes[split.test], codes[split.train])
    if len(missing):
        raise TooFew(
            f"Fold {at}{f' ({split.name})' if split.name else ''} tests {str(names[missing[0]])!r} without any stimulus "
            f"of it to train on. Put some of its stimuli into the training set, or leave the label out."
        )


def is_partition(splits: Sequence[Split], n: int) -> bool:
    """Say whether every stimulus is tested once, after training on all that are not tested with it."""
    tested = np.bincount(np.concatenate([one.test for one in splits]), minlength=n)
    return bool((tested == 1).all() and all(len(one.train) + len(one.test) == n for one in splits))
