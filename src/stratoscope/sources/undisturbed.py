"""Leave a network, its device and all random states as they were found, also after an error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch
from torch import nn

from stratoscope.errors import BadInput, WeightsError


@contextmanager
def undisturbed(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Lend `module` in evaluation mode on `device`, and put back modes, device and random states afterwards."""
    with _random_states(device), _on_device(module, device), _evaluating(module), _plain_attention():
        yield


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:  # not eval(): a network may override it to do more than this
            part.training = False
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def _random_states(device: torch.device) -> Iterator[None]:
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if on_device is not None:
            torch.cuda.set_rng_state(on_device, device)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Switch off the fused attention, which skips modules and is taken or not according to where hooks are."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _on_device(module: nn.Module, device: torch.device) -> Iterator[None]:
    _refuse_lazy(module)
    where = {tensor.device for tensor in chain(module.parameters(), module.buffers())}
    away = {place for place in where if not _same_device(place, device)}
    if not away:
        yield
        return
    if len(where) > 1:
        raise BadInput(f"The network lies on several devices ({', '.join(sorted(map(str, where)))}). Move it to one.")
    home = away.pop()
    module.to(device)
    try:
        yield
    finally:
        module.to(home)


def usable_device(name: str) -> torch.device:
    """Return the device called `name`; refuses one that cannot be used here."""
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        if "Expected one of" in reason:
            reason = "torch knows no device of that name"
        raise BadInput(
            f"Device {name!r} cannot be used here: {reason}. Choose 'cpu', or install what it needs."
        ) from error
    return device


def _same_device(a: torch.device, b: torch.device) -> bool:
    return a.type == b.type and (a.index == b.index or b.index is None)


def _refuse_lazy(module: nn.Module) -> None:
    for name, tensor in chain(module.named_parameters(), module.named_buffers()):
        if nn.parameter.is_lazy(tensor):
            raise WeightsError(
                f"Weight {name!r} has no shape yet. Run the network once on an image before it is profiled, so that its "
                "weights are made by you and not by the way."
            )
