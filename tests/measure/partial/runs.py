"""A small network and stimuli that are quick to play, and what makes two results the same."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import stratoscope as st
from stratoscope.errors import UnreadableStimulus
from stratoscope.measure.partial import shards
from stratoscope.results import open_results

N = 44
METRICS = ["population_sparseness", "lifetime_sparseness", "two_nn", "gride:n1=(1, 2)", "participation_ratio", "cka"]
SETTINGS = {"metrics": METRICS, "batch_size": 4, "progress": False, "seed": 3}


def network(bias: float = 0.0) -> st.Network:
    generator = torch.Generator().manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 9), nn.ReLU()
    )
    with torch.no_grad():
        for weights in module.parameters():
            weights.copy_(torch.randn(weights.shape, generator=generator) / 4 + bias)
    return st.Network(module, stages="relu", name="small")


def stimuli(unreadable=(), before=None, n=N, fingerprint="same") -> st.Stimuli:
    """Return images of noise; `before` is called with every row that is loaded."""
    images = np.random.default_rng(2).random((n, 3, 10, 10), dtype=np.float32)

    def load(row):
        if before is not None:
            before(row)
        if row in unreadable:
            raise UnreadableStimulus(f"Stimulus {row} is broken.")
        return images[row]

    ids = tuple(f"image-{row}" for row in range(n))
    columns = {"category": np.array(list("abcd"))[np.arange(n) * 4 // n]}
    return st.Stimuli("noise", ids, load, columns, fingerprint)


def small_shards(monkeypatch, most=8):
    """Cut runs into shards of 8 stimuli, 6 of them for `N`."""
    monkeypatch.setattr(shards, "STIMULI", most)


def run(out, **changes):
    told = SETTINGS | {"source": network(), "stimuli": stimuli()} | changes
    return st.profile(told.pop("source"), told.pop("stimuli"), out=out, **told)


def same(folder, other):
    """Whether two folders of results hold the same table and the same arrays, bit for bit."""
    ours, theirs = open_results(folder), open_results(other)
    files = ("table.csv", "arrays.zarr.zip")
    equal = all((folder / name).read_bytes() == (other / name).read_bytes() for name in files)
    return equal and (ours.skipped, ours.metrics) == (theirs.skipped, theirs.metrics)
