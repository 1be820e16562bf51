"""What TwoNN reads on cubes and spheres of known dimension: the table behind `two_nn_calibrated`.

    python benchmarks/two_nn_calibration.py                       writes the table into the package, about 20 minutes
    python benchmarks/two_nn_calibration.py --check               one cell again, from other seeds

Every cell is the mean over seeds of `two_nn` with its defaults, so many seeds that the error of the mean stays near 1 %. A smooth
surface through the cells (log of the reading over the dimension, of degree 6 in the log of the dimension and 2 in that of the
number of points) is what is kept: it misses the cells by no more than their own error, and shares that among them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from stratoscope.metrics import two_nn

TABLE = Path(__file__).resolve().parents[1] / "src/stratoscope/metrics/two_nn_calibration.json"
SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
DIMENSIONS = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 75, 90, 110, 135, 165, 200, 250, 300, 400, 500),
)
REFERENCES = ("cube", "sphere")
#: One estimate on n points varies by about 1.2 / √n of itself; so many estimates bring their mean to 0.8 %.
_ESTIMATES = 22_500


def points(reference: str, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform points of the cube [0, 1]^d, or of the sphere of dimension d in d + 1 coordinates."""
    if reference == "cube":
        return rng.random((n, d))
    x = rng.standard_normal((n, d + 1))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def cell(reference: str, n: int, d: int, seeds: int, first_seed: int = 0) -> tuple[float, float]:
    """Mean and standard error of TwoNN over seeds."""
    place = REFERENCES.index(reference)
    rngs = (np.random.default_rng([first_seed + seed, place, n, d]) for seed in range(seeds))
    values = np.array([two_nn(points(reference, n, d, rng)).value for rng in rngs])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(seeds))


def table(reference: str) -> list[list[float]]:
    """Means (size, dimension) over seeds."""
    rows = []
    for n in SIZES:
        seeds = max(3, -(-_ESTIMATES // n))
        found = [cell(reference, n, d, seeds) for d in DIMENSIONS]
        worst = max(error / mean for mean, error in found)
        rows.append([round(mean, 4) for mean, _ in found])
        print(f"{reference} {n}: {seeds} seeds, largest relative error of a mean {worst:.4f}; {rows[-1]}", flush=True)
    return rows


def smoothed(means: list[list[float]]) -> list[list[float]]:
    """The smooth surface through the means, which must rise with dimension at every size."""
    dimension, size = np.log(DIMENSIONS), np.log(SIZES)
    across = np.polynomial.chebyshev.chebvander(2 * dimension / dimension[-1] - 1, 6)
    down = np.vander(size - size.mean(), 3)
    terms = np.einsum("nj,di->ndij", down, across).reshape(len(size) * len(dimension), -1)
    wanted = (np.log(means) - dimension).ravel()
    surface = terms @ np.linalg.lstsq(terms, wanted, rcond=None)[0]
    off = float(np.sqrt(((surface - wanted) ** 2).sum() / (len(wanted) - terms.shape[1])))
    print(f"the surface misses the means by {off:.4f}, the root mean square of their relative difference")
    kept = np.exp(surface.reshape(len(size), -1) + dimension)
    if not (np.diff(kept, axis=1) > 0).all():
        raise SystemExit("The surface does not rise with dimension: more seeds are needed.")
    return [[round(float(value), 4) for value in row] for row in kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", choices=REFERENCES)
    given = parser.parse_args()
    if given.check:
        kept = json.loads(TABLE.read_text(encoding="utf-8"))
        for reference in REFERENCES:
            at = kept[reference][SIZES.index(1000)][DIMENSIONS.index(27)]
            print(reference, "1000 points, 27 dimensions: kept", at, "again", cell(reference, 1000, 27, 20, 10_000))
        return
    kept = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    kept |= {"points": SIZES, "dimensions": DIMENSIONS}
    for reference in (given.only,) if given.only else REFERENCES:
        kept[reference] = smoothed(table(reference))
        TABLE.write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
