"""What `mkdocs` calls while the site is built: reference pages are made, and the Python of the pages is run."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import snippets
from mkdocs.structure.files import File, Files

import reference

#: Pages of the reference, made once a build.
_MADE: dict[str, str] = {}


def on_config(config: Any) -> Any:
    """Make the reference pages, and write out the patterns in the navigation."""
    _MADE.update(reference.pages())
    config["nav"] = written_out(config["nav"], all_pages(Path(config["docs_dir"]), _MADE))
    return config


def on_files(files: Files, *, config: Any) -> Files:
    """Add the reference pages, which stand in no file."""
    for name, text in _MADE.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Run the Python of a tutorial and show what it prints; a block that fails ends the build."""
    del config, files
    path = Path(page.file.abs_src_path) if page.file.abs_src_path else None
    if path is None or path not in snippets.pages_that_run(path.parent) or "/" in page.file.src_uri:
        return markdown
    return snippets.with_output(markdown, snippets.run_page(markdown, page.file.src_uri))


def on_post_build(*, config: Any) -> None:
    """Refuse a site that asks another host for anything: a script, a style, a font, a picture."""
    site = Path(config["site_dir"])
    for page in sorted(site.rglob("*.html")):
        asked = foreign(page.read_text(encoding="utf-8"))
        if asked:
            raise ValueError(
                f"The page {page.relative_to(site)} asks other hosts for {', '.join(asked)}. The site stands alone: keep what it "
                "needs in docs/, and fonts and content networks off in mkdocs.yml."
            )


#: What a browser fetches by itself: sources of anything, styles, fonts and icons; not links that one may follow.
_FETCHED = (
    re.compile(r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\ssrc=["']?((?:https?:)?//[^\s"'>]+)"""),
    re.compile(r"""<link\b(?![^>]*\brel=["']?(?:canonical|next|prev)\b)[^>]*?\shref=["']?((?:https?:)?//[^\s"'>]+)"""),
    re.compile(r"""(?:@import|url\()\s*["']?((?:https?:)?//[^\s"')]+)"""),
)
_SCRIPTS = re.compile(r"(<script\b[^>]*>).*?</script>", re.DOTALL)


def foreign(page: str) -> list[str]:
    """Return the addresses at other hosts that a browser would fetch for this page."""
    without = _SCRIPTS.sub(r"\1", page)  # what a script holds is words, such as a library's own documentation
    return sorted({address for pattern in _FETCHED for address in pattern.findall(without)})


def all_pages(folder: Path, made: dict[str, str]) -> list[str]:
    """Return the path of every page of the site, relative to its folder."""
    return sorted([*(page.relative_to(folder).as_posix() for page in folder.rglob("*.md")), *made])


def written_out(nav: list[Any], pages: list[str]) -> list[Any]:
    """Return the navigation with every pattern, such as ``decisions/0*.md``, replaced by the pages it stands for."""
    found: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            found += [
                {title: written_out(part, pages) if isinstance(part, list) else part for title, part in entry.items()}
            ]
        elif "*" in entry:
            found += [page for page in pages if fnmatch(page, entry)]
        else:
            found.append(entry)
    return found
