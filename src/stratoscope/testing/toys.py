"""Toy networks and stimuli with known answers, each made to show one way of reading a network wrongly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows it by
from numpy.typing import NDArray
from torch import nn

from stratoscope.types import Stimuli


def toy_stimuli(n: int = 10, *, size: int = 8, seed: int = 0) -> Stimuli:
    """Return `n` stimuli of uniform noise in -1 to 1, (3, size, size), in two categories; known from `seed` alone."""
    images = np.random.default_rng(seed).uniform(-1, 1, (n, 3, size, size)).astype(np.float32)
    return _from_arrays(f"toy-noise-{seed}", images, np.array(["even", "odd"])[np.arange(n) % 2])


def constant_stimuli(values: tuple[float, ...] = (-2.0, -0.5, 0.0, 1.0, 3.0), *, size: int = 8) -> Stimuli:
    """Return stimuli that are constant in space and colour, for networks whose answers are then known exactly."""
    images = np.array(values, dtype=np.float32)[:, None, None, None] * np.ones((3, size, size), np.float32)
    return _from_arrays("toy-constant", images, np.array(["dark", "light"])[(np.array(values) > 0).astype(int)])


def _from_arrays(name: str, images: NDArray[np.float32], categories: NDArray[Any]) -> Stimuli:
    ids = tuple(f"{name}-{i}" for i in range(len(images)))
    fingerprint = hashlib.sha256(images.tobytes()).hexdigest()
    return Stimuli(name, ids, lambda row: images[row], {"category": categories}, fingerprint)


class SignedRelu(nn.Module):
    """A convolution that answers a constant stimulus v with (v, -v), and an in-place ReLU: (max(v, 0), max(-v, 0)).

    ``conv`` must be read before the ReLU overwrites it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1).expand(2, 3, 1, 1) / 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the rectified pair (stimulus, 2, row, column)."""
        answer: torch.Tensor = self.relu(self.conv(images))
        return answer


class Restless(nn.Module):
    """Batch norm and dropout, which answer otherwise and change themselves unless in evaluation mode."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.relu = nn.ReLU(inplace=True)
            self.drop = nn.Dropout(0.5)
            self.linear = nn.Linear(4, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return five numbers a stimulus (stimulus, 5)."""
        seen = self.drop(self.relu(self.norm(self.conv(images))))
        answer: torch.Tensor = self.linear(seen.mean((2, 3)))
        return answer


class SharedRelu(nn.Module):
    """A residual block whose one ReLU runs twice a pass: stages ``relu`` and ``relu:2``."""

    def __init__(self, channels: int = 3, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = nn.Conv2d(channels, channels, 3, padding=1)
            self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return maps of the shape of `images`."""
        answer: torch.Tensor = self.relu(images + self.second(self.relu(self.first(images))))
        return answer


class FunctionalRelus(nn.Module):
    """Every spelling of a functional non-linearity after one convolution each, in the order of `SPELLINGS`."""

    SPELLINGS: ClassVar[dict[str, Callable[[torch.Tensor], torch.Tensor]]] = {
        "F.relu(x)": F.relu,
        "F.relu(x, inplace=True)": lambda x: F.relu(x, inplace=True),
        "F.relu_(x)": F.relu_,
        "torch.relu(x)": torch.relu,
        "x.relu_()": lambda x: x.relu_(),
        "F.gelu(x)": F.gelu,
        "F.silu(x)": F.silu,
        "F.relu6(x)": F.relu6,
    }

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in self.SPELLINGS)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return maps of the shape of `images`."""
        x = images
        for conv, call in zip(self.convs, self.SPELLINGS.values(), strict=True):
            x = call(conv(x))
        return x


class Echo(nn.Module):
    """Returns its own input, so that whatever writes into its answer writes into the input too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` itself."""
        return x


class EchoBesideSkip(nn.Module):
    """A module that returns its input, beside a skip connection: answers 2 x, unless someone wrote into the echo."""

    def __init__(self) -> None:
        super().__init__()
        self.echo = Echo()
        self.last = nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return twice the images."""
        answer: torch.Tensor = self.last(self.echo(images) + images)
        return answer


class TinyTransformer(nn.Module):
    """Two encoder layers over four patches and a class token, with GELU: no ReLU anywhere."""

    def __init__(self, size: int = 8, width: int = 8, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.patches = nn.Conv2d(3, width, size // 2, size // 2)
            self.cls = nn.Parameter(torch.randn(1, 1, width))
            layers = (
                nn.TransformerEncoderLayer(width, 2, 16, activation=nn.GELU(), batch_first=True) for _ in range(2)
            )
            self.layers = nn.ModuleList(layers)
            self.head = nn.Linear(width, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return three numbers a stimulus (stimulus, 3)."""
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(tokens), -1, -1), tokens], 1)
        for layer in self.layers:
            tokens = layer(tokens)
        answer: torch.Tensor = self.head(tokens[:, 0])
        return answer
