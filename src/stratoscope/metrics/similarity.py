"""Geometry of a stage, and how alike that of two stages is: dissimilarity matrices and CKA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.decimation import squared_distances
from stratoscope.metrics.declare import metric
from stratoscope.metrics.responses import checked_choice, checked_finite, checked_responses
from stratoscope.metrics.spectrum import centred_gram, gram_in, same_stimuli, some_gram, without_bias
from stratoscope.summaries.blocks import few_rows
from stratoscope.types import Floats

DISTANCES = ("euclidean", "sqeuclidean", "correlation", "cosine")
CENTRES = ("none", "units")
#: Inner products of all stages that are compared at a time.
_AT_ONCE = 1 << 22


def _cosine(gram: Floats) -> Floats:
    norms = np.sqrt(np.diag(gram))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = 1.0 - gram / (norms[:, None] * norms[None, :])
    np.fill_diagonal(distance, np.where(norms > 0, 0.0, np.nan))
    return np.asarray(np.clip(distance, 0.0, 2.0))


def _euclidean(gram: Floats, distance: str) -> Floats:
    squared = squared_distances(gram)
    np.fill_diagonal(squared, 0.0)
    return squared if distance == "sqeuclidean" else np.sqrt(squared)


def _through_gram(state: Mapping[str, Any], *, distance: str = "euclidean", centre: str = "none") -> Floats:
    checked_choice(distance, DISTANCES, "distance")
    checked_choice(centre, CENTRES, "centre")
    gram = gram_in(state, "rdm", 2)
    if distance in ("euclidean", "sqeuclidean"):
        return _euclidean(gram, distance)
    if centre == "none":
        raise BadInput(
            f"A run keeps inner products of unit-centred responses, and the {distance} distance of responses that are "
            "not centred cannot be had from them. Ask for centre='units', or give the responses to rdm directly."
        )
    n_units = float(state["n_units"])
    return distances_of(gram, distance, n_units * _stimulus_means(state, distance), n_units)


def _stimulus_means(state: Mapping[str, Any], distance: str) -> Floats:
    """Return the mean of every stimulus over unit-centred responses (stimulus,)."""
    if distance != "correlation":
        return np.zeros(1)
    if state.get("stimulus_mean") is None:
        raise BadInput(
            "The correlation distance needs the mean of every stimulus over units (stimulus_mean), which this Gram "
            "summary does not keep. Ask for 'cosine' or 'euclidean', or give the responses to rdm directly."
        )
    mean = np.asarray(state["stimulus_mean"], dtype=np.float64)
    return np.asarray(mean - mean.mean())


def distances_of(products: Floats, distance: str, sums: Floats, n_units: float) -> Floats:
    """Return dissimilarities from inner products of unit-centred responses (stimulus, stimulus).

    `sums` (stimulus,) of each stimulus over its `n_units` responses are what the correlation distance needs beside.
    """
    if distance in ("euclidean", "sqeuclidean"):
        return _euclidean(products, distance)
    return _cosine(products - np.outer(sums, sums) / n_units if distance == "correlation" else products)


@metric(
    needs="gram",
    nearest=0,
    through=_through_gram,
    dims=("stimulus", "other_stimulus"),
    reads="position",
    paper="Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008",
)
def rdm(responses: Any, *, distance: str = "euclidean", centre: str = "none") -> Floats:
    """Representational dissimilarity matrix: the distance between the responses to every two stimuli.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    distance : str
        ``euclidean`` and ``sqeuclidean`` in the (squared) units of the responses; ``correlation`` is 1 minus the
        correlation across units; ``cosine`` 1 minus the cosine.
    centre : str
        ``none``, or ``units`` to take off each unit's mean over stimuli first. Euclidean distances do not depend on
        it. In a run, which keeps unit-centred inner products, ``cosine`` and ``correlation`` need ``units``, and
        ``correlation`` also the mean of every stimulus.

    Returns
    -------
    array (stimulus, stimulus)
        Symmetric, 0 on the diagonal; NaN for ``correlation`` and ``cosine`` of a stimulus without any response.

    Raises
    ------
    TooFew
        For fewer than 2 stimuli.
    BadInput
        For NaN or infinite responses, wrong shapes, or a distance that a run's summary cannot give.

    When it misleads
    ----------------
    Cosine and correlation without centring mostly see the mean response that all stimuli share. Euclidean distances
    grow with the number of units and with gain: compare stages by ranks or by `cka`, not by size.

    References
    ----------
    Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008.

    Examples
    --------
    >>> rdm([[0.0, 0], [3, 4]]).tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    checked_choice(distance, DISTANCES, "distance")
    checked_choice(centre, CENTRES, "centre")
    array = checked_responses(responses, "rdm", fewest=2)
    if distance in ("euclidean", "sqeuclidean"):
        return _euclidean(centred_gram(array, "rdm", 2), distance)
    if centre == "units":
        array = array - array.mean(axis=0)
    if distance == "correlation":
        array = array - array.mean(axis=1, keepdims=True)
    return _cosine(array @ array.T)


