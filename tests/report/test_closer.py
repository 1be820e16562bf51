"""A closer look, and the stimuli: what a run holds is shown, what it does not hold is said."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

import stratoscope as st
from stratoscope.report import build_report, write_report
from stratoscope.report.stimuli import MOST_LISTED, shown_stimuli
from stratoscope.results import Results
from stratoscope.sources.arrays import Arrays
from stratoscope.stimuli.examples import choose_examples
from stratoscope.testing.results import toy_results
from stratoscope.types import Stimuli


def stimuli(n=30, name="image {}"):
    columns = {
        "category": np.array([f"c{row % 3}" for row in range(n)]), "luminance": np.linspace(0, 1, n),
        "tilt": np.where(np.arange(n) % 2 == 0, np.nan, 30.0),
    }  # fmt: skip
    ids = tuple(name.format(row) for row in range(n))
    return Stimuli("made", ids, lambda row: Image.new("RGB", (60, 40), (8 * row % 255, 0, 90)), columns)


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(0)
    shown = stimuli()
    source = Arrays({name: rng.random((30, 12)) for name in ("V1", "LM")}, ids=shown.ids, name="cortex")
    asked = ["rdm", "cka", "lifetime_sparseness", ("unit_information", {"values": "luminance"})]
    return st.profile(source, shown, metrics=asked, progress=False)


def test_stages_stimuli_and_units_have_sections_whose_figures_are_live(results):
    report = build_report(results)
    assert [section.title for section in report.closer] == [
        "Stages beside each other",
        "Stimuli beside each other",
        "Single units",
    ]
    figures = [figure for section in report.closer for figure in section.figures]
    assert [figure.title for figure in figures] == [
        "CKA between stages, unit", "Dissimilarity of stimuli", "Lifetime sparseness of single units",
        "Unit information about luminance of single units", "Unit information about luminance against lifetime sparseness",
    ]  # fmt: skip
    lives = [json.loads(figure.live) for figure in figures]
    assert all(live["kind"] == "panels" and live["panels"] for live in lives)
    assert lives[0]["stages"] == ["LM", "V1"]
    assert lives[1]["stages"] == []
    assert lives[3]["stages"] == ["V1", "LM"]
    assert "30 in order" not in figures[1].caption
    assert "stages have up to 12 units" in figures[2].caption


def test_a_run_without_such_arrays_has_no_such_section():
    report = build_report(Results.build({}, [], {}))
    assert report.closer == ()
    assert report.shown is None


def test_pictures_stand_in_the_page_as_they_were_shown(results, tmp_path):
    shown = shown_stimuli(results)
    assert len(shown.pictures) == 12
    assert [picture.category for picture in shown.pictures] == ["c0"] * 4 + ["c1"] * 4 + ["c2"] * 4
    first = shown.pictures[0]
    image = Image.open(io.BytesIO(base64.b64decode(first.address.split(",")[1])))
    row = int(first.name.split()[1])
    assert (image.size, image.getpixel((5, 5))) == ((60, 40), (8 * row % 255, 0, 90))
    page = write_report(results, tmp_path / "r.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == 12
    assert f'alt="c0: {first.name}"' in page


def test_properties_say_their_ends_and_what_is_missing(results):
    rows = {row[0]: row[1:] for row in shown_stimuli(results).properties.body}
    assert rows["category"] == ("name", "c0 (10), c1 (10), c2 (10)", "–", "–", "–")
    assert rows["luminance"] == ("number", "30 different", "0", "0.500", "1.00")
    assert rows["tilt"] == ("number", "1 different, 15 missing", "30.0", "30.0", "30.0")


def test_a_long_list_is_a_part_of_it_and_says_so():
    many = Results.build(
        {},
        [],
        {"stimulus": np.array([f"image {row}" for row in range(5000)])},
        columns={"luminance": np.arange(5000.0)},
    )
    shown = shown_stimuli(many)
    assert len(shown.listed.body) == MOST_LISTED
    assert (shown.listed.body[0][0], shown.listed.body[-1][0]) == ("image 0", "image 4999")
    assert shown.listed_title.startswith(f"{MOST_LISTED} of the 5,000 stimuli")


def test_a_run_without_pictures_says_why():
    assert "before they were kept" in shown_stimuli(toy_results()).notes[0]
    source = Arrays({"V1": np.ones((4, 3))}, name="cortex")
    alone = Results.build({}, [], {}, examples=choose_examples(source.stimuli()))
    assert (
        shown_stimuli(alone)
        .notes[0]
        .startswith("No example pictures of stimuli: Stimulus 'row-0' has no image: 'cortex' holds")
    )


def test_hostile_ids_do_no_harm(tmp_path):
    evil = stimuli(3, '<script>alert({})</script>" onerror="x')
    page = write_report(Results.build({}, [], {}, examples=choose_examples(evil)), tmp_path / "r.html").read_text()
    assert "<script>alert" not in page
    assert '" onerror="' not in page
    assert "&lt;script&gt;alert(0)" in page
