"""Every public name of the package stands in the reference, told apart from a second walk that knows nothing of the first."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import stratoscope

SOURCES = Path(stratoscope.__file__).resolve().parent
#: No part of what others import: the command line, and names that a study's own files share.
INTERNAL = ("cli", "bundled", "_compat.py", "__main__.py")


@pytest.fixture(scope="module")
def reference(script):
    return script("reference")


def public():
    """Yield every module with a list of names, and the names, by reading files instead of asking the package."""
    for path in sorted(SOURCES.rglob("*.py")):
        inside = path.relative_to(SOURCES)
        if inside.parts[0] in INTERNAL or "__all__ = [" not in path.read_text(encoding="utf-8"):
            continue
        parts = inside.with_suffix("").parts
        name = ".".join(("stratoscope", *parts[: -1 if parts[-1] == "__init__" else None]))
        yield name, importlib.import_module(name).__all__


def missing(pages):
    """Return the public functions and classes that no page describes or leads to."""
    said = set(re.findall(r"^::: (\S+)$", "\n".join(pages.values()), re.MULTILINE))
    every = {
        (module, name): getattr(importlib.import_module(module), name) for module, names in public() for name in names
    }
    called = {key: one for key, one in every.items() if inspect.isfunction(one) or inspect.isclass(one)}
    return sorted(".".join(key) for key, one in called.items() if f"{one.__module__}.{one.__qualname__}" not in said)


def test_every_public_function_and_class_is_described(reference):
    assert len(list(public())) > 15
    assert missing(reference.pages()) == []


def test_a_name_that_is_left_out_is_caught(reference):
    pages = reference.pages()
    pages["api/stratoscope.metrics.md"] = re.sub(
        r"^::: \S+two_nn\n", "", pages["api/stratoscope.metrics.md"], flags=re.MULTILINE
    )
    assert missing(pages) == ["stratoscope.metrics.two_nn"]


def test_nothing_is_described_twice(reference):
    said = re.findall(r"^::: (\S+)$", "\n".join(reference.pages().values()), re.MULTILINE)
    assert len(said) == len(set(said))


def test_constants_and_modules_have_their_place_too(reference):
    pages = reference.pages()
    assert "::: stratoscope.results.COLUMNS\n" in pages["api/stratoscope.results.md"]
    assert "[module](./stratoscope.metrics.md)" in pages["api/stratoscope.md"]
    assert "permute_weights" in pages["api/stratoscope.sources.md"]


def test_everything_that_is_described_has_a_docstring(reference):
    bare = []
    for module, names in reference.public_names().items():
        for name in names:
            value = getattr(importlib.import_module(module), name)
            if (inspect.isfunction(value) or inspect.isclass(value)) and not inspect.getdoc(value):
                bare.append(f"{module}.{name}")
    assert bare == []
