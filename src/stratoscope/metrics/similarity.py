"""Geometry of a stage, and how alike that of two stages is: dissimilarity matrices and CKA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.decimation import squared_distances
from stratoscope.metrics.declare import metric
from stratoscope.metrics.responses import checked_choice, checked_finite, checked_responses
from stratoscope.metrics.spectrum import centred_gram, gram_in, same_stimuli, unbiased_hsic
from stratoscope.types import Floats

DISTANCES = ("euclidean", "sqeuclidean", "correlation", "cosine")
CENTRES = ("none", "units")


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


def _centred(gram: Any, name: str) -> Floats:
    array = checked_finite(gram, name, "inner products")
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise BadInput(f"{name} expects square Gram matrices (stimulus, stimulus), but {array.shape} came.")
    means = array.mean(axis=0)
    return np.asarray(array - means[None, :] - means[:, None] + means.mean())


def cka_of_grams(a: Any, b: Any, *, debiased: bool = False) -> float:
    """Linear CKA of two stages from their Gram matrices (stimulus, stimulus), centred here; see `cka`."""
    first, second = _centred(a, "cka"), _centred(b, "cka")
    return _aligned(first, second, _own(first, debiased) * _own(second, debiased), debiased)


def _product(x: Floats, y: Floats, debiased: bool) -> float:
    return unbiased_hsic(x, y) if debiased else float(np.vdot(x, y))


def _own(centred: Floats, debiased: bool) -> float:
    if len(centred) < 4:
        raise TooFew(f"cka needs at least 4 stimuli, but {len(centred)} came.")
    return _product(centred, centred, debiased)


def _aligned(first: Floats, second: Floats, own: float, debiased: bool) -> float:
    """Return the product of two centred matrices over the root of `own`, the product of theirs with themselves."""
    same_stimuli(first, second)
    return float("nan") if own <= 0 else float(_product(first, second, debiased) / np.sqrt(own))


def _through_stages(states: Mapping[str, Mapping[str, Any]], *, debiased: bool = False) -> Floats:
    """Compare every two stages from the states of their gram summaries."""
    return cka_matrix({name: gram_in(state, "cka", 4) for name, state in states.items()}, debiased=debiased)[1]


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
    """Return the names of stages and the CKA between every two of them (stage, stage), from their Gram matrices."""
    names = tuple(grams)
    matrix, own = np.ones((len(names), len(names))), np.empty(len(names))
    for i, one in enumerate(names):  # a matrix is centred again for each partner: all together might not fit
        first = _centred(grams[one], "cka")
        own[i] = _own(first, debiased)
        matrix[i, i] = 1.0 if own[i] > 0 else np.nan
        for j in range(i):
            second = _centred(grams[names[j]], "cka")
            matrix[i, j] = matrix[j, i] = _aligned(first, second, own[i] * own[j], debiased)
    return names, matrix
