"""Where the channels of a response are: first, last, along tokens, or alone."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from stratoscope.sources.kinds import CONVOLUTIONS
from stratoscope.sources.trace import Call, Site

LAYOUTS = ("channels-first", "channels-last", "tokens", "flat")
#: What is known where nothing tells: such a stage can be read by `position` only.
UNKNOWN = "unknown"

_CHANNELS_FIRST = (
    *(nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm),  # noqa: SLF001 - the only common bases
    *(nn.LocalResponseNorm, nn.PixelShuffle, nn.PixelUnshuffle),
)


def infer_layouts(calls: Iterable[Call], *, square: bool) -> dict[tuple[Site, int], str]:
    """Return the layout of every call's response to one stimulus.

    What produced it decides where that is certain (a convolution, a linear layer); else two equal extents in a row,
    where the input is `square`; else the layout of the same tensor, of the one it was made from, or of the latest
    response, where that has the same shape.
    """
    known: dict[tuple[int | str, tuple[int, ...]], str] = {}
    layouts = {}
    for call in calls:
        if call.response is None:
            continue
        shape = call.response[1:]
        layout = _by_producer(call, shape) or (_by_extents(shape) if square else "")
        relatives = [(relative, shape) for relative in (call.given, call.taken, "latest")]
        layout = layout or next((known[relative] for relative in relatives if relative in known), "")
        if layout:
            known[call.given, shape] = known["latest", shape] = layout
        layouts[call.site, call.ordinal] = layout or ("tokens" if len(shape) == 2 else UNKNOWN)
    return layouts


def fits(layout: str, shape: tuple[int, ...]) -> bool:
    """Whether a response to one stimulus of `shape` can have `layout`."""
    n = len(shape)
    return {"channels-first": n >= 2, "channels-last": n >= 3, "tokens": n == 2, "flat": n <= 1}.get(layout, False)


def _by_producer(call: Call, shape: tuple[int, ...]) -> str:
    if len(shape) <= 1:
        return "flat"
    owner, function = call.owner, call.site[1] if call.site[0] == "function" else ""
    if function in CONVOLUTIONS or (not function and _puts_channels_first(owner)):
        return "channels-first"
    if function in ("linear", "bilinear") or (not function and _puts_channels_last(owner, shape)):
        return "tokens" if len(shape) == 2 else "channels-last"
    return ""


def _puts_channels_first(owner: nn.Module) -> bool:
    pools = type(owner).__module__ == "torch.nn.modules.pooling"
    return isinstance(owner, _CHANNELS_FIRST) or pools or _is_norm_of_maps(owner)


def _is_norm_of_maps(owner: nn.Module) -> bool:
    """Whether a layer norm permutes so that channels stay first: ``LayerNorm2d``, or one with such a `data_format`."""
    said = type(owner).__name__.endswith("2d") or getattr(owner, "data_format", "") == "channels_first"
    return isinstance(owner, nn.LayerNorm) and said


def _puts_channels_last(owner: nn.Module, shape: tuple[int, ...]) -> bool:
    if isinstance(owner, nn.LayerNorm):
        return tuple(owner.normalized_shape) == shape[-1:]
    return isinstance(owner, nn.Linear | nn.Bilinear)


def _by_extents(shape: tuple[int, ...]) -> str:
    if len(shape) != 3 or len(set(shape)) != 2:
        return ""
    a, b, c = shape
    return "channels-first" if b == c else "channels-last" if a == b else ""
