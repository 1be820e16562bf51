"""What a confusion matrix says: the fraction that is right, and the bits that predictions carry about the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from stratoscope.errors import BadInput
from stratoscope.types import Floats, Integers


def confusion_bits(confusion: Any) -> Floats:
    """Mutual information between true and predicted labels, bits.

        I = Σ_tp P(t, p) log2 [P(t, p) / (P(t) P(p))]

    Parameters
    ----------
    confusion : array (..., label, predicted)
        How often stimuli of each label were given each name, pooled over folds or draws; fractions are fine.

    Returns
    -------
    array (...)
        0 to log2 of the number of labels; NaN where nothing was counted.

    Raises
    ------
    BadInput
        For counts that are negative or not finite, or that form no square.

    When it misleads
    ----------------
    It is not corrected for few tests: guessing reads (K - 1)² / (2 N ln 2) bits with K labels and N independent tests.
    That is what is subtracted with the chance level. A decoder that is always wrong has as many bits as one that is
    always right.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794.

    Examples
    --------
    >>> confusion_bits([[[5, 0], [0, 5]], [[3, 3], [2, 2]]]).round(6).tolist()
    [1.0, 0.0]
    """
    counts = checked_confusion(confusion)
    total = counts.sum(axis=(-2, -1))
    rows, columns = counts.sum(axis=-1), counts.sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        joint = xlogy(counts, counts).sum(axis=(-2, -1)) + xlogy(total, total)
        apart = xlogy(rows, rows).sum(axis=-1) + xlogy(columns, columns).sum(axis=-1)
        bits = (joint - apart) / (total * np.log(2))
    return np.asarray(np.where(total > 0, np.maximum(bits, 0.0), np.nan))


def confusion_accuracy(confusion: Any) -> Floats:
    """Return the fraction of tests that were right (...), NaN where there were none; arguments as `confusion_bits`."""
    counts = checked_confusion(confusion)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1)))


def checked_confusion(confusion: Any) -> Floats:
    """Return counts (..., label, predicted) as float64, or say what is wrong with them."""
    counts = np.asarray(confusion, dtype=np.float64)
    if counts.ndim < 2 or counts.shape[-1] != counts.shape[-2]:
        raise BadInput(
            f"A confusion matrix has one row and one column for every label, but {counts.shape} came. "
            "Count (label, predicted) over the same labels."
        )
    if not np.isfinite(counts).all() or counts.min(initial=0) < 0:
        raise BadInput("A confusion matrix holds counts of 0 and up, but some are negative or NaN. Count anew.")
    return counts


def counted(true: Integers, predicted: Integers, n_labels: int) -> Integers:
    """Return how often each label was given each name (label, predicted)."""
    flat = np.bincount(true * n_labels + predicted, minlength=n_labels**2)
    return np.asarray(flat.reshape(n_labels, n_labels), dtype=np.int64)
