"""Dependencies: what is installed is what was reviewed."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions, files, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Licences that let the package be used and passed on as it is (BSD), by the words their metadata use.
FREE = re.compile(r"BSD|MIT|Apache|PSF|Python Software|HPND|MPL|Mozilla|ISC|Zlib|0BSD|CMU|Unlicense", re.IGNORECASE)
#: What virtual environments bring themselves.
WITH_PYTHON = {"pip", "setuptools"}


def pins():
    lines = (line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines if line}


def direct():
    """Return the requirements of the package and of the extras that `dev` brings."""
    extras = PROJECT["optional-dependencies"]
    wanted, seen = list(PROJECT["dependencies"]), set()
    waiting = ["dev"]
    while waiting:
        extra = waiting.pop()
        seen.add(extra)
        for line in extras[extra]:
            one = Requirement(line)
            if one.name == "stratoscope":
                waiting += [name for name in one.extras if name not in seen]
            else:
                wanted.append(line)
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in wanted}


def needed():
    """Return everything that the package and `dev` need, through all they need themselves, as it is installed here."""
    installed = {canonicalize_name(one.metadata["Name"]): one for one in distributions() if one.metadata["Name"]}
    found, waiting = {}, [(name, frozenset(one.extras)) for name, one in direct().items()]
    while waiting:
        name, extras = waiting.pop()
        if name not in installed or (name in found and extras <= found[name]):
            continue
        found[name] = found.get(name, frozenset()) | extras
        for line in installed[name].requires or ():
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((canonicalize_name(one.name), frozenset(one.extras)))
    return {name: installed[name].version for name in found}


def test_every_constraint_is_one_exact_version():
    """A constraint that lets versions drift -> none; each line of constraints.txt pins one version."""
    for requirement in pins().values():
        assert [one.operator for one in requirement.specifier] == ["=="], requirement


def test_everything_that_is_needed_is_pinned():
    """A library that comes in unnoticed, through another or in another version -> none; all that `dev` resolves to is pinned."""
    known = pins()
    loose = {name: version for name, version in needed().items() if name not in {*known, *WITH_PYTHON}}
    assert loose == {}
    other = {
        name: version for name, version in needed().items()
        if name not in WITH_PYTHON and not known[name].specifier.contains(Version(version).public, prereleases=True)
        and not known[name].specifier.contains(version, prereleases=True)
    }  # fmt: skip
    assert other == {}


@pytest.mark.parametrize("name", sorted(direct()))
def test_direct_dependencies_have_free_licences(name):
    """A direct dependency under a licence that does not go with BSD -> none."""
    said = metadata(name)
    words = [said.get("License-Expression") or "", said.get("License") or ""]
    words += [one for one in said.get_all("Classifier") or () if one.startswith("License")]
    if not any(words):  # its metadata are silent: then its licence itself must speak
        words = [file.read_text()[:500] for file in files(name) or () if "LICENSE" in file.name.upper()]
    assert FREE.search(" ".join(words)), words


def test_a_licence_that_does_not_fit_would_be_found():
    """A licence that binds what uses it (GPL, AGPL, a commercial one) -> the search would find it."""
    assert not any(FREE.search(words) for words in ("GPL-3.0-only", "AGPL", "Proprietary", "", "Commercial"))