def cka_of_grams(a: Any, b: Any, *, debiased: bool = False) -> float:
    """Linear CKA of two stages from their Gram matrices (stimulus, stimulus), centred here; see `cka`."""
    return float(cka_matrix({"a": a, "b": b}, debiased=debiased)[1][0, 1])


def _through_stages(states: Mapping[str, Mapping[str, Any]], *, debiased: bool = False) -> Floats:
    """Compare every two stages from the states of their gram summaries."""
    return cka_matrix({name: some_gram(state, "cka") for name, state in states.items()}, debiased=debiased)[1]


@metric(
    needs="gram",
    nearest=0,
    through=_through_stages,
    dims=("stage", "other_stage"),
    range=(0.0, 1.0),
    reads="position",
    paper="Kornblith et al. 2019, arXiv:1905.00414",
)
def cka(a: Any, b: Any, *, debiased: bool = False) -> float:
    """Centred kernel alignment of two stages with linear kernels: 1 for the same geometry up to rotation and scale.

    With K, L the centred Gram matrices, CKA = <K, L> / √(<K, K> <L, L>); `debiased` replaces each product by the
    estimate of HSIC without bias.

    Parameters
    ----------
    a, b : array (stimulus, unit)
        Responses of two stages to the same stimuli, in the same order; units may differ.
    debiased : bool
        Whether to take out the bias of few stimuli.

    Returns
    -------
    float
        0 to 1; debiased it may fall slightly below 0. NaN where a stage does not vary (or, debiased, where its own
        HSIC comes out at 0 or below).

    Raises
    ------
    TooFew
        For fewer than 4 stimuli.
    BadInput
        For NaN or infinite responses, or different numbers of stimuli.

    When it misleads
    ----------------
    The biased form goes to 1 for unrelated stages once units outnumber stimuli: use `debiased` there. A few
    directions of large variance, or a single outlying stimulus, decide it.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton 2019, arXiv:1905.00414; Song et al. 2012, Journal of Machine Learning Research 13.

    Examples
    --------
    >>> round(cka([[1.0, 0], [0, 1], [1, 1], [0, 0]], [[0.0, 2], [2, 0], [2, 2], [0, 0]]), 6)
    1.0
    """
    first, second = (checked_responses(stage, "cka", fewest=4) for stage in (a, b))
    return cka_of_grams(first @ first.T, second @ second.T, debiased=debiased)


def cka_matrix(grams: Mapping[str, Any], *, debiased: bool = False) -> tuple[tuple[str, ...], Floats]:
    """Return the names of stages and the CKA between every two of them (stage, stage), from their Gram matrices.

    All pairs come from one product of matrices for every few rows: each Gram matrix is read twice, however many stages
    there are. One that can be sliced along rows is never read as a whole, so it may lie in a file.
    """
    names, matrices = tuple(grams), [_square(one) for one in grams.values()]
    products = _hsic(matrices, debiased=debiased)
    own = np.diag(products)
    size = np.sqrt(np.where(own > 0, own, np.nan))
    matrix = products / np.outer(size, size)
    np.fill_diagonal(matrix, np.where(own > 0, 1.0, np.nan))
    return names, matrix


def _square(gram: Any) -> Any:
    array = gram if hasattr(gram, "shape") else np.asarray(gram)
    if len(array.shape) != 2 or array.shape[0] != array.shape[1]:
        raise BadInput(f"cka expects square Gram matrices (stimulus, stimulus), but {array.shape} came.")
    if len(array) < 4:
        raise TooFew(f"cka needs at least 4 stimuli, but {len(array)} came.")
    return array


def _hsic(grams: Sequence[Any], *, debiased: bool) -> Floats:
    """Return the inner product of every two centred matrices (stage, stage), or their HSIC without bias.

    Without bias (Song et al. 2012) the diagonals are left out, and what sums of rows have in common is taken off.
    """
    if not grams:
        return np.zeros((0, 0))
    n = len(grams[0])
    for other in grams[1:]:
        same_stimuli(grams[0], other)
    means = np.array([_column_means(gram, len(grams)) for gram in grams])
    total, row_sums = np.zeros((len(grams), len(grams))), np.zeros((len(grams), n))
    for rows in few_rows(n, n * len(grams), elements=_AT_ONCE):
        part = np.stack([np.asarray(gram[rows], dtype=np.float64) for gram in grams])
        part -= means[:, None, :]
        part -= (means - means.mean(axis=1, keepdims=True))[:, rows, None]
        if debiased:
            part[:, np.arange(part.shape[1]), np.arange(rows.start, rows.stop)] = 0.0
            row_sums[:, rows] = part.sum(axis=2)
        flat = part.reshape(len(grams), -1)
        total += flat @ flat.T
    return without_bias(total, row_sums, row_sums) if debiased else total


def _column_means(gram: Any, n_stages: int) -> Floats:
    """Return the means (stimulus,) of the columns of a Gram matrix, all of which must be finite."""
    n, total = len(gram), np.zeros(len(gram))
    for rows in few_rows(n, n * n_stages, elements=_AT_ONCE):
        total += np.asarray(gram[rows], dtype=np.float64).sum(axis=0)
    if not np.isfinite(total).all():
        checked_finite(gram, "cka", "inner products")
    return total / n
