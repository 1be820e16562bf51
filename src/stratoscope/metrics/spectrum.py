"""Linear dimension: the eigenvalues of the covariance of responses, and how many of them count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import t as student

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.declare import metric
from stratoscope.metrics.neighbour_interval import log_interval
from stratoscope.metrics.responses import checked_finite, checked_responses
from stratoscope.types import Estimate, Floats, Integers


def centred_gram(responses: Any, metric_name: str, fewest: int) -> Floats:
    """Return the Gram matrix (stimulus, stimulus) of responses with every unit's mean taken off."""
    array = checked_responses(responses, metric_name, fewest=fewest)
    centred = array - array.mean(axis=0)
    return np.asarray(centred @ centred.T)


def gram_in(state: Mapping[str, Any], metric_name: str, fewest: int) -> Floats:
    """Read the centred Gram matrix of the summary gram."""
    gram = checked_finite(some_gram(state, metric_name), metric_name, "inner products")
    if len(gram) < fewest:
        raise TooFew(f"{metric_name} needs at least {fewest} stimuli, but {len(gram)} came.")
    return gram


def some_gram(state: Mapping[str, Any], metric_name: str) -> Any:
    """Return the Gram matrix of the summary gram as it is kept: an array, or what gives rows of it."""
    if state.get("gram") is None:
        raise BadInput(f"{metric_name} reads the Gram matrix, and this summary kept the nearest neighbours only.")
    return state["gram"]


def _needs_variance(gram: Floats, metric_name: str) -> None:
    if not np.trace(gram) > 0:
        raise TooFew(
            f"{metric_name} needs responses that differ between stimuli, but all {len(gram)} are equal "
            "(a dead or constant stage?)."
        )


def _ratio(gram: Floats) -> float:
    return float(np.trace(gram) ** 2 / (gram**2).sum())


def _jackknifed(gram: Floats) -> tuple[float, float]:
    """Return participation ratio and standard deviation from leaving out one stimulus at a time, in closed form.

    Without stimulus i the scatter matrix loses n/(n-1) times the outer product of its centred response.
    """
    n = len(gram)
    lost = n / (n - 1) * np.diag(gram)
    trace = np.trace(gram) - lost
    square = (gram**2).sum() - 2 * n / (n - 1) * (gram**2).sum(axis=1) + lost**2
    value = _ratio(gram)
    if square.min() <= 1e-12 * (gram**2).sum():  # without one stimulus all others are equal: no spread to judge by
        return value, float("nan")
    logs = np.log(trace**2 / square)
    return value, value * float(np.sqrt((n - 1) / n * ((logs - logs.mean()) ** 2).sum()))


def _participation_ratio(gram: Floats) -> Estimate:
    _needs_variance(gram, "participation_ratio")
    value, deviation = _jackknifed(gram)
    low, high = log_interval(value, deviation, z=float(student.ppf(0.975, len(gram) - 1)))
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        n=len(gram),
        method="participation ratio; jackknife over stimuli of its logarithm",
    )


@metric(
    needs="gram",
    nearest=0,
    through=lambda state: _participation_ratio(gram_in(state, "participation_ratio", 4)),
    unit="dimensions",
    range=(1.0, np.inf),
    reads="position",
    controls=("participation_ratio_corrected", "eigenspectrum"),
    paper="Gao et al. 2017, doi:10.1101/214262",
)
def participation_ratio(responses: Any) -> Estimate:
    """Number of linear dimensions that responses occupy, from the concentration of covariance eigenvalues.

    With λ the eigenvalues of the covariance over stimuli, PR = (Σ λ)² / Σ λ².

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite; units are centred here.

    Returns
    -------
    Estimate
        1 (all on a line) to min(n - 1, units), with the 95 % interval of a jackknife over stimuli.

    Raises
    ------
    TooFew
        For fewer than 4 stimuli, or where all responses are equal.
    BadInput
        For NaN or infinite responses or wrong shapes.

    When it misleads
    ----------------
    It is biased low with few stimuli: 1/PR rises by about 1/n and by 1/units for a sample of units, and the interval
    knows nothing of it (see `participation_ratio_corrected`). It counts linear directions: a curved line fills many,
    and on benchmark manifolds it is 31 % off where they are curved. A few units of large variance make it small.

    References
    ----------
    Gao et al. 2017, doi:10.1101/214262.

    Examples
    --------
    >>> round(participation_ratio([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).value, 6)
    2.0
    """
    return _participation_ratio(centred_gram(responses, "participation_ratio", 4))


def squared_trace_and_square(diagonal: Floats, rows: Floats, squares: float) -> tuple[float, float]:
    """Return estimates without bias of (tr Σ)² and tr Σ², as averages over four different stimuli.

    They need no more of a Gram matrix than its diagonal, the sums of its rows, and the sum of its squares.
    """
    n, trace = len(diagonal), diagonal.sum()
    distances = 0.5 * (n * diagonal + trace) - rows  # sums over rows of half the squared distances
    squared = 0.5 * (n * (diagonal @ diagonal) + trace**2) - 2 * (diagonal @ rows) + squares
    disjoint = distances.sum() ** 2 - 4 * (distances @ distances) + 2 * squared
    off = rows - diagonal
    product = squares - diagonal @ diagonal + off.sum() ** 2 / ((n - 1) * (n - 2)) - 2 / (n - 2) * (off @ off)
    return float(disjoint / (n * (n - 1) * (n - 2) * (n - 3))), float(product / (n * (n - 3)))


