"""Compute simplex skewness and correlation dimension with scikit-dimension, as numbers to test against.

Run in an environment of its own, with scikit-dimension installed:

    python tests/reference/make_skewness.py

It writes ``skewness.json`` beside itself, with versions and date, and numbers only.
"""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import skdim.id
from make_dimension import point_sets

NEIGHBOURS = (20, 100)
RANKS = ((10, 20), (3, 30))


def main() -> None:
    warnings.simplefilter("ignore")
    numbers = {
        "made": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(name) for name in ("scikit-dimension", "numpy", "scipy")},
    }
    for name, points in point_sets().items():
        ess = {f"ess k={k}": float(skdim.id.ESS().fit(points, n_neighbors=k).dimension_) for k in NEIGHBOURS}
        pairs = {f"pairs {a} {b}": float(skdim.id.CorrInt(k1=a, k2=b).fit(points).dimension_) for a, b in RANKS}
        numbers[name] = ess | pairs
    path = Path(__file__).with_name("skewness.json")
    path.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
