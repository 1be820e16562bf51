"""Objects and views as codes, in an order that does not depend on the order the stimuli come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.types import Integers

#: Columns of a stimulus set that say which object is shown, or how a view is called, and not where it lies.
NOT_COORDINATES = ("category", "object", "axis")


def coded(labels: Any, n: int, what: str, *, fewest: int = 2) -> tuple[Integers, NDArray[Any]]:
    """Return the code of every stimulus's label and the names, sorted; refuse too few labels or the wrong number."""
    values = np.asarray(labels)
    if values.ndim != 1 or len(values) != n:
        raise BadInput(
            f"One {what} for every stimulus was expected, {n} in all, but {values.shape} came. "
            "Give them in the order of the stimuli."
        )
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise BadInput(f"{int(np.isnan(values).sum())} of {n} stimuli have no {what} (NaN). Leave these stimuli out.")
    names, codes = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
    if len(names) < fewest:
        raise TooFew(
            f"A read-out tells at least {fewest} labels apart, but every {what} is {names[0]!s}. "
            "Show more than one, or read another column."
        )
    return codes.astype(np.int64), names


def view_coordinates(views: Any, n: int) -> dict[str, NDArray[Any]]:
    """Return the columns that say where each view lies: one array is the column ``view``.

    Of the columns of a stimulus set, ``category``, ``object`` and ``axis`` are left out, and with a column ``view`` all
    but that one.
    """
    table = dict(views) if isinstance(views, Mapping) else {"view": views}
    table = {name: np.asarray(column) for name, column in table.items() if name not in NOT_COORDINATES}
    if "view" in table:
        table = {"view": table["view"]}
    if not table:
        raise BadInput(
            "Views need at least one column that says where they lie, and none came. "
            "Give an array with the view of every stimulus, or columns such as azimuth and size."
        )
    for name, column in table.items():
        coded(column, n, f"value of {name!r}", fewest=1)
    return table


def view_codes(views: Any, n: int) -> Integers:
    """Return the code of every stimulus's view (stimulus,); equal coordinates are one view. None: each its own."""
    if views is None:
        return np.arange(n, dtype=np.int64)
    return group_codes(view_coordinates(views, n), n)


def group_codes(table: Mapping[str, NDArray[Any]], n: int) -> Integers:
    """Return which stimuli agree in every column of `table` (stimulus,); all of them where there is no column."""
    if not table:
        return np.zeros(n, dtype=np.int64)
    columns = [np.unique(column, return_inverse=True)[1] for column in table.values()]
    return np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def canonical(n: int, *keys: Any) -> Integers:
    """Return rows in the order of `keys`, the first first; ties stay in the order they come in."""
    given = [np.unique(np.asarray(key), return_inverse=True)[1] for key in keys if key is not None]
    return np.asarray(np.lexsort(given[::-1]) if given else np.arange(n), dtype=np.int64)


def shuffled_within(codes: Integers, within: Integers, rng: np.random.Generator) -> Integers:
    """Return `codes` with the values permuted among the stimuli that share a value of `within`."""
    start = np.lexsort((np.arange(len(codes)), within))
    mixed = np.lexsort((rng.random(len(codes)), within))
    result = np.empty_like(codes)
    result[start] = codes[mixed]
    return result


def check_shufflable(codes: Integers, views: Integers) -> str:
    """Refuse views in which no two objects are shown, where shuffling within views leaves every label as it is."""
    shown = np.unique(np.stack([views, codes], axis=1), axis=0)[:, 0]
    alone = int((np.bincount(shown)[views] == 1).sum())
    if alone == len(codes):
        raise BadInput(
            "Chance shuffles objects within each view, but no view shows two objects, so there is nothing to shuffle. "
            "Show all objects in the same views, bin the coordinates, or leave views out to shuffle over all stimuli."
        )
    return f"{alone} of {len(codes)} stimuli show a view that no other object has; chance keeps them" if alone else ""


def arbitrary_groups(objects: Any, *, seed: int = 0) -> NDArray[np.str_]:
    """Split the views of every object at random into two halves, and call them group A and group B.

    The control of Tafazoli et al. 2017 for read-out by sheer number of units: a decoder that tells the groups apart as
    well as it tells objects apart has learnt the stimuli by heart.

    Parameters
    ----------
    objects : array (stimulus,)
        Object of every stimulus.
    seed : int
        Seed of the split.

    Returns
    -------
    array (stimulus,) of str
        ``A`` or ``B``. Of an object with an odd number of views, the larger part goes to A and to B in turn.

    Raises
    ------
    TooFew
        For an object with one view.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794.

    Examples
    --------
    >>> sorted(arbitrary_groups(["jug", "jug", "star", "star"]).tolist())
    ['A', 'A', 'B', 'B']
    """
    codes, names = coded(objects, len(np.asarray(objects)), "object", fewest=1)
    rng = np.random.default_rng(seed)
    groups = np.empty(len(codes), dtype="<U1")
    for code, name in enumerate(names):
        rows = rng.permutation(np.flatnonzero(codes == code))
        if len(rows) < 2:
            raise TooFew(
                f"The views of {name!s} cannot be split in two, as it has one. Show each object in more views."
            )
        groups[rows[0::2]], groups[rows[1::2]] = ("A", "B") if code % 2 == 0 else ("B", "A")
    return groups
