"""Stratoscope: how the stages of a visual hierarchy reformat images.

Names are loaded when they are first used, so that metrics work, and the command line answers, without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratoscope import metrics, studies
    from stratoscope.errors import StratoscopeError
    from stratoscope.measure import profile
    from stratoscope.measure.cluster import open_cluster
    from stratoscope.results import Results, open_results
    from stratoscope.sources import Arrays, Network, Recording, lesions, open_source
    from stratoscope.stimuli import open_stimuli
    from stratoscope.sweeps import sweep
    from stratoscope.types import Estimate, Stage, Stimuli

__version__ = "0.1.0"

_HOMES = {
    "Arrays": "stratoscope.sources.arrays",
    "Estimate": "stratoscope.types",
    "Network": "stratoscope.sources.network",
    "Recording": "stratoscope.sources.recording",
    "Results": "stratoscope.results",
    "Stage": "stratoscope.types",
    "Stimuli": "stratoscope.types",
    "StratoscopeError": "stratoscope.errors",
    "open_cluster": "stratoscope.measure.cluster",
    "open_results": "stratoscope.results",
    "open_source": "stratoscope.sources.openers",
    "open_stimuli": "stratoscope.stimuli",
    "profile": "stratoscope.measure.profile",
    "sweep": "stratoscope.sweeps.run",
}
_MODULES = {
    "lesions": "stratoscope.sources.lesions",
    "metrics": "stratoscope.metrics",
    "studies": "stratoscope.studies",
}

__all__ = [
    "Arrays",
    "Estimate",
    "Network",
    "Recording",
    "Results",
    "Stage",
    "Stimuli",
    "StratoscopeError",
    "lesions",
    "metrics",
    "open_cluster",
    "open_results",
    "open_source",
    "open_stimuli",
    "profile",
    "studies",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'stratoscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
