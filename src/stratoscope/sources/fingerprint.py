"""Say in plain values what a network's weights and preprocessing are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


def weights_sha256(module: nn.Module) -> str:
    """Return the SHA-256 of every parameter and persistent buffer: names, types, shapes and bytes, in order."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        if isinstance(tensor, torch.Tensor):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def describe_preprocess(preprocess: Callable[..., Any] | None) -> str:
    """Return what preprocessing says of itself, or its name."""
    if preprocess is None:
        return "images / 255; arrays as they are"
    said = getattr(preprocess, "describe", None)
    if said is not None:
        return str(said() if callable(said) else said)
    named = getattr(preprocess, "__qualname__", None)
    text = named or repr(preprocess)
    return type(preprocess).__qualname__ if " at 0x" in text else str(text)
