"""How alike every stage of one hierarchy is to every stage of another, with intervals over stimuli and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stratoscope.metrics.rsa import pairs_of, standardised_pairs
from stratoscope.studies.side_by_side.draws import Side, draws
from stratoscope.studies.side_by_side.geometry import Geometry, gram_of, shared
from stratoscope.types import Floats, Integers

#: Measures by name: RSA by its kind, and CKA without the bias of few stimuli.
MEASURES = ("rsa-spearman", "rsa-pearson", "cka")


@dataclass(frozen=True)
class Likeness:
    """The similarity of two hierarchies by one measure.

    Attributes
    ----------
    measure : str
        One of `MEASURES`.
    first, second : Geometry
        The hierarchies.
    n : int
        Stimuli they share.
    value : array (first stage, second stage)
        Similarity; NaN where a stage has none.
    draws : array (draw, first stage, second stage)
        The same for random halves of the stimuli, the units, or both, which scatter as `value` does about the truth.
    over : str
        What was drawn: ``stimuli``, ``units``, ``stimuli and units``, and where only one hierarchy has units to draw,
        ``of`` which.
    """

    measure: str
    first: Geometry
    second: Geometry
    n: int
    value: Floats
    draws: Floats
    over: str = "stimuli"

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Return the ends of the interval at `level`; NaN without draws, or where one has no value.

        Halves of the units are noisier than all of them, and so less similar: the draws are moved by what their mean lies
        off the value, and cut at -1 and 1.
        """
        if not len(self.draws):
            nothing = np.full(self.value.shape, np.nan)
            return nothing, nothing
        ends = np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        low, high = np.clip(ends + self.value - self.draws.mean(axis=0), -1, 1)
        return np.minimum(low, self.value), np.maximum(high, self.value)

    def best(self) -> Integers:
        """Return for every stage of the second hierarchy the most similar stage of the first, -1 where there is none."""
        return _best(self.value)

    def best_share(self) -> Floats:
        """Return in which share of the draws each first stage is the best for each second (first stage, second stage)."""
        picks = self._picks()
        return np.stack([(picks == stage).sum(axis=0) for stage in range(len(self.value))]) / max(len(picks), 1)

    def best_depths(self) -> Floats:
        """Return the depth of the best first stage for each second stage, in every draw (draw, second stage)."""
        depths = np.array([*(stage.depth for stage in self.first.stages), np.nan])
        return np.asarray(depths[self._picks()])

    def _picks(self) -> Integers:
        return np.array([_best(draw) for draw in self.draws], dtype=np.int64).reshape(-1, self.value.shape[1])


def likeness(
    first: Geometry, second: Geometry, measure: str, *, n_draws: int, seed: int, over: str = "both"
) -> Likeness:
    """Compare every stage of `first` with every stage of `second` on the stimuli they share.

    Parameters
    ----------
    measure : str
        ``rsa-spearman``, ``rsa-pearson`` (see `stratoscope.metrics.rsa`), or ``cka`` (see `stratoscope.metrics.cka`,
        debiased). CKA is NaN at stages whose matrix is not of a Euclidean distance.
    n_draws, seed
        Random halves for intervals; none below 8 shared stimuli.
    over : str
        What they are halves of: ``stimuli``, ``units`` (of all stages that kept groups of them), or ``both`` at once.
    """
    ids = shared(first, second)
    one, other = Side.of(first, ids), Side.of(second, ids)
    whole = _alike(one.rdms, other.rdms, (one, other), measure)
    parts = [_alike(ours, theirs, (one, other), measure) for ours, theirs in draws(one, other, n_draws, seed, over)]
    drawn = np.array(parts).reshape(len(parts), *whole.shape)
    return Likeness(measure, first, second, len(ids), whole, drawn, _over(one, other, (first.name, second.name), over))


def _alike(ours: Sequence[Floats], theirs: Sequence[Floats], sides: tuple[Side, Side], measure: str) -> Floats:
    if measure != "cka":
        return _rsa(ours, theirs, measure.removeprefix("rsa-"))
    return _cka(*(_grams(rdms, side.distances) for rdms, side in zip((ours, theirs), sides, strict=True)))


def _over(one: Side, other: Side, names: tuple[str, str], asked: str) -> str:
    """Say what was drawn, as `Likeness.over` has it."""
    having = [name for name, side in zip(names, (one, other), strict=True) if any(side.resampled)]
    units = "units" + (f" of {having[0]}" if len(having) == 1 else "")
    words = [*(("stimuli",) if asked != "units" else ()), *((units,) if asked != "stimuli" and having else ())]
    return " and ".join(words)


def _rsa(ours: Sequence[Floats], theirs: Sequence[Floats], kind: str) -> Floats:
    one, other = (standardised_pairs([pairs_of(rdm) for rdm in rdms], kind) for rdms in (ours, theirs))
    return np.asarray(one @ other.T)


def _grams(rdms: Sequence[Floats], distances: Sequence[str]) -> list[Floats | None]:
    return [gram_of(rdm, distance) for rdm, distance in zip(rdms, distances, strict=True)]


def _cka(ours: Sequence[Floats | None], theirs: Sequence[Floats | None]) -> Floats:
    """Return debiased CKA between stages, all products by one matrix product."""
    one, other = map(_hollow, (ours, theirs))
    cross = _hsic(one, other)
    own = [np.array([_hsic(stage[None], stage[None])[0, 0] for stage in stack]) for stack in (one, other)]
    with np.errstate(invalid="ignore", divide="ignore"):
        norms = np.sqrt(np.where(own[0] > 0, own[0], np.nan))[:, None] * np.sqrt(np.where(own[1] > 0, own[1], np.nan))
        return np.asarray(cross / norms)


def _hollow(grams: Sequence[Floats | None]) -> Floats:
    """Stack Gram matrices (stage, stimulus, stimulus) with an empty diagonal; NaN for a stage without one."""
    size = next((len(gram) for gram in grams if gram is not None), 4)
    stack = np.full((len(grams), size, size), np.nan)
    for i, gram in enumerate(grams):
        if gram is not None:
            stack[i] = gram
            np.fill_diagonal(stack[i], 0.0)
    return stack


def _hsic(one: Floats, other: Floats) -> Floats:
    """Return the estimate of HSIC without bias (Song et al. 2012) for all pairs of hollow Gram matrices."""
    n = other.shape[1]
    if one.shape[1] != n:  # one side has no Euclidean stage at all
        return np.full((len(one), len(other)), np.nan)
    sums = [stack.sum(axis=1) for stack in (one, other)]
    flat = [stack.reshape(len(stack), -1) for stack in (one, other)]
    totals = np.outer(sums[0].sum(axis=1), sums[1].sum(axis=1)) / ((n - 1) * (n - 2))
    return np.asarray((flat[0] @ flat[1].T + totals - 2 / (n - 2) * sums[0] @ sums[1].T) / (n * (n - 3)))


def _best(value: Floats) -> Integers:
    """Return the row of the largest value of every column, -1 where a column has none."""
    known = np.where(np.isfinite(value), value, -np.inf)
    return np.where(np.isfinite(value).any(axis=0), known.argmax(axis=0), -1)
