"""One pass through a network with every call written down: which, in what order, how deep, of what shape."""

from __future__ import annotations

import itertools
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from stratoscope.errors import BadInput, StratoscopeError
from stratoscope.sources.kinds import (
    TAPPED,
    explained_by,
    function_kind,
    function_name,
    module_kind,
    weighted_operations,
)

#: A place that is called: ("module", its path) or ("function", its name).
Site: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Call:
    """One call of a module or a function during a pass.

    Attributes
    ----------
    site, ordinal : Site, int
        What was called, and the how manieth call of it in the pass this is, from 1.
    path : str
        Path of the module that was called, or of the innermost module the function was called in.
    owner : torch.nn.Module
        That module.
    kind : str
        Kind of operation.
    response : tuple of int, optional
        Shape of the (first) tensor it returned, with the batch; None where it returned no floating-point tensor.
    rows : tensor (response[0], 2), optional
        Mean and root mean square of every leading row of the response, to tell which stimulus a row belongs to.
    weighted, inside : int
        Weighted operations done when it returned, and those done inside it.
    taken, given : int
        Serial numbers of the tensor it took first and of the one it returned; 0 for none.
    """

    site: Site
    ordinal: int
    path: str
    owner: nn.Module
    kind: str
    response: tuple[int, ...] | None
    rows: torch.Tensor | None
    weighted: int
    inside: int
    taken: int
    given: int


def first_tensor(output: Any) -> torch.Tensor | None:
    """Return the first floating-point tensor of what a module returned (a tensor, tuple, list or mapping), or None."""
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() and output.ndim > 0 and output.numel() > 0 else None
    values: Sequence[Any] = ()
    if isinstance(output, Mapping):
        values = list(output.values())
    elif isinstance(output, tuple | list):
        values = output
    return next((tensor for tensor in map(first_tensor, values) if tensor is not None), None)


@dataclass(frozen=True)
class Trace:
    """The calls of one pass in the order in which they returned, and over all of it calls by site and operations."""

    calls: tuple[Call, ...]
    counts: Mapping[Site, int]
    weighted: int


def trace(module: nn.Module, images: torch.Tensor) -> Trace:
    """Run `module` once on `images` (stimulus, ...) and write down every call."""
    recorder = _Recorder()
    with ExitStack() as hooks, torch.no_grad():  # versions of tensors are not counted in inference mode
        for path, part in module.named_modules():
            hooks.enter_context(part.register_forward_pre_hook(recorder.entering(path), with_kwargs=True))
            hooks.enter_context(part.register_forward_hook(recorder.leaving(path)))
        with recorder:
            _run(module, images)
    return Trace(tuple(recorder.calls), dict(recorder.counts), recorder.weighted)


def _run(module: nn.Module, images: torch.Tensor) -> None:
    """Run `module`; what it cannot take becomes a sentence with the shape that came."""
    try:
        module(images)
    except StratoscopeError:
        raise
    except Exception as error:
        named = ", ".join(map("{}={}".format, ("stimulus", "channel", "row", "column"), images.shape))
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        raise BadInput(
            f"The network fails on an input of shape ({named}): {type(error).__name__}: {reason[:240]}. Give it images of "
            "the size it expects (--size), or a preprocess of its own; --traceback shows where it failed."
        ) from error


@dataclass(frozen=True)
class _Frame:
    """A module that is being executed."""

    path: str
    owner: nn.Module
    weighted: int
    first: int
    taken: int


class _Recorder(TorchFunctionMode):
    """Writes down the calls of one pass; changes while the pass runs and is thrown away after it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.frames: list[_Frame] = []
        self.counts: Counter[Site] = Counter()
        self.weighted = 0
        self.seen: dict[tuple[int, int], tuple[weakref.ref[torch.Tensor], int]] = {}
        self.serials = itertools.count(1)

    def entering(self, path: str) -> Callable[..., None]:
        def hook(owner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            taken = self._serial(first_tensor((*args, *kwargs.values())))
            self.frames.append(_Frame(path, owner, self.weighted, len(self.calls), taken))

        return hook

    def leaving(self, path: str) -> Callable[..., None]:
        def hook(owner: nn.Module, _inputs: Any, output: Any) -> None:
            frame = self.frames.pop()
            if path:  # the network itself is no stage of itself
                kind = self._absorb(owner, frame, output)
                self._write(("module", path), frame, kind, output)

        return hook

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = function_name(func, kwargs)
        taken = self._serial(first_tensor(args)) if name in TAPPED else 0  # before it is written into
        result = func(*args, **(kwargs or {}))
        self.weighted += weighted_operations(name, args)
        if name in TAPPED and self.frames:
            inner = replace(self.frames[-1], weighted=self.weighted, taken=taken)
            self._write(("function", name), inner, function_kind(name), result)
        return result

    def _write(self, site: Site, frame: _Frame, kind: str, output: Any) -> None:
        self.counts[site] += 1
        if site[0] == "function" and explained_by(site[1], frame.owner):
            return
        tensor = first_tensor(output)
        inside = self.weighted - frame.weighted
        place = (site, self.counts[site], frame.path, frame.owner, kind)
        shape = None if tensor is None else tuple(tensor.shape)
        tensors = (frame.taken, self._serial(tensor))
        self.calls.append(Call(*place, shape, _rows(tensor), self.weighted, inside, *tensors))

    def _absorb(self, owner: nn.Module, frame: _Frame, output: Any) -> str:
        """Let a plain module that only wraps a non-linearity be that non-linearity, instead of a second stage."""
        kind = module_kind(owner)
        inside = self.calls[frame.first :]
        if kind == "other" and frame.path and len(inside) == 1 and not any(True for _ in owner.children()):
            only = inside[0]
            if only.kind in ("relu", "activation") and only.given and only.given == self._serial(first_tensor(output)):
                self.calls.pop()
                return only.kind
        return kind

    def _serial(self, tensor: torch.Tensor | None) -> int:
        """Return a number that is the same for the same living tensor not written to since, and 0 for none."""
        if tensor is None:
            return 0
        key = (id(tensor), tensor._version)  # noqa: SLF001 - the only way to see an in-place operation
        known = self.seen.get(key)
        if known is None or known[0]() is not tensor:
            known = (weakref.ref(tensor), next(self.serials))
            self.seen[key] = known
        return known[1]


def _rows(tensor: torch.Tensor | None) -> torch.Tensor | None:
    if tensor is None:
        return None
    flat = tensor.detach().reshape(tensor.shape[0], -1)
    norm = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64)
    return torch.stack([flat.mean(1, dtype=torch.float64), norm / flat.shape[1] ** 0.5], 1).cpu()
