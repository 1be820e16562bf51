"""Numbers of things in words."""

from __future__ import annotations

_IRREGULAR = {"stimulus": "stimuli", "category": "categories"}


def plural(noun: str) -> str:
    """Return the plural of the nouns that things are called by here.

    Examples
    --------
    >>> plural("unit"), plural("stimulus")
    ('units', 'stimuli')
    """
    return _IRREGULAR.get(noun, f"{noun}s")


def number_of(noun: str, count: int) -> str:
    """Return how many there are of `noun`, which is given in the singular.

    Examples
    --------
    >>> number_of("category", 1), number_of("category", 12)
    ('1 category', '12 categories')
    """
    return f"{count} {noun if count == 1 else plural(noun)}"
