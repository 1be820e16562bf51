from __future__ import annotations

import shutil
import subprocess

import pandas as pd
import pytest
from click.testing import CliRunner

from stratoscope.cli import main
from stratoscope.errors import MissingExtra, ResultsError, UnknownName
from stratoscope.results import Results, Row, StageResult
from stratoscope.results.export import export_table, latex_table, sparkline, summary
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage

NASTY = r"a_b & 100% \evil{$x$} ~^# <script>"


@pytest.fixture(scope="module")
def results():
    return toy_results()


def test_csv_and_parquet_hold_every_row_as_it_was(results, tmp_path):
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        back = read(export_table(results, tmp_path / f"table{suffix}"))
        pd.testing.assert_frame_equal(
            back[["stage", "metric", "value", "low", "high", "n"]],
            results.table()[["stage", "metric", "value", "low", "high", "n"]],
            check_dtype=False,
        )
        assert len(back) == len(results.rows)


def test_the_latex_table_has_a_line_a_stage_and_a_column_a_metric(results):
    text = latex_table(results)
    assert text.startswith("\\begin{tabular}{lrrrr}\n\\toprule\nstage & population sparseness &")
    body = [line for line in text.splitlines() if line.startswith(("conv", "fc"))]
    assert len(body) == 8
    assert all(line.count("&") == 4 and line.endswith(r" \\") for line in body)
    row = next(row for row in results.rows if row.stage == "conv1.relu" and row.metric == "two_nn" and not row.control)
    assert f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]" in body[0]


def test_names_in_latex_are_shown_as_they_are():
    stage = Stage(NASTY, 0.5, "relu", (3,), "channel", 3, hierarchy=NASTY)
    results = Results.build({}, [StageResult(stage, {}, (Row.of(stage, "two_nn", 3.0, n=9),))], {})
    text = latex_table(results)
    assert r"a\_b \& 100\% \textbackslash{}evil\{\$x\$\} \textasciitilde{}\textasciicircum{}\# <script> & 3" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_takes_the_table(results, tmp_path):
    page = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}" + latex_table(results) + "\\end{document}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    subprocess.run(["pdflatex", "-interaction=batchmode", "-halt-on-error", "page.tex"], cwd=tmp_path, check=True)
    assert (tmp_path / "page.pdf").is_file()


def test_a_sparkline_goes_from_the_smallest_to_the_largest():
    assert sparkline([0, 1, 2, float("nan"), 7]) == "▁▂▃ █"
    assert sparkline([3, 3, 3]) == "▁▁▁"
    assert sparkline([]) == ""
    assert len(sparkline(list(range(100)), 5)) == 5
    assert sparkline(list(range(100)), 5)[0] + sparkline(list(range(100)), 5)[-1] == "▁█"


def test_the_summary_has_a_line_a_metric_and_tells_lesions_apart(results):
    lines = summary(results).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == [
        "population sparseness channel",
        "dead fraction channel",
        "two nn position",
        "gride position",
    ]
    both = summary(Results.combine([results, toy_results(lesion="permute_weights")]))
    assert "two nn intact" in both
    assert "two nn permute_weights" in both


def test_the_command_shows_bars_or_writes_the_file(results, tmp_path):
    results.save(tmp_path / "run")
    shown = CliRunner().invoke(main, ["table", str(tmp_path / "run")])
    assert shown.exit_code == 0
    assert "█" in shown.output
    written = CliRunner().invoke(main, ["table", str(tmp_path / "run"), "--out", str(tmp_path / "t.tex")])
    assert written.output == f"Table: {tmp_path / 't.tex'}\n"
    assert (tmp_path / "t.tex").read_text("utf-8") == latex_table(results)


def test_what_cannot_be_written_is_refused_in_words(results, tmp_path, monkeypatch):
    with pytest.raises(UnknownName, match="No suffix of a table is called '.xls'"):
        export_table(results, tmp_path / "t.xls")
    with pytest.raises(UnknownName, match="No format of a table is called 'latx'. Did you mean 'latex'"):
        export_table(results, tmp_path / "t.tex", "latx")
    with pytest.raises(ResultsError, match="The table cannot be written to .*: .*Choose another place"):
        export_table(results, tmp_path / "nowhere" / "t.tex")
    monkeypatch.setattr("stratoscope.results.export.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"Writing Parquet needs pyarrow.*stratoscope\[parquet\]"):
        export_table(results, tmp_path / "t.parquet")


def test_a_name_that_is_no_unicode_stays_in_the_table_and_is_refused_by_parquet(tmp_path):
    stage = Stage("bad\udc80name", 0.5, "relu", (3,), "channel", 3, hierarchy="net")
    results = Results.build({}, [StageResult(stage, {}, (Row.of(stage, "two_nn", 3.0, n=9),))], {})
    assert results.table()["stage"].tolist() == ["bad\udc80name"]
    with pytest.raises(ResultsError, match="no valid Unicode.*Rename it"):
        export_table(results, tmp_path / "t.parquet")
