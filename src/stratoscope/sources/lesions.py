"""Lesions: functions from a network to a new network with one thing taken away; the original is never touched.

A random lesion draws every tensor from its own generator, seeded by the seed and the tensor's name: the same seed gives
the same lesion on any machine, a lesion of one stage is the part of the whole lesion that falls on it, and the global
random state is left alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from stratoscope.errors import BadInput, StageError, unknown_name
from stratoscope.sources.intervene import Answer, Target, intervene
from stratoscope.sources.network import Network
from stratoscope.sources.parameters import chosen_parameters, learns_without_parameters, reset
from stratoscope.sources.seeding import generator_at, tensor_seed

if TYPE_CHECKING:
    from stratoscope.sources.taps import Tap

#: What `permute_weights` moves: elements of the whole tensor, whole output channels, or positions within a kernel.
SCOPES = ("tensor", "channels", "kernels")
#: Non-linearities that `replace_gating` can put in place of the network's own.
GATINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "leaky_relu": functional.leaky_relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
}


def permute_weights(
    source: Network, seed: int, *, scope: str = "tensor", stages: str | Sequence[str] | None = None
) -> Network:
    """Permute the weights within every tensor: what was learnt is gone, its distribution is kept, biases are intact.

    Parameters
    ----------
    source : Network
        The network; not changed.
    seed : int
        Seed of the permutations.
    scope : str
        ``tensor``: one random permutation of all elements of each tensor (Liu, Zhen & Liu 2020, Fig. 3).
        ``channels``: whole output channels change places. ``kernels``: one permutation of the positions of a kernel
        (input channel, row, column), shared by all output channels; vectors have no kernels and stay.
    stages : str or sequence of str, optional
        Modules whose weights are permuted, by name or glob; a name takes in what is inside it. All by default.

    Returns
    -------
    Network
        With every parameter called ``weight`` or ``..._weight`` permuted, those of normalisation included. Tokens and
        positions of transformers have other names and stay.

    Raises
    ------
    UnknownName, BadInput
        An unknown scope or module, or a network without such parameters.

    When it misleads
    ----------------
    This is not an untrained network: permuted weights keep their scale but not their balance, and deep stages often
    go silent. Look at the fraction of dead units beside any sparseness, and compare with `reinitialize`.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158
    """
    if scope not in SCOPES:
        raise unknown_name("scope of a permutation", scope, SCOPES)
    changed = _changed(source, seed, "weight", _PERMUTED[scope], stages)
    return source.with_module(changed, lesion=_name(source, "permute_weights", stages, scope), seed=seed)


def permute_biases(source: Network, seed: int, *, stages: str | Sequence[str] | None = None) -> Network:
    """Permute the biases within every tensor; weights are intact. Parameters and errors as in `permute_weights`."""
    changed = _changed(source, seed, "bias", _PERMUTED["tensor"], stages)
    return source.with_module(changed, lesion=_name(source, "permute_biases", stages), seed=seed)


def reinitialize(source: Network, seed: int, *, stages: str | Sequence[str] | None = None) -> Network:
    """Give every parameter a fresh random start: a network of the same architecture that never learnt.

    Modules reset themselves (``reset_parameters``), which also sets running statistics back to mean 0 and variance 1.
    Parameters of modules that cannot: matrices and kernels Kaiming normal, gains (vectors called ``weight``, ``gamma``,
    ``scale``) 1, biases (``bias``, ``beta``) 0, all others (tokens, positions) truncated normal, sd 0.02.

    Parameters and errors as in `permute_weights`.

    When it misleads
    ----------------
    PyTorch's own start is used, which may differ from that of the training recipe; and normalisation whose running
    statistics are reset does not normalise.
    """
    copied = _copied(source)
    device = next((tensor.device for tensor in copied.parameters()), torch.device("cpu"))
    copied.cpu()
    wanted = set(chosen_parameters(copied, "", stages))
    for path, module in copied.named_modules():
        own = [f"{path}.{name}".lstrip(".") for name, _ in module.named_parameters(recurse=False)]
        if wanted.intersection(own) or learns_without_parameters(module, path, stages):
            with generator_at(tensor_seed(seed, path)):
                reset(module)
    copied.to(device)
    return source.with_module(copied, lesion=_name(source, "reinitialize", stages), seed=seed)


def remove_gating(source: Network, *, stages: str | Sequence[str] | None = None) -> Network:
    """Replace every non-linearity by the identity, whether it is a module or a call; weights are kept.

    Parameters
    ----------
    source : Network
        The network; not changed. It must be prepared where `stages` is given.
    stages : str or sequence of str, optional
        Names or globs of the stages that lose their gating. All of the network's by default.

    Returns
    -------
    Network
        Its stages have the same names and are read after the identity, where the non-linearity was.

    Raises
    ------
    UnknownName, StageError
        No such stage, or one that is not a non-linearity.
    BadInput
        While playing: the network has no non-linearity.

    When it misleads
    ----------------
    Gates written as arithmetic (``x * (x > 0)``, clamping) are not reached, softmax and gated linear units stay, and
    where a sigmoid multiplies (squeeze-and-excitation) taking it away leaves a product.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158
    """
    return _regated(source, _identity, "remove_gating", stages)


def replace_gating(source: Network, kind: str = "leaky_relu", *, stages: str | Sequence[str] | None = None) -> Network:
    """Replace every non-linearity by another, ``leaky_relu`` (slope 0.01), ``tanh`` or ``gelu``.

    Everything else as in `remove_gating`.
    """
    if kind not in GATINGS:
        raise unknown_name("gating", kind, GATINGS)
    gating = GATINGS[kind]
    return _regated(source, _Gated(gating), f"replace_gating[{kind}]", stages)


def ablate_units(source: Network, stage: str, units: Sequence[int]) -> Network:
    """Silence channels of one stage: what they answer is 0 for every later stage.

    Parameters
    ----------
    source : Network
        A prepared network; not changed.
    stage : str
        Name of the stage.
    units : sequence of int
        Channels, from 0, whatever is read as a unit: the whole map of a channel is silenced.

    Raises
    ------
    UnknownName, StageError, BadInput
        No such stage, one whose channels are not known, or channels that it does not have.
    """
    tap = _matching(source, stage)[0]
    axis = {"channels-first": 1, "flat": 1, "channels-last": -1, "tokens": -1}.get(tap.layout)
    if axis is None:
        raise StageError(
            f"Where the channels of stage {tap.name!r} are is not known. Give the network a layout for it."
        )
    count = tap.response[axis]
    chosen = sorted({int(unit) for unit in units})
    if not chosen or chosen[0] < 0 or chosen[-1] >= count:
        raise BadInput(f"Stage {tap.name!r} has channels 0 to {count - 1}; to be silenced are {chosen or 'none'}.")
    changed = intervene(_copied(source), {(tap.site, tap.ordinal): _Silenced(axis, chosen)})
    return source.with_module(changed, lesion=_name(source, f"ablate_units[{stage}: {_listed(chosen)}]", None))


def _copied(source: Network) -> nn.Module:
    """Copy the module of `source`, which must be a network."""
    module = getattr(source, "module", None)
    if not isinstance(module, nn.Module):
        raise BadInput(
            f"{source.name!r} has no network to lesion: it holds responses alone. Lesion the network instead."
        )
    return copy.deepcopy(module)


def _changed(
    source: Network,
    seed: int,
    kind: str,
    change: Callable[[Tensor, torch.Generator], Tensor],
    stages: str | Sequence[str] | None,
) -> nn.Module:
    """Copy the network and change each chosen parameter, drawn from its own generator."""
    copied = _copied(source)
    parameters = dict(copied.named_parameters())
    with torch.no_grad():
        for name in chosen_parameters(copied, kind, stages):
            tensor = parameters[name]
            generator = torch.Generator().manual_seed(tensor_seed(seed, name))
            tensor.copy_(change(tensor.detach().cpu(), generator))
    return copied


def _permute_elements(tensor: Tensor, generator: torch.Generator) -> Tensor:
    return tensor.flatten()[torch.randperm(tensor.numel(), generator=generator)].view_as(tensor)


def _permute_channels(tensor: Tensor, generator: torch.Generator) -> Tensor:
    return tensor[torch.randperm(len(tensor), generator=generator)]


def _permute_kernels(tensor: Tensor, generator: torch.Generator) -> Tensor:
    kernels = tensor.reshape(len(tensor), -1)
    return kernels[:, torch.randperm(kernels.shape[1], generator=generator)].view_as(tensor)


_PERMUTED = dict(zip(SCOPES, (_permute_elements, _permute_channels, _permute_kernels), strict=True))


def _regated(source: Network, answer: Answer, lesion: str, stages: str | Sequence[str] | None) -> Network:
    """Answer every non-linearity, or those at `stages`, with `answer`."""
    targets: dict[Target, Answer] | Answer = answer
    if stages is not None:
        taps = [
            tap for pattern in ([stages] if isinstance(stages, str) else stages) for tap in _matching(source, pattern)
        ]
        for tap in taps:
            if tap.kind not in ("relu", "activation"):
                raise StageError(f"Stage {tap.name!r} is a {tap.kind} and has no gating. Choose non-linearities.")
        targets = {(tap.site, tap.ordinal): answer for tap in taps}
    changed = intervene(_copied(source), targets)
    return source.with_module(changed, lesion=_name(source, lesion, stages))


def _matching(source: Network, pattern: str) -> list[Tap]:
    """Taps of a prepared network whose names fit `pattern`."""
    prepared = source._prepared  # noqa: SLF001 (the network keeps its trace to itself)
    if prepared is None:
        raise StageError(
            f"The stages of {source.name!r} are known only after one stimulus has passed. "
            "Call network = network.prepare(stimuli) first, then lesion a stage."
        )
    taps = prepared.traced.taps
    found = [tap for tap in taps if tap.name == pattern] or [tap for tap in taps if fnmatchcase(tap.name, pattern)]
    if not found:
        raise unknown_name("stage", pattern, [tap.name for tap in taps])
    return found


def _identity(before: Tensor, after: Tensor) -> Tensor:  # noqa: ARG001 (an answer gets both)
    return before


class _Gated:
    """Answers with another non-linearity of what came in."""

    def __init__(self, gating: Callable[[Tensor], Tensor]) -> None:
        self._gating = gating

    def __call__(self, before: Tensor, after: Tensor) -> Tensor:  # noqa: ARG002 (an answer gets both)
        return self._gating(before)


class _Silenced:
    """Answers with what the call returned, some channels of it silenced."""

    def __init__(self, axis: int, channels: list[int]) -> None:
        self._axis = axis
        self._channels = channels

    def __call__(self, before: Tensor, after: Tensor) -> Tensor:  # noqa: ARG002 (an answer gets both)
        channels = torch.tensor(self._channels, device=after.device)
        return after.index_fill(self._axis, channels, 0)


def _name(source: Network, lesion: str, stages: str | Sequence[str] | None, scope: str = "tensor") -> str:
    """Name of the lesion with what it was limited to, after those the network already has."""
    name = lesion if scope == "tensor" else f"{lesion}[{scope}]"
    if stages is not None:
        name += f" at {stages if isinstance(stages, str) else ', '.join(stages)}"
    if source.lesion == "intact":
        return name
    seed = source._settings.seed  # noqa: SLF001 (a network tells its seed only together with a hash of its weights)
    return f"{source.lesion} + {name}" if seed is None else f"{source.lesion} (seed {seed}) + {name}"


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:6]))
    return shown if len(numbers) <= 6 else f"{shown} and {len(numbers) - 6} more"
