"""A plain stack of convolutions and fully connected layers with ReLU."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PlainNet(nn.Module):
    """AlexNet-like: five convolutions, two hidden fully connected layers, no normalisation.

    Pooling stands where AlexNet (Krizhevsky, Sutskever & Hinton 2012) has it: after the first, second and fifth
    convolution. Input (image, 3, 64, 64).
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(16, 32, 5, padding=2)
        self.conv3 = nn.Conv2d(32, 48, 3, padding=1)
        self.conv4 = nn.Conv2d(48, 48, 3, padding=1)
        self.conv5 = nn.Conv2d(48, 32, 3, padding=1)
        self.fc6 = nn.Linear(32 * 4 * 4, 128)
        self.fc7 = nn.Linear(128, 96)
        self.fc8 = nn.Linear(96, classes)
        self.relu1, self.relu2, self.relu3, self.relu4 = nn.ReLU(), nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.relu5, self.relu6, self.relu7 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.pool1, self.pool2, self.pool5 = nn.MaxPool2d(2), nn.MaxPool2d(2), nn.MaxPool2d(2)
        _he_initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits (image, class)."""
        x = self.pool1(self.relu1(self.conv1(image)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.relu4(self.conv4(self.relu3(self.conv3(x))))
        x = self.pool5(self.relu5(self.conv5(x)))
        x = self.relu7(self.fc7(self.relu6(self.fc6(torch.flatten(x, 1)))))
        logits: Tensor = self.fc8(x)
        return logits


def _he_initialise(network: nn.Module) -> None:
    """Draw weights that keep the variance through ReLUs (He et al. 2015); without normalisation this is needed."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
