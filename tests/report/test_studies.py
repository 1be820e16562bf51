from __future__ import annotations

import re

import numpy as np
import pytest

from stratoscope.report import write_report
from stratoscope.report.build import build_report
from stratoscope.sources.arrays import Arrays
from stratoscope.studies import Readout, sparse_coding
from stratoscope.studies.liu2020.protocol import Protocol
from stratoscope.testing.results import toy_results


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(6), 4)
    stages = {
        name: rng.random((6, n))[codes] + 0.2 * rng.random((24, n)) for name, n in {"V1": 9, "V4": 12, "IT": 10}.items()
    }
    source = Arrays(stages, columns={"category": codes.astype(str)}, name="a <cortex>")
    protocol = Protocol(n_subsets=2, n_resamples=20)
    return sparse_coding(source, source.stimuli(), protocol=protocol, readout=Readout(stepwise=True), progress=False)


def test_claims_come_first_and_figures_after(study):
    titles = [section.title for section in build_report(study.results).sections]
    assert titles == [
        "What the paper claims, and what was found", "Sparseness along the stages", "Controls", "Sparseness and read-out",
        "Distribution of activations",
    ]  # fmt: skip


def test_the_page_holds_every_claim_with_verdict_numbers_and_n(study, tmp_path):
    page = write_report(study.results, tmp_path / "report.html").read_text()
    assert "a &lt;cortex&gt;" in page
    assert page.index("What the paper claims") < page.index("Sparseness along the stages")
    assert "Sparseness rises along the stages" in page
    assert "3 stages, 6 categories" in page
    assert page.count('<div class="live many"') == 4
    assert len(re.findall(r"<td>(supported|contradicted|undecided)</td>", page)) == len(study.claims)


def test_methods_hold_the_protocol_and_not_the_claims(study):
    names = [name for name, _ in build_report(study.results).methods]
    assert "study.protocol.normalization" in names
    assert not any("claims" in name or "findings" in name for name in names)


def test_a_run_that_is_no_study_has_no_sections():
    report = build_report(toy_results())
    assert report.sections == ()
    assert report.answer
    assert report.figures
