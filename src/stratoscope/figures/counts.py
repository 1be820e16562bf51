"""How many things each point of a drawn line rests on, kept beside the line, so that a page can say it where one points."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.lines import Line2D

#: A line of matplotlib has no place for it; what is kept here goes with the line.
_KEPT: WeakKeyDictionary[Line2D, tuple[int, ...]] = WeakKeyDictionary()


def count(lines: Iterable[Line2D], n: Iterable[float]) -> None:
    """Keep with each of `lines` the number behind every point of it, as it was counted in the results."""
    counted = tuple(int(one) for one in n)
    for line in lines:
        _KEPT[line] = counted


def counts(line: Line2D) -> list[int] | None:
    """Return the number behind every point of `line`, or None where it was not said."""
    kept = _KEPT.get(line)
    return list(kept) if kept is not None and len(kept) == np.size(line.get_xdata()) else None
