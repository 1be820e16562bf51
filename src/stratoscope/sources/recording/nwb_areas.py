"""In which area a unit of an NWB file lies: a column of its own, its electrodes, or their group."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.sources.recording.opened import AREA_COLUMNS, found_column
from stratoscope.sources.recording.options import Asked

#: Columns of a table of units that hold the id of one electrode.
_PEAK = ("peak_channel_id", "electrode_id")


def areas_of_units(nwb: Any, asked: Asked, ids: tuple[str, ...]) -> NDArray[Any]:
    """Return the area of every unit.

    Looked for in this order: one area for all (``area=V1``), a column of the table of units (``area_column=...``, or one
    called like an area), the ``location`` (or `area_column`) of the unit's electrodes, that of its peak channel, that of
    its group of electrodes.

    Raises
    ------
    BadInput
        Nothing says where units lie, or the electrodes of one unit lie in several areas.
    """
    table = nwb.units
    if asked.area is not None:
        return np.array(asked.area)
    outside = () if nwb.electrodes is None else nwb.electrodes.colnames
    if asked.area_column not in outside:
        column = found_column(table.colnames, AREA_COLUMNS, asked.area_column, "area", "of units")
        if column is not None:
            return np.array([str(area) for area in np.asarray(table[column][:]).tolist()])
    place = asked.area_column or "location"
    if "electrodes" in table.colnames:
        return _by_electrodes(nwb.electrodes[place][:], table, ids)
    peak = next((name for name in _PEAK if name in table.colnames), None)
    if peak is not None and nwb.electrodes is not None:
        return _by_id(nwb, place, peak, ids)
    if "electrode_group" in table.colnames:
        return np.array([str(table["electrode_group"][row].location) for row in range(len(table))])
    raise BadInput(
        f"Unit {ids[0]!r} (row 0 of the table of units) has no area: the table has neither a column of areas nor one of "
        f"electrodes; its columns are {', '.join(map(repr, table.colnames))}. Say area=NAME for all units, or "
        "area_column=COLUMN."
    )


def _by_electrodes(places: Any, table: Any, ids: tuple[str, ...]) -> NDArray[Any]:
    """Read where the electrodes of every unit are, given as rows of the table of electrodes."""
    locations = [str(place) for place in np.asarray(places).tolist()]
    index = table["electrodes"]
    rows = np.split(np.asarray(index.target.data[:], dtype=np.int64), np.asarray(index.data[:], dtype=np.int64)[:-1])
    areas = []
    for unit, own in enumerate(rows):
        found = sorted({locations[row] for row in own.tolist()})
        if len(found) > 1:
            raise BadInput(
                f"The electrodes of unit {ids[unit]!r} (row {unit} of the table of units) lie in {' and '.join(found)}. Give "
                "the unit one area in a column of its own, and name it with area_column=COLUMN."
            )
        areas.append(found[0] if found else "")
    return np.array(areas)


def _by_id(nwb: Any, place: str, column: str, ids: tuple[str, ...]) -> NDArray[Any]:
    """Look the peak channel of every unit up among the ids of the electrodes."""
    places = dict(zip(nwb.electrodes.id[:].tolist(), nwb.electrodes[place][:], strict=True))
    peaks = np.asarray(nwb.units[column][:]).tolist()
    lost = [row for row, peak in enumerate(peaks) if peak not in places]
    if lost:
        raise BadInput(
            f"Unit {ids[lost[0]]!r} (row {lost[0]} of the table of units) has {column} {peaks[lost[0]]}, which is not the id of "
            f"any of the {len(places)} rows of the table of electrodes. Mend it, or say area_column=COLUMN."
        )
    return np.array([str(places[peak]) for peak in peaks])
