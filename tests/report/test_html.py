"""The report is one file, whole, escaped, and asks for nothing."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from stratoscope.errors import ResultsError
from stratoscope.report import build_report, write_report
from stratoscope.report.html import linked, prose
from stratoscope.results import COLUMNS, Declared, Results, Row, StageResult, Values, open_results
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage

#: Scripts hold no request of their own: the browser is asked in test_browser.
SCRIPTS = re.compile(r"<script.*?</script>", re.DOTALL)
VOID = {"meta", "link", "br", "path", "use", "input"}


class Page(HTMLParser):
    """Reads ids, links and whether tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.sources, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.links += [attrs[key] for key in ("href", "xlink:href") if key in attrs]
        self.sources += [attrs["src"]] if "src" in attrs else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    both = Results.combine([toy_results(), toy_results(lesion="permuted weights", seed=1)])
    path = write_report(both, tmp_path_factory.mktemp("report") / "report.html")
    return path.read_text(encoding="utf-8")


def without_scripts(text):
    return SCRIPTS.sub("", text)


def test_it_is_well_formed_with_unique_ids_and_links_that_lead_somewhere(page):
    read = Page(without_scripts(page))
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)


def test_it_asks_for_nothing_from_anywhere(page):
    read = Page(without_scripts(page))
    assert read.sources == []
    assert all(link.startswith(("#", "https://doi.org/", "data:")) for link in read.links)
    assert re.findall(r"<script[^>]*\bsrc", page) == []
    assert not re.search(r"@import|url\((?!#)", without_scripts(page))
    assert "default-src 'none'" in page  # the browser itself refuses every request


def test_it_has_the_answer_figures_warnings_table_notes_and_provenance(page):
    text = Page(without_scripts(page)).text
    for words in (
        "Along the 8 stages of toynet",
        "When it misleads. Responses must not be negative.",
        "120 stimuli have 4 distinct responses; TwoNN needs 10.",
        "cup/12.png: the file is truncated",
        "runs.2.source.lesion",
        "An invented paper (2026).",
    ):
        assert words in text
    assert without_scripts(page).count("<svg") == page.count('<div class="live') == 5


def test_figures_take_the_colours_of_the_page(page):
    figures = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "var(--ink)" in figures
    assert "#1f2430" not in figures


def test_words_from_outside_are_escaped(tmp_path):
    evil = "<script>alert(1)</script>"
    stage = Stage(evil, 0.5, "relu", (2,), "channel", 2, "flat", evil)
    rows = (Row.of(stage, "m", float("nan"), n=1, note=evil),)
    said = [Declared("m", evil, misleads=evil, paper=evil)]
    run = {"name": evil, evil: 1}
    results = Results.build(
        run, [StageResult(stage, {}, rows)], {}, metrics=said, remarks=[evil], skipped=[(evil, evil)]
    )
    text = results.report(tmp_path / "r.html").read_text()
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "</script>" not in re.search(r'id="live-m-over-depth">(.*?)</script>', text)[1]


def test_names_in_any_script_reach_the_page(tmp_path):
    text = (
        toy_results(["猫 $x$", "bad\udc80name"], hierarchy="猫 & <net>")
        .report(tmp_path / "r.html")
        .read_text(encoding="utf-8")
    )
    assert "<h1>猫 &amp; &lt;net&gt;</h1>" in text
    assert Page(without_scripts(text)).open == []


def test_an_empty_run_has_a_report(tmp_path):
    text = write_report(Results.build({}, [], {}), tmp_path / "r.html").read_text()
    assert "Nothing was measured at two stages or more." in text


def test_a_saved_run_gives_the_same_report(tmp_path):
    results = toy_results()
    assert build_report(open_results(results.save(tmp_path / "run"))) == build_report(results)


