"""The networks that come with the package: ``bundled:NAME``, or ``bundled:NAME@STEP`` for an early checkpoint.

The folder ``stratoscope/bundled`` holds ``index.toml`` and one safetensors file for each network and step::

    [small-objects]
    title = "Four convolutions, trained on rendered objects"
    file = "small-objects.safetensors"
    [small-objects.steps]
    0 = "small-objects-0.safetensors"

The header of each file has these texts: ``architecture`` (``stratoscope.models:NAME``, a function that makes the
module), ``arguments`` (its keyword arguments, JSON), ``size``, ``mode`` (crop, squash), ``resize`` (or empty), ``mean``
and ``std`` (JSON lists), ``classes`` (JSON list of names, in the order of the outputs).
"""

from __future__ import annotations

import importlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import nn

from stratoscope.errors import BadInput, WeightsError, unknown_name
from stratoscope.sources.network import Network
from stratoscope.sources.openers import SOURCES, Request, seeded
from stratoscope.sources.preprocess import Preprocess
from stratoscope.sources.weights import load_weights


def bundled_networks() -> dict[str, str]:
    """Return the file of every bundled network, by name, and of every step, by ``NAME@STEP``."""
    index = _folder() / "index.toml"
    if not index.is_file():
        return {}
    found = {}
    for name, entry in tomllib.loads(index.read_text(encoding="utf-8")).items():
        found[name] = str(entry["file"])
        found |= {f"{name}@{step}": str(file) for step, file in entry.get("steps", {}).items()}
    return found


def open_bundled(name: str, request: Request) -> Network:
    """Open a network that comes with the package; images are treated as in its training."""
    known = bundled_networks()
    if name not in known:
        raise unknown_name("bundled network", name, known)
    with as_file(_folder() / known[name]) as path:
        header = read_header(path)
        build = partial(_architecture(header["architecture"]), **json.loads(header.get("arguments") or "{}"))
        if request.weights == "random" or request.is_file:
            module, weights = request.own_weights(build)
        elif request.weights == "default":
            module, weights = seeded(build, request.seed), f"bundled {known[name]}"
            load_weights(module, path)
        else:
            raise unknown_name(f"set of weights of {request.spec}", request.weights, ["default", "random"])
    base, _, step = name.partition("@")
    network = replace(request, spec=f"bundled:{base}").network(module, _preprocess(header), weights)
    # An early checkpoint is one of the things "untrained" can mean, so it says so where a lesion would.
    return network.with_module(module, lesion=f"checkpoint at step {step}") if step else network


def bundled_classes(name: str) -> tuple[str, ...]:
    """Return the names of the classes of a bundled network, in the order of its outputs."""
    known = bundled_networks()
    if name not in known:
        raise unknown_name("bundled network", name, known)
    with as_file(_folder() / known[name]) as path:
        return tuple(json.loads(read_header(path).get("classes") or "[]"))


def read_header(path: Path) -> Mapping[str, str]:
    """Read the header of a bundled file; refuses one that lacks what its module's docstring asks for."""
    with safe_open(path, framework="pt") as file:
        header: dict[str, str] = file.metadata() or {}
    missing = [key for key in ("architecture", "size", "mode", "mean", "std") if key not in header]
    if missing:
        raise WeightsError(
            f"{path.name!r} lacks {', '.join(map(repr, missing))} in its header. Install the package again."
        )
    return header


def _preprocess(header: Mapping[str, str]) -> Preprocess:
    return Preprocess(
        size=int(header["size"]),
        mode=header["mode"],
        mean=tuple(json.loads(header["mean"])),
        std=tuple(json.loads(header["std"])),
        resize=int(header["resize"]) if header.get("resize") else None,
    )


def _architecture(target: str) -> Callable[..., nn.Module]:
    """Return the function that `target` (``stratoscope.models:NAME``) names; nothing outside the package is run."""
    module, _, function = target.partition(":")
    if not module.startswith("stratoscope."):
        raise BadInput(f"A bundled network names the architecture {target!r}; only those of this package are run.")
    made: Any = getattr(importlib.import_module(module), function, None)
    if not callable(made):
        raise BadInput(
            f"A bundled network names the architecture {target!r}, which does not exist. Install the package again."
        )
    built: Callable[..., nn.Module] = made
    return built


def _folder() -> Traversable:
    return files("stratoscope") / "bundled"


SOURCES.add("bundled", open_bundled)
