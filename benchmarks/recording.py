"""Counting spikes: 1,000 units, 10,000 presentations, 10^8 spikes; seconds and memory, as predicted and as measured.

    python -m benchmarks.recording [UNITS PRESENTATIONS SPIKES]

Predicted: the spikes take 8 bytes each and are never copied, the counts 8 bytes a unit and presentation; the table of
presentations is read once a unit. Checking the trains reads every spike twice; counting does two binary searches a unit and
presentation, of log2(spikes of the unit) steps of some nanoseconds each, because onsets follow each other.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import numpy as np

from benchmarks.cost import peak_of_this_process
from stratoscope.sources.recording import Presentations, Spikes, Units, count_spikes, psth

#: Bytes a second that one core reads from memory, and seconds a step of a binary search in the cache.
READS, STEP = 4e9, 4e-9


def make(units: int, presentations: int, spikes: int) -> Spikes:
    """Return Poisson trains one after another in one array, and images shown every half second."""
    rng = np.random.default_rng(0)
    each = spikes // units
    seconds = 0.5 * presentations + 1
    flat = np.empty(units * each)
    for unit in range(units):
        train = flat[unit * each : (unit + 1) * each]
        rng.standard_exponential(out=train)
        np.cumsum(train, out=train)
        train *= seconds / train[-1]
    onset = 0.5 + 0.5 * np.arange(presentations)
    shown = Presentations([f"im{k % 500:03d}" for k in range(presentations)], onset, onset + 0.25)
    return Spikes(tuple(np.split(flat, units)), Units(range(units), np.array("V1")), shown)


def predicted(units: int, presentations: int, spikes: int) -> dict[str, float]:
    """Predict seconds of checking and counting, and megabytes of spikes and counts."""
    steps = 2 * units * presentations * math.log2(max(2, spikes / units))
    return {
        "check": 3 * 8 * spikes / READS,
        "count": steps * STEP,
        "MB": (8 * spikes + 8 * units * presentations) / 1e6,
    }


def measure(units: int, presentations: int, spikes: int) -> dict[str, Any]:
    """Count, and say what it took."""
    made = make(units, presentations, spikes)
    before = peak_of_this_process()
    took: dict[str, Any] = {}
    for name, work in (
        ("check", lambda: Spikes(made.times, made.units, made.presentations)),
        ("count", lambda: count_spikes(made, (0.05, 0.2)).mean()),
        (
            "baseline and latency",
            lambda: count_spikes(made, (0, 0.15), latency=np.full(units, 0.05), baseline=(-0.1, 0)),
        ),
        ("psth", lambda: psth(made, (-0.1, 0.3), bin=0.005)),
    ):
        start = time.perf_counter(), time.process_time()
        work()
        took[name] = {"wall": time.perf_counter() - start[0], "cpu": time.process_time() - start[1]}
    return {
        **took,
        "MB before": before,
        "MB": peak_of_this_process(),
        "predicted": predicted(units, presentations, spikes),
    }


def main() -> None:
    """Measure and print."""
    sizes = [int(float(word)) for word in sys.argv[1:]] or [1000, 10_000, 100_000_000]
    found = measure(sizes[0], sizes[1], sizes[2])
    expected = found["predicted"]
    print(f"{sizes[0]:,} units, {sizes[1]:,} presentations, {sizes[2]:,} spikes")
    for name, took in found.items():
        if isinstance(took, dict) and "wall" in took:
            guess = f", predicted {expected[name]:.1f} s" if name in expected else ""
            print(f"{name:22} {took['wall']:.1f} s wall, {took['cpu']:.1f} s processor{guess}")
    print(
        f"peak memory            {found['MB']:.0f} MB, of which {found['MB before']:.0f} MB before counting; predicted "
        f"{expected['MB']:.0f} MB beside the libraries"
    )


if __name__ == "__main__":
    main()
