"""Put stimulus sets one behind the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.stimuli.openers import check_ids
from stratoscope.types import Loaded, Stimuli


def join_stimuli(parts: Sequence[Stimuli], *, name: str | None = None) -> Stimuli:
    """Return the stimuli of all `parts`, in their order, as one set.

    Parameters
    ----------
    parts : sequence of Stimuli
        At least one; ids must differ across parts. Columns that all parts have are kept.
    name : str, optional
        Name of the set; the parts' names joined by `` + `` by default.

    Raises
    ------
    BadInput
        For no parts, or an id that two parts share.
    """
    if not parts:
        raise BadInput("There are no stimuli to join. Give at least one set.")
    title = name or " + ".join(part.name for part in parts)
    ids = tuple(one for part in parts for one in part.ids)
    check_ids(title, ids)
    ends = np.cumsum([len(part) for part in parts])

    def load(row: int) -> Loaded:
        which = int(np.searchsorted(ends, row, side="right"))
        return parts[which].load(row - (int(ends[which - 1]) if which else 0))

    shared = [column for column in parts[0].columns if all(column in part.columns for part in parts)]
    columns = {column: np.concatenate([part.columns[column] for part in parts]) for column in shared}
    digest = hashlib.sha256("\0".join(part.fingerprint for part in parts).encode()).hexdigest()
    return Stimuli(title, ids, load, columns, digest, tuple(note for part in parts for note in part.notes))