def unbiased_hsic(a: Floats, b: Floats) -> float:
    """Return the estimate without bias of the HSIC of two Gram matrices (Song et al. 2012), n above 3."""
    a, b = a - np.diag(np.diag(a)), b - np.diag(np.diag(b))
    rows_a, rows_b = a.sum(axis=0), b.sum(axis=0)
    return float(without_bias((a * b).sum(), rows_a[None], rows_b[None])[0, 0])


def without_bias(products: Any, first: Floats, second: Floats) -> Floats:
    """Return estimates without bias of HSIC (matrix, other), from what Gram matrices without their diagonals come to.

    Parameters
    ----------
    products : array (matrix, other)
        Sums over all entries of the product of two of them.
    first, second : array (matrix, stimulus), (other, stimulus)
        Sums of their rows.
    """
    n = first.shape[1]
    common = np.outer(first.sum(axis=1), second.sum(axis=1)) / ((n - 1) * (n - 2))
    return np.asarray((products + common - 2 / (n - 2) * (first @ second.T)) / (n * (n - 3)))


def _corrected(gram: Floats) -> Estimate:
    _needs_variance(gram, "participation_ratio_corrected")
    n, blocks = len(gram), min(20, len(gram) // 5)
    diagonal, rows, squares = np.diag(gram), gram.sum(axis=1), float((gram**2).sum())
    value, low, high = _quotient(diagonal, rows, squares), np.nan, np.nan
    if np.isfinite(value) and blocks > 1:
        logs = np.log([_without_block(gram, rows, squares, np.arange(b, n, blocks)) for b in range(blocks)])
        deviation = value * float(np.sqrt((blocks - 1) / blocks * ((logs - logs.mean()) ** 2).sum()))
        low, high = map(float, log_interval(value, deviation, z=float(student.ppf(0.975, blocks - 1))))
    note = "" if np.isfinite(value) else "Σ λ² is not distinguishable from 0 with so few stimuli."
    return Estimate(value, low, high, n, method=f"U-statistics; jackknife over {blocks} blocks of stimuli", note=note)


def _without_block(gram: Floats, rows: Floats, squares: float, block: Integers) -> float:
    """Return the corrected ratio without the stimuli in `block`, from what their rows take off the sums."""
    kept = np.delete(np.arange(len(gram)), block)
    lost = gram[block]
    squares = squares - 2 * float((lost**2).sum()) + float((lost[:, block] ** 2).sum())
    return _quotient(np.diag(gram)[kept], (rows - lost.sum(axis=0))[kept], squares)


def _quotient(diagonal: Floats, rows: Floats, squares: float) -> float:
    trace, square = squared_trace_and_square(diagonal, rows, squares)
    return trace / square if square > 0 and trace > 0 else float("nan")


@metric(
    needs="gram",
    nearest=0,
    through=lambda state: _corrected(gram_in(state, "participation_ratio_corrected", 5)),
    unit="dimensions",
    reads="position",
    controls=("participation_ratio",),
    paper="Chun et al. 2025, arXiv:2509.26560",
)
def participation_ratio_corrected(responses: Any) -> Estimate:
    """Participation ratio with the bias of few stimuli taken out of numerator and denominator.

    (tr Σ)² and tr Σ² are estimated each without bias, by averages over four different stimuli, and divided.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.

    Returns
    -------
    Estimate
        Dimension of the population of stimuli these are a sample of, with the 95 % interval of a jackknife over up
        to 20 blocks (every 20th stimulus is one block); NaN with a note where tr Σ² comes out at 0 or below.

    Raises
    ------
    TooFew
        For fewer than 5 stimuli, or where all responses are equal.
    BadInput
        For NaN or infinite responses or wrong shapes.

    When it misleads
    ----------------
    It corrects for few stimuli, not for few units: between areas of different size match their number. The quotient of
    two estimates without bias still has some. Its variance is larger, and it may exceed the number of stimuli.

    References
    ----------
    Chun, Canatar, Chung & Lee 2025, arXiv:2509.26560; Song, Smola, Gretton, Bedo & Borgwardt 2012 (HSIC), Journal of
    Machine Learning Research 13.

    Examples
    --------
    >>> import numpy as np
    >>> round(participation_ratio_corrected(np.random.default_rng(0).standard_normal((300, 10))).value)
    10
    """
    return _corrected(centred_gram(responses, "participation_ratio_corrected", 5))


def _spectrum(gram: Floats) -> Floats:
    _needs_variance(gram, "eigenspectrum")
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0)
    return np.asarray(values / values.sum())


@metric(
    needs="gram",
    nearest=0,
    through=lambda state: _spectrum(gram_in(state, "eigenspectrum", 2)),
    dims=("component",),
    range=(0.0, 1.0),
    reads="position",
    paper="eigenvalues of the covariance over stimuli",
)
def eigenspectrum(responses: Any) -> Floats:
    """Share of the variance over stimuli in every principal component, largest first.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite; units are centred here.

    Returns
    -------
    array (stimulus,)
        Eigenvalues of the Gram matrix over their sum; beyond min(n - 1, units) they are zero.

    Raises
    ------
    TooFew
        For fewer than 2 stimuli, or where all responses are equal.
    BadInput
        For NaN or infinite responses or wrong shapes.

    When it misleads
    ----------------
    With as many units as stimuli, or more, the spectrum of pure noise is spread out too, and its tail is bent down by
    the number of stimuli: do not read a power law from the last components.

    Examples
    --------
    >>> eigenspectrum([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).round(6).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    return _spectrum(centred_gram(responses, "eigenspectrum", 2))


def same_stimuli(a: Floats, b: Floats) -> None:
    """Raise where two Gram matrices are not of the same stimuli."""
    if a.shape != b.shape:
        raise BadInput(f"The two stages must answer the same stimuli, but {a.shape[0]} and {b.shape[0]} came.")
