"""Studies: stimuli, sources, lesions, metrics and claims of a paper, run by one call and kept in one folder.

Names are loaded when they are first used, so that a study can be opened and drawn without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratoscope.studies.liu2020.readout import Readout
    from stratoscope.studies.liu2020.study import sparse_coding
    from stratoscope.studies.muratore2022.study import prune_and_distill
    from stratoscope.studies.record import Study, open_study
    from stratoscope.studies.side_by_side.geometry import given_rdms
    from stratoscope.studies.side_by_side.study import compare
    from stratoscope.studies.unit_lesions.study import ablate_by_rank

_HOMES = {
    "Readout": "stratoscope.studies.liu2020.readout",
    "Study": "stratoscope.studies.record",
    "ablate_by_rank": "stratoscope.studies.unit_lesions.study",
    "compare": "stratoscope.studies.side_by_side.study",
    "given_rdms": "stratoscope.studies.side_by_side.geometry",
    "open_study": "stratoscope.studies.record",
    "prune_and_distill": "stratoscope.studies.muratore2022.study",
    "sparse_coding": "stratoscope.studies.liu2020.study",
}
__all__ = [
    "Readout",
    "Study",
    "ablate_by_rank",
    "compare",
    "given_rdms",
    "open_study",
    "prune_and_distill",
    "sparse_coding",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'stratoscope.studies' has no attribute {name!r}")
