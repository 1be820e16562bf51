"""``python -m benchmarks``: every ratio in one run, printed as a table and kept as JSON with the machine's description."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks import cost, pairs, readout, unit_information

KEPT = Path("benchmarks/latest.json")


def machine() -> dict[str, Any]:
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
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def main() -> None:
    """Measure, print and keep."""
    found = {"machine": machine(), "cost of the streaming metrics": cost.measure()}
    for name, one in found["cost of the streaming metrics"].items():
        if isinstance(one, dict) and "wall" in one:
            print(
                f"{name:24} wall {one['wall']['ratio']:.3f}   cpu {one['cpu']['ratio']:.3f}   (ours over the bare pass)"
            )
        else:
            print(f"{name:24} {one}")
    found["pair engine"] = pairs.measure()
    print("\n".join(pairs.lines(found["pair engine"])))
    found["unit information"] = unit_information.measure()
    for name, numbers in found["unit information"].items():
        print(f"unit information, {name}: " + ", ".join(f"{what} {one}" for what, one in numbers.items()))
    found["linear read-out"] = readout.measure()
    for name, numbers in found["linear read-out"].items():
        print(f"linear read-out, {name}: {numbers}")
    KEPT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"Kept in {KEPT}.")


if __name__ == "__main__":
    main()
