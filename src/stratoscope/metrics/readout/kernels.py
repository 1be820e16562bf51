"""Inner products between stimuli, centred on the training stimuli alone, and coordinates that have these products."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.metrics.responses import checked_finite, checked_responses
from stratoscope.summaries.tiles import plan_tiles
from stratoscope.types import Floats, Integers

#: Smallest eigenvalue that counts, relative to the largest: smaller ones are rounding.
SMALLEST = 1e-12
_SIDE = 256


def checked_gram(gram: Any, what: str) -> Floats:
    """Return inner products (stimulus, stimulus) as float64, or say what is wrong with them."""
    array = checked_finite(gram, what, "inner products")
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise BadInput(
            f"{what} expects a square Gram matrix (stimulus, stimulus), but {array.shape} came. "
            "Give responses @ responses.T."
        )
    if not _symmetric(array):
        raise BadInput(f"{what} expects a symmetric Gram matrix, and this one is not. Give responses @ responses.T.")
    return array


def _symmetric(array: Floats) -> bool:
    """Say whether entries agree with those across the diagonal, looked at in tiles: a transposed matrix is read slowly."""
    near = 1e-9 * float(np.abs(array).max(initial=1e-300))
    tiles = plan_tiles(len(array), _SIDE, _SIDE)
    return all(np.allclose(array[rows, cols], array[cols, rows].T, rtol=1e-6, atol=near) for rows, cols in tiles)


def gram_of(responses: Any, gram: Any, what: str) -> Floats:
    """Return the Gram matrix that was given, or that of the responses."""
    if gram is not None:
        return checked_gram(gram, what)
    if responses is None:
        raise BadInput(f"{what} needs responses (stimulus, unit) or their Gram matrix, and neither came. Give one.")
    array = checked_responses(responses, what, fewest=2)
    centred = array - array.mean(axis=0)
    return np.asarray(centred @ centred.T)


def train_centred(gram: Floats, train: Integers, test: Integers) -> tuple[Floats, Floats]:
    """Return the products (train, train) and (test, train) of responses less the mean of the training stimuli.

        K_ij - mean_t K_it - mean_t K_tj + mean_tt' K_tt',   t, t' in the training set

    Nothing of a test stimulus enters the products of the others.
    """
    own, across = gram[np.ix_(train, train)], gram[np.ix_(test, train)]
    means = own.mean(axis=0)
    level = means.mean()
    centred = own - means[:, None] - means[None, :] + level
    return np.asarray(centred), np.asarray(across - across.mean(axis=1, keepdims=True) - means[None, :] + level)


def typical_size(products: Floats) -> float:
    """Return the mean squared distance of training stimuli from their mean; 1 where they are all alike."""
    size = float(np.trace(products)) / len(products)
    return size if size > 0 else 1.0


def coordinates(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Return coordinates (train, axis) and (test, axis) on the principal axes of the training stimuli.

    Their products are those of the responses, as far as the training stimuli span: a decoder with an L2 penalty answers
    the same from them as from all units.
    """
    values, vectors = np.linalg.eigh(train)
    kept = values > SMALLEST * max(float(values[-1]), 1e-300)
    if not kept.any():
        return np.zeros((len(train), 1)), np.zeros((len(test), 1))
    axes = vectors[:, kept] / np.sqrt(values[kept])
    return np.asarray(train @ axes), np.asarray(test @ axes)
