"""Do the printed intervals of TwoNN and Gride cover the mean of the estimate over samples in 95 % of samples?

    python benchmarks/coverage.py                      the table of decision record 0052
    python benchmarks/coverage.py --calibrate          fit the constants of the interval on other point sets

Coverage is judged on point sets that the constants were not fitted on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from stratoscope.metrics import gride, neighbour_interval, two_nn

N1 = (1, 2, 4, 8, 16, 32)
Points = Callable[[np.random.Generator, int], np.ndarray]


def swiss_roll(rng: np.random.Generator, n: int) -> np.ndarray:
    angle = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return np.c_[angle * np.cos(angle), 21 * rng.random(n), angle * np.sin(angle)]


def sphere(d: int) -> Points:
    def points(rng: np.random.Generator, n: int) -> np.ndarray:
        x = rng.standard_normal((n, d + 1))
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    return points


def torus(rng: np.random.Generator, n: int) -> np.ndarray:
    angles = 2 * np.pi * rng.random((n, 3))
    return np.hstack([np.cos(angles), np.sin(angles)])


def cube(d: int) -> Points:
    return lambda rng, n: rng.random((n, d))


def gauss(d: int) -> Points:
    return lambda rng, n: rng.standard_normal((n, d))


#: Judged: never used to fit the constants.
JUDGED: dict[str, Points] = {
    "cube 2": cube(2),
    "cube 5": cube(5),
    "cube 10": cube(10),
    "Gaussian 5": gauss(5),
    "Gaussian 10": gauss(10),
    "swiss roll 2": swiss_roll,
    "sphere 4": sphere(4),
}
#: Used to fit the constants.
FITTED: dict[str, Points] = {
    "cube 3": cube(3),
    "cube 7": cube(7),
    "Gaussian 2": gauss(2),
    "Gaussian 7": gauss(7),
    "Gaussian 14": gauss(14),
    "sphere 2": sphere(2),
    "sphere 6": sphere(6),
    "torus 3": torus,
    "exponential 4": lambda rng, n: rng.exponential(size=(n, 4)),
}


def estimates(points: np.ndarray, n1: tuple[int, ...] = N1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, low and high of two_nn fit, two_nn ml, and gride along n1."""
    found = [two_nn(points), two_nn(points, method="ml"), gride(points, n1=n1)]
    return tuple(np.hstack([np.atleast_1d(getattr(e, end)) for e in found]) for end in ("value", "low", "high"))


def coverage(make: Points, n: int, seeds: int, first_seed: int, n1: tuple[int, ...] = N1) -> dict[str, np.ndarray]:
    """Coverage of the mean over seeds; mean length of the interval against the spread over seeds."""
    runs = [estimates(make(np.random.default_rng(first_seed + s), n), n1) for s in range(seeds)]
    value, low, high = (np.array(part) for part in zip(*runs, strict=True))
    mean = value.mean(axis=0)
    printed = np.log(high / low) / (2 * 1.96)
    return {
        "mean": mean,
        "coverage": ((low <= mean) & (mean <= high)).mean(axis=0),
        "ratio": printed.mean(axis=0) / np.log(value).std(axis=0, ddof=1),
    }


def judge(seeds: int, sizes: tuple[int, ...]) -> None:
    columns = ["fit", "ml", *(f"n1={k}" for k in N1)]
    print(f"coverage of the mean in % ({seeds} seeds), and printed deviation over true deviation")
    print(f"{'points':14}{'N':>6}  " + "".join(f"{c:>13}" for c in columns))
    every = []
    for n in sizes:
        for name, make in JUDGED.items():
            result = coverage(make, n, seeds, 70_000)
            every.append(result["coverage"])
            cells = (f"{100 * c:6.1f} ({r:.2f})" for c, r in zip(result["coverage"], result["ratio"], strict=True))
            print(f"{name:14}{n:6d}  " + "".join(f"{cell:>13}" for cell in cells), flush=True)
    print(f"{'mean':20}  " + "".join(f"{100 * c:6.1f}       " for c in np.mean(every, axis=0)))


def terms(make: Points, n: int, seeds: int) -> np.ndarray:
    """Rows (estimator,) of: first rank, and over psi² the true variance and the two other sums."""
    kept: list[list[float]] = []
    measured = neighbour_interval.influence_terms

    def record(own: np.ndarray, given: np.ndarray, index: np.ndarray) -> tuple[float, float, float]:
        found = measured(own, given, index)
        kept.append([len(own), *found])
        return found

    neighbour_interval.influence_terms = record
    values = np.array([estimates(make(np.random.default_rng(s), n))[0] for s in range(seeds)])
    neighbour_interval.influence_terms = measured
    sums = np.array(kept).reshape(seeds, values.shape[1], 4).mean(axis=0)
    true = values.var(axis=0, ddof=1) * n**2
    return np.column_stack([[1, 1, *N1], true / sums[:, 1], *(sums[:, i] / sums[:, 1] for i in (2, 3))])


def calibrate(seeds: int, sizes: tuple[int, ...]) -> None:
    rows = []
    for n in sizes:
        for name, make in FITTED.items():
            found = terms(make, n, seeds)
            rows.append(found)
            print(name, n, np.round(found, 3).tolist(), flush=True)
    table = np.vstack(rows)
    rank, ratio, cross, passed = table.T

    def misfit(c: np.ndarray) -> np.ndarray:
        predicted = 1 + c[0] / rank + c[1] * cross + c[2] * np.maximum(passed, 0)
        return np.log(np.maximum(predicted, 0.1) / ratio)

    fit = least_squares(misfit, [0.25, 1.5, 1.5], loss="soft_l1", f_scale=0.1)
    print("delta, cross, passed:", np.round(fit.x, 3), "rms of log variance:", np.round(np.std(misfit(fit.x)), 3))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000])
    given = parser.parse_args()
    (calibrate if given.calibrate else judge)(given.seeds, tuple(given.sizes))
