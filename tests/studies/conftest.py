"""Small sources and stimuli for the studies."""

from __future__ import annotations

import threading
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from stratoscope.sources.network import Network
from stratoscope.studies import sparse_coding
from stratoscope.studies.liu2020.protocol import Protocol
from stratoscope.types import Stimuli


class Small(nn.Module):
    """Two convolutions and two hidden layers, all gated; counts the stimuli that pass."""

    batches: ClassVar[list[int]] = []

    def __init__(self, gating=nn.ReLU, biases=True):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.conv1, self.gate1 = nn.Conv2d(3, 8, 3, bias=biases), gating()
            self.conv2, self.gate2 = nn.Conv2d(8, 12, 3, stride=2, bias=biases), gating()
            self.fc1, self.gate3 = nn.Linear(12 * 4, 24, bias=biases), gating()
            self.fc2, self.gate4 = nn.Linear(24, 16, bias=biases), gating()
            self.fc3 = nn.Linear(16, 4, bias=biases)

    def forward(self, x):
        Small.batches.append(len(x))
        x = self.gate2(self.conv2(self.gate1(self.conv1(x))))
        x = self.gate4(self.fc2(self.gate3(self.fc1(x.flatten(1)))))
        return self.fc3(x)


class Loads:
    """Loads random images of a category's own mean, and counts how often each is loaded."""

    def __init__(self, codes, rng):
        means = rng.normal(size=(codes.max() + 1, 3, 8, 8))
        self.images = (means[codes] + rng.normal(size=(len(codes), 3, 8, 8))).astype(np.float32)
        self.counts = np.zeros(len(codes), dtype=int)
        self.lock = threading.Lock()

    def __call__(self, row):
        with self.lock:
            self.counts[row] += 1
        return self.images[row].copy()


def some_stimuli(rng, n_categories=5, each=8, **columns):
    codes = np.repeat(np.arange(n_categories), each)
    names = np.array([f"category {code}" for code in codes])
    ids = tuple(f"image-{row}" for row in range(len(codes)))
    return Stimuli("random images", ids, Loads(codes, rng), {"category": names, **columns}, "random")


@pytest.fixture
def make_stimuli(rng):
    return lambda *counts, **columns: some_stimuli(rng, *counts, **columns)


@pytest.fixture
def stimuli(make_stimuli):
    return make_stimuli()


@pytest.fixture
def network():
    return Network(Small(), name="small")


@pytest.fixture
def small():
    return Small


@pytest.fixture(scope="session")
def how():
    """Run a study quickly and silently."""
    return {"protocol": Protocol(n_subsets=2, n_resamples=20), "progress": False, "n_models": 2, "batch_size": 16}


@pytest.fixture(scope="session")
def study(how):
    return sparse_coding(Network(Small(), name="small"), some_stimuli(np.random.default_rng(5)), **how)
