"""Unit information against its limit and against scikit-learn, and what it costs for a million units.

``python -m benchmarks.unit_information`` measures; ``python -m benchmarks.unit_information million`` adds the million units,
one run without and one with 100 shuffles. Everything is made in blocks on the way, so that no stage is held whole; making
the blocks is timed apart and taken off.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.cost import peak_of_this_process
from stratoscope.metrics import information_table
from stratoscope.metrics.information.bins import bin_codes

N, PROPERTIES, RESPONSE_BINS, VALUE_BINS, BLOCK = 1000, 6, 3, 10, 4096


def properties(n: int, count: int) -> dict[str, Any]:
    """Make continuous properties, which get 10 bins."""
    rng = np.random.default_rng(1)
    return {f"property {i}": rng.random(n) for i in range(count)}


def relu_block(n: int, units: int) -> Any:
    """Make responses half of which are zero."""
    return np.maximum(np.random.default_rng(0).standard_normal((n, units), dtype=np.float32), 0)


def blocks(n_units: int, n: int) -> Iterator[tuple[int, Any]]:
    """Yield one block of responses again and again, copied so that it comes from memory as a spool's would."""
    block = relu_block(n, min(BLOCK, n_units))
    for start in range(0, n_units, BLOCK):
        yield start, block[:, : min(BLOCK, n_units - start)].copy()


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """Return wall and processor seconds of `work`."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def ours(n_units: int, n: int, count: int, shuffles: int) -> None:
    """Measure the information of `n_units` about `count` properties."""
    information_table(
        blocks(n_units, n),
        properties(n, count),
        response_bins=RESPONSE_BINS,
        value_bins=VALUE_BINS,
        n_shuffles=shuffles,
    )


def scikit_learn(n: int, units: int) -> None:
    """Let scikit-learn estimate the information of some units about one property of 10 classes."""
    from sklearn.feature_selection import mutual_info_classif

    responses, values = relu_block(n, units), next(iter(properties(n, 1).values()))
    classes = bin_codes(values[:, None], VALUE_BINS, binning="equipopulated", atom=False)[:, 0]
    mutual_info_classif(responses, classes, random_state=0)


def against_scikit_learn(n: int, n_units: int, peer_units: int, runs: int) -> dict[str, Any]:
    """Time both in turn and give microseconds of processor for a unit and property, and the ratios run by run."""
    rows = []
    for _ in range(runs):
        six = seconds(lambda: ours(n_units, n, PROPERTIES, 0))[1] / (n_units * PROPERTIES)
        one = seconds(lambda: ours(n_units, n, 1, 0))[1] / n_units
        rows.append((six, one, seconds(lambda: scikit_learn(n, peer_units))[1] / peer_units))
    return {
        "us a unit and property, of six": _median_us(row[0] for row in rows),
        "us a unit, one property": _median_us(row[1] for row in rows),
        "scikit-learn, us a unit and property": _median_us(row[2] for row in rows),
        "ratio, of six": round(statistics.median(row[2] / row[0] for row in rows)),
        "ratio, one property": round(statistics.median(row[2] / row[1] for row in rows)),
    }


def limits(n: int, units: int, runs: int) -> dict[str, Any]:
    """Measure the rates the work is made of: sorting, the product of one chunk of shuffles, and one pass over memory."""
    block = np.ascontiguousarray(relu_block(n, units).T)
    columns = (np.random.default_rng(2).random((600, n)) < 0.1).astype(np.float32)
    right = np.ascontiguousarray(block.T)
    sort = min(seconds(lambda: np.sort(block, axis=1))[1] for _ in range(runs))
    product = min(seconds(lambda: columns @ right)[1] for _ in range(runs))
    copy = min(seconds(block.copy)[1] for _ in range(runs))
    return {
        "sort, us a unit": round(sort / units * 1e6, 2),
        "product, GFLOP/s": round(2 * 600 * n * units / product / 1e9, 1),
        "copy, GB/s": round(2 * block.nbytes / max(copy, 1e-9) / 1e9, 1),
    }


def prediction(rates: dict[str, Any], n: int, count: int, shuffles: int) -> float:
    """Return the least microseconds a unit: sort it once, and the product with every column, two bins in one number."""
    flops = 2 * n * count * VALUE_BINS * (1 + shuffles)
    return round(rates["sort, us a unit"] + flops / rates["product, GFLOP/s"] / 1e3, 1)


def measured_against_limit(n: int, n_units: int, rates: dict[str, Any], shuffles: int) -> dict[str, Any]:
    """Compare processor time a unit with the least there could be."""
    found = seconds(lambda: ours(n_units, n, PROPERTIES, shuffles))[1] / n_units * 1e6
    least = prediction(rates, n, PROPERTIES, shuffles)
    return {"us a unit": round(found, 1), "limit us a unit": least, "over the limit": round(found / least, 2)}


def million(n_units: int = 1_000_000, n: int = N, shuffles: int = 100) -> dict[str, Any]:
    """Time a million units without and with shuffles on all the threads there are."""
    making = seconds(lambda: [None for _ in blocks(n_units, n)])[0]
    plain, tested = (seconds(lambda s=s: ours(n_units, n, PROPERTIES, s)) for s in (0, shuffles))
    return {
        "units": n_units,
        "threads": max(one["num_threads"] for one in threadpool_info()),
        "wall seconds without shuffles": round(plain[0] - making, 1),
        "processor seconds without shuffles": round(plain[1], 1),
        f"wall seconds with {shuffles} shuffles": round(tested[0] - making, 1),
        f"processor seconds with {shuffles} shuffles": round(tested[1], 1),
        "peak memory MB": round(peak_of_this_process()),
    }


def measure(n_units: int = 20_000, peer_units: int = 40, runs: int = 5, n: int = N) -> dict[str, Any]:
    """Run all but the million, on one thread; the arguments make it small for the tests."""
    with threadpool_limits(1, user_api="blas"):
        rates = limits(n, 512, runs)
        few = min(n_units, 2048)
        return {
            "limits": rates,
            "without shuffles": measured_against_limit(n, n_units, rates, 0),
            "with 100 shuffles": measured_against_limit(n, few, rates, 100),
            **{f"{size} stimuli": against_scikit_learn(size, n_units, peer_units, runs) for size in (380, n)},
        }


def _median_us(times: Iterator[float]) -> float:
    return round(statistics.median(times) * 1e6, 2)


def main() -> None:
    """Measure and print; with the word ``million`` the million units too."""
    found = measure()
    if "million" in sys.argv[1:]:
        found["a million units"] = million()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
