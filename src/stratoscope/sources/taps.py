"""Every place of a network that can be read: name, kind, depth, shape and layout, from two short passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

import torch
from torch import nn

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources.blocks import find_blocks
from stratoscope.sources.layouts import LAYOUTS, fits, infer_layouts
from stratoscope.sources.trace import Call, Site, Trace, trace

#: A call: its site and the how manieth call of it.
Key: TypeAlias = tuple[Site, int]
#: How far mean and root mean square of a stimulus' response may differ between passes with and without another one.
ALONE_OR_NOT = 1e-2
#: The same where it must also be found out in what order the rows lie.
ORDER_OF_ROWS = 1e-3


@dataclass(frozen=True)
class Tap:
    """One call that can be read in every pass.

    Attributes
    ----------
    name : str
        Path of the module or of the function in its module; ``:2`` for the second call of that name.
    site, ordinal, calls : Site, int, int
        What is called, which of its calls in a pass this is (from 1), and how many there are.
    operation : str
        Class of the module, or name of the function.
    kind, depth : str, float
        As in `stratoscope.types.Stage`.
    response : tuple of int
        Shape that the tensor has for one stimulus, with the leading dimension (1, or `windows`).
    shape, layout : tuple of int, str
        Shape of what is read for one stimulus, and where its channels are.
    windows : int
        Leading rows per stimulus: 1, or the number of windows a stimulus was cut into.
    """

    name: str
    site: Site
    ordinal: int
    calls: int
    operation: str
    kind: str
    depth: float
    response: tuple[int, ...]
    shape: tuple[int, ...]
    layout: str
    windows: int = 1


@dataclass(frozen=True)
class Traced:
    """What one network can be asked for.

    Attributes
    ----------
    taps : tuple of Tap
        Every tap that can be read, in order of execution.
    left_out : mapping of str to str
        Calls that cannot be read, and why.
    idle : tuple of str
        Modules that exist and never ran.
    input_shape : tuple of int
        Shape of the stimulus the network was traced with.
    """

    taps: tuple[Tap, ...]
    left_out: Mapping[str, str]
    idle: tuple[str, ...]
    input_shape: tuple[int, ...]


def find_taps(module: nn.Module, image: torch.Tensor, layout: str | Mapping[str, str] | None = None) -> Traced:
    """Trace `module` with one stimulus `image` (channel, row, column), then with it and a pattern, and compare."""
    alone, paired = trace(module, image[None]), trace(module, torch.stack([image, _pattern(image)]))
    names = _names(alone.calls)
    layouts = _layouts(alone.calls, names, image, layout)
    trouble = _troubles(alone, paired, layouts)
    taps = _describe(alone, names, trouble, layouts)
    left_out = {names[key]: reason for key, reason in trouble.items() if reason}
    ran = {call.path for call in alone.calls} | {""}
    idle = tuple(path for path, _ in module.named_modules() if path not in ran)
    return Traced(taps, left_out, idle, tuple(image.shape))


def _pattern(image: torch.Tensor) -> torch.Tensor:
    """Return another stimulus of the same shape and range, made without touching any random state."""
    waves = torch.sin(torch.arange(image.numel(), device=image.device, dtype=torch.float32) * 0.7391)
    return waves.reshape(image.shape).to(image.dtype) * image.abs().amax().clamp(min=0.5)


def _names(calls: Sequence[Call]) -> dict[Key, str]:
    """Name every call in order: the path of its module, or path and function, with its number after the first."""
    given: Counter[str] = Counter()
    names = {}
    for call in calls:
        function = call.site[1] if call.site[0] == "function" else ""
        base = ".".join(part for part in (call.path, function) if part)
        given[base] += 1
        names[call.site, call.ordinal] = base if given[base] == 1 else f"{base}:{given[base]}"
    return names


def _describe(
    alone: Trace, names: Mapping[Key, str], trouble: Mapping[Key, str], layouts: Mapping[Key, str]
) -> tuple[Tap, ...]:
    blocks = find_blocks(alone.calls)
    taps = []
    for index, call in enumerate(alone.calls):
        key = (call.site, call.ordinal)
        if trouble[key] or call.response is None:
            continue
        depth = call.weighted / alone.weighted if alone.weighted else (index + 1) / len(alone.calls)
        kind = "block" if key in blocks else call.kind
        shape, layout = _merge_windows(call.response, layouts[key])
        operation = type(call.owner).__name__ if call.site[0] == "module" else call.site[1]
        place = (names[key], call.site, call.ordinal, alone.counts[call.site], operation)
        taps.append(Tap(*place, kind, depth, call.response, shape, layout, call.response[0]))
    return tuple(taps)


def _merge_windows(response: tuple[int, ...], layout: str) -> tuple[tuple[int, ...], str]:
    """Return shape and layout of what is read; the windows of one stimulus are laid in a row of tokens."""
    windows, *shape = response
    if windows == 1:
        return tuple(shape), layout
    positions = windows
    for extent in shape[:-1]:
        positions *= extent
    return (positions, shape[-1]), "tokens"


def _layouts(
    calls: Sequence[Call],
    names: Mapping[Key, str],
    image: torch.Tensor,
    asked: str | Mapping[str, str] | None,
) -> dict[Key, str]:
    layouts = infer_layouts(calls, square=image.ndim == 3 and image.shape[-1] == image.shape[-2])
    wishes = {"*": asked} if isinstance(asked, str) else dict(asked or {})
    for pattern, wish in wishes.items():
        if wish not in LAYOUTS:
            raise unknown_name("layout", wish, LAYOUTS)
        named = [call for call in calls if fnmatchcase(names[call.site, call.ordinal], pattern)]
        meant = [call for call in named if call.response is not None and fits(wish, call.response[1:])]
        if not meant:
            raise BadInput(f"The layout {wish!r} was given for {pattern!r}, and no stage of that name can have it.")
        layouts |= {(call.site, call.ordinal): wish for call in meant}
    return layouts


def _troubles(alone: Trace, paired: Trace, layouts: Mapping[Key, str]) -> dict[Key, str]:
    both = {(call.site, call.ordinal): call for call in paired.calls}
    found = {}
    for call in alone.calls:
        key = (call.site, call.ordinal)
        steady = alone.counts[call.site] == paired.counts.get(call.site)
        found[key] = _trouble(call, both.get(key) if steady else None, layouts.get(key, ""))
    return found


def _trouble(alone: Call, paired: Call | None, layout: str) -> str:
    """Say why a call cannot be read, or nothing where it can."""
    if alone.response is None:
        return "it does not return a floating-point tensor"
    if paired is None or paired.response is None:
        return "it does not run equally often for every stimulus"
    leading = alone.response[0]
    if paired.response != (2 * leading, *alone.response[1:]):
        return f"its first dimension is not the stimulus: its shape is {alone.response} for one stimulus, {paired.response} for two"
    if leading > 1:
        return _trouble_with_windows(alone, paired, layout)
    return (
        ""
        if _same(alone, paired, slice(0, 1), ALONE_OR_NOT)
        else "its response to a stimulus depends on the others in the batch"
    )


def _trouble_with_windows(alone: Call, paired: Call, layout: str) -> str:
    leading = (alone.response or (0,))[0]
    first = _same(alone, paired, slice(0, leading), ORDER_OF_ROWS)
    second = _same(alone, paired, slice(leading, 2 * leading), 10 * ORDER_OF_ROWS)
    if first and not second and layout in ("tokens", "channels-last", "flat"):
        return ""
    return f"its {leading} rows per stimulus are not known to lie together, stimulus after stimulus"


def _same(alone: Call, paired: Call, rows: slice, tolerance: float) -> bool:
    if alone.rows is None or paired.rows is None:
        return False
    a, b = alone.rows, paired.rows[rows]
    scale = a[:, 1:].clamp(min=1e-12)
    return bool(torch.all(((a - b).abs() <= tolerance * scale) | (a.isnan() & b.isnan()) | (a == b)))
