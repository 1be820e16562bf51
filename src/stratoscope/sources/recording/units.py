"""The table of units: who was recorded, in which area, in which session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.sources.recording.checks import extra_columns, more, text_column
from stratoscope.types import Integers

#: Texts that say that nobody knows the area; the first is what NWB files have for lack of a better word.
NO_AREA = ("unknown", "", "nan", "none", "n/a")


@dataclass(frozen=True)
class Units:
    """One row for each unit of a recording.

    Attributes
    ----------
    ids : tuple of str
        Unique.
    area : array (unit,) of str
        Area of every unit; one text stands for all of them.
    session : array (unit,) of str
        Session the unit was recorded in. A unit answers the presentations of its own session and of no other.
    columns : mapping of str to array (unit,)
        Whatever else is known: depth, layer, quality.

    Raises
    ------
    BadInput
        No unit, ids that occur twice, a unit without area, a column of another length.

    Examples
    --------
    >>> Units(("a", "b"), "V1").area.tolist()
    ['V1', 'V1']
    """

    ids: tuple[str, ...]
    area: NDArray[Any]
    session: NDArray[Any] = field(default_factory=lambda: np.array(""))
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = tuple(str(id_) for id_ in self.ids)
        _check_ids(ids)
        area = text_column(self.area, len(ids), "units", "area")
        _check_areas(ids, area)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "area", area)
        object.__setattr__(self, "session", text_column(self.session, len(ids), "units", "session"))
        object.__setattr__(self, "columns", extra_columns(self.columns, len(ids), "units"))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def areas(self) -> tuple[str, ...]:
        """Names of the areas, in the order in which they first occur."""
        return tuple(dict.fromkeys(self.area.tolist()))

    def rows(self, area: str) -> Integers:
        """Return the rows of the units of `area`."""
        return np.flatnonzero(self.area == area)

    def take(self, rows: Any) -> Units:
        """Return the table restricted to `rows` (positions, or true for those kept), in that order."""
        chosen = np.arange(len(self))[rows]
        return Units(
            tuple(self.ids[row] for row in chosen),
            self.area[chosen],
            self.session[chosen],
            {name: values[chosen] for name, values in self.columns.items()},
        )


def _check_ids(ids: tuple[str, ...]) -> None:
    if not ids:
        raise BadInput("The table of units has no row. A recording needs at least one unit.")
    if "" in ids:
        raise BadInput(f"Row {ids.index('')} of the table of units has no id. Give every unit an id of its own.")
    twice = [id_ for id_, times in Counter(ids).items() if times > 1]
    if twice:
        rows = [row for row, id_ in enumerate(ids) if id_ == twice[0]]
        raise BadInput(
            f"The table of units has the id {twice[0]!r} in rows {rows[0]} and {rows[1]}. Ids must be unique: put the "
            "session before the number of the unit."
        )


def _check_areas(ids: tuple[str, ...], area: NDArray[Any]) -> None:
    lost = [row for row, name in enumerate(area.tolist()) if name.strip().lower() in NO_AREA]
    if lost:
        raise BadInput(
            f"Unit {ids[lost[0]]!r} has no area: row {lost[0]} of the table of units says {str(area[lost[0]])!r}{more(lost)}. "
            "Areas are the stages of a recording. Give the area of every unit, or leave these units out."
        )
