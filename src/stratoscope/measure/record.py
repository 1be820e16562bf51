"""Everything that was asked of a run, as plain values for ``run.toml``."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stratoscope.errors import BadInput
from stratoscope.measure.request import Asked
from stratoscope.stimuli import describe_stimuli
from stratoscope.summaries.formats import bytes_of
from stratoscope.types import Played, Stage, Stimuli

_LIBRARIES = (
    "stratoscope",
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "numpy",
    "scipy",
    "xarray",
    "zarr",
    "pillow",
)


@dataclass(frozen=True)
class Settings:
    """How a run is carried out; none of it may change a number beyond rounding, that to 16 bits of `spool` included."""

    batch_size: int
    workers: int
    budget: int
    seed: int
    skip_unreadable: bool
    progress: bool
    extrapolate: bool = False
    spool: str | None = None

    def __post_init__(self) -> None:
        bytes_of(self.spool)
        if self.batch_size < 1 or self.workers < 0:
            raise BadInput(
                f"A run needs at least 1 stimulus a batch and no negative number of workers, but batch_size is "
                f"{self.batch_size} and workers {self.workers}. Give batch_size=32 and workers=2, say."
            )
        if self.seed < 0:
            raise BadInput(f"A seed is a whole number from 0 up, but {self.seed} came. Give seed=0, say.")


def record(
    source: Mapping[str, Any],
    stages: Sequence[Stage],
    stimuli: Stimuli,
    asked: Sequence[Asked],
    played: Played,
    settings: Settings,
) -> dict[str, Any]:
    """Write down what `source` says of itself, the stimuli and their hash, stages, units, metrics, seed and versions."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": dict(source),
        "stimuli": {**describe_stimuli(stimuli), "played": played.n, "skipped": len(played.skipped)},
        "stages": [
            {"name": stage.name, "unit": stage.unit, "units": stage.n_units, "depth": stage.depth, "kind": stage.kind}
            for stage in stages
        ],
        "metrics": {one.name: {"options": dict(one.options), "units": list(one.units)} for one in asked},
        "settings": {
            "seed": settings.seed,
            "batch_size": settings.batch_size,
            "workers": settings.workers,
            "budget_bytes": settings.budget,
            "skip_unreadable": settings.skip_unreadable,
            "spool": settings.spool or "as they come",
        },
        "versions": {"python": platform.python_version(), "system": platform.platform(), **_versions()},
    }


@cache
def _versions() -> dict[str, str]:
    """Read what is installed, once a process: it takes as long as a batch."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
