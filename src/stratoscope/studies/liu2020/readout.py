"""How well categories can be read out of one stage, and how that goes with their sparseness (Fig. 2 of the paper)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.metrics.readout import Readout as CrossValidated
from stratoscope.metrics.readout import cross_validated_readout
from stratoscope.metrics.readout.decoders import require_sklearn as require
from stratoscope.metrics.readout.folds import place_in_label
from stratoscope.types import Floats, Integers

FOLDS = ("interleaved", "stratified")


@dataclass(frozen=True)
class Readout:
    """How categories are read out.

    Attributes
    ----------
    folds : str
        ``interleaved``: the stimuli of each category are dealt out to the folds in turn, as in the paper.
        ``stratified``: at random, the same number from each category.
    n_folds : int
        Number of folds; each is tested on once, after training on all others.
    penalty : float
        Inverse strength C of the L2 penalty.
    standardise : bool
        Bring every unit to mean 0 and variance 1 on the training stimuli; the paper does not.
    max_iter : int
        Iterations of L-BFGS.
    stepwise : bool
        Also the forward stepwise regression of accuracy on the PSI of all stages, as in an early version of the code.
    """

    folds: str = "interleaved"
    n_folds: int = 2
    penalty: float = 1.0
    standardise: bool = False
    max_iter: int = 10_000
    stepwise: bool = False

    def __post_init__(self) -> None:
        if self.folds not in FOLDS:
            raise unknown_name("way to make folds", self.folds, FOLDS)
        if self.n_folds < 2 or self.penalty <= 0 or self.max_iter < 1:
            raise BadInput(
                f"A read-out needs at least 2 folds, a penalty above 0 and 1 iteration, but n_folds is {self.n_folds}, "
                f"penalty {self.penalty} and max_iter {self.max_iter}."
            )

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class ReadOut:
    """What was read out.

    Attributes
    ----------
    accuracy : array (category,)
        Fraction of the test stimuli of each category that were named rightly; NaN for a category without stimuli.
    confusion : array (category, predicted)
        Test stimuli of each category that were given each name, over all folds.
    n : int
        Stimuli.
    notes : tuple of str
        What a reader must know: no convergence, constant units.
    """

    accuracy: Floats
    confusion: Integers
    n: int
    notes: tuple[str, ...] = ()


def require_sklearn() -> None:
    """Refuse a read-out before the pass where scikit-learn is not installed."""
    require("Reading out categories")


def check_readout(codes: Integers, names: list[str], asked: Readout) -> None:
    """Refuse stimuli of which some category cannot be split into the folds."""
    counts = np.bincount(codes, minlength=len(names))
    small = [(name, count) for name, count in zip(names, counts, strict=True) if count < asked.n_folds]
    if small:
        few = ", ".join(f"{name!r} ({count})" for name, count in small[:3])
        raise TooFew(
            f"A read-out with {asked.n_folds} folds needs at least {asked.n_folds} stimuli of every category, but "
            f"{len(small)} of {len(names)} have fewer: {few}. Leave these categories out, or give --readout-stimuli."
        )


def read_out(responses: Any, codes: Integers, names: list[str], asked: Readout, *, seed: int = 0) -> ReadOut:
    """Read categories out of responses by a cross-validated multinomial logistic regression.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses at one stage.
    codes : array (stimulus,) of int
        Category of each stimulus.
    names : list of str
        Names of the categories.
    asked : Readout
        Folds, penalty and iterations.
    seed : int
        Seed of stratified folds.

    Returns
    -------
    ReadOut

    Raises
    ------
    TooFew
        For a category with fewer stimuli than folds.
    MissingExtra
        Without scikit-learn.

    When it misleads
    ----------------
    Interleaved folds put neighbours in the list into different folds: where neighbours are alike (frames of a film, views
    of one object) the accuracy is that of remembering.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158
    """
    require_sklearn()
    check_readout(codes, names, asked)
    array = np.asarray(responses, dtype=np.float64)
    found = cross_validated_readout(
        array,
        codes,
        decoder="logistic",
        form="primal",
        folds=_splits(codes, asked, seed),
        penalty=asked.penalty,
        standardise=asked.standardise,
        max_iter=asked.max_iter,
        chance="none",
    )
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    confusion[np.ix_(found.names, found.names)] = found.confusion
    accuracy = np.diag(confusion) / confusion.sum(axis=1)
    return ReadOut(accuracy, confusion, len(array), tuple(_notes(array, found, asked)))


def _notes(array: Floats, found: CrossValidated, asked: Readout) -> Iterator[str]:
    constant = int(np.sum(np.ptp(array, axis=0) == 0))
    if constant:
        yield f"{constant} of {array.shape[1]} units are constant and say nothing"
    if found.note:
        yield f"the read-out did not converge in {asked.max_iter} iterations; give more, or standardise"


def _splits(codes: Integers, asked: Readout, seed: int) -> list[tuple[Integers, Integers]]:
    if asked.folds == "interleaved":
        fold = place_in_label(codes) % asked.n_folds
        return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(asked.n_folds)]
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(asked.n_folds, shuffle=True, random_state=seed).split(codes, codes))
