"""How much memory a run may use: parse what was asked, and plan what goes where."""

from __future__ import annotations

import re

from stratoscope.errors import BadInput, BudgetTooSmall

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def parse_bytes(text: str | float) -> int:
    """Return the number of bytes that `text` names: ``"2GB"``, ``"500 MB"``, ``"1.5GiB"`` or a plain number.

    Raises
    ------
    BadInput
        For anything else.

    Examples
    --------
    >>> parse_bytes("1.5 MB")
    1500000
    """
    match = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]*)\s*", str(text))
    unit = _UNITS.get(match[2].lower()) if match else None
    try:
        number = float(match[1]) if match else float("nan")
    except ValueError:
        number = float("nan")
    if unit is None or not number > 0:
        raise BadInput(f"The memory budget {text!r} is not a size. Give a number with a unit, such as 2GB or 500MB.")
    return int(number * unit)


def readable(size: float) -> str:
    """Return `size` in bytes as people write it, rounded up: ``"1.3 GB"``."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{-(-size * 10 // unit) / 10:.1f} {name}"
    return f"{size:.0f} bytes"


def spool_allowance(budget: int, resident: int, closing: int) -> int:
    """Return how many bytes of `budget` are left to hold spools in memory.

    Parameters
    ----------
    budget : int
        Bytes the run may use beyond the network and one batch of it.
    resident : int
        Bytes of the summaries that live through the whole pass.
    closing : int
        Bytes that closing the widest stage needs for a while.

    Raises
    ------
    BudgetTooSmall
        When not even the summaries fit; the message says the smallest budget that works.
    """
    smallest = resident + closing
    if smallest > budget:
        raise BudgetTooSmall(
            f"The run needs at least {readable(smallest)} of memory ({readable(resident)} for the summaries of the pass and "
            f"{readable(closing)} to close the largest stage), but the budget is {readable(budget)}. Give --budget "
            f"{readable(smallest).replace(' ', '')} or more, or choose fewer stages, stimuli or metrics, or unit 'channel'."
        )
    return budget - smallest