def test_a_doi_is_a_link_and_the_rest_is_text():
    said = str(linked("Doe & Roe 2020, doi:10.1000/ab-c(1), and <more>."))
    assert (
        said
        == 'Doe &amp; Roe 2020, <a href="https://doi.org/10.1000/ab-c(1">doi:10.1000/ab-c(1</a>), and &lt;more&gt;.'
    )


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("Read `gride` first.", "Read <code>gride</code> first."),
        ('With ``silent="zero"`` it', "With <code>silent=&#34;zero&#34;</code> it"),
        ("`<b>` by doi:10.1000/x.", '<code>&lt;b&gt;</code> by <a href="https://doi.org/10.1000/x">doi:10.1000/x</a>.'),
        ("one ` alone", "one ` alone"),
    ],
)
def test_backticks_become_code(text, page):
    assert str(prose(text)) == page


def test_lesions_are_words_everywhere_but_in_the_whole_table_and_in_what_was_asked(tmp_path):
    both = Results.combine([toy_results(), toy_results(lesion="permute_weights", seed=1)])
    report = build_report(both)
    assert dict(report.facts)["lesion"] == "intact, permuted weights"
    assert {row[1] for row in report.overview.body} == {"intact", "permuted weights"}
    assert {row[COLUMNS.index("lesion")] for row in report.table.body} == {"", "permute_weights"}
    shown = (report.answer, str(report.details), *(figure.svg + figure.caption for figure in report.figures))
    assert all("permute_weights" not in words for words in shown)
    assert any("permuted weights" in words for words in shown)


def test_only_papers_are_to_be_cited():
    said = [Declared("a", paper="Doe 2004, doi:10.1000/x"), Declared("b", paper="arithmetic mean")]
    assert build_report(Results.build({}, [], {}, metrics=said)).citations == (("a", "Doe 2004, doi:10.1000/x"),)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"^The report could not be written to .*: .*\. Choose another file\.$"):
        write_report(toy_results(), tmp_path / "file" / "r.html")


def test_a_failing_write_leaves_the_old_report(tmp_path, monkeypatch):
    path = tmp_path / "r.html"
    path.write_text("old")
    monkeypatch.setattr(
        "pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(ResultsError, match=r"no space left on device"):
        write_report(Results.build({}, [], {}), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_a_page_without_live_figures_carries_no_library(tmp_path):
    text = write_report(Results.build({}, [], {}), tmp_path / "r.html").read_text()
    assert "<script" not in text
    assert len(text) < 50_000


def test_the_same_results_give_the_same_bytes(tmp_path):
    one, other = (write_report(toy_results(), tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert one == other


def test_many_stages_and_categories_make_a_page_that_opens(tmp_path):
    """200 stages x 1,000 categories x 12 metrics stay under 15 MB: measured on two metrics, which all cost the same."""
    rng = np.random.default_rng(0)
    sizes = {}
    for metrics in (("a",), ("a", "b", "c")):
        closed = []
        for index in range(200):
            stage = Stage(f"layer{index}.relu", (index + 1) / 200, "relu", (64, 7, 7), "channel", 64, hierarchy="large")
            arrays = {name: Values(rng.normal(0.3, 0.1, 1000), ("category",)) for name in metrics}
            rows = [
                Row.of(stage, name, 0.3, 0.2, 0.4, n=1000, control=control)
                for name in metrics for control in ("", "structureless", "size-matched to 64 units")
            ]  # fmt: skip
            closed.append(StageResult(stage, arrays, tuple(rows)))
        results = Results.build({}, closed, {"category": np.array([f"category {row}" for row in range(1000)])})
        sizes[len(metrics)] = write_report(results, tmp_path / "r.html").stat().st_size
    each = (sizes[3] - sizes[1]) / 2
    assert sizes[1] + 11 * each < 15e6


def test_a_run_without_a_single_value_says_so(tmp_path):
    stages = [
        Stage(name, depth, "relu", (3,), "channel", 3, hierarchy="net") for name, depth in (("a", 0.5), ("b", 1.0))
    ]
    rows = [(Row.of(stage, "two_nn", float("nan"), n=0, note="TwoNN needs 6 stimuli, 3 came."),) for stage in stages]
    results = Results.build({}, [StageResult(*both) for both in zip(stages, ({}, {}), rows, strict=True)], {})
    text = Page(without_scripts(write_report(results, tmp_path / "r.html").read_text())).text
    assert "Nothing was measured at two stages or more." in text
    assert "TwoNN needs 6 stimuli, 3 came." in text
    assert results.failures  # which ends the command with 1
