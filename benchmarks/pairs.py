"""The pair engine against its limit, the matrix product of the same size, and against its peers.

    python -m benchmarks.pairs                 all rows, one after the other
    python -m benchmarks.pairs dimension       some of: dimension, wide, recipe, analysis, "wide analysis", limit,
                                               "wide limit", scaling, large

Every ratio is of processor seconds on one thread, taken in turn, because wall seconds on a shared machine say more of
the neighbours than of the work; on several threads, which wait for each other, it is of wall seconds.
``OPENBLAS_CORETYPE`` may make numpy choose kernels below the processor's: unset it, and read in the table which ran.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks import peers
from benchmarks.cost import clock, peak_of_this_process, seconds
from stratoscope.metrics import two_nn
from stratoscope.metrics.declare import METRICS
from stratoscope.summaries import Gram, nearest_neighbours
from stratoscope.summaries.choice import rates


def points(kind: str, n: int, d: int, seed: int = 0) -> Any:
    """Return float32 points: ``stage``, a curved manifold of 10 dimensions with noise, rectified, or ``noise``."""
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.standard_normal((n, d), dtype=np.float32)
    curved = np.tanh(rng.random((n, 10), dtype=np.float32) @ rng.standard_normal((10, 64), dtype=np.float32))
    made = curved @ rng.standard_normal((64, d), dtype=np.float32)
    made += 0.05 * rng.standard_normal((n, d), dtype=np.float32)
    return np.maximum(made, 0, out=made)


def in_turn(works: Mapping[str, Callable[[], Any]], pairs: int) -> dict[str, Any]:
    """Time `works` in turn, `pairs` times, and give of each the seconds and the median ratio to the first."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(pairs):
        for name, work in works.items():
            runs[name].append(seconds(work))
    first, read = next(iter(works)), clock()
    return {
        name: {
            "cpu seconds": round(statistics.median(cpu for _, cpu in run), 3),
            "wall seconds": round(statistics.median(wall for wall, _ in run), 3),
            "times ours": round(statistics.median(a[read] / b[read] for a, b in zip(run, runs[first], strict=True)), 3),
        }
        for name, run in runs.items()
    }


def dimension(kind: str, n: int, d: int, pairs: int = 5, *, slowest: bool = True) -> dict[str, Any]:
    """TwoNN of ours and of every peer that is installed; `slowest` includes the published recipe."""
    data, others = points(kind, n, d), peers.available()
    if not slowest:
        others.pop("published recipe")
    values: dict[str, float] = {}

    def kept(name: str, work: Callable[[Any], float]) -> Callable[[], None]:
        return lambda: values.__setitem__(name, work(data))

    works = {"ours": kept("ours", lambda x: two_nn(x).value)}
    works |= {name: kept(name, work) for name, work in others.items()}
    two_nn(data[:300])  # warm
    found = in_turn(works, pairs)
    for name, value in values.items():
        found[name]["value"] = value
        found[name]["off ours by"] = abs(value / values["ours"] - 1)
    table = nearest_neighbours(data, 2)
    found["ours"] |= {"product": table.product, "measured a point": table.n_measured / n, "wide": table.n_wide}
    return found


def analysis(kind: str, n: int, d: int, pairs: int = 1, resamples: int = 20) -> dict[str, Any]:
    """TwoNN with resamples, decimation, Gride to 64 and participation ratio from one table, against the same of DADApy."""
    data = points(kind, n, d)

    def ours() -> None:
        summary = Gram(n, d, k=min(129, n - 1))
        summary.update(np.arange(n), data)
        state = summary.state()
        for name in ("two_nn", "two_nn_decimation", "gride", "participation_ratio"):
            METRICS[name].through(state)
        METRICS["two_nn_resampled"].through(state, n_resamples=resamples)
        summary.close()

    works: dict[str, Callable[[], Any]] = {"ours": ours}
    if "DADApy" in peers.available():
        works["DADApy"] = lambda: peers.analysis_with_dadapy(data, resamples)
    return in_turn(works, pairs)


def limit(kind: str, n: int, d: int, pairs: int = 5) -> dict[str, Any]:
    """The search for two neighbours over the whole product of that size, by the faster of numpy and torch in float32."""
    import torch

    data = points(kind, n, d)
    other, tensor = data.copy(), torch.from_numpy(data)
    products = {
        "numpy GEMM float32": lambda: data @ other.T,
        "torch GEMM float32": lambda: torch.mm(tensor, torch.from_numpy(other).T),
    }
    speeds = rates(True)
    single = [name for name in speeds if name.endswith("float32")]
    fastest = max(speeds[name] for name in single)
    # coarse products where the processor has instructions for them; elsewhere they take many times as long
    coarse = [name for name in ("torch bfloat16", "torch int8") if speeds.get(name, 0) > fastest]
    searches = {name: partial(nearest_neighbours, data, 2, product=name) for name in (*single, *coarse)}
    for search in searches.values():
        nearest_neighbours(data[:300], 2, product=search.keywords["product"])  # warm
    if coarse:  # else what is chosen is one of those
        searches["as chosen"] = partial(nearest_neighbours, data, 2)
    works = {**products, **searches}
    read = clock()
    runs = [{name: seconds(work)[read] for name, work in works.items()} for _ in range(pairs)]
    best = [min(run[name] for name in products) for run in runs]
    found: dict[str, Any] = {
        name: round(statistics.median(run[name] / b for run, b in zip(runs, best, strict=True)), 3) for name in searches
    }
    faster = [min(run[name] for name in single) / b for run, b in zip(runs, best, strict=True)]
    found["float32, the faster"] = round(statistics.median(faster), 3)
    gemm = statistics.median(best)
    return found | {"GEMM seconds": round(gemm, 3), "GEMM GFLOP/s": round(2e-9 * n * n * d / gemm, 1)}


