"""How far estimators of information are apart on the same units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.information.bias import CORRECTIONS
from stratoscope.metrics.information.copula import gaussian_copula_information
from stratoscope.metrics.information.nearest import ksg_information, ross_information
from stratoscope.metrics.information.samples import read_values
from stratoscope.metrics.information.unit import unit_information
from stratoscope.metrics.responses import checked_responses
from stratoscope.types import Floats


@dataclass(frozen=True)
class EstimatorDisagreement:
    """Information of the same units by several estimators.

    Attributes
    ----------
    units : array (sampled unit,)
        Positions of the units that were sampled, ascending.
    bits : mapping of str to array (sampled unit,)
        Bits by estimator: ``binned none``, ``binned panzeri-treves`` ..., ``gaussian copula``, and ``ksg`` for decimal
        numbers or ``ross`` for classes.
    medians : mapping of str to float
        Median over units of each, NaN left out.
    spread : float
        Median over units of the largest minus the smallest of all estimators but the uncorrected one.
    rank_agreement : mapping of (str, str) to float
        Spearman correlation over units of each two estimators: whether they put units in the same order.
    n, seed : int
        Stimuli, and the seed of the sample.
    """

    units: NDArray[np.int64]
    bits: Mapping[str, Floats]
    medians: Mapping[str, float]
    spread: float
    rank_agreement: Mapping[tuple[str, str], float]
    n: int
    seed: int


def estimator_disagreement(
    responses: Any,
    values: Any,
    *,
    n_units: int = 50,
    response_bins: int = 3,
    value_bins: int | None = None,
    atom: bool = True,
    k: int = 3,
    seed: int = 0,
) -> EstimatorDisagreement:
    """Estimate the information of a sample of units in bins, with every correction, and without bins.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    values : array (stimulus,)
        The property; decimal numbers are continuous for the estimators without bins.
    n_units : int
        Units to sample, at random among those that change; all where there are fewer.
    response_bins, value_bins, atom
        As in `unit_information`.
    k : int
        Neighbours, as in `ksg_information`.
    seed : int
        Seed of the sample, of shuffles and of parts.

    Returns
    -------
    EstimatorDisagreement

    Raises
    ------
    TooFew
        Where fewer than 2 units change.
    BadInput
        For NaN, shapes that do not fit, or a number of units below 2.

    When it misleads
    ----------------
    Estimators measure different things: bins lose information, the copula sees only what is monotone, neighbours see
    all of it. That they differ is no error of one of them; that they order stages differently is a warning.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> light = rng.random(400)
    >>> found = estimator_disagreement(light[:, None] + 0.5 * rng.standard_normal((400, 20)), light)
    >>> found.medians["binned panzeri-treves"] < found.medians["ksg"]
    True
    """
    array = checked_responses(responses, "estimator_disagreement", fewest=4)
    if n_units < 2:
        raise BadInput(f"estimator_disagreement compares at least 2 units, but n_units={n_units} came.")
    changing = np.flatnonzero(np.ptp(array, axis=0) > 0)
    if len(changing) < 2:
        raise TooFew(
            f"estimator_disagreement compares units that change, but {len(changing)} of {array.shape[1]} do. "
            "Look whether the stage is dead."
        )
    rng = np.random.default_rng(seed)
    units = np.sort(rng.choice(changing, size=min(n_units, len(changing)), replace=False))
    sample = array[:, units]
    bits = {
        f"binned {one}": unit_information(
            sample, values, response_bins=response_bins, value_bins=value_bins, correction=one, atom=atom, seed=seed
        )
        for one in CORRECTIONS
        if one != "miller-madow"  # the same number as panzeri-treves-naive
    }
    bits["gaussian copula"] = gaussian_copula_information(sample, values)
    if read_values(values, len(array), "estimator_disagreement").continuous:
        bits["ksg"] = ksg_information(sample, values, k=k)
    else:
        bits["ross"] = ross_information(sample, values, k=k)
    return _compare(bits, units, len(array), seed)


def _compare(bits: Mapping[str, Floats], units: NDArray[np.int64], n: int, seed: int) -> EstimatorDisagreement:
    names = list(bits)
    compared = np.stack([bits[name] for name in names if name != "binned none"])
    apart = np.nanmax(compared, axis=0) - np.nanmin(compared, axis=0)
    medians = {name: _median(one) for name, one in bits.items()}
    ranks = {(a, b): _spearman(bits[a], bits[b]) for i, a in enumerate(names) for b in names[i + 1 :]}
    return EstimatorDisagreement(units, dict(bits), medians, float(np.median(apart)), ranks, n, seed)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _spearman(a: Floats, b: Floats) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    ranks = [rankdata(one[known]) for one in (a, b)]
    if known.sum() < 3 or any(np.ptp(one) == 0 for one in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])
