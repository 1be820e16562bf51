"""What kind of operation a module or a function is, and how functions are recognised while they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import handle_torch_function, has_torch_function_unary

#: Kinds a stage can be chosen by; ``activation`` takes in ``relu``.
KINDS = ("relu", "activation", "conv", "linear", "block", "norm", "pool", "other")

#: Functions that set everything below a threshold to one value.
RELUS = frozenset({"relu", "relu6", "threshold"})
#: Functions that are non-linearities of single values (``glu`` multiplies two halves).
NONLINEARITIES = RELUS | {
    *("gelu", "silu", "mish", "elu", "celu", "selu", "leaky_relu", "prelu", "rrelu", "glu"),
    *("hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "tanhshrink", "softplus", "softsign"),
    *("tanh", "sigmoid", "logsigmoid", "log_sigmoid"),
}
CONVOLUTIONS = frozenset(f"conv{transpose}{n}d" for transpose in ("", "_transpose") for n in (1, 2, 3))
LINEARS = frozenset({"linear", "bilinear"})
#: Products that count as a weighted operation only where one operand is a parameter.
PRODUCTS = frozenset({"matmul", "mm", "bmm", "addmm", "baddbmm", "einsum", "__matmul__", "__rmatmul__"})
#: Functions that can be taps.
TAPPED = NONLINEARITIES | CONVOLUTIONS | LINEARS

_NO_NONLINEARITY = (nn.MultiheadAttention, nn.Softmax, nn.Softmax2d, nn.Softmin, nn.LogSoftmax)
_LOOKS_LIKE_ACTIVATION = re.compile(r"(relu|gelu|silu|swish|mish|sigmoid|tanh|activation)", re.IGNORECASE)
_NORMS = (
    *(nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm),  # noqa: SLF001 - the public base of all batch norms
    *(nn.LocalResponseNorm, nn.CrossMapLRN2d),
)


def stand_in(response: torch.Tensor, *, name: str) -> torch.Tensor:
    """Return `response` untouched, and let whoever listens take it for the result of the function `name`.

    A lesion that answers a function call itself (the identity in place of ``F.relu``) would hide the call from the
    stages of a network. It returns ``stand_in(x, name="relu")`` instead, and the stage stays where it was. A module
    that replaces another says the same with an attribute, ``stands_for = "relu"``.
    """
    if has_torch_function_unary(response):
        answer: torch.Tensor = handle_torch_function(stand_in, (response,), response, name=name)
        return answer
    return response


def function_name(func: Callable[..., Any], kwargs: Mapping[str, Any] | None) -> str:
    """Return the name of a function torch is about to call, without the underscore of in-place variants."""
    if func is stand_in:
        return str((kwargs or {})["name"])
    name = getattr(func, "__name__", "")
    return name if name.startswith("_") else name.rstrip("_")


def function_kind(name: str) -> str:
    """Return the kind of the function called `name`."""
    if name in RELUS:
        return "relu"
    if name in NONLINEARITIES:
        return "activation"
    return "conv" if name in CONVOLUTIONS else "linear" if name in LINEARS else "other"


def weighted_operations(name: str, args: tuple[Any, ...]) -> int:
    """Return how many weighted operations one call of the function `name` is: 0, 1, or 2 for attention."""
    if name in CONVOLUTIONS or name in LINEARS:
        return 1
    if name == "multi_head_attention_forward":
        return 2  # the projections before and after the attention, as where they are modules
    operands = args[1:] if name == "einsum" else args
    return int(name in PRODUCTS and any(isinstance(operand, nn.Parameter) for operand in operands))


def module_kind(module: nn.Module) -> str:
    """Return the kind of `module`, from its class; `other` where the class does not tell."""
    stands_for = getattr(module, "stands_for", None)
    if isinstance(stands_for, str):
        return function_kind(stands_for)
    if isinstance(module, nn.modules.conv._ConvNd):  # noqa: SLF001 - the only common base of all convolutions
        return "conv"
    if isinstance(module, nn.Linear | nn.Bilinear) or type(module).__name__ == "Conv1D":
        return "linear"
    return _activation_kind(module) or _norm_or_pool(module)


def _activation_kind(module: nn.Module) -> str:
    name = type(module).__name__
    if isinstance(module, _NO_NONLINEARITY):
        return ""
    if isinstance(module, nn.ReLU | nn.ReLU6 | nn.Threshold):
        return "relu"
    if any(c.__module__ == "torch.nn.modules.activation" for c in type(module).__mro__):
        return "activation"
    bare = not any(True for _ in module.children()) and not any(True for _ in module.parameters(recurse=False))
    return "activation" if bare and _LOOKS_LIKE_ACTIVATION.search(name) else ""


def _norm_or_pool(module: nn.Module) -> str:
    name = type(module).__name__
    if isinstance(module, _NORMS) or re.search(r"Norm(Act)?\d?d?$", name):
        return "norm"
    pools = any(c.__module__ == "torch.nn.modules.pooling" for c in type(module).__mro__)
    return "pool" if pools or re.search(r"Pool(ing)?\d?d?$", name) else "other"


def explained_by(function: str, module: nn.Module) -> bool:
    """Whether a call of `function` inside `module` is what the module itself is, and so no stage of its own."""
    kind, inside = function_kind(function), module_kind(module)
    return inside == kind or {kind, inside} == {"relu", "activation"}
