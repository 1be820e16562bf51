"""Support vector machines for many pairs of labels in one call: libsvm trains every two labels apart anyway."""

from __future__ import annotations

import numpy as np

from stratoscope.types import Floats, Integers


def pair_decisions(train: Floats, test: Floats, codes: Integers, strength: float) -> tuple[Floats, Integers]:
    """Decide every test stimulus between every two labels by the machine that was trained on these two alone.

    Parameters
    ----------
    train : array (train, train)
        Inner products of the training stimuli.
    test : array (test, train)
        Inner products of test and training stimuli.
    codes : array (train,) of int
        Labels, two or more.
    strength : float
        C.

    Returns
    -------
    decisions : array (test, pair)
        Above 0 for the first label of the pair.
    pairs : array (pair, 2)
        Labels of every pair, the smaller first.
    """
    from sklearn.svm import SVC

    names = np.unique(codes)
    model = SVC(C=strength, kernel="precomputed", decision_function_shape="ovo").fit(train, codes)
    decisions = np.asarray(model.decision_function(test))
    # with two labels scikit-learn turns the sign round, so that above 0 means the second
    decisions = -decisions[:, None] if len(names) == 2 else decisions
    first, second = np.triu_indices(len(names), k=1)
    return decisions, np.stack([names[first], names[second]], axis=1)


def votes(decisions: Floats, scale: float) -> Floats:
    """Return 1 where the first label is chosen, 0 where the second is, and a half where neither is, but for rounding."""
    return np.asarray(np.where(np.abs(decisions) <= 1e-9 * scale, 0.5, decisions > 0), dtype=np.float64)
