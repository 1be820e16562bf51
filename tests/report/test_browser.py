"""The report in a browser: nothing is asked of anybody, figures answer, names are harmless, everybody can read it."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from stratoscope.measure import profile
from stratoscope.report import write_report
from stratoscope.report.html import MOST_ROWS
from stratoscope.results import Results, Row, StageResult
from stratoscope.sources.arrays import Arrays
from stratoscope.studies import Readout, compare, given_rdms, sparse_coding
from stratoscope.studies.liu2020.protocol import Protocol
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage, Stimuli

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed; it draws the report for these tests"
)
REPORTS = ("run_report", "comparison_report", "study_report", "closer_report")
HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes\" & 'apostrophes' </script>",
    "emoji 🐀🧠",
    "x" * 300,
    "שלום עולם",
    "<img src=x onerror=alert(1)>",
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser):
    """Open a report; hands over the page, and lists of what went wrong and of what was asked for."""
    pages = []

    def open_page(path, width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        wrong, asked = [], []
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        for figure in page.query_selector_all("[data-live]"):
            figure.evaluate("one => one.closest('figure').scrollIntoView()")
            page.wait_for_function("one => one.querySelector('.main-svg') !== null", arg=figure)
        return page, wrong, asked

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def study_report(tmp_path_factory):
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(6), 4)
    stages = {
        name: rng.random((6, n))[codes] + 0.2 * rng.random((24, n)) for name, n in {"V1": 9, "V4": 12, "IT": 10}.items()
    }
    source = Arrays(stages, columns={"category": codes.astype(str)}, name="a <cortex>")
    protocol = Protocol(n_subsets=2, n_resamples=20)
    study = sparse_coding(source, source.stimuli(), protocol=protocol, readout=Readout(stepwise=True), progress=False)
    return write_report(study.results, tmp_path_factory.mktemp("browser") / "report.html")


@pytest.fixture(scope="module")
def closer_report(tmp_path_factory):
    rng = np.random.default_rng(0)
    columns = {"category": np.repeat(["a", "b", "c"], 6), "luminance": rng.random(18)}
    ids = [f"image {row}" for row in range(18)]
    shown = Stimuli("made", tuple(ids), lambda row: Image.new("RGB", (40, 30), (9 * row, 90, 0)), columns)
    source = Arrays({name: rng.random((18, 12)) for name in ("V1", "LM", "LL")}, ids=ids, name="cortex")
    asked = ["rdm", "cka", "lifetime_sparseness", ("unit_information", {"values": "luminance"})]
    results = profile(source, shown, metrics=asked, progress=False)
    return write_report(results, tmp_path_factory.mktemp("browser") / "report.html")


def panels(page, index):
    """Return what the panels of a figure hold: names of traces, types, and shapes, in order."""
    return page.evaluate(
        f"[...document.querySelectorAll('[data-live]')[{index}].children].map(one => ({{ names: one.data.map(line => line.name || ''),"
        " types: one.data.map(line => line.type), shapes: one.layout.shapes.length, ticks: one.layout.xaxis.ticktext || [] }))"
    )


def traces(page, index=0):
    return page.evaluate(f"document.querySelectorAll('[data-live]')[{index}].data.map(one => one.name || '')")


def shapes(page):
    return page.evaluate(
        "[...document.querySelectorAll('[data-live]:not(.many)')].map(one => one.layout.shapes.length)"
    )


@pytest.fixture(scope="module")
def run_report(tmp_path_factory):
    both = Results.combine([toy_results(), toy_results(lesion="permute_weights", seed=1)])
    return write_report(both, tmp_path_factory.mktemp("browser") / "report.html")


@pytest.fixture(scope="module")
def comparison_report(tmp_path_factory):
    rng = np.random.default_rng(0)
    ids = [f"image-{row}" for row in range(12)]
    points = [np.abs(np.subtract.outer(*[rng.normal(size=12)] * 2)) for _ in range(4)]
    one = given_rdms("network", dict(zip(("conv1", "conv2"), points[:2], strict=True)), ids, distance="euclidean")
    other = given_rdms("cortex", dict(zip(("V1", "IT"), points[2:], strict=True)), ids, distance="euclidean")
    study = compare([one, other], n_draws=10)
    return study.report(tmp_path_factory.mktemp("browser") / "report.html")


@pytest.mark.parametrize(
    ("report", "width", "scheme"),
    [
        *((report, 360, "dark") for report in REPORTS),  # where something would stick out
        *((report, 1280, "light") for report in REPORTS[::2]),
        *((report, 1920, "dark") for report in REPORTS[1::2]),
    ],
)
def test_it_opens_from_disk_without_an_error_or_a_request_and_nothing_sticks_out(
    request, opened, report, width, scheme
):
    path = request.getfixturevalue(report)
    page, wrong, asked = opened(path, width, scheme)
    assert wrong == []
    assert asked == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("figure.is-live").count() == page.locator("[data-live]").count() > 0
    assert page.locator("figure.is-live .drawing >> visible=true").count() == 0


def test_a_point_tells_its_stage_value_interval_and_n(opened, run_report):
    page, _, _ = opened(run_report)
    first = page.locator("[data-live]").first
    first.scroll_into_view_if_needed()
    point = first.locator(".scatterlayer .trace .points path").first.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    label = first.locator(".hoverlayer text").first
    label.wait_for()
    words = label.text_content()
    assert "conv1.relu" in words
    assert "n = " in words
    assert "[" in words


def test_controls_and_intervals_and_lines_can_be_hidden(opened, run_report):
    page, wrong, _ = opened(run_report)
    everything = traces(page)
    assert any(name.startswith("control: ") for name in everything)
    page.uncheck("#tool-controls")
    without = traces(page)
    assert not any(name.startswith("control: ") for name in without)
    page.uncheck("#tool-bands")
    assert sorted(traces(page)) == sorted(name for name in without if name)
    page.locator("#tool-lines").get_by_label("permuted weights").uncheck()
    assert traces(page) == ["intact"]
    assert "permuted weights" not in traces(page, 2)
    assert wrong == []


def test_a_stage_chosen_in_one_place_is_shown_in_all(opened, run_report):
    page, wrong, _ = opened(run_report)
    assert sum(shapes(page)) == 0
    page.select_option("#tool-stage", "conv3.relu")
    kinds = page.evaluate(
        "[...document.querySelectorAll('script[id^=live-]')].map(one => JSON.parse(one.textContent).kind)"
    )
    assert all(shapes(page))
    assert len(shapes(page)) == kinds.count("curves")
    assert page.locator("tr.chosen").count() > 0
    assert set(page.locator("tr.chosen td").all_text_contents()) >= {"conv3.relu"}
    assert page.text_content("#tool-said").startswith("conv3.relu: ")
    page.select_option("#tool-stage", "")
    assert sum(shapes(page)) == page.locator("tr.chosen").count() == 0
    assert wrong == []


def test_a_study_answers_panel_by_panel(opened, study_report):
    page, wrong, _ = opened(study_report)
    hierarchy = panels(page, 0)
    assert [one["types"][0] for one in hierarchy] == ["scatter", "scatter"]
    assert hierarchy[1]["ticks"] == ["V1", "V4", "IT"]
    page.select_option("#tool-stage", "V4")
    assert [one["shapes"] for one in panels(page, 0)] == [0, 1]
    assert page.text_content("#tool-said").startswith("V4: ")
    page.select_option("#tool-stage", "")
    page.uncheck("#tool-bands")
    assert len(panels(page, 0)[1]["names"]) < len(hierarchy[1]["names"])
    last = page.locator("[data-live] .panel").nth(1)
    last.scroll_into_view_if_needed()
    point = last.locator(".scatterlayer .trace .points path").first.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    label = last.locator(".hoverlayer text").first
    label.wait_for()
    assert "V1" in label.text_content()
    assert "[" in label.text_content()
    assert wrong == []


def test_matrices_and_units_answer(opened, closer_report):
    page, wrong, _ = opened(closer_report)
    titles = page.locator("figure h3").all_text_contents()
    between, stimuli = titles.index("CKA between stages, unit"), titles.index("Dissimilarity of stimuli")
    assert panels(page, between)[0]["types"] == ["heatmap"]
    assert [one["types"] for one in panels(page, stimuli)] == [["heatmap"]] * 3
    heat = page.locator("[data-live]").nth(stimuli).locator(".panel").first
    heat.scroll_into_view_if_needed()
    box = heat.locator(".heatmaplayer").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    label = heat.locator(".hoverlayer text").first
    label.wait_for()
    assert label.text_content().count("image ") == 2
    assert "dissimilarity: " in label.text_content()
    paired = next(place for place, title in enumerate(titles) if " against " in title)
    page.select_option("#tool-stage", "LM")
    opacity = page.evaluate(
        f"document.querySelectorAll('[data-live]')[{paired}].children[0].data.map(one => one.opacity)"
    )
    assert sorted(opacity) == [0.2, 0.2, 1]
    assert panels(page, between)[0]["shapes"] == 1
    assert page.locator(".examples img").count() == 12
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert wrong == []


def test_zoom_into_a_panel_is_undone(opened, study_report):
    page, _, _ = opened(study_report)
    own = "document.querySelector('[data-live]').children[1]"
    before = page.evaluate(f"{own}.layout.xaxis.range")
    page.evaluate(f"Plotly.relayout({own}, {{'xaxis.range': [0.2, 0.4]}})")
    page.click("#tool-zoom")
    assert page.evaluate(f"{own}.layout.xaxis.range") == before


def test_a_click_on_a_point_chooses_its_stage(opened, run_report):
    page, _, _ = opened(run_report)
    first = page.locator("[data-live]").first
    first.scroll_into_view_if_needed()
    point = first.locator(".scatterlayer .trace .points path").first.bounding_box()
    page.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.wait_for_function("document.querySelector('#tool-stage').value !== ''")
    assert page.input_value("#tool-stage") == "conv1.relu"


def test_zoom_is_undone_by_a_button_that_the_keyboard_reaches(opened, run_report):
    page, _, _ = opened(run_report)
    page.evaluate("Plotly.relayout(document.querySelector('[data-live]'), {'xaxis.range': [0.2, 0.4]})")
    page.focus("#tool-zoom")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('[data-live]').layout.xaxis.range") == [-0.03, 1.03]
    page.focus("#tool-stage")
    names = [page.evaluate("document.activeElement.id")]
    for _ in range(2):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.id"))
    assert names == ["tool-stage", "tool-controls", "tool-bands"]


def test_the_page_is_light_or_dark_as_asked(opened, run_report):
    page, _, _ = opened(run_report)
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "document.querySelector('[data-live]').layout.font.color"
    light = page.evaluate(ground), page.evaluate(ink)
    page.select_option("#tool-theme", "dark")
    dark = page.evaluate(ground), page.evaluate(ink)
    assert light[0] == "rgb(255, 255, 255)"
    assert dark[0] == "rgb(20, 23, 29)"
    assert light[1] != dark[1]


def test_of_many_rows_the_table_is_built_when_it_is_opened(opened, tmp_path):
    stage = Stage("a", 0.5, "relu", (3,), "channel", 3, hierarchy="net")
    rows = tuple(Row.of(stage, "two_nn", float(i), n=i, note="<b>&") for i in range(MOST_ROWS + 1))
    page, wrong, _ = opened(
        write_report(Results.build({}, [StageResult(stage, {}, rows)], {}), tmp_path / "report.html")
    )
    assert page.locator("#whole tr").count() == 0
    page.locator("summary", has_text="The whole table").click()
    page.locator("#whole tr").last.wait_for()
    assert page.locator("#whole tr").count() == MOST_ROWS + 1
    assert page.locator("#whole tr").last.locator("td").last.text_content() == "<b>&"
    assert wrong == []


def test_on_paper_the_still_drawings_stand(opened, run_report):
    page, _, _ = opened(run_report)
    page.emulate_media(media="print")
    assert page.locator(".drawing >> visible=true").count() == page.locator(".drawing").count()
    assert page.locator(".live >> visible=true").count() == page.locator(".tools >> visible=true").count() == 0


def test_hostile_names_do_no_harm_and_are_shown_as_they_are(opened, tmp_path):
    stages = [
        Stage(name, (i + 1) / 6, "relu", (3,), "channel", 3, hierarchy=HOSTILE[0]) for i, name in enumerate(HOSTILE)
    ]
    closed = [
        StageResult(one, {}, (Row.of(one, "two_nn", 3.0 + i, 2.0, 6.0, n=9, note=HOSTILE[5]),))
        for i, one in enumerate(stages)
    ]
    page, wrong, asked = opened(write_report(Results.build({}, closed, {}), tmp_path / "report.html"))
    assert wrong == []
    assert len(asked) == 1
    options = page.locator("#tool-stage option").all_text_contents()
    assert options == ["none", *HOSTILE]
    cells = page.locator("td").all_text_contents()
    assert all(name in cells for name in HOSTILE)
    ticks = page.locator("[data-live] .xtick text").all_text_contents()
    assert "שלום עולם" in ticks
    assert any(tick.startswith("<script>ale") for tick in ticks)
    assert page.locator("img").count() == 0


@pytest.mark.parametrize(
    ("report", "schemes"), [(REPORTS[0], ("light", "dark")), *((report, ("dark",)) for report in REPORTS[1:])]
)
def test_nothing_keeps_anybody_from_reading_it(request, opened, report, schemes):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for scheme in schemes:
        page, _, _ = opened(request.getfixturevalue(report), scheme=scheme)
        found = axe.Axe().run(page).response["violations"]
        serious = [
            (one["id"], node["html"][:120])
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        assert serious == []
