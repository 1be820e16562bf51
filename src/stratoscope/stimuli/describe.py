"""What the columns of a set hold, in a few words each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def ranges(columns: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, str, str]]:
    """Name, lowest, mean and highest value of every column of numbers, as text; NaN are left out."""
    rows = []
    for name, values in columns.items():
        array = np.asarray(values)
        if array.dtype.kind in "iuf" and np.isfinite(array).any():
            known = array[np.isfinite(array)]
            rows.append((name, f"{known.min():.4g}", f"{known.mean():.4g}", f"{known.max():.4g}"))
    return rows
