"""In which order areas come: as given, as a known hierarchy has them, or as the table lists them."""

from __future__ import annotations

from collections.abc import Sequence

from stratoscope.errors import BadInput, unknown_name

#: Visual hierarchies in which the names of areas tell their order, and who says so.
KNOWN: dict[str, tuple[str, ...]] = {
    "rat, lateral extrastriate (Tafazoli et al. 2017)": ("V1", "LM", "LI", "LL"),
    "macaque, ventral (Felleman and Van Essen 1991)": (
        *("retina", "LGN", "V1", "V2", "V3", "V4", "TEO", "PIT", "CIT", "AIT", "TE", "IT"),
    ),
    "mouse (Siegle et al. 2021)": ("LGd", "VISp", "VISl", "VISrl", "LP", "VISal", "VISpm", "VISam"),
}


def order_areas(present: Sequence[str], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the areas in their order.

    Parameters
    ----------
    present : sequence of str
        Areas that have units, in the order of the table.
    wanted : sequence of str, optional
        Areas in the order asked for; areas that are not among them are left out.

    Raises
    ------
    UnknownName
        An area that has no unit.
    BadInput
        No area, or one twice.
    """
    if wanted is None:
        return _known(present)[0]
    areas = (wanted,) if isinstance(wanted, str) else tuple(str(area) for area in wanted)
    if not areas or len(set(areas)) != len(areas):
        raise BadInput(f"Areas are named once each, from the first to the last stage; they are {list(areas)}.")
    for area in areas:
        if area not in present:
            raise unknown_name("area of the recording", area, present)
    return areas


def order_in_words(present: Sequence[str], areas: Sequence[str]) -> str:
    """Say where the order of `areas` comes from."""
    known, words = _known(present)
    return words if known == tuple(areas) else "as given"


def _known(present: Sequence[str]) -> tuple[tuple[str, ...], str]:
    for name, hierarchy in KNOWN.items():
        place = {area.lower(): depth for depth, area in enumerate(hierarchy)}
        if len(present) > 1 and all(area.lower() in place for area in present):
            return tuple(sorted(present, key=lambda area: place[area.lower()])), name
    return tuple(present), "as the table of units lists them"
