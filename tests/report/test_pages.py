"""The pages of docs/: every error has its entry, every link leads somewhere, every Python snippet runs."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from stratoscope import errors

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))


def _script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


snippets = _script("snippets")


def classes():
    return [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, Exception)]


def test_every_error_has_its_entry_under_its_slug():
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    assert set(entries) == {item.slug for item in classes()}
    for item in classes():
        entry = entries[item.slug]
        assert entry.startswith(f"`{item.__name__}`.")
        assert "**What it is:**" in entry
        assert "**What to do:**" in entry


def test_no_two_errors_share_a_slug():
    slugs = [item.slug for item in classes()]
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("page", [*PAGES, DOCS.parent / "README.md"], ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_the_index_leads_to_every_page():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.name != "README.md" and f"]({page.name})" not in index] == []


@pytest.mark.parametrize("page", snippets.pages_that_run(), ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page):
    assert "".join(snippets.run_page(page.read_text(encoding="utf-8"), page.name))


def test_a_block_that_fails_is_named_with_its_page():
    with pytest.raises(ZeroDivisionError) as caught:
        snippets.run_page("```python\nx = 0\n```\n\nthen\n\n```python\n1 / x\n```\n", "broken.md")
    assert caught.value.__notes__ == ["in block 2 of broken.md"]


def test_what_a_block_prints_stands_below_it():
    text = "# A page\n\n```python\nprint(2)\n```\n\nand\n\n```python\nx = 3\n```\n"
    shown = snippets.with_output(text, snippets.run_page(text, "page.md"))
    assert 'print(2)\n```\n\n```{ .text .output title="prints" }\n2\n```\n\nand' in shown
    assert shown.endswith("x = 3\n```\n")
