"""Thousands of damages to every kind of file, each batch in a process of its own, so that a crash is found and counted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stratoscope.testing.small_files import CHECKED, READERS, WRITERS

TRIES = int(os.environ.get("STRATOSCOPE_SOAK_TRIES", "1000"))
#: Files whose damages are tried less often, since another process reads each one first.
SLOW = {"plain.mat", "packed.mat", "assembly.nc", "responses.nc"}
PROGRAM = """
import shutil, sys, warnings
from pathlib import Path
import numpy as np
from stratoscope.testing.damage import damaged
from stratoscope.testing.small_files import READERS, outcome
warnings.simplefilter("ignore")
whole, name, first, last, place = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
source, here = whole / name, place / name
files = sorted(one for one in source.rglob("*") if one.is_file()) if source.is_dir() else [source]
expected = READERS[name](source)
for seed in range(first, last):
    rng = np.random.default_rng([seed, 1])
    print("begin", seed, flush=True)
    if source.is_dir():
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(source, here)
    file = files[int(rng.integers(len(files)))]
    (here / file.relative_to(source) if source.is_dir() else here).write_bytes(damaged(file.read_bytes() or b"0", rng))
    try:
        print("end", outcome(name, here, expected), flush=True)
    except Exception as error:
        print("end", f"{type(error).__name__}: {error}".replace("\\n", " ")[:150], flush=True)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    for write in WRITERS:
        write(folder)
    return folder


@pytest.mark.parametrize("name", READERS)
def test_no_damage_ends_in_a_traceback_a_crash_or_a_hang(whole, tmp_path, name):
    found, first, last = Counter(), 0, TRIES // 10 if name in SLOW else TRIES
    while first < last:
        shutil.rmtree(tmp_path / "work", ignore_errors=True)
        Path(tmp_path / "work").mkdir()
        words = [sys.executable, "-c", PROGRAM, whole, name, str(first), str(min(first + 200, last)), tmp_path / "work"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=3600, check=False)
        lines = done.stdout.splitlines()
        found.update(line.removeprefix("end ") for line in lines if line.startswith("end "))
        begun = [int(line.split()[1]) for line in lines if line.startswith("begin ")]
        assert begun, done.stderr
        first = begun[-1] + 1
        if len(begun) > sum(line.startswith("end ") for line in lines):
            found[f"crash {done.returncode} at seed {begun[-1]}"] += 1
    print(name, dict(found))  # noqa: T201  the figures of a soak
    assert set(found) <= {"same", "other", "refused"}
    assert not (name in CHECKED and found["other"])
