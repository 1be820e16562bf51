"""Run the Python of a page, block by block, in an empty folder: by the tests, and when the site is built."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
#: Blocks of Python, as they stand in a page.
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pages_that_run(folder: Path = DOCS) -> list[Path]:
    """Return the pages in `folder` whose Python runs: all that have any. Pages of studies show calls on one's own data."""
    return [page for page in sorted(folder.glob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


def run_page(text: str, name: str) -> list[str]:
    """Run every block of `text` from top to bottom, in an empty folder, and return what each printed.

    What a block raises is raised, with the page and the block it stands in.
    """
    names: dict[str, Any] = {"__name__": "__page__"}
    printed = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for number, code in enumerate(BLOCK.findall(text), start=1):
            said = io.StringIO()
            try:
                with contextlib.redirect_stdout(said):
                    exec(compile(code, name, "exec"), names)  # noqa: S102 - the page's own code is what is run
            except Exception as error:
                error.add_note(f"in block {number} of {name}")
                raise
            printed.append(said.getvalue())
    return printed


def with_output(text: str, printed: list[str]) -> str:
    """Return the page with what each block printed below it."""
    left = iter(printed)
    return BLOCK.sub(lambda block: block[0] + _shown(next(left)), text)


def _shown(words: str) -> str:
    return f'\n\n```{{ .text .output title="prints" }}\n{words.rstrip()}\n```' if words.strip() else ""
