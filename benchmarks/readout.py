"""Linear read-out against scikit-learn, on the same folds in the same run, and what units and populations cost.

``python -m benchmarks.readout`` measures a stage of 600 stimuli and 10,000 units; ``python -m benchmarks.readout large`` one
of 3,000 and 50,000. scikit-learn reads the responses; ours reads the Gram matrix, whose making is timed apart. Seconds are
those of the processor, as a machine that is shared makes the clock lie.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from benchmarks.cost import peak_of_this_process
from stratoscope.metrics import (
    cross_validated_readout,
    population_generalization,
    population_separability,
    unit_generalization,
    unit_separability,
)
from stratoscope.metrics.readout.folds import splits_of, stratified_folds
from stratoscope.testing.object_views import object_views

PENALTIES = tuple(10.0 ** np.arange(1, 8))


def stage(n: int, units: int, classes: int) -> tuple[Any, Any]:
    """Make responses of a stage (stimulus, unit) in single precision, with classes that overlap."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    centres = (0.7 / np.sqrt(np.sqrt(units))) * rng.standard_normal((classes, units), dtype=np.float32)
    return np.maximum(centres[labels] + rng.standard_normal((n, units), dtype=np.float32), 0), labels


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return processor seconds of `work`, and what came of it."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def peer_accuracy(model: Callable[[], Any], responses: Any, labels: Any, splits: Any) -> float:
    """Read out with scikit-learn as its users do: fit and predict on the responses, fold by fold."""
    right = [
        (model().fit(responses[one.train], labels[one.train]).predict(responses[one.test]) == labels[one.test]).sum()
        for one in splits
    ]
    return float(sum(right) / sum(len(one.test) for one in splits))


#: Decoder, options of ours, and the model of scikit-learn that does the same.
RIVALS: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "ridge, 7 penalties": (
        {"decoder": "ridge", "penalty": PENALTIES},
        lambda: RidgeClassifierCV(alphas=PENALTIES),
    ),
    "logistic": (
        {"decoder": "logistic", "penalty": 1e-3, "max_iter": 200},
        lambda: LogisticRegression(C=1e-3, max_iter=200),
    ),
    "svm": ({"decoder": "svm", "penalty": 1e-3}, lambda: SVC(kernel="linear", C=1e-3)),
}


def against_peers(n: int, units: int, classes: int, runs: int) -> dict[str, Any]:
    """Read a stage out with five folds: ours from the Gram matrix, and scikit-learn from the responses."""
    responses, labels = stage(n, units, classes)
    splits = splits_of(stratified_folds(labels, 5, np.random.default_rng(0), np.arange(n)))
    gram_seconds, gram = timed(lambda: responses @ responses.T)
    found: dict[str, Any] = {"stimuli": n, "units": units, "classes": classes, "Gram seconds": round(gram_seconds, 2)}
    for name, (options, model) in RIVALS.items():
        asked = {"folds": splits, "chance": "none", "gram": gram.astype(np.float64), **options}
        pairs = [
            (
                timed(lambda asked=asked: cross_validated_readout(None, labels, **asked)),
                timed(lambda model=model: peer_accuracy(model, responses, labels, splits)),
            )
            for _ in range(runs)
        ]
        found[name] = {
            "seconds": round(statistics.median(one[0] for one, _ in pairs), 3),
            "scikit-learn seconds": round(statistics.median(two[0] for _, two in pairs), 3),
            "ratio": round(statistics.median(two[0] / one[0] for one, two in pairs), 2),
            "ratio with the Gram matrix": round(
                statistics.median(two[0] / (one[0] + gram_seconds) for one, two in pairs), 2
            ),
            "accuracy": round(pairs[0][0][1].accuracy, 4),
            "scikit-learn accuracy": round(pairs[0][1][1], 4),
        }
    found["ridge with 100 shuffles, seconds"] = round(
        timed(lambda: cross_validated_readout(None, labels, gram=gram, n_shuffles=100, penalty=PENALTIES))[0], 2
    )
    return found


def pair_by_pair(responses: Any, objects: Any, views: Any, units: Any) -> float:
    """Do one resampling of a population as one would with scikit-learn: one machine for every pair and fold."""
    fold = views % 5
    right = total = 0
    for a, b in combinations(np.unique(objects), 2):
        rows = np.isin(objects, [a, b])
        for k in range(5):
            train, test = rows & (fold != k), rows & (fold == k)
            model = SVC(kernel="linear").fit(responses[train][:, units], objects[train])
            right += (model.predict(responses[test][:, units]) == objects[test]).sum()
            total += test.sum()
    return float(right / total)


def objects_in_views(units: int, resamplings: int) -> dict[str, Any]:
    """Read 10 objects in 38 views out, as Tafazoli et al. 2017: every unit, and populations of five sizes."""
    responses, objects, views = object_views(
        np.random.default_rng(0), objects=10, views=38, units=max(units, 100), of_object=0.5, noise=1.0
    )
    single = responses[:, :units].astype(np.float32)
    sizes = (6, 12, 24, 48, 96)
    rng = np.random.default_rng(1)
    found: dict[str, Any] = {"units": units, "resamplings": resamplings}
    for name, function in (("separability", unit_separability), ("generalization", unit_generalization)):
        seconds, _ = timed(lambda function=function: function(single, objects, views=views))
        found[f"unit {name}, ms a unit (45 pairs, chance with it)"] = round(1e3 * seconds / units, 3)
    asked = {"views": views, "sizes": sizes, "n_resamplings": resamplings}
    for name, function in (("separability", population_separability), ("generalization", population_generalization)):
        seconds, _ = timed(lambda function=function: function(responses, objects, **asked))
        found[f"population {name}, seconds (chance with it)"] = round(seconds, 2)
    alone, _ = timed(lambda: population_separability(responses, objects, n_shuffles=0, **asked))
    peer = sum(
        timed(lambda size=size: pair_by_pair(responses, objects, views, rng.choice(responses.shape[1], size, False)))[0]
        for size in sizes
    )
    found["population separability, scikit-learn pair by pair over ours"] = round(peer * resamplings / alone, 2)
    return found


def measure(
    n: int = 600, units: int = 10_000, classes: int = 10, runs: int = 5, single: int = 1000, resamplings: int = 3
) -> dict[str, Any]:
    """Run everything on one core."""
    with threadpool_limits(1):
        return {
            "one stage": against_peers(n, units, classes, runs),
            "objects in views": objects_in_views(single, resamplings),
            "peak memory MB": round(peak_of_this_process()),
        }


def main() -> None:
    """Print the ratios as JSON."""
    found = measure(3000, 50_000, 20, 1) if sys.argv[1:] == ["large"] else measure()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
