"""A VGG-like network with batch normalisation."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


def _block(inward: int, outward: int, stride: int = 1) -> nn.Sequential:
    """Two convolutions of 3 x 3, each with batch normalisation and ReLU, then pooling."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(inward, outward, 3, stride, padding=1, bias=False),
            norm1=nn.BatchNorm2d(outward),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(outward, outward, 3, padding=1, bias=False),
            norm2=nn.BatchNorm2d(outward),
            relu2=nn.ReLU(),
            pool=nn.MaxPool2d(2),
        )
    )


class VggNet(nn.Module):
    """VGG-like (Simonyan & Zisserman 2015): four blocks of two 3 x 3 convolutions, then one hidden layer.

    The first convolution has stride 2, to spare time. Input (image, 3, 64, 64).
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.block1 = _block(3, 12, stride=2)
        self.block2 = _block(12, 24)
        self.block3 = _block(24, 40)
        self.block4 = _block(40, 56)
        self.fc = nn.Linear(56 * 2 * 2, 96)
        self.relu = nn.ReLU()
        self.head = nn.Linear(96, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits (image, class)."""
        x = self.block4(self.block3(self.block2(self.block1(image))))
        logits: Tensor = self.head(self.relu(self.fc(torch.flatten(x, 1))))
        return logits
