"""Stimuli that are decoded once and kept, for studies that play the same set many times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np

from stratoscope.types import Loaded, Stimuli


def remembered(stimuli: Stimuli, limit: int) -> Stimuli:
    """Return the same stimuli, of which the first ones that fit into `limit` bytes are loaded only once.

    Stimuli beyond the limit are loaded anew every time. A stimulus that cannot be read is tried anew too.
    """
    return replace(stimuli, load=_Kept(stimuli, limit)) if limit > 0 else stimuli


@dataclass
class _Kept:
    """Loads a stimulus, or hands over the one that was kept; may be called from several threads."""

    stimuli: Stimuli
    left: int
    kept: dict[int, Loaded] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, row: int) -> Loaded:
        found = self.kept.get(row)
        if found is None:
            found = self.stimuli.load(row)
            self._keep(row, found)
        # An array is handed over as a copy, because a caller may work in it; images are not changed by preprocessing.
        return found.copy() if isinstance(found, np.ndarray) else found

    def _keep(self, row: int, loaded: Loaded) -> None:
        size = loaded.nbytes if isinstance(loaded, np.ndarray) else 3 * loaded.width * loaded.height
        with self.lock:
            if row not in self.kept and size <= self.left:
                self.left -= size
                self.kept[row] = loaded
