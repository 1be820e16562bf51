"""Cross-validated linear read-out of labels, from responses or from their Gram matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.readout.confusion import confusion_bits
from stratoscope.metrics.readout.decoders import (
    Fitting,
    asked_penalties,
    require_sklearn,
)
from stratoscope.metrics.readout.folds import (
    Split,
    check_learnt,
    checked_splits,
    fold_of_each,
    splits_of,
)
from stratoscope.metrics.readout.kernels import gram_of
from stratoscope.metrics.readout.labels import canonical, coded, group_codes, shuffled_within
from stratoscope.metrics.readout.reading import Reading, read
from stratoscope.metrics.readout.record import Readout, quantiles, wilson
from stratoscope.metrics.responses import checked_choice, checked_responses
from stratoscope.metrics.spectrum import gram_in
from stratoscope.types import Floats, Integers

NAME = "cross_validated_readout"
FORMS = ("dual", "primal")
CHANCE = ("shuffle", "none")


def _through_gram(state: Mapping[str, Any], *, groups: Any = None, within: Any = None, **options: Any) -> Readout:
    """Read out from a run's summary, where groups are named by the columns of the stimuli that must agree."""
    gram = gram_in(state, NAME, 2)
    named = {"groups": groups, "within": within}
    options |= {what: _grouped(state, names) for what, names in named.items() if names is not None}
    return cross_validated_readout(None, state["labels"], gram=gram, ids=state.get("ids"), **options)


