"""The site: its navigation has every page, it asks nobody for anything, and the gallery shows every figure."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stratoscope.figures.catalogue import FIGURES, figures_of
from stratoscope.testing.results import toy_results

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def hooks(script):
    return script("hooks")


@pytest.fixture(scope="module")
def config():
    return yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def named(nav):
    """Return every page a navigation names."""
    return [
        page for entry in nav
        for page in (
            [entry] if isinstance(entry, str)
            else [one for part in entry.values() for one in (named(part) if isinstance(part, list) else [part])]
        )
    ]  # fmt: skip


def unnamed(hooks, nav):
    """Return what to do about every page that the navigation does not name."""
    pages = hooks.all_pages(DOCS, {})
    known = named(hooks.written_out(nav, pages))
    return [
        f"docs/{page} is in no place of the site: add the line '- {page}' to nav in mkdocs.yml, under the title it fits."
        for page in pages if page not in known
    ]  # fmt: skip


def test_the_navigation_names_every_page_once(hooks, config):
    assert unnamed(hooks, config["nav"]) == []
    pages = named(hooks.written_out(config["nav"], hooks.all_pages(DOCS, {"api/stratoscope.md": ""})))
    assert len(pages) == len(set(pages))
    assert "api/stratoscope.md" in pages
    assert [page for page in pages if not page.startswith("api/") and not (DOCS / page).is_file()] == []


def test_a_page_without_a_place_is_told_where_to_go(hooks, config):
    without = [entry for entry in config["nav"] if entry != "start-here.md"]
    assert unnamed(hooks, without) == [
        (
            "docs/start-here.md is in no place of the site: add the line '- start-here.md' to nav in mkdocs.yml, under the title "
            "it fits."
        )
    ]


def test_what_a_browser_would_fetch_from_elsewhere_is_found_and_what_one_may_follow_is_not(hooks):
    page = (
        '<link href="https://fonts.example/a.css" rel="stylesheet"><script src="//cdn.example/b.js"></script>'
        "<style>@import 'https://c.example/c.css'; b { src: url(https://d.example/d.woff) }</style>"
        '<img alt="" src=https://e.example/e.png><a href="https://f.example">f</a><link rel="canonical" href="https://g.example/">'
        '<script>const words = "<img src=https://h.example/h.png>"</script><link rel="stylesheet" href="assets/i.css">'
    )
    assert [address.split("/")[2] for address in hooks.foreign(page)] == [
        "cdn.example", "c.example", "d.example", "e.example", "fonts.example",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_the_theme_as_it_is_set_up_asks_nobody_for_anything(hooks, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    build = pytest.importorskip("mkdocs.commands.build")
    from mkdocs.config import load_config

    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("# A page\n\n```python\nprint(1)\n```\n\n| a |\n|---|\n| b |\n")
    (pages / "other.md").write_text("# Another\n\n[there](index.md)\n")
    made = load_config(
        str(ROOT / "mkdocs.yml"),
        docs_dir=str(pages),
        site_dir=str(tmp_path / "site"),
        nav=None,
        hooks=[],
        plugins=["search"],
    )
    build.build(made)
    files = sorted((tmp_path / "site").rglob("*.html"))
    assert len(files) >= 2
    assert {address for file in files for address in hooks.foreign(file.read_text(encoding="utf-8"))} == set()
    hooks.on_post_build(config=made)
    files[0].write_text('<script src="https://cdn.example/x.js"></script>')
    with pytest.raises(ValueError, match=r"asks other hosts for https://cdn\.example/x\.js\. The site stands alone"):
        hooks.on_post_build(config=made)


def test_the_gallery_shows_every_figure_with_its_call_and_its_picture():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert [
        name for name in FIGURES if f"\n### {name}\n" not in page or f"import {name}\n\n{name}(results" not in page
    ] == []
    pictures = {line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")}
    assert len(pictures) == page.count("\n### ")
    assert {picture for picture in pictures if not (DOCS / picture).is_file()} == set()
    assert {path.name for path in (DOCS / "images" / "gallery").iterdir()} == {
        Path(picture).name for picture in pictures
    }


def test_the_catalogue_draws_nothing_that_the_gallery_does_not_know():
    assert {make.func.__name__ for make in figures_of(toy_results()).values()} <= set(FIGURES)


def test_the_sample_report_is_whole_small_and_says_nothing_of_a_machine():
    path = DOCS / "sample-report.html"
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 6e6
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")
    assert "versions.numpy" in text
    assert "versions.system" not in text
    assert ".made" not in text


def test_the_sample_report_is_the_same_whenever_and_wherever_it_was_run(script):
    sample = script("sample")
    from stratoscope.report import build_report
    from stratoscope.report.html import render
    from stratoscope.results import Results

    def run(made, system):
        both = Results.combine([toy_results()])
        (asked,) = both.run["runs"]
        told = {**asked, "made": made, "versions": {**asked["versions"], "system": system}}
        return render(build_report(sample.anonymous(Results(**{**vars(both), "run": {"runs": [told]}}))))

    assert run("yesterday", "Linux-1") == run("today", "Darwin-2")
