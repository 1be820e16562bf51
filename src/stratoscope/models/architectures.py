"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from stratoscope.errors import BadInput, unknown_name
from stratoscope.models.plain import PlainNet
from stratoscope.models.residual import ResidualNet
from stratoscope.models.transformer import VisionTransformer
from stratoscope.models.vgg import VggNet

#: Rows and columns of the images that the networks see.
INPUT_SIZE = 64


@dataclass(frozen=True)
class Architecture:
    """How a network is built, and which of its modules are its hidden stages.

    Attributes
    ----------
    name : str
        Name in `build`, in metadata and in ``bundled:NAME``.
    title : str
        What it is, in a line.
    make : callable
        ``make(classes)`` gives the network; its input is (image, 3, 64, 64), its output (image, class).
    hidden : tuple of str
        Modules after which the image has been reformatted once more, in order of execution.
    """

    name: str
    title: str
    make: Callable[[int], nn.Module]
    hidden: tuple[str, ...]


def alexnet(classes: int = 10) -> nn.Module:
    """Build the AlexNet-like network with fresh weights."""
    return PlainNet(classes)


def vgg(classes: int = 10) -> nn.Module:
    """Build the VGG-like network with fresh weights."""
    return VggNet(classes)


def resnet(classes: int = 10) -> nn.Module:
    """Build the small ResNet with fresh weights."""
    return ResidualNet(classes)


def vit(classes: int = 10) -> nn.Module:
    """Build the tiny vision transformer with fresh weights."""
    return VisionTransformer(classes)


ARCHITECTURES: dict[str, Architecture] = {
    entry.name: entry
    for entry in (
        Architecture(
            "alexnet",
            "AlexNet-like: 5 convolutions and 2 hidden fully connected layers with ReLU, no normalisation",
            alexnet,
            ("relu1", "relu2", "relu3", "relu4", "relu5", "relu6", "relu7"),
        ),
        Architecture(
            "vgg",
            "VGG-like: 8 convolutions of 3 x 3 with batch normalisation and ReLU, 1 hidden fully connected layer",
            vgg,
            (*(f"block{block}.relu{unit}" for block in range(1, 5) for unit in (1, 2)), "relu"),
        ),
        Architecture(
            "resnet",
            "ResNet: a stem and 6 basic blocks with batch normalisation",
            resnet,
            ("relu", *(f"layer{layer}.{block}.relu2" for layer in (1, 2, 3) for block in (0, 1))),
        ),
        Architecture(
            "vit",
            "Vision transformer: 64 patches embedded by 3 convolutions, 4 blocks of width 64",
            vit,
            ("patch_embed.1", "patch_embed.3", "patch_embed", "blocks.0", "blocks.1", "blocks.2", "blocks.3"),
        ),
    )
}


def build(name: str, classes: int = 10, *, seed: int | None = None) -> nn.Module:
    """Build a network with fresh weights.

    Parameters
    ----------
    name : str
        One of `ARCHITECTURES`.
    classes : int, optional
        Number of outputs, at least 2.
    seed : int, optional
        Seed of the weights; torch's own generator is left as it was. Without one, torch's generator is drawn from.

    Returns
    -------
    torch.nn.Module
        In training mode, on the CPU.

    Raises
    ------
    UnknownName
        If there is no such architecture.
    BadInput
        If there are fewer than two classes.
    """
    if name not in ARCHITECTURES:
        raise unknown_name("architecture", name, ARCHITECTURES)
    if classes < 2:
        raise BadInput(f"A network tells at least 2 classes apart; {classes} were asked for.")
    if seed is None:
        return ARCHITECTURES[name].make(classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[name].make(classes)
