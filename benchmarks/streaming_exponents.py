"""How the work of streaming metrics grows with stimuli, with units and with stages: exponents fitted in one run.

The network does nothing (ReLUs in a row on noise), so that what is timed is the work of the metrics and the way to it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from torch import nn

import stratoscope as st
from benchmarks.cost import STREAMING, seconds

SIDE = 16
STIMULI, CHANNELS, STAGES = 512, 64, 4


def idle(stages: int) -> Any:
    """Return a network of ReLUs alone, whose units are positions."""
    module = nn.Sequential(*(nn.ReLU() for _ in range(stages)))
    return st.Network(module, stages="relu", unit="position")


def noise(n: int, channels: int) -> st.Stimuli:
    """Return `n` arrays of noise in ten categories."""
    images = np.random.default_rng(0).standard_normal((64, channels, SIDE, SIDE), dtype=np.float32)
    columns = {"category": np.array([f"c{i % 10}" for i in range(n)])}
    return st.Stimuli("noise", tuple(f"n{i:05d}" for i in range(n)), lambda row: images[row % 64], columns)


def took(n: int, channels: int, stages: int) -> float:
    """Return the processor seconds of one run with every streaming metric."""
    source, stimuli = idle(stages), noise(n, channels)
    work = {"metrics": STREAMING, "unit": "position", "batch_size": 32, "workers": 0, "progress": False}
    return seconds(lambda: st.profile(source, stimuli, **work))[1]


def measure(factors: tuple[int, ...] = (1, 2, 4, 8), runs: int = 3, n: int = STIMULI) -> dict[str, Any]:
    """Fit the exponent along each axis, less what an empty run takes; `n` makes it small for the tests."""
    took(32, CHANNELS, 1)  # warm
    fixed = min(took(32, CHANNELS, 1) for _ in range(runs))
    sizes = {
        "stimuli": [(n * f, CHANNELS, STAGES) for f in factors],
        "units": [(n, CHANNELS * f, STAGES) for f in factors],
        "stages": [(n, CHANNELS, STAGES * f) for f in factors],
    }
    found: dict[str, Any] = {"fixed seconds": round(fixed, 3)}
    for along, some in sizes.items():
        times = [max(min(took(*size) for _ in range(runs)) - fixed, 1e-9) for size in some]
        exponent = float(np.polyfit(np.log(factors), np.log(times), 1)[0])
        found[along] = {"exponent": round(exponent, 2), "cpu seconds": [round(one, 3) for one in times]}
    return found


def main() -> None:
    """Print the exponents as JSON."""
    torch.set_num_threads(1)
    print(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    main()
