"""How well populations of units tell two objects apart, over all their views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratoscope.metrics.readout.confusion import confusion_accuracy, confusion_bits
from stratoscope.metrics.readout.decoders import Fitting, asked_penalties, predicted_labels, require_sklearn, rescaled
from stratoscope.metrics.readout.folds import check_folds, dealt, separability_folds
from stratoscope.metrics.readout.kernels import train_centred
from stratoscope.metrics.readout.labels import view_codes
from stratoscope.metrics.readout.one_against_one import pair_decisions, votes
from stratoscope.metrics.readout.pair_machines import confusions_at_once
from stratoscope.metrics.readout.pairs import resolve_pairs
from stratoscope.metrics.readout.population import (
    SIZES,
    Population,
    checked_numbers,
    checked_sizes,
    n_stimuli,
    resampled,
    shuffle_note,
)
from stratoscope.metrics.readout.population_record import Collected, PopulationReadout, record
from stratoscope.metrics.readout.ridge import grid_of, held_out, targets
from stratoscope.metrics.readout.support_vectors import LARGEST
from stratoscope.types import Floats, Integers

NAME = "population_separability"


def population_separability(
    responses: Any,
    objects: Any,
    *,
    views: Any = None,
    sizes: Any = SIZES,
    n_resamplings: int = 50,
    decoder: str = "svm",
    penalty: float | Sequence[float] | None = None,
    scale: str = "none",
    folds: str | None = None,
    n_folds: int = 5,
    pairs: Any = None,
    luminance: Any = None,
    threshold: float = 0.8,
    n_vectors: int | None = None,
    gram: Any = None,
    n_shuffles: int = 1,
    seed: int = 0,
) -> PopulationReadout:
    """How well populations of units tell two objects apart, whatever the view (linear separability).

    Units are drawn without replacement, again and again; a linear decoder learns two objects on four fifths of their
    responses and is tested on the last, in turn. Confusion matrices of the folds are pooled.

    Parameters
    ----------
    responses : array (stimulus, unit) or (trial, stimulus, unit), or None
        Responses, finite; with trials, NaN stands for an absent one, and every vector of a pseudo-population takes one
        trial of each unit, without replacement. None with `gram` and ``sizes=("all",)``.
    objects : array (stimulus,)
        Object of every stimulus.
    views : array (stimulus,) or mapping of str to array, optional
        View of every stimulus (see `splits_across_views`): chance shuffles objects within it. Without, over all stimuli.
    sizes : sequence of int or "all"
        Numbers of units.
    n_resamplings : int
        Draws of units for every size.
    decoder, penalty, scale
        See `cross_validated_readout`; the source has a linear support vector machine with C = 1.
    folds : str, optional
        ``stratified``: the responses to every object are dealt out at random, as in the source. ``views``: whole views
        are, so that a test view is not learnt for any object. By default ``views`` where views are given and answered
        once, as by a network, else ``stratified``.
    n_folds : int
        Number of folds.
    pairs : array, optional
        Pairs of objects, as names or positions (pair, 2), or a mask (object, object). By default every pair.
    luminance : array (stimulus,), optional
        Luminance: pairs are kept whose luminosity ratio is above `threshold`.
    threshold : float
        0 to 1; 0.8 (and 0.6) in the source.
    n_vectors : int, optional
        Vectors a stimulus; by default as many as every unit has trials.
    gram : array (stimulus, stimulus), optional
        Inner products of all units, read for the size ``all``.
    n_shuffles : int
        Repetitions of each resampling with objects shuffled within views, 0 for none.
    seed : int
        Seed of units, vectors, folds and shuffles.

    Returns
    -------
    PopulationReadout

    Raises
    ------
    TooFew
        One object, an object with fewer responses than folds, no pair that passes, fewer units than every size.
    BadInput
        NaN, wrong shapes, views in which no two objects are shown.
    MissingExtra
        For ``svm`` and ``logistic`` without scikit-learn.

    When it misleads
    ----------------
    Views that resemble each other are in training and test set: this is separability, not generalization. Any two groups
    of stimuli can be separated by enough units; `arbitrary_groups` of views are the control. Intervals are over
    resamplings, which share units: close to the full number of units they shrink to nothing. A fixed C means another
    thing at stages with larger responses (see `scale`).

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794, Figure 8.

    Examples
    --------
    >>> objects = np.repeat(["jug", "star"], 20)
    >>> responses = np.random.default_rng(0).standard_normal((40, 30)) + (objects == "star")[:, None]
    >>> found = population_separability(responses, objects, sizes=(3, 24), n_resamplings=5, decoder="ridge")
    >>> bool(found.accuracy.value[1] > found.accuracy.value[0] > 0.6)
    True
    """
    fitting = Fitting(decoder, asked_penalties(penalty), scale)
    if decoder != "ridge":
        require_sklearn()
    checked_numbers(n_resamplings, n_shuffles)
    view_of = None if views is None else view_codes(views, n_stimuli(responses, gram, NAME))
    population = Population.of(responses, objects, view_of, gram, n_vectors, NAME)
    how = separability_folds(folds, view_of, repeated=population.n_vectors > 1)
    check_folds(population.row_codes, population.names, n_folds, NAME)
    chosen = resolve_pairs(population.names, objects, pairs, luminance, threshold, None)
    asked, note = checked_sizes(sizes, population, NAME)
    notes = [note, shuffle_note(population, n_shuffles, views_given=views is not None)]
    collected = Collected(len(asked), n_resamplings, len(chosen), n_shuffles)
    for at, k, products, labels, key in resampled(population, asked, n_resamplings, n_shuffles, seed):
        tests = []
        for one in labels:
            rng = np.random.default_rng(key)
            fold = dealt(how, one, population.row_views, population.names, n_folds, rng)
            tests.append(_confusions(products, one, chosen.index, fold, fitting))
        collected.put(at, k, confusion_bits(np.stack(tests)), confusion_accuracy(np.stack(tests)))
    return record(collected, population, asked, chosen, f"{decoder}, {n_folds} folds ({how})", seed, notes)


def _confusions(products: Floats, codes: Integers, pairs: Integers, fold: Integers, fitting: Fitting) -> Floats:
    """Return confusion matrices (pair, 2, 2) pooled over folds."""
    if fitting.decoder == "svm" and len(fitting.strengths) == 1:
        return _machines(products, codes, np.flatnonzero(np.isin(codes, pairs)), fold, pairs, fitting)
    return np.stack([_one_pair(products, codes, fold, pair, fitting) for pair in pairs])


def _machines(
    products: Floats, codes: Integers, rows: Integers, fold: Integers, pairs: Integers, fitting: Fitting
) -> Floats:
    """Train the machines of all pairs: many small ones at once, or by libsvm in one call a fold where that is less work."""
    apart = len(pairs) < len(np.unique(pairs))
    groups = [(rows[np.isin(codes[rows], pair)], pair[None]) for pair in pairs] if apart else [(rows, pairs)]
    if max(np.isin(codes[rows], pair).sum() for pair in pairs) <= LARGEST:
        return confusions_at_once(products, codes, groups, fold, fitting)
    return np.concatenate([_together(products, codes, own, fold, some, fitting) for own, some in groups])


def _together(
    products: Floats, codes: Integers, rows: Integers, fold: Integers, pairs: Integers, fitting: Fitting
) -> Floats:
    result = np.zeros((len(pairs), 2, 2))
    for k in np.unique(fold):
        train, test = rows[fold[rows] != k], rows[fold[rows] == k]
        learnt, tested = rescaled(*train_centred(products, train, test), fitting.scale)
        decisions, known = pair_decisions(learnt, tested, codes[train], fitting.strengths[0])
        first = votes(decisions, 1.0)
        for at, pair in enumerate(pairs):
            column = first[:, np.flatnonzero((known == pair).all(axis=1))[0]]
            for true, code in enumerate(pair):
                called = column[codes[test] == code]
                result[at, true] += [called.sum(), len(called) - called.sum()]
    return result


def _one_pair(products: Floats, codes: Integers, fold: Integers, pair: Integers, fitting: Fitting) -> Floats:
    """Read one pair out by ridge in closed form, or by a fit for every fold."""
    rows = np.flatnonzero(np.isin(codes, pair))
    labels, own = np.searchsorted(pair, codes[rows]), products[np.ix_(rows, rows)]
    folds = [np.flatnonzero(fold[rows] == k) for k in np.unique(fold[rows])]
    result = np.zeros((2, 2))
    if fitting.decoder == "ridge":
        scores = held_out(own, targets(labels[:, None], 2), folds, grid_of(fitting.penalties, own))[0][:, :, 0]
        first = votes(scores[:, 0] - scores[:, 1], 1.0)
    else:
        first = np.empty(len(rows))
        for test in folds:
            train = np.setdiff1d(np.arange(len(rows)), test)
            predicted = predicted_labels(*train_centred(own, train, test), labels[train], fitting, seed=0)[0]
            first[test] = predicted == 0
    for true in (0, 1):
        called = first[labels == true]
        result[true] = [called.sum(), len(called) - called.sum()]
    return result
