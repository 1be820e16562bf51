"""A small ResNet with batch normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two convolutions of 3 x 3 round which the input is carried (He et al. 2016); each ReLU is a module of its own."""

    def __init__(self, inward: int, outward: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inward, outward, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outward)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outward, outward, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outward)
        self.relu2 = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inward != outward:
            self.shortcut = nn.Sequential(nn.Conv2d(inward, outward, 1, stride, bias=False), nn.BatchNorm2d(outward))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's response."""
        inner = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        response: Tensor = self.relu2(inner + self.shortcut(x))
        return response


class ResidualNet(nn.Module):
    """A stem with stride 2 and three layers of two basic blocks; input (image, 3, 64, 64)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(BasicBlock(16, 16, 2), BasicBlock(16, 16, 1))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32, 1))
        self.layer3 = nn.Sequential(BasicBlock(32, 56, 2), BasicBlock(56, 56, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(56, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits (image, class)."""
        x = self.relu(self.norm(self.conv(image)))
        x = self.pool(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.head(torch.flatten(x, 1))
        return logits
