"""What every estimator of dimension reads on manifolds of known dimension: the table of docs/choosing-a-dimension-estimator.md.

    python benchmarks/dimension_bias.py                    1,000 points, 2 seeds, some minutes
    python benchmarks/dimension_bias.py --points 380       as many as the views of ten objects

None of the point sets is one that `two_nn_calibrated` was made from, but for cube and sphere, where its answer is no test of
it and stands in brackets.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from benchmarks.coverage import cube, gauss, sphere, swiss_roll
from stratoscope.metrics import (
    correlation_dimension,
    ess,
    gride,
    levina_bickel,
    participation_ratio,
    two_nn,
    two_nn_calibrated,
)


def flat_torus(d: int) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Curved everywhere, without borders, in 2 d coordinates."""

    def points(rng: np.random.Generator, n: int) -> np.ndarray:
        angles = 2 * np.pi * rng.random((n, d))
        return np.hstack([np.cos(angles), np.sin(angles)])

    return points


def paraboloid(d: int) -> Callable[[np.random.Generator, int], np.ndarray]:
    """A cube bent into as many further coordinates."""

    def points(rng: np.random.Generator, n: int) -> np.ndarray:
        x = 2 * rng.random((n, d)) - 1
        return np.hstack([x, x**2 - np.roll(x, 1, axis=1) ** 2])

    return points


def exponential(d: int) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Strongly uneven density."""
    return lambda rng, n: rng.exponential(size=(n, d)) ** 2


MANIFOLDS = {
    **{f"cube {d}": (d, cube(d)) for d in (2, 5, 10, 20, 40)},
    **{f"sphere {d}": (d, sphere(d)) for d in (2, 5, 10, 20, 40)},
    **{f"Gaussian {d}": (d, gauss(d)) for d in (5, 10, 20, 40)},
    "swiss roll 2": (2, swiss_roll),
    **{f"flat torus {d}": (d, flat_torus(d)) for d in (2, 5, 10)},
    **{f"paraboloid {d}": (d, paraboloid(d)) for d in (5, 10, 20)},
    "uneven 5": (5, exponential(5)),
    "uneven 10": (10, exponential(10)),
}
ESTIMATORS: dict[str, Callable[[np.ndarray], float]] = {
    "two_nn": lambda x: two_nn(x).value,
    "calibrated, cube": lambda x: two_nn_calibrated(x).value,
    "calibrated, sphere": lambda x: two_nn_calibrated(x, reference="sphere").value,
    "gride n1=2": lambda x: gride(x, n1=(2,)).value[0],
    "levina_bickel": lambda x: levina_bickel(x).value,
    "correlation_dimension": lambda x: correlation_dimension(x).value,
    "ess k=100": lambda x: ess(x).value,
    "ess k=20": lambda x: ess(x, k=20).value,
    "participation_ratio": lambda x: participation_ratio(x).value,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    print(f"mean over {given.seeds} seeds, {given.points} points")
    print("| points on | " + " | ".join(ESTIMATORS) + " |\n|" + "---|" * (len(ESTIMATORS) + 1))
    errors: dict[str, list[tuple[int, float]]] = {name: [] for name in ESTIMATORS}
    for place, (manifold, (d, make)) in enumerate(MANIFOLDS.items()):
        sets = [make(np.random.default_rng([place, seed]), given.points) for seed in range(given.seeds)]
        cells = []
        for name, estimate in ESTIMATORS.items():
            value = float(np.mean([estimate(points) for points in sets]))
            own = name.startswith("calibrated") and manifold.startswith(name.split()[-1])
            cells.append(f"({value:.1f})" if own else f"{value:.1f}")
            if not own:
                errors[name].append((d, abs(value / d - 1)))
        print(f"| {manifold} | " + " | ".join(cells) + " |", flush=True)
    for low, high in ((1, 5), (6, 20), (21, 100)):
        rows = (np.mean([100 * error for d, error in errors[name] if low <= d <= high]) for name in ESTIMATORS)
        print(f"| mean error in %, d {low} to {high} | " + " | ".join(f"{row:.0f}" for row in rows) + " |")


if __name__ == "__main__":
    main()
