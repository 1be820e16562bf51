"""Checkpoints: the weights of one of our architectures in one safetensors file, with what made them in its header."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from stratoscope.errors import WeightsError
from stratoscope.models.architectures import ARCHITECTURES, INPUT_SIZE, build

#: Where the functions are that make the networks.
PREFIX = "stratoscope.models:"


@dataclass(frozen=True)
class Header:
    """What stands in the header of a checkpoint.

    In the file every value is text: ``architecture`` as the function that makes the network
    (``stratoscope.models:NAME``) with its ``arguments``, ``size``, ``mode`` and the ``mean`` and ``std`` of three
    channels as the treatment of images, lists as JSON.

    Attributes
    ----------
    architecture : str
        Name in `ARCHITECTURES`.
    classes : tuple of str
        Names of the outputs, in order.
    mean, std : float
        The input is (pixel / 255 - mean) / std in every channel.
    step : int
        Optimisation steps behind the weights; 0 is the initial state.
    steps : int
        Steps of the whole training.
    seed : int
        Seed of the weights and of the order of the images.
    accuracy : float
        Share of held-out views recognised, 0 to 1.
    stimuli : str
        The set that was learned.
    command : str
        The command line that makes the file again.
    size : int
        Rows and columns of the input; larger images are resized to it.
    version, torch : str
        Versions of this package and of torch.
    """

    architecture: str
    classes: tuple[str, ...]
    mean: float
    std: float
    step: int
    steps: int
    seed: int
    accuracy: float
    stimuli: str
    command: str
    size: int = INPUT_SIZE
    version: str = ""
    torch: str = ""


def save_checkpoint(path: str | Path, network: nn.Module, header: Header, *, half: bool = False) -> None:
    """Write a checkpoint, completely or not at all.

    Parameters
    ----------
    path : path
        Where the ``.safetensors`` file goes; replaced if it is there.
    network : torch.nn.Module
        The network.
    header : Header
        What made it; the versions are filled in.
    half : bool, optional
        Store weight matrices and kernels in 16 bits. Biases and the statistics of normalisation keep 32.
    """
    tensors = {name: _stored(tensor, half) for name, tensor in network.state_dict().items()}
    write_tensors(path, tensors, _texts(header))


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """Write a safetensors file beside its place, then move it there."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        save_file(dict(tensors), part, metadata=dict(header))
        os.replace(part, path)  # noqa: PTH105 - replaces on every system
    finally:
        part.unlink(missing_ok=True)


def open_checkpoint(path: str | Path) -> tuple[nn.Module, Header]:
    """Open a checkpoint: the network in evaluation mode, float32, and its header.

    Raises
    ------
    WeightsError
        If the file is missing or damaged, was not written by `save_checkpoint`, or its weights are not those of the
        architecture that its header names.
    """
    tensors, texts = read_tensors(path)
    header = _header(Path(path), texts)
    network = build(header.architecture, len(header.classes))
    fill(network, tensors, Path(path).name, header.architecture)
    return network.eval(), header


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors and the header of a safetensors file, on the CPU."""
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There is no checkpoint {str(path)!r}. Give the path of a .safetensors file.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path.name!r} is damaged or no safetensors file ({error}). Make or copy it again."
        ) from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], where: str, architecture: str) -> None:
    """Put tensors into a network of the same names and shapes, all or none.

    Raises
    ------
    WeightsError
        If a name or shape differs; the network is then as it was.
    """
    wanted = network.state_dict()
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    wrong = [name for name in wanted.keys() & tensors.keys() if wanted[name].shape != tensors[name].shape]
    if missing or extra or wrong:
        details = [f"{len(missing)} tensors are missing (first: {missing[0]!r})"] if missing else []
        details += [f"{len(extra)} are not of it (first: {extra[0]!r})"] if extra else []
        details += [_shapes(min(wrong), tensors, wanted)] if wrong else []
        raise WeightsError(
            f"The checkpoint {where!r} does not fit the architecture {architecture!r}: {'; '.join(details)}. "
            "Give a checkpoint that was trained with this architecture and number of classes."
        )
    network.load_state_dict({name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()})


def _shapes(name: str, tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    return f"{name!r} is {tuple(tensors[name].shape)} in the file and {tuple(wanted[name].shape)} in the network"


def _texts(header: Header) -> dict[str, str]:
    values = asdict(header) | {
        "architecture": PREFIX + header.architecture,
        "arguments": {"classes": len(header.classes)},
        "mode": "squash",
        "mean": [header.mean] * 3,
        "std": [header.std] * 3,
        "version": _version(),
        "torch": str(torch.__version__),
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _header(path: Path, texts: Mapping[str, str]) -> Header:
    missing = [entry.name for entry in fields(Header) if entry.name not in texts]
    name = texts.get("architecture", "").removeprefix(PREFIX)
    if missing or name not in ARCHITECTURES:
        what = f"its header lacks {', '.join(missing)}" if missing else f"its architecture is {name!r}"
        raise WeightsError(
            f"{path.name!r} is not a checkpoint of this package: {what}. Known architectures: {', '.join(ARCHITECTURES)}."
        )
    values: dict[str, Any] = {
        entry.name: texts[entry.name] if entry.type == "str" else json.loads(texts[entry.name])
        for entry in fields(Header)
    }
    mean, std = values["mean"][0], values["std"][0]
    return Header(**values | {"architecture": name, "classes": tuple(values["classes"]), "mean": mean, "std": std})


def _stored(tensor: Tensor, half: bool) -> Tensor:
    matrix = tensor.ndim >= 2 and tensor.is_floating_point()
    return tensor.detach().to(torch.float16 if half and matrix else tensor.dtype).contiguous().clone()


def _version() -> str:
    try:
        return version("stratoscope")
    except PackageNotFoundError:
        return "unknown"
