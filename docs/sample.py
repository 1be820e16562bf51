"""Write the sample report of the documentation from the folder of `stratoscope demo`: python docs/sample.py demo-run.

The same results give the same bytes: the time and the machine of the run, which say nothing about the numbers, are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stratoscope.report import write_report
from stratoscope.results import Results, open_results

TARGET = Path(__file__).resolve().parent / "sample-report.html"


def anonymous(results: Results) -> Results:
    """Return `results` without when and on which machine they were made."""
    return replace(results, run={**results.run, "runs": [_without(run) for run in results.run["runs"]]})


def _without(run: Mapping[str, Any]) -> dict[str, Any]:
    versions = {name: one for name, one in run["versions"].items() if name != "system"}
    return {**{name: one for name, one in run.items() if name != "made"}, "versions": versions}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give the folder of the demo: python docs/sample.py demo-run")
    write_report(anonymous(open_results(sys.argv[1])), TARGET)
