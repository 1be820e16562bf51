"""How the stages of one run are closed: the same for each of them, in this process or in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.measure.close import close_stage
from stratoscope.measure.not_finite import why_not_finite
from stratoscope.measure.request import Asked
from stratoscope.results import StageResult
from stratoscope.types import Stage, Stimuli, Summary


@dataclass(frozen=True)
class Closing:
    """What every stage's metrics are told about the run.

    Attributes
    ----------
    stages : tuple of Stage
    asked : tuple of Asked
    n : int
        Stimuli that were played.
    lesion : str
    seed : int
    ids : tuple of str
    labels : array (stimulus,), or None
    columns : mapping of str to array (stimulus,)
    said : mapping
        What the source says of itself.
    """

    stages: tuple[Stage, ...]
    asked: tuple[Asked, ...]
    n: int
    lesion: str
    seed: int
    ids: tuple[str, ...]
    labels: Any
    columns: Mapping[str, Any]
    said: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        stages: Sequence[Stage],
        stimuli: Stimuli,
        asked: Sequence[Asked],
        said: Mapping[str, Any],
        seed: int,
        n: int,
    ) -> Closing:
        """Collect it from the run; a lesion that was drawn brings its own seed."""
        lesion, drawn = str(said.get("lesion") or ""), said.get("seed")
        return cls(
            stages=tuple(stages),
            asked=tuple(asked),
            n=n,
            lesion="" if lesion == "intact" else lesion,
            seed=seed if drawn is None else drawn,
            ids=stimuli.ids,
            labels=None if stimuli.categories is None else np.asarray(stimuli.categories).astype(str),
            columns=stimuli.columns,
            said=said,
        )

    @property
    def compared(self) -> bool:
        """Whether a metric compares stages, for which their Gram matrices must be kept."""
        return any(one.between_stages for one in self.asked)

    def close(self, stage: Stage, kept: Mapping[str, Summary], broken: Sequence[int] | None) -> tuple[StageResult, Any]:
        """Compute every metric of `stage`; return the result, and the Gram matrix where stages are compared."""
        result, gram = close_stage(
            stage,
            kept,
            self.asked,
            n=self.n,
            lesion=self.lesion,
            seed=self.seed,
            smallest=min(other.n_units for other in self.stages if other.unit == stage.unit),
            broken=why_not_finite(broken, self.ids, self.said),
            labels=self.labels,
            ids=self.ids,
            columns=self.columns,
        )
        return result, {"gram": gram["gram"]} if self.compared and gram is not None else None
