"""What scaling out and putting away cost.

    python -m benchmarks.scale workers     two local workers, and one, against one process; a run that decodes most of the time.
                                           The limit is what two processes that know nothing of each other reach
    python -m benchmarks.scale kept        a run that can be taken up again against the same in one go
    python -m benchmarks.scale restart     50,000 images of 1,000 classes: memory, and the time until a broken run goes on

Ratios are paired in one run and repeated; on a busy machine those of processor time say more than those of the clock.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

import stratoscope as st
from benchmarks.cost import peak_of_this_process
from benchmarks.images import pink_noise
from benchmarks.large_folder import write_folder
from stratoscope.measure.cluster import open_cluster

#: Images enough for two shards a worker: fewer cannot be shared evenly.
SIDE, IMAGES, REPEATS = 800, 1024, 5
METRICS = ["population_sparseness", "lifetime_sparseness", "dead_fraction"]


def seconds(action: Any, processes: list[psutil.Process]) -> tuple[float, float]:
    """Return the seconds of the clock and of the processors of `processes` that `action` takes."""
    before, start = sum(map(_spent, processes)), time.perf_counter()
    action()
    return time.perf_counter() - start, sum(map(_spent, processes)) - before


def _spent(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def photographs(folder: Path) -> Path:
    """Write JPEGs that take far longer to decode than the network takes to see them."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    originals = []
    for i in range(16):
        originals.append(folder.parent / f"{i}.jpg")
        Image.fromarray(pink_noise(rng, SIDE, SIDE)).save(originals[-1], quality=92)
    for i in range(IMAGES):
        (folder / f"{i:04d}.jpg").hardlink_to(originals[i % 16])
    return folder


def workers(place: Path) -> None:
    """Time one process, one worker and two; everybody has one thread for the network and loads in the same thread."""
    import torch

    torch.set_num_threads(1)
    stimuli = st.open_stimuli(photographs(place / "photos"))
    network = st.open_source("bundled:alexnet", stages="relu").prepare(stimuli)

    few = stimuli.take(np.arange(64))

    def run(client: Any, wanted: st.Stimuli) -> None:
        told = {"metrics": ["lifetime_sparseness"], "workers": 0, "progress": False, "client": client}
        st.profile(network, wanted, **told, checkpoint=place / "kept")
        shutil.rmtree(place / "kept")

    def timed(client: Any = None) -> tuple[float, float]:
        run(client, few)  # a worker imports torch at its first task
        everyone = [psutil.Process(), *psutil.Process().children(recursive=True)]
        return seconds(lambda: run(client, stimuli), everyone)

    found: dict[str, list[tuple[float, float]]] = {
        "one process": [], "one worker": [], "two workers": [], "two processes on their own": []
    }  # fmt: skip
    for _ in range(REPEATS):  # one cluster at a time: an idle one takes a tenth of a core
        found["one process"].append(timed())
        for name, spec in (("one worker", "local:1"), ("two workers", "local:2")):
            with open_cluster(spec) as client:
                found[name].append(timed(client))
        found["two processes on their own"].append(_on_their_own(place))
    base = found.pop("one process")
    print(f"one process: {min(base)[0]:.2f} s of the clock, {min(cpu for _, cpu in base):.2f} s of processors")
    for name, times in found.items():
        clock = min(base)[0] / min(times)[0]
        paired = [b[0] / t[0] for b, t in zip(base, times, strict=True)]
        cpu = [t[1] / b[1] for b, t in zip(base, times, strict=True)]
        print(
            f"{name}: {clock:.2f} times as fast (best of {REPEATS}; paired {min(paired):.2f} to {max(paired):.2f}), "
            f"processor time {statistics.median(cpu):.3f} of one process ({min(cpu):.3f} to {max(cpu):.3f})"
        )


