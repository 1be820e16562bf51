"""What a whole pass costs beyond its limit: streaming metrics, sparseness alone, and everything that needs pairs.

    python -m benchmarks.whole_pass [streaming sparseness pairs] [--n 2000] [--runs 5] [--threads 1]

- streaming: AlexNet and ResNet-50, 224 px, all ReLU stages, the same tensors: every streaming metric over the bare pass;
- sparseness: PSI at every ReLU stage of AlexNet from JPEG files over decode + forward;
- pairs: dimension, read-out and CKA at every ReLU stage of AlexNet, units being positions, from JPEG files within
  1 GB, over decode + forward + the Gram products at the rate of a Gram product measured in the same run.

Ratios are of processor seconds on one thread and of wall seconds on several, taken in turn and given as medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg.blas import dsyrk
from threadpoolctl import threadpool_limits

import stratoscope as st
from benchmarks.cost import STREAMING, alexnet, bare, clock, paired_ratio, peak_of_this_process, seconds, tensors
from benchmarks.images import write_jpegs

#: What needs every pair of stimuli, or all of a stage's responses at once.
PAIRS = ("two_nn", "cross_validated_readout", "cka")
BUDGET = "1GB"


def resnet50() -> Any:
    """ResNet-50 with random weights."""
    return st.open_source("torchvision:resnet50", weights="random", stages="relu", unit="channel")


def profiled(source: Any, stimuli: st.Stimuli, metrics: tuple[str, ...]) -> None:
    """Run a pass; every metric reads the unit that is usual for it."""
    st.profile(source, stimuli, metrics=metrics, batch_size=32, workers=2, budget=BUDGET, progress=False)


def streaming(n: int, runs: int) -> dict[str, Any]:
    """Every streaming metric over the bare pass of two networks, on the same tensors; AlexNet, which is fast, sees more."""
    found = {}
    for name, source, stimuli in (("AlexNet", alexnet(), tensors(4 * n)), ("ResNet-50", resnet50(), tensors(n))):
        one = paired_ratio(partial(profiled, source, stimuli, tuple(STREAMING)), partial(bare, source, stimuli), runs)
        found[f"{name}, streaming over bare"] = one
    return found


def sparseness(n: int, runs: int) -> dict[str, Any]:
    """PSI of every stage from JPEG files over decode + forward."""
    with tempfile.TemporaryDirectory() as folder:
        source, stimuli = alexnet(), st.open_stimuli(str(write_jpegs(Path(folder) / "photos", n)))
        work = partial(profiled, source, stimuli, ("population_sparseness",))
        return {"AlexNet, PSI over decode + forward": paired_ratio(work, partial(bare, source, stimuli), runs)}


def pairs(n: int, runs: int) -> dict[str, Any]:
    """Dimension, read-out and CKA at every stage, over decode + forward + Gram products."""
    with tempfile.TemporaryDirectory() as folder:
        photos = write_jpegs(
            Path(folder) / "photos", n, originals=n
        )  # repeats would be merged, and ask less of a read-out
        source, stimuli = alexnet(), st.open_stimuli(str(photos))
        units = sum(stage.n_units for stage in source.select(unit="position").prepare(stimuli).stages)
        works: dict[str, Callable[[], None]] = {
            "ours": partial(profiled, source, stimuli, PAIRS),
            "decode + forward": partial(bare, source, stimuli),
        }
        taken = {name: [] for name in (*works, "Gram products")}
        for _ in range(runs):
            for name, work in works.items():
                taken[name].append(seconds(work)[clock()])
            taken["Gram products"].append(gram_seconds(n, units))
        ratios = [a / (b + c) for a, b, c in zip(*(taken[name] for name in taken), strict=True)]
        peaks = {what: peak(what, photos) for what in ("decode + forward", "pairs")}
    return {
        "AlexNet with pairs over decode + forward + Gram": {
            "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios],
            "seconds": {name: round(statistics.median(one), 1) for name, one in taken.items()},
            "positions": units,
            "peak MB": peaks["pairs"],
            "peak MB of decode + forward": peaks["decode + forward"],
            "MB above it": round(peaks["pairs"] - peaks["decode + forward"]),
        }
    }


def peak(what: str, photos: Path) -> float:
    """Return the peak memory in MB of a fresh process that does `what` once with `photos`."""
    command = [sys.executable, "-m", "benchmarks.whole_pass", "memory", what, str(photos)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return round(float(said.strip().splitlines()[-1]))


def gram_seconds(n: int, units: int, depth: int = 4096) -> float:
    """Return the seconds that Gram products of `units` would take at the rate of one block, in double precision."""
    block = np.random.default_rng(0).standard_normal((n, depth)).T  # laid out as it is multiplied, without a copy
    total = np.zeros((n, n), order="F")
    dsyrk(1.0, block, beta=1.0, c=total, trans=1, overwrite_c=1)
    took = min(seconds(lambda: dsyrk(1.0, block, beta=1.0, c=total, trans=1, overwrite_c=1))[clock()] for _ in range(3))
    return took * units / depth


ROWS: dict[str, Callable[[int, int], dict[str, Any]]] = {
    "streaming": streaming,
    "sparseness": sparseness,
    "pairs": pairs,
}


def main() -> None:
    """Measure the rows asked for; or, for ``memory WHAT FOLDER``, do one once and print the peak in MB."""
    if sys.argv[1:2] == ["memory"]:
        source, stimuli = alexnet(), st.open_stimuli(sys.argv[3])
        bare(source, stimuli) if sys.argv[2] == "decode + forward" else profiled(source, stimuli, PAIRS)
        print(peak_of_this_process())
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"Of {', '.join(ROWS)}; all by default.")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    with threadpool_limits(given.threads):
        for row in given.rows or ROWS:
            print(json.dumps(ROWS[row](given.n, given.runs), indent=1), flush=True)


if __name__ == "__main__":
    main()
