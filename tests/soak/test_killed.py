"""The demo killed at random moments, 200 times by default: every run that ends has the results of an unbroken one."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time

#: Moments, and stimuli of the demo where it is to be shorter (``objects:dense?n=200``).
POINTS = int(os.environ.get("STRATOSCOPE_KILLS", "200"))
STIMULI = os.environ.get("STRATOSCOPE_KILL_STIMULI", "")
CHILD = """
import sys
from stratoscope.demo import run_demo
from stratoscope.stimuli import open_stimuli
run_demo(sys.argv[1], overwrite=True, progress=False, stimuli=open_stimuli(sys.argv[2]) if sys.argv[2] else None)
"""


def start(out):
    return subprocess.Popen([sys.executable, "-c", CHILD, str(out), STIMULI])


def content(folder):
    return [(folder / name).read_bytes() for name in ("table.csv", "arrays.zarr.zip")]


def test_the_demo_survives_being_killed_at_any_moment(tmp_path):
    begun = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    unbroken = time.monotonic() - begun
    whole, rng = content(tmp_path / "whole"), random.Random(0)
    killed = ended = 0
    out = tmp_path / "run"
    while killed < POINTS or out.with_name("run.partial").exists():
        process = start(out)
        try:
            process.wait(rng.uniform(0, unbroken) if killed < POINTS else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            continue
        assert process.returncode == 0
        assert content(out) == whole
        ended += 1
        shutil.rmtree(out)
    print(f"killed {killed} times; {ended} runs ended, each with the results of the unbroken one")  # noqa: T201
    assert ended
