"""Sources: whatever can play stimuli through stages, and the lesions that turn one source into another.

Names are loaded when they are first used: responses and recordings are played without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratoscope.sources import lesions
    from stratoscope.sources.arrays import Arrays
    from stratoscope.sources.network import Network
    from stratoscope.sources.openers import open_source
    from stratoscope.sources.recording import Recording

_HOMES = {"Arrays": "arrays", "Network": "network", "Recording": "recording", "open_source": "openers"}

__all__ = ["Arrays", "Network", "Recording", "lesions", "open_source"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name == "lesions":
        return importlib.import_module(f"{__name__}.lesions")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
