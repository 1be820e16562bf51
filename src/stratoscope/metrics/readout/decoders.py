"""Linear decoders in dual form: logistic regression and linear support vector machine on inner products."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, missing_extra
from stratoscope.metrics.readout.folds import stratified_folds
from stratoscope.metrics.readout.kernels import coordinates, typical_size
from stratoscope.metrics.responses import checked_choice
from stratoscope.types import Floats, Integers

DECODERS = ("ridge", "logistic", "svm")
SCALES = ("none", "typical")
#: Predicts the labels of test stimuli: (train, test, labels of the training stimuli, penalty) -> (labels, note).
Predict = Callable[[Floats, Floats, Integers, float], tuple[Integers, str]]


@dataclass(frozen=True)
class Fitting:
    """How a decoder is fitted.

    Attributes
    ----------
    decoder : str
        One of `DECODERS`.
    penalties : tuple of float, or None
        Penalties to choose from within the training set; None leaves them to the decoder.
    scale : str
        ``none``, or ``typical``: the mean squared distance of training stimuli from their mean is brought to 1.
    max_iter : int
        Iterations of the solver.
    tol : float
        Where the solver stops.
    standardise : bool
        Bring units to mean 0 and variance 1 on the training stimuli; in the primal form alone.
    """

    decoder: str
    penalties: tuple[float, ...] | None
    scale: str = "none"
    max_iter: int = 1000
    tol: float = 1e-4
    standardise: bool = False

    def __post_init__(self) -> None:
        checked_choice(self.decoder, DECODERS, "decoder")
        checked_choice(self.scale, SCALES, "scale of responses")
        if self.penalties is not None and not all(np.isfinite(one) and one > 0 for one in self.penalties):
            raise BadInput(f"Penalties are numbers above 0, but {list(self.penalties)} came. Give one or more such.")
        if self.max_iter < 1 or not self.tol > 0:
            raise BadInput(
                f"A solver needs at least 1 iteration and a tolerance above 0, but max_iter is {self.max_iter} and tol "
                f"{self.tol}. Leave them out for the usual ones."
            )

    @property
    def strengths(self) -> tuple[float, ...]:
        """Penalties of logistic regression and support vector machine: C, the weight of errors against the norm."""
        return (1.0,) if self.penalties is None else self.penalties


def asked_penalties(penalty: float | Sequence[float] | None) -> tuple[float, ...] | None:
    """Return penalties as a tuple, or None where none was given."""
    if penalty is None:
        return None
    try:
        found = tuple(float(one) for one in np.atleast_1d(np.asarray(penalty, dtype=np.float64)))
    except (TypeError, ValueError) as error:
        raise BadInput(f"A penalty is a number, or several to choose from, but {penalty!r} came.") from error
    if not found:
        raise BadInput("An empty list of penalties leaves nothing to choose from. Give one, or leave it out.")
    return found


def require_sklearn(purpose: str = "Reading out with logistic regression or a support vector machine") -> None:
    """Refuse before any work where scikit-learn is not installed."""
    try:
        import sklearn.linear_model
        import sklearn.svm  # noqa: F401 - only whether they can be imported
    except ImportError as error:
        raise missing_extra("scikit-learn", "readout", purpose) from error


def rescaled(train: Floats, test: Floats, scale: str) -> tuple[Floats, Floats]:
    """Return products over the typical squared size of the training stimuli, where `scale` asks for it."""
    if scale == "none":
        return train, test
    size = typical_size(train)
    return train / size, test / size


def predicted_labels(
    train: Floats, test: Floats, codes: Integers, fitting: Fitting, *, seed: int
) -> tuple[Integers, str, float]:
    """Fit on products centred on the training stimuli; return labels of the test stimuli, a note, the penalty taken."""
    train, test = rescaled(train, test, fitting.scale)
    strengths, predict = fitting.strengths, _PREDICT[fitting.decoder]
    if len(np.unique(codes)) == 1:
        return np.full(len(test), codes[0]), "a training set had one label", strengths[0]
    taken = strengths[0]
    if len(strengths) > 1:
        taken = _chosen(train, codes, strengths, lambda *args: predict(*args, fitting), seed)
    predicted, note = predict(train, test, codes, taken, fitting)
    return predicted, note, taken


def _chosen(train: Floats, codes: Integers, strengths: Sequence[float], predict: Predict, seed: int) -> float:
    """Choose by five folds within the training set; of equally good ones, the one that trusts the responses least."""
    fold = stratified_folds(codes, 5, np.random.default_rng(seed), np.arange(len(codes)))
    right = np.zeros(len(strengths))
    for k in range(5):
        kept, out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        if len(out) and len(np.unique(codes[kept])) > 1:
            inner, across = train[np.ix_(kept, kept)], train[np.ix_(out, kept)]
            for at, strength in enumerate(strengths):
                right[at] += (predict(inner, across, codes[kept], strength)[0] == codes[out]).sum()
    best = np.flatnonzero(right == right.max())
    return float(np.min(np.asarray(strengths)[best]))


def _logistic(train: Floats, test: Floats, codes: Integers, strength: float, fitting: Fitting) -> tuple[Integers, str]:
    learnt, tested = coordinates(train, test)
    return logistic(learnt, tested, codes, strength, fitting)


def logistic(learnt: Any, tested: Any, codes: Integers, strength: float, fitting: Fitting) -> tuple[Integers, str]:
    """Multinomial logistic regression on coordinates (stimulus, axis); return labels of `tested`, and a note."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=strength, max_iter=fitting.max_iter, tol=fitting.tol)
    model = make_pipeline(StandardScaler(), regression) if fitting.standardise else regression
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(learnt, codes)
    stopped = any(issubclass(one.category, ConvergenceWarning) for one in caught)
    note = f"did not converge in {fitting.max_iter} iterations" if stopped else ""
    return model.predict(tested).astype(np.int64), note


def _svm(train: Floats, test: Floats, codes: Integers, strength: float, fitting: Fitting) -> tuple[Integers, str]:
    from sklearn.svm import SVC

    model = SVC(C=strength, kernel="precomputed", tol=min(fitting.tol * 10, 1e-3)).fit(train, codes)
    return model.predict(test).astype(np.int64), ""


_PREDICT: dict[str, Any] = {"logistic": _logistic, "svm": _svm}