def scaling(n: int = 2000, d: int = 2000, pairs: int = 3) -> dict[str, Any]:
    """Exponents of the processor time of a search, fitted along stimuli and along units."""
    found: dict[str, Any] = {}
    for along, sizes in (("stimuli", [(n * f, d) for f in (1, 2, 4)]), ("units", [(n, d * f) for f in (1, 4, 16)])):
        times = []
        for size in sizes:
            data = points("stage", *size)
            times.append(min(seconds(lambda data=data: nearest_neighbours(data, 2))[1] for _ in range(pairs)))
        steps = np.log([size[0] * size[1] for size in sizes])
        found[along] = {"exponent": round(float(np.polyfit(steps, np.log(times), 1)[0]), 2), "cpu seconds": times}
    return found


def large(n: int = 50_000, d: int = 4096) -> dict[str, Any]:
    """Time and peak memory of a search among many points, in a process of its own, on all cores."""
    command = [sys.executable, "-m", "benchmarks.pairs", "search", str(n), str(d)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(run.stdout.strip().splitlines()[-1]))


def search(n: int, d: int) -> dict[str, Any]:
    """Search among `n` points, made a few rows at a time; say how long it took and how much memory the process had."""
    data = np.empty((n, d), dtype=np.float32)
    for start in range(0, n, 1000):
        data[start : start + 1000] = points("stage", 1000, d, seed=0)[: n - start]
        data[start : start + 1000] += 0.5 * np.random.default_rng(start).standard_normal(
            data[start : start + 1000].shape, dtype=np.float32
        )
    before, start_time, start_cpu = peak_of_this_process(), time.perf_counter(), time.process_time()
    table = nearest_neighbours(data, 2)
    return {
        "wall seconds": round(time.perf_counter() - start_time, 1),
        "cpu seconds": round(time.process_time() - start_cpu, 1),
        "peak MB": round(peak_of_this_process()),
        "peak MB before the search": round(before),
        "points MB": round(data.nbytes / 1e6),
        "product": table.product,
        "measured a point": table.n_measured / n,
        "wide": table.n_wide,
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return what `measure` found as rows of a table: the row, the work, and ratio or seconds."""
    rows = [f"kernels: {'; '.join(found['kernels'])}", f"probed GFLOP/s: {found['GFLOP/s probed']}"]
    for row in (row for row in ROWS if row in found):
        for name, one in found[row].items():
            said = ", ".join(f"{key} {value}" for key, value in one.items()) if isinstance(one, dict) else str(one)
            rows.append(f"{row:12} {name:24} {said}")
    return rows


def kernels() -> list[str]:
    """Say which BLAS libraries are loaded, and with which kernels and threads."""
    return [
        f"{one['internal_api']} {one['version']} {one.get('architecture', '')} {one['num_threads']} threads"
        for one in threadpool_info()
        if one["user_api"] == "blas"
    ]


#: Every row of the table, by the name it is asked for.
ROWS: dict[str, Callable[[], Any]] = {
    "dimension": lambda: {
        "stage 5,000 x 4,096": dimension("stage", 5000, 4096, slowest=False),
    },
    "wide": lambda: {
        "stage 5,000 x 50,000": dimension("stage", 5000, 50_000, slowest=False),
    },
    "recipe": lambda: {"stage 5,000 x 4,096": dimension("stage", 5000, 4096)},
    "analysis": lambda: {"stage 2,000 x 10,000": analysis("stage", 2000, 10_000)},
    "wide analysis": lambda: {"stage 2,000 x 50,000": analysis("stage", 2000, 50_000)},
    "limit": lambda: {
        "stage 5,000 x 4,096": limit("stage", 5000, 4096),
        "noise 5,000 x 4,096": limit("noise", 5000, 4096),
    },
    "wide limit": lambda: {"stage 5,000 x 50,000": limit("stage", 5000, 50_000, pairs=3)},
    "scaling": scaling,
    "large": large,
}


def measure(rows: tuple[str, ...] = tuple(ROWS), threads: int = 1) -> dict[str, Any]:
    """Measure the named rows on so many threads (``large`` on all), and say on which kernels."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            speeds = {name: round(rate / 1e9, 1) for name, rate in rates(True).items()}
            found = {"kernels": kernels(), "GFLOP/s probed": speeds}
            for row in rows:
                found[row] = ROWS[row]()
    finally:
        torch.set_num_threads(before)
    return found


def main() -> None:
    """Measure the rows asked for and print them; or search once and print."""
    if sys.argv[1:2] == ["search"]:
        import torch  # noqa: F401 - a search this large would load it anyway

        print(json.dumps(search(int(sys.argv[2]), int(sys.argv[3]))))
        return
    print("\n".join(lines(measure(tuple(sys.argv[1:]) or tuple(ROWS)))))


if __name__ == "__main__":
    main()
