"""Do the printed intervals of TwoNN and Gride cover the mean of the estimate over samples in 95 % of samples?

    python benchmarks/coverage.py                                            the table of decision record 0057
    python benchmarks/coverage.py --points "cube 2" --sizes 500 --seeds 1000  one row of it, with less noise

A coverage counted in 200 seeds has itself a standard deviation of 1.5 points, so that an exact interval lies within 93 to
97 % in 86 of 100 cells; how many do is printed at the end. "none" stands where no interval is printed, which is the same for every seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from stratoscope.metrics import gride, two_nn

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


def cube(d: int) -> Points:
    return lambda rng, n: rng.random((n, d))


def gauss(d: int) -> Points:
    return lambda rng, n: rng.standard_normal((n, d))


JUDGED: dict[str, Points] = {
    "cube 2": cube(2),
    "cube 5": cube(5),
    "cube 10": cube(10),
    "Gaussian 5": gauss(5),
    "Gaussian 10": gauss(10),
    "swiss roll 2": swiss_roll,
    "sphere 4": sphere(4),
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
    covered = np.where(np.isnan(printed), np.nan, (low <= mean) & (mean <= high))
    return {
        "mean": mean,
        "coverage": covered.mean(axis=0),
        "ratio": printed.mean(axis=0) / np.log(value).std(axis=0, ddof=1),
    }


def judge(names: list[str], seeds: int, sizes: list[int]) -> None:
    columns = ["fit", "ml", *(f"n1={k}" for k in N1)]
    print(f"coverage of the mean in % ({seeds} seeds), and printed deviation over true deviation")
    print(f"{'points':14}{'N':>6}  " + "".join(f"{c:>13}" for c in columns))
    every = []
    for n in sizes:
        for name in names:
            result = coverage(JUDGED[name], n, seeds, 70_000)
            every.append(result["coverage"])
            cells = (
                "none" if np.isnan(c) else f"{100 * c:6.1f} ({r:.2f})"
                for c, r in zip(result["coverage"], result["ratio"], strict=True)
            )
            print(f"{name:14}{n:6d}  " + "".join(f"{cell:>13}" for cell in cells), flush=True)
    print(f"{'mean':20}  " + "".join(f"{100 * c:6.1f}       " for c in np.mean(every, axis=0)))
    cells = np.delete(np.array(every), 1, axis=1)  # ml is n1 = 1
    cells = cells[~np.isnan(cells)]  # where no interval is printed there is none to judge
    inside = (cells > 0.93 - 1e-9) & (cells < 0.97 + 1e-9)
    exact = np.diff(binom.cdf([np.ceil(0.93 * seeds - 1e-9) - 1, np.floor(0.97 * seeds + 1e-9)], seeds, 0.95))[0]
    print(
        f"within 93 to 97 %: {inside.sum()} of {inside.size} cells; of an exact interval {exact * inside.size:.0f} would"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", nargs="+", choices=list(JUDGED), default=list(JUDGED))
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000])
    given = parser.parse_args()
    judge(given.points, given.seeds, given.sizes)
