"""Which parameters of a network a lesion falls on, and how they start afresh."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn

from stratoscope.errors import BadInput, unknown_name

#: Standard deviation of fresh tokens and positions, which no module knows how to reset (as in vision transformers).
TOKEN_SD = 0.02


def chosen_parameters(module: nn.Module, kind: str, stages: str | Sequence[str] | None) -> list[str]:
    """Names of the parameters of `kind` (``weight``, ``bias`` or any) in the modules that `stages` asks for."""
    names = [name for name, _ in module.named_parameters() if _is(kind, name)]
    if not names:
        raise BadInput(f"The network has no parameters called {kind or 'anything'!r}, so there is nothing to change.")
    if stages is None:
        return names
    chosen = []
    for pattern in [stages] if isinstance(stages, str) else stages:
        found = [name for name in names if _within(name.rpartition(".")[0], pattern)]
        if not found:
            raise _without_parameters(module, pattern, kind, names)
        chosen += found
    return list(dict.fromkeys(chosen))


def learns_without_parameters(module: nn.Module, path: str, stages: str | Sequence[str] | None) -> bool:
    """Say whether `module` holds running statistics, no parameters, and is among the `stages`."""
    patterns = [stages] if isinstance(stages, str) else stages
    asked = patterns is None or any(_within(path, pattern) for pattern in patterns)
    return asked and hasattr(module, "reset_running_stats") and not any(True for _ in module.parameters())


def _is(kind: str, name: str) -> bool:
    last = name.rpartition(".")[2]
    return not kind or last == kind or last.endswith(f"_{kind}")


def _within(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or path.startswith(f"{pattern}.")


def _without_parameters(module: nn.Module, pattern: str, kind: str, names: list[str]) -> Exception:
    """Build the error for a pattern that fits no module with such parameters."""
    holders = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    paths = [path for path, _ in module.named_modules()]
    if not any(_within(path, pattern) for path in paths):
        return unknown_name(f"module with a {kind or 'parameter'}", pattern, holders)
    first = next(i for i, path in enumerate(paths) if _within(path, pattern))
    earlier = [path for path in paths[:first] if path in holders]
    hint = f" The one before it is {earlier[-1]!r}." if earlier else ""
    return BadInput(f"{pattern!r} is part of the network and has no {kind or 'parameter'} to change.{hint}")


def reset(module: nn.Module) -> None:
    """Reset the parameters that `module` itself holds, and its running statistics."""
    own = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if callable(own):
        own()
        return
    with torch.no_grad():
        for name, tensor in module.named_parameters(recurse=False):
            if tensor.ndim > 1 and _is("weight", name):
                nn.init.kaiming_normal_(tensor)
            elif name.endswith(("weight", "gamma", "scale")):
                tensor.fill_(1)
            elif name.endswith(("bias", "beta")):
                tensor.zero_()
            else:
                nn.init.trunc_normal_(tensor, std=TOKEN_SD)
