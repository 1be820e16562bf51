"""Compute intrinsic dimensions with DADApy and scikit-dimension, as numbers to test against.

Run in an environment of its own, with both installed:

    python tests/reference/make_dimension.py

It writes ``dimension.json`` beside itself, with versions and date, and numbers only.
"""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import skdim.id

RANKS = (1, 2, 4, 8, 16)


def point_sets() -> dict[str, np.ndarray]:
    """Return the point sets, each from its seed; the test makes the same."""
    sets = {}
    for seed, (name, n, d, width) in enumerate([("cube", 400, 2, 2), ("cube", 600, 5, 8), ("cube", 500, 10, 10)]):
        rng = np.random.default_rng(100 + seed)
        sets[f"{name} {d} in {width}"] = rng.random((n, d)) @ rng.standard_normal((d, width))
    sets["gaussian 4"] = np.random.default_rng(200).standard_normal((500, 4))
    sphere = np.random.default_rng(300).standard_normal((500, 4))
    sets["sphere 3"] = sphere / np.linalg.norm(sphere, axis=1, keepdims=True)
    return sets


def dadapy_numbers(points: np.ndarray) -> dict[str, object]:
    from dadapy import Data

    data = Data(points)
    data.compute_distances(maxk=min(len(points) - 1, 100))
    fit = data.compute_id_2NN(mu_fraction=0.9)[0]
    ml = data.compute_id_2NN(algorithm="ml")[0]
    gride = data.return_id_scaling_gride(range_max=2 * max(RANKS))[0]
    return {"two_nn fit": float(fit), "two_nn ml-unbiased": float(ml), "gride": np.asarray(gride, float).tolist()}


def skdim_numbers(points: np.ndarray) -> dict[str, object]:
    return {
        "two_nn fit": float(skdim.id.TwoNN(discard_fraction=0.1).fit(points).dimension_),
        "two_nn ml-unbiased": float(skdim.id.TwoNN(discard_fraction=0, method="mle").fit(points).dimension_),
        "gride": [float(skdim.id.GRIDE(n1=n1).fit(points).dimension_) for n1 in RANKS],
        "levina_bickel mackay k=10": float(skdim.id.MLE().fit(points, n_neighbors=10, comb="mle").dimension_),
        "levina_bickel levina k=10": float(skdim.id.MLE().fit(points, n_neighbors=10, comb="mean").dimension_),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    numbers = {
        "made": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(name) for name in ("dadapy", "scikit-dimension", "numpy", "scipy")},
        "n1": RANKS,
        "dadapy": {name: dadapy_numbers(points) for name, points in point_sets().items()},
        "scikit-dimension": {name: skdim_numbers(points) for name, points in point_sets().items()},
    }
    path = Path(__file__).with_name("dimension.json")
    path.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