@metric(
    needs="gram",
    nearest=0,
    through=_through_gram,
    range=(0.0, 1.0),
    reads="position",
    controls=("shuffled labels",),
    paper="Hung et al. 2005, doi:10.1126/science.1117593; closed form: An, Liu & Venkatesh 2007, doi:10.1016/j.patcog.2006.12.015",
)
def cross_validated_readout(
    responses: Any,
    labels: Any,
    *,
    decoder: str = "ridge",
    folds: str | Sequence[Any] = "stratified",
    n_folds: int = 5,
    penalty: float | Sequence[float] | None = None,
    gram: Any = None,
    scale: str = "none",
    form: str = "dual",
    chance: str = "shuffle",
    n_shuffles: int = 20,
    groups: Any = None,
    within: Any = None,
    ids: Any = None,
    standardise: bool = False,
    max_iter: int = 1000,
    tol: float = 1e-4,
    seed: int = 0,
) -> Readout:
    """Fraction of held-out stimuli whose label a linear decoder names rightly.

    All decoders have an L2 penalty and an intercept without one, so inner products of responses are all they need: the
    cost does not depend on the number of units once the Gram matrix is there.

    Parameters
    ----------
    responses : array (stimulus, unit), or None
        Responses, finite; None with `gram`.
    labels : array (stimulus,)
        What is to be read out: category, object.
    decoder : str
        ``ridge``: least squares on +1 for the own label and -1 for the others, in closed form; the largest wins.
        ``logistic``: multinomial logistic regression; ``svm``: linear support vector machine, labels one against one.
        The last two need scikit-learn.
    folds : str, or sequence of (train, test)
        ``stratified``: the stimuli of every label are dealt out at random. ``interleaved``: in turn.
        ``leave-one-out``: each stimulus by itself. Or rows (or masks) to train and to test on, such as
        `splits_across_views` gives.
    n_folds : int
        Number of folds, 2 and up; each label needs as many stimuli.
    penalty : float, or sequence of float
        As in scikit-learn: the weight of the norm for ``ridge``, and C, the weight of errors, for the others. Among
        several one is chosen in each fold from the training stimuli alone: by leaving out one at a time (ridge), or by
        five folds within. By default nine values around the size of the responses for ridge, and 1 for the others.
    gram : array (stimulus, stimulus), optional
        Inner products of the responses, with any origin: they are centred on the training stimuli here.
    scale : str
        ``none``, or ``typical``: responses of logistic regression and support vector machine are divided by the root
        mean squared distance of training stimuli from their mean, so that a penalty means the same at every stage.
    form : str
        ``dual``, or ``primal`` for a logistic regression on the responses as they are. Both solve the same problem.
    chance : str
        ``shuffle``, or ``none``.
    n_shuffles : int
        Shuffles of the labels. They cost nothing with ridge, and one read-out each with the others.
    groups : array (stimulus,), optional
        Stimuli of one group (one view, frames of a film, repeats) are never split between training and test. In a run,
        the column, or columns, of the stimuli that are alike in a group.
    within : array (stimulus,), optional
        Labels are shuffled among the stimuli that share a value, such as the view. By default among those of a fold. In
        a run, as `groups`.
    ids : array (stimulus,), optional
        Names of the stimuli: folds and shuffles follow their order, and so do not depend on the order of the rows.
    standardise : bool
        Bring every unit to mean 0 and variance 1 on the training stimuli; in the primal form alone, as inner products
        do not know units.
    max_iter, tol : int, float
        When the solver of ``logistic`` stops.
    seed : int
        Seed of folds and shuffles.

    Returns
    -------
    Readout
        An `Estimate` of accuracy with confusion matrix, bits, chance and p.

    Raises
    ------
    TooFew
        For one label, a label with fewer stimuli than folds, a fold that tests what it was not trained on.
    BadInput
        For NaN, wrong shapes, a training set that holds a test stimulus, penalties that are not above 0.
    MissingExtra
        For ``logistic`` and ``svm`` without scikit-learn.

    When it misleads
    ----------------
    With more units than stimuli almost any labels can be told apart on the training stimuli, and where test stimuli
    resemble them (views of one object in both) accuracy is that of a look-up: hold views out, or give `groups`. Where every
    label is shown in the same views, the view's twin of another label is learnt, and a stage that sees views more than
    objects reads far below chance (2 % right, of 10 objects at 8 positions, at the first stage of the bundled AlexNet): give the view as
    `groups`. The
    interval takes stimuli as independent; views of few objects are not. Labels of unequal size lift chance above one
    over their number: look at `chance`. Leaving one out, labels that say nothing read below chance, as the label left out is
    the rarer one in training. A fixed penalty favours stages with large responses, which is what ``ridge``
    without one, or ``scale="typical"``, avoids.

    References
    ----------
    Hung, Kreiman, Poggio & DiCarlo 2005, doi:10.1126/science.1117593. An, Liu & Venkatesh 2007,
    doi:10.1016/j.patcog.2006.12.015 (folds of ridge in closed form).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(["cat", "dog"], 30)
    >>> responses = rng.standard_normal((60, 200)) + 0.5 * (labels == "cat")[:, None]
    >>> found = cross_validated_readout(responses, labels)
    >>> found.accuracy, found.confusion.tolist()
    (1.0, [[30, 0], [0, 30]])
    """
    checked_choice(form, FORMS, "form of a read-out")
    checked_choice(chance, CHANCE, "chance level of a read-out")
    if n_shuffles < 0:
        raise BadInput(f"The number of shuffles is 0 or more; n_shuffles is {n_shuffles}.")
    fitting = Fitting(decoder, asked_penalties(penalty), scale, max_iter, tol, standardise)
    if decoder != "ridge":
        require_sklearn()
    products, plain = _data(responses, gram, form, fitting)
    codes, names = coded(labels, len(products), "label")
    order = canonical(len(codes), *([] if ids is None else [_checked_ids(ids, len(codes))]))
    rng_folds, rng_shuffles = (int(one) for one in np.random.SeedSequence(seed).generate_state(2))
    splits, fold = _splits(codes, names, folds, n_folds, rng_folds, order, groups)
    task = Reading(products, plain, splits, len(names), fitting, seed)
    blocks = fold if within is None else coded(within, len(codes), "value of within", fewest=1)[0]
    shuffled = _shuffles(codes, blocks, order, n_shuffles if chance == "shuffle" else 0, rng_shuffles)
    confusions, penalties, note = read(task, codes, shuffled)
    return _record(task, names, confusions, penalties, note, seed)


