"""Properties of stimuli as bins: what is discrete keeps its values, what is continuous is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.information.bins import bin_codes, checked_bins
from stratoscope.metrics.responses import checked_finite

#: Bins of a continuous property where none are asked for, and the stimuli that every cell should have.
DEFAULT_BINS = 10
PER_CELL = 4


@dataclass(frozen=True)
class Property:
    """A property in bins.

    Attributes
    ----------
    name : str
    codes : array (stimulus,) or (stimulus, unit)
        Bin of every stimulus, from 0; of one property for all units, every bin holds a stimulus.
    n_bins : int
        Bins, of a property for each unit those of the unit with the most.
    note : str
        What a reader must know, such as that it is constant; may be empty.
    """

    name: str
    codes: NDArray[np.int64]
    n_bins: int
    note: str = ""

    @property
    def per_unit(self) -> bool:
        """Whether every unit has its own values."""
        return self.codes.ndim == 2

    def of_units(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the bins (stimulus, unit) of the units `start` to `stop`."""
        return of_units(self.codes, start, stop, f"The property {self.name!r}")


def of_units(values: NDArray[Any], start: int, stop: int, what: str) -> NDArray[Any]:
    """Return the columns `start` to `stop` of `values` (stimulus, unit), or say that there are more units than columns."""
    if stop > values.shape[1]:
        raise _misfit(what, values.shape[1], f"at least {stop}")
    return values[:, start:stop]


def check_width(values: NDArray[Any], units: int, what: str) -> None:
    """Refuse `values` (stimulus, unit) with more columns than the units that came."""
    if values.shape[1] != units:
        raise _misfit(what, values.shape[1], str(units))


def _misfit(what: str, columns: int, units: str) -> BadInput:
    return BadInput(
        f"{what} has values for {columns} units, but {units} units came. Give one column for each unit of the responses, in "
        "their order, or (stimulus,) for all units."
    )


def default_bins(n: int, response_bins: int) -> int:
    """Return how many bins a continuous property gets: 10, or fewer where a cell would hold less than 4 stimuli."""
    return int(np.clip(n // (PER_CELL * response_bins), 2, DEFAULT_BINS))


def read_property(
    name: str, values: Any, *, n: int, value_bins: int | None, response_bins: int, binning: str
) -> Property:
    """Put the values of a property (stimulus,) or (stimulus, unit) into bins; `n` stimuli are expected.

    Texts, truth values and, without `value_bins`, whole numbers keep their distinct values; so do decimal numbers
    with no more distinct values than bins. All else is cut into `value_bins`, or `default_bins`.

    Raises
    ------
    BadInput
        For another number of stimuli, NaN, or a discrete property with fewer than two stimuli a value.
    """
    array = np.asarray(values)
    if array.ndim not in (1, 2) or len(array) != n:
        raise BadInput(
            f"The property {name!r} needs one value for each of the {n} stimuli, as (stimulus,) or, where units differ, "
            f"(stimulus, unit), but shape {array.shape} came. Take the values of the stimuli that were played."
        )
    if array.dtype.kind == "f":
        array = checked_finite(array, f"The property {name!r}", "values")
    bins = default_bins(n, response_bins) if value_bins is None else value_bins
    checked_bins(bins, n, binning, "value_bins")
    if array.ndim == 2:
        return _per_unit(name, array, bins, binning, keep=value_bins is None)
    distinct, codes = np.unique(array if array.dtype.kind != "O" else array.astype(str), return_inverse=True)
    numeric = array.dtype.kind in "fiu"
    whole = array.dtype.kind != "f"
    if not numeric or len(distinct) <= bins or (whole and value_bins is None):
        _check_recurring(name, len(distinct), n)
        return Property(name, codes.astype(np.int64), len(distinct), _constant(name, len(distinct)))
    cut = _cut(array[:, None], bins, binning)[:, 0]
    found, codes = np.unique(cut, return_inverse=True)
    return Property(name, codes.astype(np.int64), len(found), _fewer(name, len(found), bins))


def _per_unit(name: str, array: NDArray[Any], bins: int, binning: str, *, keep: bool) -> Property:
    if array.dtype.kind == "b" or (array.dtype.kind in "iu" and keep):
        distinct, codes = np.unique(array, return_inverse=True)
        _check_recurring(name, len(distinct), len(array))
        return Property(name, codes.reshape(array.shape).astype(np.int64), len(distinct))
    if array.dtype.kind not in "fiu":
        raise BadInput(
            f"The property {name!r} has values for each unit, which must be numbers, but {array.dtype} came. "
            "Give numbers, or one column (stimulus,) for all units."
        )
    codes = _cut(array, bins, binning).astype(np.int64)
    return Property(name, codes, bins)


def _cut(array: NDArray[Any], bins: int, binning: str) -> NDArray[np.uint8]:
    return bin_codes(array.astype(np.float64), bins, binning=binning, atom=False)


def _check_recurring(name: str, distinct: int, n: int) -> None:
    if 1 < n < 2 * distinct:
        raise BadInput(
            f"The property {name!r} has {distinct} distinct values over {n} stimuli, so most are seen once, and the "
            "information about it would be no more than the entropy of the responses. Give value_bins to cut "
            "numbers into bins, or a coarser property."
        )


def _constant(name: str, distinct: int) -> str:
    return f"{name} is constant: every unit has 0 bits about it." if distinct == 1 else ""


def _fewer(name: str, found: int, bins: int) -> str:
    if found == bins:
        return ""
    return f"{name} keeps {found} of {bins} bins, as equal values share one."
