"""Does a linear read-out of object identity rise along the stages of the bundled networks, and only with training?

    python benchmarks/readout_rises.py [FOLDER_OF_CHECKPOINTS ...]

For each hidden stage of each network, a ridge classifier on all its units learns to name the objects from views in
three quarters of an axis (position, size or rotation in depth, cut into four equal ranges) and is tested on the fourth, four
times. The penalty is chosen on a quarter of the learned views. Reads the bundled networks, or folders of ``stratoscope train``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import eigsh

import stratoscope
from stratoscope.models import ARCHITECTURES
from stratoscope.models.checkpoint import open_checkpoint
from stratoscope.stimuli.objects import DEFAULT_OBJECTS, default_object, dense_views, render
from stratoscope.train.views import network_input

N, SEED = 2000, 12345
AXES = ("azimuth", "size", "in_plane", "in_depth")
QUARTERS = 4
PENALTIES = np.logspace(-6, 0, 7)


def responses(path: Path, images: torch.Tensor) -> dict[str, np.ndarray]:
    """Responses (view, unit) of every hidden stage."""
    network, header = open_checkpoint(path)
    kept: dict[str, list[torch.Tensor]] = {}
    for stage in ARCHITECTURES[header.architecture].hidden:
        network.get_submodule(stage).register_forward_hook(
            lambda _module, _given, out, stage=stage: kept.setdefault(stage, []).append(out.flatten(1).clone())
        )
    with torch.no_grad():
        for part in images.split(100):
            network(network_input(part, header.mean, header.std))
    return {stage: torch.cat(parts).numpy() for stage, parts in kept.items()}


def gram_of(units: np.ndarray) -> np.ndarray:
    total = np.zeros((len(units), len(units)))
    for start in range(0, units.shape[1], 2048):  # in float64: rounded products would not be positive definite
        block = units[:, start : start + 2048].astype(np.float64)
        total += block @ block.T
    return total


def predictions(
    gram: np.ndarray, truth: np.ndarray, learn: np.ndarray, test: np.ndarray, penalties: Iterable[float]
) -> list[np.ndarray]:
    """Class of each test view for every penalty: ridge on one-hot targets in its dual form, learned mean taken out."""
    inner = gram[np.ix_(learn, learn)]
    cross = gram[np.ix_(test, learn)]
    row, total = inner.mean(0), inner.mean()
    cross = cross - cross.mean(1, keepdims=True) - row + total
    inner = inner - row - row[:, None] + total
    targets = np.eye(len(DEFAULT_OBJECTS))[truth[learn]]
    largest = float(eigsh(inner, k=1, v0=np.ones(len(inner)) + targets[:, 0], return_eigenvectors=False)[0])
    named = []
    for penalty in penalties:
        factor = cho_factor(inner + penalty * largest * np.eye(len(inner)), check_finite=False)
        named.append((cross @ cho_solve(factor, targets - targets.mean(0)) + targets.mean(0)).argmax(1))
    return named


def readout(gram: np.ndarray, truth: np.ndarray, quarter: np.ndarray) -> float:
    """Share of views in held-out quarters that are named, mean over the quarters."""
    shares = []
    for held in range(QUARTERS):
        learn, test = np.flatnonzero(quarter != held), np.flatnonzero(quarter == held)
        shuffled = np.random.default_rng(held).permutation(learn)
        some, rest = shuffled[len(learn) // 4 :], shuffled[: len(learn) // 4]
        right = [(named == truth[rest]).mean() for named in predictions(gram, truth, some, rest, PENALTIES)]
        (named,) = predictions(gram, truth, learn, test, [PENALTIES[int(np.argmax(right))]])
        shares.append((named == truth[test]).mean())
    return float(np.mean(shares))


def along(path: Path, images: torch.Tensor, truth: np.ndarray, quarters: dict[str, np.ndarray]) -> np.ndarray:
    """Read-out (stage, axis)."""
    rows = []
    for units in responses(path, images).values():
        gram = gram_of(units)
        rows.append([readout(gram, truth, quarter) for quarter in quarters.values()])
    return np.array(rows)


def main(folders: list[Path]) -> None:
    views = dense_views(DEFAULT_OBJECTS, N, seed=SEED, ranges={"azimuth": (-30, 30)}, redraw=True)
    images = torch.from_numpy(render({name: default_object(name) for name in DEFAULT_OBJECTS}, views))
    truth = np.array([sorted(DEFAULT_OBJECTS).index(name) for name in views.object])
    quarters = {
        axis: np.minimum(np.argsort(np.argsort(values)) * QUARTERS // N, QUARTERS - 1)
        for axis, values in views.columns().items()
        if axis in AXES
    }
    print(
        f"{N} views, chance {1 / len(DEFAULT_OBJECTS):.2f}; each number: mean over held-out quarters of {', '.join(AXES)}"
    )
    for folder in folders:
        files = sorted(folder.glob("step-*.safetensors"))
        for path, what in ((files[0], "initial"), (files[-1], "trained")):
            header = open_checkpoint(path)[1]
            table = along(path, images, truth, quarters)
            rise = table[-1] - table[0]
            print(f"\n{header.architecture} {what} (step {header.step}, held-out accuracy {header.accuracy:.3f})")
            for stage, row in zip(ARCHITECTURES[header.architecture].hidden, table, strict=True):
                print(f"  {stage:<16}" + "".join(f"{value:8.3f}" for value in row) + f"   mean {row.mean():.3f}")
            print(
                f"  {'last - first':<16}" + "".join(f"{value:+8.3f}" for value in rise) + f"   mean {rise.mean():+.3f}",
                flush=True,
            )


if __name__ == "__main__":
    bundled = Path(stratoscope.__file__).parent / "bundled"
    main(
        [Path(word) for word in sys.argv[1:]]
        or sorted(path for path in bundled.iterdir() if path.is_dir() and path.name in ARCHITECTURES)
    )
