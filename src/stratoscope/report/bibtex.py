"""The papers to cite as BibTeX: names, year and identifier as the metrics state them, from which a manager completes the rest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: Family names with commas, an ampersand or ``et al.`` between them, then the year and the identifier.
_PAPER = re.compile(
    r"(?P<names>[^\W\d_a-z][\w'’-]*(?:(?:,\s|\s&\s|\s)[^\W\d_a-z][\w'’-]*)*(?:\s+et al\.)?)\s+(?P<year>(?:19|20)\d\d),\s*"
    r"(?:doi:\s*(?P<doi>10\.[^\s,;]+)|arXiv:\s*(?P<arxiv>\d{4}\.\d{4,5}))"
)


def bibtex(papers: Iterable[str]) -> str:
    """Return one entry for every paper named in `papers` (``Names Year, doi:...`` or ``arXiv:...``), each once.

    Entries hold no title: what they do hold is what the metric states, and the identifier leads to the rest. Text without an
    identifier (a definition, a proceedings volume) gives no entry.

    Examples
    --------
    >>> print(bibtex(["Facco et al. 2017, doi:10.1038/s41598-017-11873-y"]))
    @article{facco2017,
      author = {Facco and others},
      year = {2017},
      doi = {10.1038/s41598-017-11873-y},
    }
    """
    entries: dict[str, str] = {}
    keys: dict[str, int] = {}
    for text in papers:
        for found in _PAPER.finditer(text):
            where = found["doi"].rstrip(".)") if found["doi"] else found["arxiv"]
            if where not in entries:
                key = _key(found["names"], found["year"])
                keys[key] = keys.get(key, 0) + 1
                entries[where] = _entry(found, key if keys[key] == 1 else f"{key}{'abcdefgh'[keys[key] - 1]}", where)
    return "\n".join(entries.values())


def _entry(found: re.Match[str], key: str, where: str) -> str:
    kind, link = ("article", f"doi = {{{where}}}") if found["doi"] else ("misc", f"eprint = {{{where}}}")
    lines = [f"author = {{{_authors(found['names'])}}}", f"year = {{{found['year']}}}", link]
    if not found["doi"]:
        lines.append("archiveprefix = {arXiv}")
    return "\n".join([f"@{kind}{{{key},", *(f"  {line}," for line in lines), "}"])


def _authors(names: str) -> str:
    many = re.sub(r"\s+et al\.$", " & others", names)
    return " and ".join(part.strip() for part in re.split(r",|&", many) if part.strip())


def _key(names: str, year: str) -> str:
    plain = unicodedata.normalize("NFKD", re.split(r"[,\s]", names)[0]).encode("ascii", "ignore").decode()
    return re.sub(r"\W", "", plain).lower() + year
