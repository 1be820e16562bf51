"""A network made by a function in a Python file: ``FILE.py:FUNCTION``."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from stratoscope.errors import BadInput, StratoscopeError, unknown_name
from stratoscope.sources.network import Network
from stratoscope.sources.openers import SOURCES, Request, seeded
from stratoscope.sources.preprocess import Preprocess
from stratoscope.sources.weights import load_weights


def open_python_file(name: str, request: Request) -> Network:
    """Open the network that a function in a Python file returns.

    The function takes no arguments and returns a module, whose images are treated as ImageNet's are, or a `Network`
    with a treatment of its own. It runs under `seed`. The file is run as a program is: use only files that you trust.
    """
    path, _, function = name.rpartition(":")
    made = seeded(lambda: _call(Path(path), function), request.seed)
    if not isinstance(made, Network | nn.Module):
        raise BadInput(
            f"{function!r} in {path!r} returned a {type(made).__name__}. It must return a torch.nn.Module or a Network."
        )
    if request.weights == "random":
        raise BadInput(
            f"{request.spec!r} makes its own weights, so 'random' has no meaning for it. Return a fresh network from the "
            "function, or lesion it with reinitialize."
        )
    weights = f"as returned, seed {request.seed}"
    if request.weights != "default":
        load_weights(made if isinstance(made, nn.Module) else made.module, request.weights)
        weights = request.weights
    return request.network(made, Preprocess(), weights) if isinstance(made, nn.Module) else _own(made, request)


def _own(network: Network, request: Request) -> Network:
    """Keep a network as it was made, read at what was asked for."""
    if request.input != "auto" or request.size is not None or request.device != "cpu":
        raise BadInput(
            f"{request.spec!r} makes a Network with its own preprocessing and device; input, size and device cannot be "
            "chosen for it. Change them in the file, or return the bare module."
        )
    stages = None if request.stages == "auto" else request.stages
    return network.select(stages, None if request.unit == "channel" else request.unit)


def _call(path: Path, function: str) -> Any:
    """Load the file and call the function in it."""
    if not path.is_file():
        raise BadInput(
            f"There is no file {str(path)!r}. Give the path of a Python file, then a colon and the function."
        )
    try:
        return _function(_load(path), function, path)()
    except StratoscopeError:
        raise
    except (Exception, SystemExit) as error:
        raise BadInput(
            f"{path} failed at line {_line(path, error)}: {type(error).__name__}: {error}. "
            f"Run it by itself to see the whole error."
        ) from error


def _function(module: ModuleType, name: str, path: Path) -> Callable[[], Any]:
    """Return the function `name` of the file; the nearest ones are offered."""
    made: Callable[[], Any] | None = getattr(module, name or " ", None)
    if callable(made):
        return made
    own = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    raise unknown_name(f"function in {path.name}", name, own)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_stratoscope_{path.stem}", path)
    if spec is None or spec.loader is None:  # pragma: no cover (every .py file has a loader)
        raise BadInput(f"{str(path)!r} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _line(path: Path, error: BaseException) -> int:
    """Last line of the file that was running, or the line that is not Python."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    own = {str(path), str(path.absolute())}
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename in own]
    return (lines[-1] if lines else None) or 1


SOURCES.add("file", open_python_file)
