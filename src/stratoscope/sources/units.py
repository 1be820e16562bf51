"""What a unit is: how one batch of a stage's responses becomes (stimulus, unit)."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isqrt, prod
from typing import TypeAlias

import torch

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources.layouts import UNKNOWN

#: Turns the responses (stimulus, *shape) of a stage into (stimulus, unit), as a view where it can.
Reader: TypeAlias = Callable[[torch.Tensor], torch.Tensor]

UNITS = ("channel", "channel:max", "channel:top5", "channel:centre", "position", "cls", "mean", "token")


def unit_name(unit: str) -> str:
    """Return the one name of a unit definition: `channel` for `channel:mean`; refuses what is none."""
    if unit == "channel:mean":
        return "channel"
    if unit in UNITS or re.fullmatch(r"channel:top[1-9]\d*", unit):
        return unit
    raise unknown_name("unit definition", unit, UNITS)


def unit_reader(unit: str, layout: str, shape: tuple[int, ...], *, stage: str, square: bool = True) -> Reader:
    """Return the function that reads `unit` from responses (stimulus, `*shape`) of `layout`.

    Parameters
    ----------
    unit : str
        ``channel`` (mean over positions or tokens), ``channel:max``, ``channel:topK`` (mean of the K largest),
        ``channel:centre`` (mean of the one or two middle positions of each spatial dimension), ``position`` (every
        number is a unit), ``cls`` (first token), ``mean`` (mean over tokens), ``token`` (every token and feature).
        Where the layout is flat every number is a unit for ``position`` and every ``channel`` definition.
    layout, shape : str, tuple of int
        Layout and shape of the response to one stimulus.
    stage : str
        Name for messages.
    square : bool
        Whether the input is square: then a square number of tokens holds no class token.

    Raises
    ------
    BadInput
        The definition makes no sense for this response.
    """
    unit = unit_name(unit)
    if unit == "position" or (layout == "flat" and unit.startswith("channel")):
        return _flatten
    if layout == UNKNOWN:
        raise BadInput(
            f"Stage {stage!r} of shape {shape} has channels in no place that could be found out, so {unit!r} cannot be "
            f"read from it. Say where they are with layout={{{stage!r}: 'channels-first'}}, or read 'position'."
        )
    if unit.startswith("channel"):
        return _channel_reader(unit, layout, shape, stage)
    return _token_reader(unit, layout, shape, stage, square)


def _flatten(responses: torch.Tensor) -> torch.Tensor:
    return responses.reshape(responses.shape[0], -1)


def _channel_reader(unit: str, layout: str, shape: tuple[int, ...], stage: str) -> Reader:
    first = layout == "channels-first"
    dims = tuple(range(2, len(shape) + 1)) if first else tuple(range(1, len(shape)))
    way = unit.partition(":")[2] or "mean"
    if way == "mean":
        return _mean_over(dims)
    if way == "max":
        return lambda responses: responses.amax(dims)
    if way == "centre":
        return _centre(layout, shape, dims, stage)
    return _mean_of_largest(int(way.removeprefix("top")), prod(shape[d - 1] for d in dims), dims, stage)


def _mean_over(dims: tuple[int, ...]) -> Reader:
    def read(responses: torch.Tensor) -> torch.Tensor:
        half = responses.dtype in (torch.float16, torch.bfloat16)  # a mean in half precision would lose digits
        return responses.mean(dims, dtype=torch.float32 if half else None)

    return read


def _centre(layout: str, shape: tuple[int, ...], dims: tuple[int, ...], stage: str) -> Reader:
    if layout == "tokens":
        raise BadInput(
            f"Stage {stage!r} has tokens, which have no centre. Read 'mean', 'cls' or 'channel:max' instead."
        )
    mean = _mean_over(dims)

    def read(responses: torch.Tensor) -> torch.Tensor:
        for dim in dims:
            extent = shape[dim - 1]
            responses = responses.narrow(dim, (extent - 1) // 2, 2 - extent % 2)
        return mean(responses)

    return read


def _mean_of_largest(k: int, positions: int, dims: tuple[int, ...], stage: str) -> Reader:
    if k > positions:
        raise BadInput(
            f"'channel:top{k}' needs {k} positions, and stage {stage!r} has {positions}. "
            f"Choose K up to {positions}, or 'channel'."
        )
    last = dims[0] > 1
    return lambda responses: (
        responses.flatten(dims[0], dims[-1]).topk(k, dim=2 if last else 1, sorted=False).values.mean(2 if last else 1)
    )


def _token_reader(unit: str, layout: str, shape: tuple[int, ...], stage: str, square: bool) -> Reader:
    if layout != "tokens":
        raise BadInput(
            f"{unit!r} reads tokens, and stage {stage!r} has shape {shape} ({layout}). "
            "Choose 'channel' or 'position' for it, or stages with tokens."
        )
    if unit == "token":
        return _flatten
    if unit == "mean":
        return _mean_over((1,))
    n = shape[0]
    if square and n > 1 and isqrt(n) ** 2 == n:
        raise BadInput(
            f"'cls' reads the class token, and the {n} tokens of stage {stage!r} are a grid of {isqrt(n)} x {isqrt(n)} "
            "without one. Read 'mean' or 'token' instead."
        )
    return lambda responses: responses[:, 0]
