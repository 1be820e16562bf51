"""Train the bundled networks and put them into the package: python benchmarks/bundle_networks.py FOLDER [NAME ...].

FOLDER takes the complete trainings (some 20 MB); the package gets the initial state, three states on the way and the last.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from stratoscope.train import RECIPES, train
from stratoscope.train.bundle import bundle, write_index

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "stratoscope" / "bundled"


def steps_to_keep(last: int) -> list[int]:
    return [0, 16, 128, 512, last]


def main(folder: Path, names: list[str]) -> None:
    networks = {}
    for name in names:
        started = time.monotonic()
        trained = train(RECIPES[name], folder / name)
        minutes = (time.monotonic() - started) / 60
        networks[name] = bundle(trained, steps_to_keep(RECIPES[name].steps), PACKAGE / name)
        change = max(kept.change for kept in networks[name])
        print(
            f"{name}: held-out {trained.accuracy:.4f} (chance {trained.chance:.2f}), {minutes:.1f} min, 16 bits {change:.2e}"
        )
    write_index(PACKAGE / "index.toml", networks)
    size = sum(path.stat().st_size for path in PACKAGE.rglob("*.safetensors"))
    print(f"{size / 1e6:.2f} MB in the package")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(RECIPES))
