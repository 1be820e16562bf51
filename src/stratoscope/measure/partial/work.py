"""What must be known to play any shard of a run, and to close any of its stages, in this process or in another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.measure.closing import Closing
from stratoscope.measure.listen import Plan, category_codes, plan
from stratoscope.measure.partial.shards import Shard, cut
from stratoscope.measure.record import Settings
from stratoscope.measure.request import Asked
from stratoscope.results.records import plain
from stratoscope.types import Integers, Source, Stage, Stimuli

#: Version of what lies in the folder of a run that is not finished.
LAYOUT = 2


@dataclass(frozen=True)
class Work:
    """One run: what is played, what is asked, and where its parts are put away.

    Attributes
    ----------
    source : Source
        Prepared: its stages are known.
    stimuli : Stimuli
    asked : tuple of Asked
    settings : Settings
    said : mapping
        What the source says of itself.
    folder : Path
        Where shards and stages are put away.
    """

    source: Source
    stimuli: Stimuli
    asked: tuple[Asked, ...]
    settings: Settings
    said: Mapping[str, Any]
    folder: Path

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        return self.source.stages

    @cached_property
    def codes(self) -> tuple[Integers, list[str]] | None:
        """Category of every stimulus, and the names."""
        return category_codes(self.stimuli)

    @cached_property
    def plan(self) -> Plan:
        """What is kept of every stage; raises `BudgetTooSmall` where it does not fit."""
        n_categories = len(self.codes[1]) if self.codes else 0
        settings = self.settings
        return plan(self.stages, self.asked, len(self.stimuli), n_categories, settings.budget, settings.spool)

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """The shards of the run: they follow from what is asked, and not from who works on it."""
        return cut(len(self.stimuli), self.settings.batch_size, list(self.plan.spools.values()))

    def closing(self, n: int) -> Closing:
        """Return how the stages of this run are closed once `n` stimuli were played."""
        return Closing.of(self.stages, self.stimuli, self.asked, self.said, self.settings.seed, n)

    def manifest(self) -> dict[str, Any]:
        """Return everything that may not change when the run is taken up again, as plain values."""
        stages = {f"{one.name} ({one.unit})": [one.n_units, one.kind, one.layout, *one.shape] for one in self.stages}
        metrics = {
            f"{index}": {"metric": one.metric.name, "options": repr(sorted(one.options.items())), "units": one.units}
            for index, one in enumerate(self.asked)
        }
        settings: dict[str, Any] = {
            "seed": self.settings.seed,
            "batch_size": self.settings.batch_size,
            "shard": len(self.shards[0]),
        }
        settings |= {"spool": self.settings.spool} if self.settings.spool else {}
        said = {
            "layout": LAYOUT,
            "network": self.said,
            "stages": stages,
            "stimuli": _stimuli(self.stimuli),
            "metrics": metrics,
            "settings": settings,
            "versions": {name: _version(name) for name in ("stratoscope", "torch", "numpy")},
        }
        return dict(json.loads(json.dumps(plain(said))))

    def path_of(self, shard: Shard) -> Path:
        """Return where a shard is put away."""
        return self.folder / f"shard-{shard.index:05d}.safetensors"

    def path_of_stage(self, index: int) -> Path:
        """Return where stage number `index` is put away when it is closed."""
        return self.folder / f"stage-{index:04d}.safetensors"


def differences(before: Mapping[str, Any], now: Mapping[str, Any], where: str = "") -> list[str]:
    """Say in words what two manifests do not have in common."""
    found: list[str] = []
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key, "nothing"), now.get(key, "nothing")
        name = f"{where}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{name}: ")
        elif old != new:
            found.append(f"{name} was {_short(old)} and is {_short(new)}")
    return found


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:28]}...{text[-28:]}"


def _stimuli(stimuli: Stimuli) -> dict[str, Any]:
    columns = {name: _digest(map(str, np.asarray(values).tolist())) for name, values in stimuli.columns.items()}
    content = {"number": len(stimuli), "content": stimuli.fingerprint, "ids": _digest(stimuli.ids)}
    return {**content, "columns": columns}


def _digest(texts: Any) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)} {text}".encode(errors="surrogatepass"))
    return digest.hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
