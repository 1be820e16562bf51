"""What a whole pass costs beyond its limit: streaming metrics, sparseness alone, and everything that needs pairs.

    python -m benchmarks.whole_pass [streaming sparseness pairs deep] [--n 2000] [--runs 5] [--threads 1]

- streaming: AlexNet and ResNet-50, 224 px, all ReLU stages, the same tensors: every streaming metric over the bare pass;
- sparseness: PSI at every ReLU stage of AlexNet from JPEG files over decode + forward;
- pairs: dimension, read-out and CKA at every ReLU stage of AlexNet, units being positions, from JPEG files within
  1 GB, over decode + forward + the Gram products at the rate of a Gram product measured in the same run;
- deep: the same at all 49 ReLU stages of ResNet-50, every part of every run in a process of its own. On two cores a run
  takes a quarter of an hour, and 77 GB of disk where temporary files are kept; without that nothing is measured.

Ratios are of processor seconds on one thread and of wall seconds on several, taken in turn and given as medians.
"""

from __future__ import annotations

import argparse
import json
import shutil
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


NETWORKS: dict[str, Callable[[], Any]] = {"AlexNet": alexnet, "ResNet-50": resnet50}


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
    """Dimension, read-out and CKA at every stage of AlexNet, over decode + forward + Gram products."""
    with tempfile.TemporaryDirectory() as folder:
        photos = photographs(Path(folder), n)
        source, stimuli = alexnet(), st.open_stimuli(str(photos))
        works: dict[str, Callable[[], None]] = {
            "ours": partial(profiled, source, stimuli, PAIRS),
            "decode + forward": partial(bare, source, stimuli),
        }
        units, taken = positions(source, stimuli), {name: [] for name in (*works, "Gram products")}
        for _ in range(runs):
            for name, work in works.items():
                taken[name].append(seconds(work)[clock()])
            taken["Gram products"].append(gram_seconds(n, units))
        peaks = {what: once(what, "AlexNet", photos)["peak MB"] for what in works}
        return {"AlexNet with pairs over decode + forward + Gram": compared(taken, peaks, units)}


def deep(n: int, runs: int = 1, network: str = "ResNet-50") -> dict[str, Any]:
    """Do the same at every stage of ResNet-50, in processes of their own; nothing where the disk has no room for it."""
    with tempfile.TemporaryDirectory() as folder:
        photos = photographs(Path(folder), n)
        units = positions(NETWORKS[network](), st.open_stimuli(str(photos)))
        if shutil.disk_usage(folder).free < 1.01 * 4 * n * units:
            return {}
        taken: dict[str, list[float]] = {"ours": [], "decode + forward": [], "Gram products": []}
        peaks = dict.fromkeys(("ours", "decode + forward"), 0.0)
        for _ in range(runs):
            for what in peaks:
                found = once(what, network, photos)
                taken[what].append(found["seconds"])
                peaks[what] = max(peaks[what], found["peak MB"])
            taken["Gram products"].append(gram_seconds(n, units))
        return {f"{network} with pairs over decode + forward + Gram": compared(taken, peaks, units)}


def photographs(folder: Path, n: int) -> Path:
    """Write `n` JPEG files, no two alike: repeats would be merged, and ask less of a read-out."""
    return write_jpegs(folder / "photos", n, originals=n)


def positions(source: Any, stimuli: st.Stimuli) -> int:
    """Return the number of units of all stages, units being positions."""
    return sum(stage.n_units for stage in source.select(unit="position").prepare(stimuli).stages)


def compared(taken: dict[str, list[float]], peaks: dict[str, float], units: int) -> dict[str, Any]:
    """Return the ratio of ours to its limit, run by run and as a median, and what went into it."""
    limits = (b + c for b, c in zip(taken["decode + forward"], taken["Gram products"], strict=True))
    ratios = [one / limit for one, limit in zip(taken["ours"], limits, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "seconds": {name: round(statistics.median(one), 1) for name, one in taken.items()},
        "positions": units,
        "peak MB": peaks["ours"],
        "peak MB of decode + forward": peaks["decode + forward"],
        "MB above it": round(peaks["ours"] - peaks["decode + forward"]),
    }


def once(what: str, network: str, photos: Path) -> dict[str, float]:
    """Return what a fresh process took that does `what` once with `photos`: seconds, and its peak memory in MB."""
    command = [sys.executable, "-m", "benchmarks.whole_pass", "once", what, network, str(photos), str(threads())]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said.strip().splitlines()[-1]))


def threads() -> int:
    """Return how many threads this run takes."""
    import torch

    return torch.get_num_threads()


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
    "deep": deep,
}


def main() -> None:
    """Measure the rows asked for; or, for ``once WHAT NETWORK FOLDER THREADS``, do one and print what it took."""
    if sys.argv[1:2] == ["once"]:
        print(json.dumps(_once(*sys.argv[2:5], threads=int(sys.argv[5]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"Of {', '.join(ROWS)}; all by default.")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    with limited(given.threads):
        for row in given.rows or ROWS:
            print(json.dumps(ROWS[row](given.n, given.runs), indent=1), flush=True)


def _once(what: str, network: str, photos: str, threads: int) -> dict[str, float]:
    source, stimuli = NETWORKS[network](), st.open_stimuli(photos)
    work = partial(profiled, source, stimuli, PAIRS) if what == "ours" else partial(bare, source, stimuli)
    with limited(threads):
        took = seconds(work)[clock()]
    return {"seconds": round(took, 1), "peak MB": round(peak_of_this_process())}


def limited(threads: int) -> threadpool_limits:
    """Have torch and numpy take so many threads."""
    import torch

    torch.set_num_threads(threads)
    return threadpool_limits(threads)


if __name__ == "__main__":
    main()
