"""Fewer stimuli of a set, balanced over categories, by a choice that depends on ids and seed alone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.stimuli.columns import count_categories
from stratoscope.stimuli.openers import single_image_notes
from stratoscope.types import Integers, Stimuli


def choose(stimuli: Stimuli, *, limit: int | None = None, per_category: int | None = None, seed: int = 0) -> Stimuli:
    """Keep at most `limit` stimuli, or exactly `per_category` of each category, in the order of the set.

    The stimuli are ranked by SHA-256 of seed and id, so the choice is the same on every machine and in every order of
    the set, and a smaller choice is part of a larger one. A limit is spread over the categories as evenly as they allow.

    Parameters
    ----------
    stimuli : Stimuli
        The whole set.
    limit : int, optional
        Largest number to keep.
    per_category : int, optional
        Number to keep of every category; applied before `limit`.
    seed : int
        Another seed, another choice.

    Returns
    -------
    Stimuli
        With a fingerprint of its own, and a note of how many were kept.

    Raises
    ------
    BadInput
        A number below 1, or `per_category` of a set without categories.
    TooFew
        A category with fewer than `per_category` stimuli.
    """
    for name, number in (("limit", limit), ("per_category", per_category)):
        if number is not None and number < 1:
            raise BadInput(f"{name} is {number}, expected 1 or more. Leave it out to keep every stimulus.")
    if per_category is not None:
        _check_enough(stimuli, per_category)
    n = min(len(stimuli), limit or len(stimuli))
    ranks = _ranks_within_category(stimuli, seed)
    chosen = [row for rank, _, row in ranks if per_category is None or rank < per_category][:n]
    return stimuli if len(chosen) == len(stimuli) else _take(stimuli, np.sort(np.asarray(chosen, np.int64)), seed)


def _check_enough(stimuli: Stimuli, per_category: int) -> None:
    if stimuli.categories is None:
        raise BadInput(
            f"{stimuli.name!r} has no categories, so {per_category} of each cannot be chosen. "
            "Use limit, or name the column that has the categories with category_column."
        )
    counts = count_categories(stimuli.categories)
    short = [f"{name!r} ({count})" for name, count in counts.items() if count < per_category]
    if short:
        raise TooFew(
            f"{len(short)} of {len(counts)} categories of {stimuli.name!r} have fewer than {per_category} stimuli "
            f"(first: {', '.join(short[:3])}). Ask for at most {min(counts.values())} of each."
        )


def _ranks_within_category(stimuli: Stimuli, seed: int) -> list[tuple[int, str, int]]:
    """Return (rank within its category, hash, row) of every stimulus, sorted."""
    labels = [str(label) for label in _labels(stimuli)]
    members: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row, (name, label) in enumerate(zip(stimuli.ids, labels, strict=True)):
        members[label].append((hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest(), row))
    return sorted((rank, *one) for group in members.values() for rank, one in enumerate(sorted(group)))


def _labels(stimuli: Stimuli) -> list[object]:
    return [""] * len(stimuli) if stimuli.categories is None else list(stimuli.categories.tolist())


def _take(stimuli: Stimuli, rows: Integers, seed: int) -> Stimuli:
    taken = stimuli.take(rows)
    which = hashlib.sha256("\0".join(taken.ids).encode()).hexdigest()[:16]
    return replace(taken, fingerprint=f"{taken.fingerprint}:{which}", notes=_notes(stimuli, taken, seed))


def _notes(stimuli: Stimuli, taken: Stimuli, seed: int) -> tuple[str, ...]:
    """Return the notes of the whole set that still hold, and what the choice left."""
    before, after = len(count_categories(stimuli.categories)), len(count_categories(taken.categories))
    fewer = f", from {after} of {before} categories" if after < before else ""
    stale = single_image_notes(stimuli.columns)
    said = f"{len(taken)} of {len(stimuli)} stimuli were chosen (seed {seed}){fewer}."
    return (*(note for note in stimuli.notes if note not in stale), said, *single_image_notes(taken.columns))
