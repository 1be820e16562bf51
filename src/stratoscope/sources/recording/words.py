"""What a recording says of itself, for the description and the notes of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.types import Stage


def trials_in_numbers(counts: TrialCounts) -> dict[str, Any]:
    """Return the fewest, the median and the most trials of a stimulus and a unit."""
    n = counts.n_trials()
    return {"fewest": int(n.min()), "median": float(np.median(n)), "most": int(n.max())}


def remark(name: str, stages: Sequence[Stage], counts: TrialCounts) -> str:
    """Say how responses came about, and how areas differ in size."""
    n = counts.n_trials()
    spread = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
    said = f"Responses of {name}: mean over {spread} trials of {counts.counted}."
    sizes = {stage.name: stage.n_units for stage in stages}
    if len(set(sizes.values())) == 1:
        return said
    listed = ", ".join(f"{area} {n_units}" for area, n_units in sizes.items())
    return f"{said} Areas differ in their number of units ({listed}), which moves every dimension estimate."
