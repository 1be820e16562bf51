"""How far estimators of dimension disagree about one stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stratoscope.errors import TooFew
from stratoscope.metrics.correlation_dimension import correlation_dimension
from stratoscope.metrics.declare import METRICS, metric
from stratoscope.metrics.ess import ess
from stratoscope.metrics.gride import gride
from stratoscope.metrics.levina_bickel import levina_bickel
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.two_nn import two_nn
from stratoscope.types import Estimate

#: Estimators that are compared, and the options they are given besides the k of `ess`.
COMPARED: dict[str, tuple[Callable[..., Estimate], dict[str, Any]]] = {
    "two_nn": (two_nn, {}),
    "gride n1=2": (gride, {"n1": (2,)}),
    "levina_bickel k=10": (levina_bickel, {}),
    "correlation_dimension": (correlation_dimension, {}),
}


def _compared(k: int) -> dict[str, tuple[Callable[..., Estimate], dict[str, Any]]]:
    return COMPARED | {f"ess k={k}": (ess, {"k": k})}


def _disagreement(read: Callable[..., Estimate], k: int) -> Estimate:
    found: dict[str, Estimate] = {}
    refused: dict[str, str] = {}
    for name, (estimator, options) in _compared(k).items():
        try:
            found[name] = read(estimator, options)
        except TooFew as error:
            refused[name] = str(error)
    if len(found) < 2:
        raise TooFew(f"dimension_disagreement needs two estimators that give a number. {next(iter(refused.values()))}")
    value, low, high = (
        np.array([float(np.ravel(getattr(e, end))[0]) for e in found.values()]) for end in ("value", "low", "high")
    )
    said = ", ".join(f"{name} {number:.3g}" for name, number in zip(found, value, strict=True))
    left_out = "; ".join(f"{name} left out: {why}" for name, why in refused.items())
    return Estimate(
        value=float(value.max() / value.min()),
        low=float(max(1.0, np.nanmax(low) / np.nanmin(high))),
        high=float(np.nanmax(high) / np.nanmin(low)),
        n=min(estimate.n for estimate in found.values()),
        method=f"largest over smallest of {len(found)} estimators; ends from the ends of their intervals",
        note="; ".join(part for part in (said, left_out) if part),
    )


def _through_gram(state: Mapping[str, Any], *, k: int = 100) -> Estimate:
    return _disagreement(lambda one, options: METRICS[one.__name__].through(state, **options), k)


@metric(
    needs="gram",
    through=_through_gram,
    unit="1",
    range=(1.0, np.inf),
    reads="position",
    controls=("two_nn", "gride", "ess"),
    paper="estimators as under their names; that they disagree: Schulte & Rügamer 2026, arXiv:2604.20276",
)
def dimension_disagreement(responses: Any, *, k: int = 100) -> Estimate:
    """Largest over smallest intrinsic dimension among several estimators: 1 where they agree.

    Compared are `two_nn`, `gride` at n1 = 2, `levina_bickel` at k = 10, `correlation_dimension`, and `ess`.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    k : int
        Number of neighbours that `ess` reads.

    Returns
    -------
    Estimate
        The ratio, 1 or more, with what each estimator reads as note. ``low`` is 1 where all intervals have a point in
        common, and ``high`` the largest ratio that they allow.

    Raises
    ------
    TooFew
        Where fewer than two estimators have enough distinct stimuli; one that has too few is left out, and named.
    BadInput
        For NaN or infinite responses, wrong shapes, or a k below 3.

    When it misleads
    ----------------
    Agreement is no proof: all but `ess` live on distances and read low together in high dimension. Disagreement has
    several reasons, and the notes tell them apart: `ess` above the others says high dimension (or curvature), the
    correlation dimension below the others says uneven density, `two_nn` above `gride` says noise at the smallest scale.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> dimension_disagreement(rng.random((400, 2))).value < 1.2 < dimension_disagreement(rng.random((400, 20))).value
    True
    """
    points = checked_responses(responses, "dimension_disagreement")
    return _disagreement(lambda one, options: one(points, **options), k)
