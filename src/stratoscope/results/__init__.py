"""Results: what a run measured, in memory and as a folder that opens years later without the network."""

from stratoscope.results.declared import Declared, declared
from stratoscope.results.examples import Examples
from stratoscope.results.folder import SCHEMA, check_target, open_results
from stratoscope.results.records import COLUMNS, Row, StageResult, Values, estimate_arrays
from stratoscope.results.results import Results

__all__ = [
    "COLUMNS",
    "SCHEMA",
    "Declared",
    "Examples",
    "Results",
    "Row",
    "StageResult",
    "Values",
    "check_target",
    "declared",
    "estimate_arrays",
    "open_results",
]
