"""Real networks rebuilt from their tensors, as functions that `FILE.py:FUNCTION` can open.

The folder of the data is taken from the environment variable ``STRATOSCOPE_DATA``, or lies beside the project's root.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from stratoscope import Network

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
CIFAR_MEAN, CIFAR_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def data() -> Path:
    return Path(os.environ.get("STRATOSCOPE_DATA", BESIDE))


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut without weights; every ReLU is a function."""

    def __init__(self, incoming: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(incoming, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.added = stride, width - incoming

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = F.relu(self.bn1(self.conv1(x)))
        inner = self.bn2(self.conv2(inner))
        half = self.added // 2
        beside = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half)) if self.added else x
        return F.relu(inner + beside)


class CifarResNet(nn.Module):
    """Three stages of `n` blocks each: 20 layers for n = 3."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = self._blocks(n, 16, 16, 1)
        self.layer2 = self._blocks(n, 16, 32, 2)
        self.layer3 = self._blocks(n, 32, 64, 2)
        self.linear = nn.Linear(64, 10)

    @staticmethod
    def _blocks(n: int, incoming: int, width: int, stride: int) -> nn.Sequential:
        first = Residual(incoming, width, stride)
        return nn.Sequential(first, *(Residual(width, width, 1) for _ in range(n - 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def cifar_input(image) -> torch.Tensor:
    """Normalise an image as the CIFAR-10 networks were trained with; no resizing."""
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32).copy()).permute(2, 0, 1) / 255
    return (pixels - torch.tensor(CIFAR_MEAN)[:, None, None]) / torch.tensor(CIFAR_STD)[:, None, None]


def resnet20() -> Network:
    module = CifarResNet(3)
    tensors = load_file(data() / "weights/cifar10_resnet_idelbayev/resnet20.safetensors")
    missing = module.load_state_dict(tensors, strict=False)
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    assert not missing.unexpected_keys
    return Network(module, name="resnet20", preprocess=cifar_input)


def fresh_resnet20() -> Network:
    return Network(CifarResNet(3), name="fresh resnet20", preprocess=cifar_input)


class Fire(nn.Module):
    """Squeeze to few channels, expand by two kernels side by side."""

    def __init__(self, incoming: int, squeezed: int, width: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(incoming, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, width, 1)
        self.expand3x3 = nn.Conv2d(squeezed, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.squeeze1x1(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.0: a plain stack of ReLU stages."""

    def __init__(self, shapes: dict[str, torch.Size]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, shapes["conv1.weight"][0], 7, 2)
        for number in range(2, 10):
            width, squeezed = shapes[f"fire{number}.expand1x1.weight"][:2]
            fire = Fire(shapes[f"fire{number}.squeeze1x1.weight"][1], squeezed, width)
            self.add_module(f"fire{number}", fire)
        self.conv10 = nn.Conv2d(shapes["conv10.weight"][1], shapes["conv10.weight"][0], 1, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 3, 2, ceil_mode=True)
        for number in range(2, 10):
            x = self.get_submodule(f"fire{number}")(x)
            if number in (4, 8):
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        return F.relu(self.conv10(x)).mean((2, 3))


def squeezenet_input(image) -> torch.Tensor:
    """Enlarge to 227 pixels; blue, green, red in 0..255 without their means."""
    enlarged = image.resize((227, 227), Image.Resampling.BILINEAR)
    pixels = np.asarray(enlarged, dtype=np.float32)[..., ::-1].transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(pixels)) - torch.tensor([104.0, 117, 123])[:, None, None]


def squeezenet() -> Network:
    tensors = load_file(data() / "weights/imagenet_squeezenet10_deepcompression/squeezenet1_0_dc.safetensors")
    module = SqueezeNet({name: tensor.shape for name, tensor in tensors.items()})
    module.load_state_dict(tensors)
    return Network(module, name="squeezenet", preprocess=squeezenet_input, channels_last=True)


def padded_as_tensorflow(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Pad so that an output is as large as the input over the stride; what is odd goes behind."""

    def split(size: int) -> tuple[int, int]:
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2

    return F.pad(x, (*split(x.shape[-1]), *split(x.shape[-2])))


class SameConv(nn.Module):
    """A convolution with TensorFlow's padding."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, stride: int, groups: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight, False), nn.Parameter(bias, False)
        self.stride, self.groups = stride, groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = padded_as_tensorflow(x, self.weight.shape[-1], self.stride)
        return F.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)


class Inverted(nn.Module):
    """Expand, filter each channel, project; beside a shortcut where shapes allow."""

    def __init__(self, conv: Callable[..., SameConv], name: str, stride: int, expands: bool) -> None:
        super().__init__()
        self.expand = conv(f"{name}.expand") if expands else None
        self.depthwise = conv(f"{name}.depthwise", stride, True)
        self.project = conv(f"{name}.project")
        self.shortcut = stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = F.relu6(self.expand(x)) if self.expand is not None else x
        inner = self.project(F.relu6(self.depthwise(inner)))
        return x + inner if self.shortcut and x.shape == inner.shape else inner


class MobileNetV2(nn.Module):
    """MobileNetV2 1.0 with batch normalisation folded into its convolutions."""

    STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()

        def conv(name: str, stride: int = 1, depthwise: bool = False) -> SameConv:
            weight = tensors[f"{name}.weight"].float()
            return SameConv(weight, tensors[f"{name}.bias"].float(), stride, weight.shape[0] if depthwise else 1)

        self.conv0 = conv("conv0", 2)
        self.blocks = nn.Sequential(*(Inverted(conv, f"block{i}", s, i > 0) for i, s in enumerate(self.STRIDES)))
        self.conv1, self.fc = conv("conv1"), conv("fc")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu6(self.conv1(self.blocks(F.relu6(self.conv0(x)))))
        return self.fc(x.mean((2, 3), keepdim=True)).flatten(1)[:, 1:]  # the first output is the background


def mobilenet_input(image) -> torch.Tensor:
    pixels = np.asarray(image, dtype=np.float32).transpose(2, 0, 1)
    return torch.from_numpy((pixels - np.float32(128)) / np.float32(128))


def mobilenetv2() -> Network:
    tensors = load_file(data() / "weights/imagenet_mobilenet_coral/mobilenetv2_100_224.safetensors")
    return Network(MobileNetV2(tensors), name="mobilenetv2", preprocess=mobilenet_input, channels_last=True)
