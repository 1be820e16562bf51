"""Is the sparse-coding study flat in memory? A folder of 1,000 classes with 5 and with 50 small JPEGs each.

    python -m benchmarks.large_folder

Every size runs in a process of its own; printed are the seconds, the milliseconds an image and the peak resident
memory, and at the end what one more image costs, which leaves out what starting and judging 1,000 categories take.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import stratoscope as st
from benchmarks.cost import peak_of_this_process
from benchmarks.images import pink_noise
from stratoscope.studies import sparse_coding

CLASSES, ORIGINALS = 1000, 200


def write_folder(folder: Path, per_class: int) -> Path:
    """Write `per_class` images of 64 px for each class; beyond the originals they are hard links."""
    rng = np.random.default_rng(2)
    originals = []
    folder.mkdir()
    for i in range(ORIGINALS):
        originals.append(folder.parent / f"{folder.name}-{i}.jpg")
        Image.fromarray(pink_noise(rng, 64, 64)).save(originals[-1], quality=90)
    for code in range(CLASSES):
        (folder / f"class{code:04d}").mkdir()
        for i in range(per_class):
            path = folder / f"class{code:04d}" / f"image{i:03d}.jpg"
            path.hardlink_to(originals[(code * per_class + i) % ORIGINALS])
    return folder


def study(folder: str) -> None:
    """Run the study of one intact network, without read-out, and print its time and peak memory in MB."""
    stimuli = st.open_stimuli(folder)
    start = time.perf_counter()
    source = st.open_source("bundled:alexnet")
    sparse_coding(source, stimuli, readout=None, lesions="none", progress=False)
    took = time.perf_counter() - start
    each = 1e3 * took / len(stimuli)
    print(f"{len(stimuli)} images: {took:.1f} s, {each:.2f} ms an image, peak {peak_of_this_process():.0f} MB")


def main() -> None:
    """Do one folder in this process, or write both sizes and do each in its own."""
    if len(sys.argv) == 2:
        study(sys.argv[1])
        return
    with tempfile.TemporaryDirectory() as place:
        seconds = {}
        for per_class in (5, 50):
            folder = write_folder(Path(place) / f"of{per_class}", per_class)
            asked = [sys.executable, "-m", "benchmarks.large_folder", str(folder)]
            said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
            print(said.strip(), flush=True)
            seconds[per_class * CLASSES] = float(said.split()[2])
        (few, short), (many, long) = seconds.items()
        print(f"one more image: {1e3 * (long - short) / (many - few):.2f} ms")


if __name__ == "__main__":
    main()