def _grouped(state: Mapping[str, Any], names: Any) -> Integers:
    columns = {str(name): np.asarray(state["columns"][str(name)]) for name in np.atleast_1d(names)}
    return group_codes(columns, len(state["labels"]))


def _data(responses: Any, gram: Any, form: str, fitting: Fitting) -> tuple[Floats, Floats | None]:
    """Return the Gram matrix and, for the primal form alone, the responses."""
    if form == "dual":
        if fitting.standardise:
            raise BadInput("Standardising units needs form='primal' and responses: inner products do not know units.")
        return gram_of(responses, gram, NAME), None
    if fitting.decoder != "logistic" or responses is None or fitting.scale != "none" or len(fitting.strengths) > 1:
        raise BadInput(
            "The primal form is for decoder='logistic' with one penalty, on responses (stimulus, unit) and without a "
            "scale. Leave form out: the dual form solves the same problem."
        )
    plain = checked_responses(responses, NAME, fewest=2)
    return np.empty((len(plain), 0)), plain


def _checked_ids(ids: Any, n: int) -> NDArray[Any]:
    array = np.asarray(ids)
    if array.shape != (n,) or len(np.unique(array)) < n:
        raise BadInput(
            f"Each of the {n} stimuli has an id of its own, but {len(np.unique(array))} differ. Give others."
        )
    return array


def _splits(
    codes: Integers, names: NDArray[Any], folds: Any, n_folds: int, seed: int, order: Integers, groups: Any
) -> tuple[list[Split], Integers]:
    """Return the splits, and for shuffling the fold in which each stimulus is tested, or one for all."""
    if not isinstance(folds, str):
        if groups is not None:
            raise BadInput("Groups make folds, and folds came too. Give one of the two.")
        return checked_splits(folds, codes, names), np.zeros(len(codes), dtype=np.int64)
    if groups is not None:
        coded(groups, len(codes), "group", fewest=1)
    fold = fold_of_each(codes, names, folds, n_folds, seed=seed, order=order, groups=groups)
    splits = splits_of(fold)
    for at, split in enumerate(splits):
        check_learnt(codes, split, names, at)
    alone = len(splits) == len(codes)  # within a fold of one stimulus there is nothing to shuffle
    return splits, np.zeros_like(fold) if alone else fold


def _shuffles(codes: Integers, within: Integers, order: Integers, n: int, seed: int) -> list[Integers]:
    rng, found = np.random.default_rng(seed), []
    for _ in range(n):
        mixed = np.empty_like(codes)
        mixed[order] = shuffled_within(codes[order], within[order], rng)
        found.append(mixed)
    return found


def _record(
    task: Reading, names: NDArray[Any], confusions: Integers, penalties: Floats, note: str, seed: int
) -> Readout:
    right = np.trace(confusions, axis1=1, axis2=2) / confusions[0].sum()
    bits = confusion_bits(confusions)
    tested = len(np.unique(np.concatenate([one.test for one in task.splits])))
    low, high = wilson(float(right[0]), tested)
    n_shuffles = len(right) - 1
    what = f"{task.fitting.decoder}, {len(task.splits)} folds"
    return Readout(
        value=float(right[0]),
        low=low,
        high=high,
        n=tested,
        method=f"{what}; Wilson interval over stimuli",
        seed=seed,
        note=note,
        names=names,
        confusion=confusions[0],
        bits=float(bits[0]),
        chance=quantiles(right[1:], seed=seed, method=f"{what}, labels shuffled") if n_shuffles else None,
        chance_bits=float(bits[1:].mean()) if n_shuffles else float("nan"),
        p=(1 + int((right[1:] >= right[0]).sum())) / (1 + n_shuffles) if n_shuffles else float("nan"),
        penalties=penalties,
    )
