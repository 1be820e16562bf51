"""The pages of the API reference: every public name of every public module, once, from its docstring."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import stratoscope

#: Modules that are public without a list of their names: what is defined in them and has no underscore.
OPEN = (
    "stratoscope.errors",
    "stratoscope.figures.catalogue",
    "stratoscope.results.export",
    "stratoscope.sources.lesions",
    "stratoscope.testing.metric_laws",
    "stratoscope.testing.results",
    "stratoscope.testing.source_laws",
    "stratoscope.testing.stimuli_laws",
    "stratoscope.testing.summary_laws",
    "stratoscope.types",
)
#: The command line has a page of its own; the bundled weights are data.
LEFT_OUT = ("stratoscope.cli", "stratoscope.bundled", "stratoscope.__main__")


def public_names() -> dict[str, tuple[str, ...]]:
    """Return the public names of every public module, by the name of the module."""
    found = {"stratoscope": tuple(stratoscope.__all__)}
    for module in _modules():
        names = getattr(module, "__all__", None)
        if names is None and _is_open(module.__name__):
            names = [name for name, value in vars(module).items() if _own(name, value, module)]
        if names:
            found[module.__name__] = tuple(names)
    return found


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(stratoscope.__path__, "stratoscope."):
        if not found.name.startswith(LEFT_OUT) and "._" not in found.name:
            yield importlib.import_module(found.name)


def _is_open(name: str) -> bool:
    return name in OPEN or name.startswith("stratoscope.statistics.")


def _own(name: str, value: object, module: ModuleType) -> bool:
    callable_here = inspect.isfunction(value) or inspect.isclass(value)
    return not name.startswith("_") and callable_here and getattr(value, "__module__", "") == module.__name__


def pages() -> dict[str, str]:
    """Return the reference pages by file name: one for every part of the package, and one of what `stratoscope` itself has."""
    homes: dict[str, str] = {}
    bodies: dict[str, list[str]] = {}
    names = public_names()
    for module in sorted(names, key=lambda name: (name == "stratoscope", name in OPEN, name.count("."), name)):
        entries = list(_entries(module, names[module], homes))
        if entries:
            bodies.setdefault(_page_of(module), []).append("\n\n".join([_about(module), *entries]))
    return {f"api/{page}.md": f"# {page}\n\n" + "\n\n".join(parts) + "\n" for page, parts in sorted(bodies.items())}


def _page_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _about(module: str) -> str:
    words = (inspect.getdoc(importlib.import_module(module)) or "").strip()
    return f"## `{module}`\n\n{words}"


def _entries(module: str, names: tuple[str, ...], homes: dict[str, str]) -> Iterator[str]:
    """Describe each name; one that stands elsewhere already is a line that leads there."""
    elsewhere = []
    for name in names:
        value = getattr(importlib.import_module(module), name)
        path = _path(module, name, value)
        if inspect.ismodule(value):
            elsewhere.append(f"`{name}` ([module](./{_page_of(value.__name__)}.md))")
        elif path in homes:
            elsewhere.append(f"[`{name}`][{path}]")
        else:
            homes[path] = module
            yield f"::: {path}\n    options:\n      heading_level: 3"
    if elsewhere:
        yield f"`{module}` also has: {', '.join(elsewhere)}."


def _path(module: str, name: str, value: object) -> str:
    """Return where `value` is defined: a name that is also the name of a file would lead to the file."""
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}"
    return f"{module}.{name}"
