"""Kill (SIGKILL) a small run at random moments, take it up again, and compare each that ends with an unbroken one.

A program of its own: every attempt is a fork of it, which costs no start of Python.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.measure.partial import runs


def attempt(out):
    """Begin the run, or go on with it, in a process of its own; return its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        runs.shards.STIMULI = 8
        runs.run(out, stimuli=runs.stimuli(before=lambda _row: time.sleep(0.002)))
        code = 0
    finally:
        if code:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)


def ended(child, within):
    """Return the exit code of a process, or None where it is not over after `within` seconds."""
    last = time.monotonic() + within
    while time.monotonic() < last:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    return None


def main(place, points):
    begun = time.monotonic()
    assert ended(attempt(place / "whole"), 1000) == 0
    unbroken = time.monotonic() - begun
    rng, killed, same, resumed = random.Random(points), 0, 0, 0
    while killed < points or (place / "run.partial").exists():
        resumed += (place / "run.partial").exists()
        child = attempt(place / "run")
        code = ended(child, rng.uniform(0, unbroken) if killed < points else 1000)
        if code is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
            if not (place / "run").exists():
                continue
        else:
            assert code == 0
        # Killed or not, its results are in their place: a kill may come when only the tidying up is left.
        assert runs.same(place / "run", place / "whole")
        same += 1
        shutil.rmtree(place / "run")
    sys.stdout.write(
        f"killed {killed} times, taken up {resumed} times, ended {same} times, always with the results of the unbroken run\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