def half(folder: str, which: str) -> None:
    """Play one half of the images with one thread; start when told to, and print the seconds of clock and processor."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)
    stimuli = st.open_stimuli(folder)
    mine = stimuli.take(np.array_split(np.arange(len(stimuli)), 2)[int(which)])
    network = st.open_source("bundled:alexnet", stages="relu").prepare(mine)
    told = {"metrics": ["lifetime_sparseness"], "workers": 0, "progress": False}
    st.profile(network, mine.take(np.arange(64)), **told)
    print("ready", flush=True)
    sys.stdin.readline()
    print(*seconds(lambda: st.profile(network, mine, **told), [psutil.Process()]))


def _on_their_own(place: Path) -> tuple[float, float]:
    """Return the seconds of the slower of two processes with half the images each, and of the processors of both."""
    line = [sys.executable, "-m", "benchmarks.scale", "half", str(place / "photos")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([*line, which], **pipes) for which in "01"]
    for one in both:
        one.stdout.readline()
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    times = [tuple(map(float, one.communicate()[0].split())) for one in both]
    return max(wall for wall, _ in times), sum(cpu for _, cpu in times)


def kept(place: Path) -> None:
    """Time the demo's first run with and without putting away."""
    from stratoscope.demo import demo_stimuli

    views = demo_stimuli(0)
    network = st.open_source("bundled:alexnet", stages="relu").prepare(views)
    me, ratios = [psutil.Process()], []
    st.profile(network, views, progress=False)
    for _ in range(REPEATS):
        once = seconds(lambda: st.profile(network, views, progress=False), me)
        away = seconds(lambda: st.profile(network, views, progress=False, checkpoint=place / "kept"), me)
        size = sum(one.stat().st_size for one in (place / "kept").iterdir())
        shutil.rmtree(place / "kept")
        ratios.append(away[1] / once[1])
        print(
            f"processor: {once[1]:.2f} s in one go, {away[1]:.2f} s put away ({size / 1e6:.0f} MB), ratio {ratios[-1]:.3f}"
        )
    print(f"median ratio {statistics.median(ratios):.3f}")


def large(folder: str, checkpoint: str) -> None:
    """Profile a folder, and print what it took; where everything is done already, that is the time of a restart."""
    start, cpu = time.perf_counter(), time.process_time()
    stimuli = st.open_stimuli(folder)
    network = st.open_source("bundled:alexnet", stages="relu")
    st.profile(network, stimuli, metrics=METRICS, progress=False, checkpoint=checkpoint)
    took = {"images": len(stimuli), "s": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps(took | {"peak MB": peak_of_this_process()}))


def restart(place: Path) -> None:
    """Profile 5,000 and 50,000 small images, then take the larger run up again where its last shard is missing."""
    for per_class in (5, 50):
        folder = write_folder(place / f"of{per_class}", per_class)
        checkpoint = place / f"kept{per_class}"
        print(_alone(folder, checkpoint))
        files = [*sorted(checkpoint.glob("shard-*"))[-1:], *checkpoint.glob("stage-*")]
        for path in files:
            path.unlink()
        print("again, without the last shard and the stages:", _alone(folder, checkpoint))
        print("again, with everything there:", _alone(folder, checkpoint))


def _alone(folder: Path, checkpoint: Path) -> str:
    line = [sys.executable, "-m", "benchmarks.scale", "large", str(folder), str(checkpoint)]
    start = time.perf_counter()
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    return f"{done.stdout.strip()}, {time.perf_counter() - start:.1f} s with starting Python, load {os.getloadavg()[0]:.1f}"


def main() -> None:
    """Do what was asked for."""
    if sys.argv[1:2] == ["large"]:
        large(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["half"]:
        half(*sys.argv[2:])
        return
    with tempfile.TemporaryDirectory() as place:
        for name in sys.argv[1:] or ("workers", "kept", "restart"):
            {"workers": workers, "kept": kept, "restart": restart}[name](Path(place))


if __name__ == "__main__":
    main()
