"""Every ratio in one run, printed as one table beside its goal and kept as JSON with the machine's description.

    python -m benchmarks                      all groups, two or three hours; or name some: cost, dimension, limit ...
    python -m benchmarks dimension --threads 2

Each group runs in a process of its own. Ratios are of processor seconds taken in turn, because wall seconds on a shared
machine say more of the neighbours than of the work; on several threads, which wait for each other, of wall seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from benchmarks import cost, pairs, readout, streaming_exponents, unit_information, whole_pass
from benchmarks.goals import table

KEPT = Path("benchmarks/measured.json")

#: What every group runs, by the name it is asked for.
GROUPS: dict[str, Callable[[int], Any]] = {
    "cost": lambda _: cost.measure(pairs=5),
    "streaming": lambda _: whole_pass.streaming(300, 5),
    "sparseness": lambda _: whole_pass.sparseness(1000, 5),
    "whole pass": lambda _: whole_pass.pairs(2000, 5),
    "deep pass": lambda _: whole_pass.deep(2000),
    "exponents": lambda _: streaming_exponents.measure(),
    "dimension": lambda threads: pairs.measure(("dimension",), threads),
    "wide": lambda threads: pairs.measure(("wide",), threads),
    "analysis": lambda threads: pairs.measure(("wide analysis",), threads),
    "limit": lambda threads: pairs.measure(("limit",), threads),
    "scaling": lambda threads: pairs.measure(("scaling",), threads),
    "large": lambda _: {"large": pairs.large()},
    "unit information": lambda _: unit_information.measure(),
    "linear read-out": lambda _: readout.measure(),
}


def machine(threads: int | None = None) -> dict[str, Any]:
    """Describe the machine the ratios were measured on."""
    cpu = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in cpu.read_text().splitlines() if "model name" in line]
        if cpu.exists()
        else []
    )
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": threads or torch.get_num_threads(),
        "torch": torch.__version__,
        "kernels": pairs.kernels(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def run(group: str, threads: int) -> dict[str, Any]:
    """Run one group in this process, on so many threads."""
    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        return {"machine": machine(threads), **GROUPS[group](threads)}


def in_a_process(group: str, threads: int) -> dict[str, Any]:
    """Run one group in a process of its own."""
    own = {"OPENBLAS_CORETYPE", "OMP_NUM_THREADS"}  # a wrong kernel, and threads that are set here
    environment = {key: value for key, value in os.environ.items() if key not in own}
    command = [sys.executable, "-m", "benchmarks", group, "--threads", str(threads), "--here"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return dict(json.loads(said.strip().splitlines()[-1]))


def keep(found: dict[str, Any]) -> None:
    """Put what was found beside what was found before."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    KEPT.write_text(json.dumps(kept | found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure the groups asked for, print their lines, and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"Of {', '.join(GROUPS)}; all by default.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--here", action="store_true", help="In this process, and print JSON.")
    given = parser.parse_args()
    unknown = [group for group in given.groups if group not in GROUPS]
    if unknown:
        parser.error(f"No group is called {unknown[0]!r}. There are {', '.join(GROUPS)}.")
    if given.here:
        print(json.dumps(run(given.groups[0], given.threads)))
        return
    found: dict[str, Any] = {}
    for group in given.groups or GROUPS:
        found[group] = in_a_process(group, given.threads)
        print("\n".join(table({group: found[group]})) or json.dumps(found[group], indent=1), flush=True)
        keep({f"{group}, {given.threads} threads": found[group]})
    print(f"\n{next(iter(found.values()))['machine']}\n")
    print("\n".join(table(found)))
    print(f"Kept in {KEPT}.")


if __name__ == "__main__":
    main()
