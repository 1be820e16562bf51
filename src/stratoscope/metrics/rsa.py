"""Representational similarity: how alike two dissimilarity matrices are, and how alike they could be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.responses import checked_choice
from stratoscope.types import Floats

KINDS = ("spearman", "pearson", "cosine")
#: Fewer stimuli have too few pairs for a correlation.
FEWEST = 4


def pairs_of(rdm: Any) -> Floats:
    """Return the dissimilarities of all pairs (pair,), row by row above the diagonal, of a square matrix."""
    array = np.asarray(rdm, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise BadInput(f"A dissimilarity matrix is square, (stimulus, stimulus), but one of shape {array.shape} came.")
    if len(array) < FEWEST:
        raise TooFew(f"Comparing dissimilarity matrices needs at least {FEWEST} stimuli, but {len(array)} came.")
    return np.asarray(array[np.triu_indices(len(array), 1)])


def standardised_pairs(pairs: Any, kind: str) -> Floats:
    """Return rows (matrix, pair) whose inner products are the similarities of `kind`; rows with NaN or no spread are NaN."""
    checked_choice(kind, KINDS, "kind")
    rows = np.atleast_2d(np.asarray(pairs, dtype=np.float64))
    known = np.isfinite(rows).all(axis=1)
    out = np.full(rows.shape, np.nan)
    values = rankdata(rows[known], axis=1) if kind == "spearman" else rows[known]
    if kind != "cosine":
        values = values - values.mean(axis=1, keepdims=True)
    norms = np.sqrt((values**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        out[known] = np.where(
            norms > 1e-12 * np.abs(values).max(axis=1, initial=0, keepdims=True), values / norms, np.nan
        )
    return out


def rsa(first: Any, second: Any, *, kind: str = "spearman") -> float:
    """Representational similarity of two stages: the correlation of their dissimilarities over all pairs of stimuli.

    Parameters
    ----------
    first, second : array (stimulus, stimulus)
        Dissimilarity matrices of the same stimuli in the same order, as `rdm` makes them.
    kind : str
        ``spearman`` (ranks, average for ties), ``pearson``, or ``cosine`` (no mean taken off).

    Returns
    -------
    float
        -1 to 1 (cosine of distances: 0 to 1). NaN where a matrix holds NaN or all its dissimilarities are equal.

    Raises
    ------
    TooFew
        For fewer than 4 stimuli.
    BadInput
        For matrices that are not square or of different size.

    When it misleads
    ----------------
    Pairs share stimuli, so their number says little about certainty: resample stimuli. Two matrices that only share a
    split into two groups of stimuli agree well, whatever happens within the groups. What noise allows is `noise_ceiling`.

    References
    ----------
    Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008.

    Examples
    --------
    >>> line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    >>> round(rsa(line, line**2), 6)
    1.0
    """
    one, other = pairs_of(first), pairs_of(second)
    if len(one) != len(other):
        raise BadInput(
            f"Two dissimilarity matrices are compared over the same stimuli, but {len(np.asarray(first))} and "
            f"{len(np.asarray(second))} came. Restrict both to the stimuli they share."
        )
    rows = standardised_pairs(np.stack([one, other]), kind)
    return float(rows[0] @ rows[1])


def noise_ceiling(rdms: Sequence[Any], *, kind: str = "spearman") -> tuple[float, float]:
    """Return the lower and upper bound of the similarity that any model can have with these repeated matrices.

    Each matrix (of a subject, a session) is compared with the mean of all others (lower bound: a model that knows
    everything but this one) and with the mean of all (upper bound: it is itself part of it), and both are averaged.
    Matrices are brought to the same scale (ranks for ``spearman``) before the mean is taken.

    Parameters
    ----------
    rdms : sequence of array (stimulus, stimulus)
        At least two, of the same stimuli.
    kind : str
        As in `rsa`.

    Returns
    -------
    lower, upper : float

    Raises
    ------
    TooFew
        For fewer than two matrices, or fewer than 4 stimuli.

    When it misleads
    ----------------
    With two matrices the bounds are far apart, and both are those of a single matrix: a model compared with their
    mean can exceed the upper bound. See `split_half_ceiling` for two halves of one recording.

    References
    ----------
    Nili et al. 2014, doi:10.1371/journal.pcbi.1003553.
    """
    if len(rdms) < 2:
        raise TooFew(
            f"A noise ceiling needs at least 2 dissimilarity matrices of the same stage, but {len(rdms)} came."
        )
    rows = standardised_pairs(np.stack([pairs_of(one) for one in rdms]), kind)
    total = rows.sum(axis=0)
    whole, others = standardised_pairs(total, kind)[0], standardised_pairs(total - rows, kind)
    return float((rows * others).sum(axis=1).mean()), float((rows @ whole).mean())


def split_half_ceiling(one: Any, other: Any, *, kind: str = "spearman") -> float:
    """Return the similarity a perfect model could have with the whole, from the matrices of two halves of its trials.

        ceiling = √(2 r / (1 + r)),   r = rsa(half, other half)

    the square root of the Spearman-Brown reliability of the whole. NaN where the halves do not agree (r ≤ 0).

    When it misleads
    ----------------
    It takes the noise of the halves as independent and the whole as twice as long. Euclidean distances between noisy
    responses carry a bias that both halves share where stimuli differ in noise, which raises it.

    References
    ----------
    Spearman 1910, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown 1910, doi:10.1111/j.2044-8295.1910.tb00207.x.
    """
    r = rsa(one, other, kind=kind)
    return float(np.sqrt(2 * r / (1 + r))) if r > 0 else float("nan")
