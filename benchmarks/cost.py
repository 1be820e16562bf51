"""What the streaming metrics cost: AlexNet, 224 px, batch 32, every ReLU stage, against the bare forward pass.

Three questions, each a ratio measured in this run:

- on the same tensors: `profile` with every metric but the pair direction, over the bare forward pass;
- from JPEG files: the same, over decode + forward with nothing kept;
- memory: peak resident memory for 500 and for 2,000 files, and above the bare pass.

    python -m benchmarks.cost [PAIRS]

Pairs of runs, 3 by default; the more the machine does besides, the more it takes for a steady median.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import stratoscope as st
from benchmarks.images import write_jpegs
from stratoscope.measure.request import METRICS

#: Every metric but the pair direction.
STREAMING = [name for name in METRICS if METRICS[name].needs not in {"gram", "spool"}]


def alexnet() -> Any:
    """AlexNet with random weights: speed does not depend on what it has learnt."""
    return st.open_source("torchvision:alexnet", weights="random", stages="relu", unit="channel")


def tensors(n: int) -> st.Stimuli:
    """Return `n` float32 images in memory, in ten categories."""
    images = np.random.default_rng(0).standard_normal((min(n, 256), 3, 224, 224), dtype=np.float32)
    columns = {"category": np.array([f"c{i % 10}" for i in range(n)])}
    return st.Stimuli("tensors", tuple(f"t{i:05d}" for i in range(n)), lambda row: images[row % len(images)], columns)


def bare(source: Any, stimuli: st.Stimuli) -> None:
    """Play every stimulus with nothing kept: the same decoding, the same batches, the module alone."""
    import torch

    from stratoscope.sources.feed import feed

    module = source.module.eval()
    with torch.inference_mode():
        for batch in feed(stimuli, source.preprocess, batch_size=32, workers=2):
            module(batch.images)


def ours(source: Any, stimuli: st.Stimuli) -> None:
    """Run the pass with every streaming metric."""
    st.profile(source, stimuli, metrics=STREAMING, unit="channel", batch_size=32, workers=2, progress=False)


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Return wall and processor seconds; the latter hardly feel what else the machine does."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def clock() -> int:
    """Return which of `seconds` to read: processor seconds on one thread, wall seconds on several, which wait for each other."""
    import torch

    return 1 if torch.get_num_threads() == 1 else 0


def paired_ratio(a: Callable[[], None], b: Callable[[], None], pairs: int) -> dict[str, Any]:
    """Time `a` and `b` in turn, after one warm-up each, and give the ratios a/b pair by pair; `ratio` is by `clock`."""
    a()
    b()
    runs = [(seconds(a), seconds(b)) for _ in range(pairs)]
    found: dict[str, Any] = {}
    for which, name in enumerate(("wall", "cpu")):
        ratios = sorted(x[which] / y[which] for x, y in runs)
        found[name] = {
            "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(r, 3) for r in ratios],
            "seconds": round(statistics.median(x[which] for x, _ in runs), 2),
            "limit seconds": round(statistics.median(y[which] for _, y in runs), 2),
        }
    found["ratio"] = found[("wall", "cpu")[clock()]]["ratio"]
    return found


def peak_memory(what: str, folder: Path) -> float:
    """Return the peak resident memory, in MB, of a fresh process that does `what` on the files in `folder`."""
    command = [sys.executable, "-m", "benchmarks.cost", what, str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1])


def peak_of_this_process() -> float:
    """Return the peak resident memory of this process in MB; getrusage would count the parent's at the fork too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(n: int = 2000, pairs: int = 3, files: tuple[int, int] = (500, 2000)) -> dict[str, Any]:
    """Run the whole benchmark; `n` and `pairs` make it small for the tests."""
    source, in_memory = alexnet(), tensors(n)
    found: dict[str, Any] = {}
    found["same tensors"] = paired_ratio(lambda: ours(source, in_memory), lambda: bare(source, in_memory), pairs)
    with tempfile.TemporaryDirectory() as temporary:
        few = write_jpegs(Path(temporary) / "few", files[0])
        many = write_jpegs(Path(temporary) / "many", files[1])
        on_disk = st.open_stimuli(str(many))
        found["JPEG files"] = paired_ratio(lambda: ours(source, on_disk), lambda: bare(source, on_disk), pairs)
        memory = {
            f"{what} {n_files}": peak_memory(what, folder)
            for what, n_files, folder in (
                ("bare", files[0], few),
                ("ours", files[0], few),
                ("bare", files[1], many),
                ("ours", files[1], many),
            )
        }
    found["memory MB"] = memory
    found["memory many/few"] = memory[f"ours {files[1]}"] / memory[f"ours {files[0]}"]
    found["memory above bare MB"] = memory[f"ours {files[1]}"] - memory[f"bare {files[1]}"]
    return found


def main() -> None:
    """Do one half in this process and print its peak memory in MB (``bare FOLDER``, ``ours FOLDER``), or everything."""
    if len(sys.argv) == 3:
        work = {"bare": bare, "ours": ours}[sys.argv[1]]
        work(alexnet(), st.open_stimuli(sys.argv[2]))
        print(peak_of_this_process())
    else:
        print(json.dumps(measure(pairs=int(sys.argv[1]) if len(sys.argv) == 2 else 3), indent=2))


if __name__ == "__main__":
    main()
