"""A study that was run: results whose ``run.toml`` also holds the protocol, the claims and what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from stratoscope.errors import ResultsError
from stratoscope.results import Results, open_results
from stratoscope.statistics.claims import Finding, claims_table

#: The claims beside the results, for readers without this package.
CLAIMS = "claims.csv"


@dataclass(frozen=True)
class Study:
    """Results of all runs of a study, with the protocol and the verdicts on the paper's claims.

    Attributes
    ----------
    results : Results
        Intact and lesioned runs side by side; ``results.run["study"]`` holds everything this record shows.
    """

    results: Results

    @property
    def name(self) -> str:
        """Name of the study, such as ``sparse-coding``."""
        return str(self._said["name"])

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What was asked, as plain values."""
        return dict(self._said["protocol"])

    @property
    def findings(self) -> tuple[str, ...]:
        """Verdict and numbers of every claim, in sentences; the first sums up what the controls leave."""
        return (str(self._said["summary"]), *map(str, self._said["findings"]))

    @property
    def claims(self) -> pd.DataFrame:
        """One row for every claim and control, see `stratoscope.statistics.claims.claims_table`."""
        return pd.DataFrame(self._said["claims"])

    @property
    def _said(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self.results.run["study"]
        return said

    def table(self) -> pd.DataFrame:
        """Return the tidy table of all runs, see `Results.table`."""
        return self.results.table()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Save results and claims to the folder `path`, see `Results.save`; the claims also as ``claims.csv``."""
        folder = self.results.save(path, overwrite=overwrite)
        self.claims.to_csv(folder / CLAIMS, index=False)
        return folder

    def report(self, path: str | Path) -> Path:
        """Write the report, claims first; see `Results.report`."""
        return self.results.report(path)

    def __repr__(self) -> str:
        """Say what was found, one claim a line."""
        return "\n".join([f"Study {self.name}.", *self.findings])


def make_study(
    parts: Sequence[Results],
    name: str,
    protocol: Mapping[str, Any],
    findings: Sequence[Finding],
    summary: str,
    remarks: Sequence[str] = (),
    told: Sequence[Mapping[str, Any]] = (),
) -> Study:
    """Put the runs of a study and what was found into one record; `told` are rows of claims judged before."""
    joined = Results.combine(parts)
    judged: list[Mapping[Any, Any]] = list(claims_table(findings).to_dict("records"))
    said = {
        "name": name,
        "summary": summary,
        "findings": [finding.sentence() for finding in findings],
        "protocol": dict(protocol),
        "claims": [{str(key): _plain(value) for key, value in row.items()} for row in (*told, *judged)],
    }
    noted = tuple(dict.fromkeys((*remarks, *joined.remarks)))
    return Study(replace(joined, run={"study": said, **joined.run}, remarks=noted))


def open_study(path: str | Path) -> Study:
    """Open a study that was saved; nothing is computed.

    Raises
    ------
    ResultsError
        Where the folder holds no results, or results that are no study.
    """
    results = open_results(path)
    if "study" not in results.run:
        raise ResultsError(f"The results in {path} are those of a run, not of a study. Open them with open_results.")
    return Study(results)


def _plain(value: Any) -> Any:
    """Return a cell of the table as TOML takes it; an empty cell is an empty string."""
    return "" if value is None or value is pd.NA else value.item() if hasattr(value, "item") else value
