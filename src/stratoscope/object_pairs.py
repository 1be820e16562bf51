"""Pairs of objects that a neuron sees about equally bright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stratoscope.errors import BadInput
from stratoscope.types import Floats, Integers


def luminosity_ratio(values: ArrayLike, objects: ArrayLike) -> Floats:
    """Luminosity ratio of every pair of objects: mean over views of the dimmer over that of the brighter.

        ratio(a, b) = min(<L_a>, <L_b>) / max(<L_a>, <L_b>)

    Parameters
    ----------
    values : array (stimulus,) or (neuron, stimulus)
        RF luminance of every stimulus (see `rf_luminance`), in any unit, 0 and up.
    objects : array (stimulus,)
        Object that each stimulus is a view of.

    Returns
    -------
    array (object, object) or (neuron, object, object), float64
        0 to 1, objects in the order of ``np.unique(objects)``; NaN where neither object is seen (both zero).

    Raises
    ------
    BadInput
        Different lengths, negative or NaN values.

    When it misleads
    ----------------
    Equal means over views do not make the views equal: two objects with a ratio of 1 can still be told apart by the
    luminance of single views, which is what the control I(L;O) is for.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794

    Examples
    --------
    >>> luminosity_ratio([1.0, 3.0, 1.0], ["a", "a", "b"]).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    luminance = np.asarray(values, dtype=np.float64)
    labels = np.asarray(objects)
    if labels.ndim != 1 or luminance.ndim not in {1, 2} or luminance.shape[-1] != len(labels):
        raise BadInput(
            f"Values (stimulus,) or (neuron, stimulus) and objects (stimulus,) are of one length; came "
            f"{luminance.shape} and {labels.shape}."
        )
    if np.isnan(luminance).any() or luminance.min(initial=0) < 0:
        raise BadInput(
            "RF luminance is 0 and up, without NaN. Leave out stimuli that have none before pairing objects."
        )
    means = np.stack([luminance[..., labels == name].mean(axis=-1) for name in np.unique(labels)], axis=-1)
    dimmer = np.minimum(means[..., :, None], means[..., None, :])
    brighter = np.maximum(means[..., :, None], means[..., None, :])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(brighter > 0, dimmer / np.where(brighter > 0, brighter, 1), np.nan))


def matched_pairs(values: ArrayLike, objects: ArrayLike, *, threshold: float = 0.9) -> tuple[NDArray[Any], Integers]:
    """Pairs of objects that a neuron sees about equally bright.

    Parameters
    ----------
    values : array (stimulus,)
        RF luminance for one neuron, see `rf_luminance`.
    objects : array (stimulus,)
        Object that each stimulus is a view of.
    threshold : float, optional
        Pairs are kept whose `luminosity_ratio` is larger: 0.9 for single cells, 0.8 or 0.6 for populations.

    Returns
    -------
    names : array (object,)
        The objects, sorted.
    pairs : array (pair, 2), int64
        Positions in `names`, the smaller first.

    Raises
    ------
    BadInput
        As `luminosity_ratio`; values for several neurons; a threshold outside 0 to 1.

    When it misleads
    ----------------
    A high threshold leaves few pairs, and which they are differs from neuron to neuron; report how many.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794
    """
    if np.ndim(values) != 1:
        raise BadInput(f"Pairs are matched for one neuron at a time, values (stimulus,); came {np.shape(values)}.")
    if not 0 <= threshold <= 1:
        raise BadInput(f"The threshold of a luminosity ratio lies between 0 and 1; came {threshold}.")
    ratio = luminosity_ratio(values, objects)
    first, second = np.nonzero(np.triu(ratio > threshold, k=1))
    return np.unique(np.asarray(objects)), np.stack([first, second], axis=1).astype(np.int64)
