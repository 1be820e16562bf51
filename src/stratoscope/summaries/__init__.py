"""What is kept of a stream of responses: the only things that change while data flow.

Each summary has `update`, `merge` and `state`; batches may come in any order and size and the result is that of one pass.
"""

from stratoscope.summaries.categories import Categories
from stratoscope.summaries.gram import Gram
from stratoscope.summaries.joined_spool import JoinedSpool, Part
from stratoscope.summaries.neighbours import nearest_neighbours
from stratoscope.summaries.per_stimulus import PerStimulus
from stratoscope.summaries.per_unit import PerUnit
from stratoscope.summaries.settle import NeighbourTable
from stratoscope.summaries.spool import Spool
from stratoscope.summaries.unit_blocks import UnitBlocks

__all__ = [
    "Categories",
    "Gram",
    "JoinedSpool",
    "NeighbourTable",
    "Part",
    "PerStimulus",
    "PerUnit",
    "Spool",
    "UnitBlocks",
    "nearest_neighbours",
]
