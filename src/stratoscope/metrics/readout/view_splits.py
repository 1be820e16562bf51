"""Training and test sets of views: learn some views of every object, be tested on the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.metrics.readout.folds import Split
from stratoscope.metrics.readout.labels import canonical, coded, group_codes, view_coordinates
from stratoscope.metrics.responses import checked_choice
from stratoscope.types import Integers

PROTOCOLS = ("leave-one-view-out", "one-view", "within-axis", "leave-one-axis-out", "by-distance")
#: Columns that change along an axis of rendered views.
AXIS_COLUMNS: dict[str, tuple[str, ...]] = {
    "position": ("azimuth", "elevation"),
    "size": ("size",),
    "rotation": ("in_plane", "in_depth"),
    "in_plane": ("in_plane",),
    "in_depth": ("in_depth",),
    "luminance": ("luminance",),
}


def splits_across_views(
    objects: Any,
    views: Any,
    protocol: str = "leave-one-view-out",
    *,
    axis: str | None = None,
    along: str = "azimuth",
    n_draws: int = 50,
    seed: int = 0,
) -> list[Split]:
    """Training and test sets for reading objects out across views, for `cross_validated_readout`.

    Parameters
    ----------
    objects : array (stimulus,)
        Object of every stimulus.
    views : mapping of str to array (stimulus,), or array (stimulus,)
        Columns that say where each view lies (``azimuth``, ``size`` ...; a whole stimulus set's ``columns`` will do), or
        the name of the view. Stimuli that agree in all are the same view.
    protocol : str
        ``leave-one-view-out``: test each view in turn, train on all others. ``one-view``: train on one view of each
        object, drawn independently, test on all its others, `n_draws` times. ``within-axis``: the same among views that
        differ along `axis` alone. ``leave-one-axis-out``: test the views of one value of the column ``axis``, train on
        the others. ``by-distance``: train on one value of the column `along` and test on another, other coordinates
        alike; `Split.value` is their distance.
    axis : str, optional
        For ``within-axis``: position, size, rotation, in_plane, in_depth, luminance, or a column of `views`.
    along : str
        For ``by-distance``: a numeric column of `views`.
    n_draws : int
        Number of random draws.
    seed : int
        Seed of the draws. They depend on objects and views, not on the order of the stimuli.

    Returns
    -------
    list of Split

    Raises
    ------
    TooFew
        One object, one view of an object, no two views along the axis.
    BadInput
        Columns of the wrong length, without the column asked for, ``leave-one-axis-out`` without a column ``axis``.

    When it misleads
    ----------------
    Leaving out one view among neighbours (rotation in steps of 5 degrees) tests interpolation: use ``by-distance`` or
    ``leave-one-axis-out``. What is left of an axis when it is left out still has the default view in it.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794 (``one-view``, ``within-axis`` and ``by-distance``).

    Examples
    --------
    >>> [split.test.tolist() for split in splits_across_views(["a", "a", "b", "b"], [0, 1, 0, 1])]
    [[0, 2], [1, 3]]
    """
    checked_choice(protocol, PROTOCOLS, "protocol of views")
    codes, names = coded(objects, len(np.asarray(objects)), "object")
    table = view_coordinates(views, len(codes))
    check_views(codes, names, group_codes(table, len(codes)))
    if protocol == "leave-one-view-out":
        return _leave_one_out(codes, group_codes(table, len(codes)), "view")
    if protocol == "leave-one-axis-out":
        return _leave_one_axis_out(codes, views)
    if protocol == "by-distance":
        return list(_by_distance(codes, table, along))
    if n_draws < 1:
        raise BadInput(f"At least 1 draw of training views is needed, but n_draws is {n_draws}.")
    lines = view_lines(codes, table, axis if protocol == "within-axis" else None)
    return list(_one_view(codes, lines, n_draws, np.random.default_rng(seed)))


def check_views(codes: Integers, names: NDArray[Any], views: Integers) -> None:
    """Refuse an object that is shown in one view only."""
    shown = np.bincount(np.unique(np.stack([codes, views], axis=1), axis=0)[:, 0], minlength=len(names))
    single = np.flatnonzero(shown < 2)
    if len(single):
        raise TooFew(
            f"Generalization across views needs at least 2 views of every object, but {len(single)} of {len(names)} "
            f"objects have one (first: {str(names[single[0]])!r}). Show more views, or leave these objects out."
        )


def axis_columns(axis: str, table: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Return the columns of `table` that change along `axis`: the one of that name, or those of `AXIS_COLUMNS`."""
    columns = (axis,) if axis in table else tuple(name for name in AXIS_COLUMNS.get(axis, ()) if name in table)
    if not columns:
        known = [name for name, needed in AXIS_COLUMNS.items() if set(needed) & set(table)]
        raise unknown_name("axis of these views", axis, dict.fromkeys([*known, *table]))
    return columns


def view_lines(codes: Integers, table: Mapping[str, NDArray[Any]], axis: str | None) -> list[Integers]:
    """Return the sets of stimuli whose views differ along `axis` alone, in canonical order; without axis all stimuli.

    A line counts where at least two objects are shown at two or more values of it, and where it has at least half as
    many values as the longest: the two positions at which Tafazoli et al. 2017 show other axes make no line of positions.
    """
    n = len(codes)
    order = canonical(n, codes, *table.values())
    if axis is None:
        return [order]
    columns = axis_columns(axis, table)
    fixed = group_codes({name: column for name, column in table.items() if name not in columns}, n)
    lines = [order[fixed[order] == line] for line in range(int(fixed.max()) + 1)]
    lines = [rows for rows in lines if (np.bincount(codes[rows]) > 1).sum() > 1]
    if not lines:
        raise TooFew(
            f"No two objects are shown at two views that differ along {axis!r} alone. Views that were drawn at random "
            "change along all axes at once: leave the axis out, or render 'objects:' along its axes."
        )
    lengths = [len(np.unique(group_codes({name: table[name][rows] for name in columns}, len(rows)))) for rows in lines]
    return [rows for rows, length in zip(lines, lengths, strict=True) if 2 * length >= max(lengths)]


def _leave_one_out(codes: Integers, held: Integers, what: str) -> list[Split]:
    every = np.arange(len(codes))
    found = [
        Split(every[held != value], every[held == value], f"{what} {value}") for value in range(int(held.max()) + 1)
    ]
    return [split for split in found if len(split.train)]


def _leave_one_axis_out(codes: Integers, views: Any) -> list[Split]:
    if not isinstance(views, Mapping) or "axis" not in views:
        raise BadInput(
            "Leaving one axis out needs a column 'axis' that says along which axis each view was changed, and these "
            "views have none. Give the columns of rendered objects, or the protocol 'leave-one-view-out'."
        )
    axis, names = coded(views["axis"], len(codes), "axis")
    every = np.arange(len(codes))
    return [Split(every[axis != a], every[axis == a], str(name)) for a, name in enumerate(names)]


def _by_distance(codes: Integers, table: Mapping[str, NDArray[Any]], along: str) -> Iterator[Split]:
    if along not in table:
        raise unknown_name("column of these views", along, table)
    values = np.asarray(table[along])
    if values.dtype.kind not in "iuf":
        raise BadInput(f"Distance needs numbers, but the column {along!r} holds {values.dtype}. Give another column.")
    found = 0
    for rows in view_lines(codes, table, along):
        for trained in np.unique(values[rows]):
            for tested in np.unique(values[rows]):
                train, test = rows[values[rows] == trained], rows[values[rows] == tested]
                both = np.intersect1d(codes[train], codes[test])
                if trained == tested or len(both) < 2:
                    continue
                found += 1
                learnt, others = (part[np.isin(codes[part], both)] for part in (train, test))
                yield Split(learnt, others, f"{along} {trained:g} to {tested:g}", float(abs(tested - trained)))
    if not found:
        raise TooFew(
            f"No two objects are shown at the same two values of {along!r}. Show the same views of all objects."
        )


def _one_view(codes: Integers, lines: Sequence[Integers], n_draws: int, rng: np.random.Generator) -> Iterator[Split]:
    for at in range(n_draws):
        rows = lines[int(rng.integers(len(lines)))]
        train = []
        for code in np.unique(codes[rows]):
            own = rows[codes[rows] == code]
            if len(own) > 1:
                train.append(int(rng.choice(own)))
        learnt = np.array(train, dtype=np.int64)
        others = rows[np.isin(codes[rows], codes[learnt])]
        yield Split(learnt, np.setdiff1d(others, learnt), f"draw {at}")
