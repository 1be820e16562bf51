"""What others have for intrinsic dimension, called as their users call it, on one core."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial.distance import pdist, squareform


def dadapy() -> Any:
    """Import DADApy, whose 0.3.4 asks for numpy below 2 and for jax, of which the calls below use nothing."""
    if "dadapy" not in sys.modules:
        vars(np)["float_"] = np.float64  # the name that numpy 2 took away
        part = types.ModuleType("dadapy.diff_imbalance")
        vars(part)["DiffImbalance"] = object
        sys.modules["dadapy.diff_imbalance"] = part
    import dadapy as found

    return found


def with_dadapy(points: Any) -> float:
    """Return TwoNN by DADApy, from the points."""
    data = dadapy().Data(points, n_jobs=1)
    data.compute_distances(maxk=2)
    return float(data.compute_id_2NN()[0])


def with_scikit_dimension(points: Any) -> float:
    """Return TwoNN by scikit-dimension, from the points."""
    import skdim

    return float(skdim.id.TwoNN().fit(points).dimension_)


def published_recipe(points: Any) -> float:
    """Return TwoNN as in the papers' own words: all distances, every row sorted, a fit to the smallest 90 %."""
    distance = np.sort(squareform(pdist(points)), axis=1)
    mu = np.sort(distance[:, 2] / distance[:, 1])
    kept = int(0.9 * len(mu))
    x, y = np.log(mu[:kept]), -np.log1p(-np.arange(1, kept + 1) / len(mu))
    return float(x @ y / (x @ x))


def analysis_with_dadapy(points: Any, resamples: int = 20) -> float:
    """Return TwoNN after a whole analysis: its resamples of 90 %, its decimation curve, and Gride to 64."""
    data = dadapy().Data(points, n_jobs=1)
    data.compute_distances(maxk=129)
    value = float(data.compute_id_2NN()[0])
    data.compute_id_2NN(data_fraction=0.9, n_iter=resamples, set_attr=False)
    data.return_id_scaling_2NN(n_min=20)
    data.return_id_scaling_gride(range_max=128)
    return value


def available() -> dict[str, Callable[[Any], float]]:
    """Return TwoNN of every peer that is installed, by name."""
    found: dict[str, Callable[[Any], float]] = {"published recipe": published_recipe}
    for name, work in (("DADApy", with_dadapy), ("scikit-dimension", with_scikit_dimension)):
        try:
            work(np.random.default_rng(0).random((50, 3)))
        except ImportError:
            continue
        found[name] = work
    return found
